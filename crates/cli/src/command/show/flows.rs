//! `stageplot show flows`

use serde::Serialize;
use stageplot_topology::{Flow, Node, Party, Topology};

use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    from: String,
    service: String,
    endpoint: String,
    protocol: String,
    ports: String,
    /// The nodes that offer it.
    nodes: Vec<String>,
    /// The hosts that offer it, where somebody else runs it.
    elsewhere: Vec<String>,
    reason: String,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    let flows = topology.flows().iter();
    flows
        .filter(|flow| node.is_none_or(|node| concerns(topology, flow, node)))
        .map(|flow| row(topology, flow))
        .collect()
}

/// Whether a flow leaves a node or arrives there.
fn concerns(topology: &Topology, flow: &Flow, node: &Node) -> bool {
    let leaves = match flow.from {
        Party::Service(service) => topology.placements_on(node.id).any(|p| p.service == service),
        _ => false,
    };
    let arrives = topology.endpoint(flow.to).at.iter().any(|&at| topology.placement(at).node == node.id);
    leaves || arrives
}

fn row(topology: &Topology, flow: &Flow) -> Row {
    let endpoint = topology.endpoint(flow.to);
    let nodes = endpoint.at.iter().map(|&at| topology.node(topology.placement(at).node).name.to_string());
    Row {
        from: topology.party_name(flow.from),
        service: topology.service(endpoint.service).name.to_string(),
        endpoint: endpoint.name.to_string(),
        protocol: endpoint.protocol.to_string(),
        ports: endpoint.ports.to_string(),
        nodes: nodes.collect(),
        elsewhere: endpoint.elsewhere.iter().map(|address| address.host.clone()).collect(),
        reason: flow.reason.to_string(),
    }
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["from", "to", "port", "on", "why"]);
    for row in rows {
        table.row([
            row.from.clone(),
            format!("{} {}", row.service, row.endpoint),
            format!("{}/{}", row.ports, row.protocol),
            super::places(&row.nodes, &row.elsewhere),
            row.reason.clone(),
        ]);
    }
    table
}
