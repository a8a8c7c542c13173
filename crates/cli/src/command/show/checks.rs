//! `stageplot show checks`

use serde::Serialize;
use stageplot_topology::{Node, Party, Probe, Topology, checks};

use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    /// What the check is called.
    check: String,
    /// Who has to succeed.
    from: String,
    service: String,
    endpoint: String,
    protocol: String,
    ports: String,
    /// The nodes of which each has to answer.
    nodes: Vec<String>,
    /// The hosts that offer it, where somebody else runs it.
    elsewhere: Vec<String>,
    /// What is tried, and what has to come back.
    expects: String,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    let mut rows = Vec::new();
    for check in checks(topology) {
        let endpoint = topology.endpoint(check.to);
        let at: Vec<_> = endpoint.at.iter().map(|&at| topology.node(topology.placement(at).node)).collect();
        let leaves = |node: &Node| match check.from {
            Party::Service(service) => topology.placements_on(node.id).any(|p| p.service == service),
            _ => false,
        };
        if node.is_some_and(|node| !at.iter().any(|other| other.id == node.id) && !leaves(node)) {
            continue;
        }
        rows.push(Row {
            from: topology.party_name(check.from),
            service: topology.service(endpoint.service).name.to_string(),
            endpoint: endpoint.name.to_string(),
            protocol: endpoint.protocol.to_string(),
            ports: endpoint.ports.to_string(),
            nodes: at.iter().map(|node| node.name.to_string()).collect(),
            elsewhere: endpoint.elsewhere.iter().map(|address| address.host.clone()).collect(),
            expects: in_words(&check.probe),
            check: check.id,
        });
    }
    rows
}

fn in_words(probe: &Probe) -> String {
    match probe {
        Probe::TcpConnect => "a connection is accepted".to_owned(),
        Probe::HttpGet { path } => format!("GET {path} answers 2xx"),
        Probe::HttpsRedirect => "GET / redirects to HTTPS".to_owned(),
        Probe::TlsSession { name } => format!("a certificate for {name}"),
        Probe::Http3Session { name } => format!("HTTP/3 for {name}"),
        Probe::RedisPing { password, tls } => {
            let answer = if *password { "PONG with the password, refused without" } else { "PONG" };
            if *tls { format!("{answer}, inside TLS") } else { answer.to_owned() }
        }
        Probe::RedisReplication => "the link to the primary is up".to_owned(),
        Probe::StunBinding => "STUN tells the client's address".to_owned(),
        Probe::IceBinding => "ICE answers a session of one's own".to_owned(),
        _ => "an answer".to_owned(),
    }
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["from", "to", "port", "on", "what has to come back"]);
    for row in rows {
        table.row([
            row.from.clone(),
            format!("{} {}", row.service, row.endpoint),
            format!("{}/{}", row.ports, row.protocol),
            super::places(&row.nodes, &row.elsewhere),
            row.expects.clone(),
        ]);
    }
    table
}
