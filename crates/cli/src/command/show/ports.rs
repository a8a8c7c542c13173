//! `stageplot show ports`

use std::net::IpAddr;

use serde::Serialize;
use stageplot_topology::{Node, Placement, Topology, listen};

use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    node: String,
    protocol: String,
    ports: String,
    service: String,
    endpoint: String,
    /// The node's addresses that it listens on; none where it is reached inside
    /// the container network alone.
    listens_on: Vec<IpAddr>,
    /// Who connects.
    used_by: Vec<String>,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    let mut rows = Vec::new();
    for node in super::chosen(topology, node) {
        for placement in topology.placements_on(node.id) {
            rows.extend(of_placement(topology, node, placement));
        }
    }
    rows
}

fn of_placement<'t>(
    topology: &'t Topology,
    node: &'t Node,
    placement: Placement,
) -> impl Iterator<Item = Row> + 't {
    let endpoints = topology.endpoints_of(placement.service).iter();
    endpoints.filter(move |endpoint| endpoint.is_at(placement.id)).map(move |endpoint| {
        let mut used_by: Vec<_> =
            topology.flows_to(endpoint.id).map(|flow| topology.party_name(flow.from)).collect();
        used_by.dedup();
        Row {
            node: node.name.to_string(),
            protocol: endpoint.protocol.to_string(),
            ports: endpoint.ports.to_string(),
            service: topology.service(endpoint.service).name.to_string(),
            endpoint: endpoint.name.to_string(),
            listens_on: listen(topology, endpoint.id, placement.id),
            used_by,
        }
    })
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["node", "port", "service", "listens on", "used by"]);
    for row in rows {
        table.row([
            row.node.clone(),
            format!("{}/{}", row.ports, row.protocol),
            format!("{} {}", row.service, row.endpoint),
            addresses(&row.listens_on),
            if row.used_by.is_empty() { "itself".to_owned() } else { row.used_by.join(", ") },
        ]);
    }
    table
}

fn addresses(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return "the container network".to_owned();
    }
    if addresses.iter().any(|address| address.is_unspecified()) {
        return "all addresses".to_owned();
    }
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
