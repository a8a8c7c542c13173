//! `stageplot show checks`

use serde::Serialize;
use stageplot_topology::{Node, Probe, Topology, checks};

use super::Target;
use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    /// What the check is called.
    check: String,
    /// Who has to succeed.
    from: String,
    #[serde(flatten)]
    to: Target,
    /// What is tried, and what has to come back.
    expects: String,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    let mut rows = Vec::new();
    for check in checks(topology) {
        if node.is_some_and(|node| !super::concerns(topology, check.from, check.to, node)) {
            continue;
        }
        rows.push(Row {
            from: topology.party_name(check.from),
            to: Target::of(topology, check.to),
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
        Probe::RedisPrimary { replicas: 0 } => "it is the primary".to_owned(),
        Probe::RedisPrimary { .. } => "it is the primary, and its replicas are with it".to_owned(),
        Probe::RedisRoom { .. } => "there is room for data and clients".to_owned(),
        Probe::RedisPersistence { .. } => "what is written is kept".to_owned(),
        Probe::PostgresLogin { password, tls } => {
            let answer = if *password { "a login with the password, refused without" } else { "a login" };
            if *tls { format!("{answer}, inside TLS") } else { answer.to_owned() }
        }
        Probe::PostgresPrimary { replicas: 0 } => "it takes writes".to_owned(),
        Probe::PostgresPrimary { .. } => "it takes writes, and its replicas follow".to_owned(),
        Probe::PostgresReplication => "it follows the primary".to_owned(),
        Probe::PostgresConnections { .. } => "there is room for connections".to_owned(),
        Probe::CaddyUpstreams => "every upstream is known and well".to_owned(),
        Probe::CaddyBalance { .. } => "every upstream is picked".to_owned(),
        Probe::Resolves { name, .. } => format!("{name} leads there"),
        Probe::SipOptions => "SIP answers OPTIONS".to_owned(),
        Probe::IonSfuCall => "ion-sfu answers a call".to_owned(),
        Probe::RtmpHandshake => "RTMP shakes hands".to_owned(),
        Probe::RtmpStranger => "a stream that nobody gave out is sent away".to_owned(),
        Probe::RtmpRoundTrip => "a stream is let in, and played".to_owned(),
        Probe::RtmpStatus => "nginx tells of its streams".to_owned(),
        Probe::PrometheusTargets => "whom it asks answers".to_owned(),
        Probe::LivekitKeys => "LiveKit takes every key".to_owned(),
        Probe::LivekitToken => "LiveKit takes a client's token".to_owned(),
        Probe::LivekitNodes { .. } => "every node is known and serves".to_owned(),
        Probe::LivekitJoin => "a room is joined".to_owned(),
        Probe::Webhook { url, .. } => format!("{} believes LiveKit alone", url.path()),
        Probe::CreateRoom { path, .. } => format!("POST {path} creates a room, at the edge"),
        Probe::TurnAllocate => "TURN relays for a session of one's own".to_owned(),
        Probe::TurnTlsAllocate { name } => format!("TURN relays for it, by a certificate for {name}"),
    }
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["from", "to", "port", "on", "what has to come back"]);
    for row in rows {
        table.row([row.from.clone(), row.to.name(), row.to.port(), row.to.places(), row.expects.clone()]);
    }
    table
}
