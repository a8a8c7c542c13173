//! `stageplot show nodes`

use std::net::IpAddr;

use serde::Serialize;
use stageplot_topology::{Attachment, Node, PublicAddress, Topology};

use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    node: String,
    /// In private networks.
    addresses: Vec<IpAddr>,
    public: Vec<IpAddr>,
    /// Whether the public address is the machine's own.
    public_bound: bool,
    /// In bytes, where the plot says.
    memory: Option<u64>,
    services: Vec<Placed>,
}

#[derive(Serialize)]
struct Placed {
    service: String,
    kind: &'static str,
    attachment: &'static str,
    /// Whether it is the Redis that takes writes.
    primary: bool,
    /// Whether it stands on one node alone, so that tables need not say so.
    #[serde(skip)]
    is_alone: bool,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    super::chosen(topology, node).iter().map(|node| row(topology, node)).collect()
}

fn row(topology: &Topology, node: &Node) -> Row {
    let services = topology.placements_on(node.id).map(|placement| {
        let service = topology.service(placement.service);
        Placed {
            service: service.name.to_string(),
            kind: service.kind.kind(),
            attachment: attachment(placement.attachment),
            primary: service.primary == Some(placement.id),
            is_alone: service.placements.len() == 1,
        }
    });
    Row {
        node: node.name.to_string(),
        addresses: node.addresses.iter().map(|address| address.ip).collect(),
        public: node.public.into_iter().flat_map(PublicAddress::addresses).collect(),
        public_bound: node.public.is_some_and(|public| public.bound),
        memory: node.memory.map(|memory| memory.bytes()),
        services: services.collect(),
    }
}

fn attachment(attachment: Attachment) -> &'static str {
    match attachment {
        Attachment::Host => "host",
        Attachment::Bridge => "bridge",
        Attachment::OffDocker => "process",
    }
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["node", "address", "public address", "services"]);
    for row in rows {
        let note = if row.public.is_empty() || row.public_bound { "" } else { " (translated)" };
        let public = join(&row.public) + note;
        let services = row.services.iter().map(|placed| {
            let note = match (placed.primary && !placed.is_alone, placed.attachment) {
                (_, "process") => " (not in Docker)",
                (true, _) => " (primary)",
                _ => "",
            };
            format!("{}{note}", placed.service)
        });
        let services = services.collect::<Vec<_>>().join(", ");
        table.row([row.node.clone(), join(&row.addresses), public, services]);
    }
    table
}

fn join(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
