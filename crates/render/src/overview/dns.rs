//! The DNS records to set.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use stageplot_topology::{HostName, Node, Party, ServiceId, ServiceSpec, Topology, TurnTls};

/// A name that clients use, and the nodes that answer to it.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) addresses: BTreeSet<IpAddr>,
    /// Nodes without a public address: where the name should lead, the plot
    /// can not know.
    pub(super) unknown: BTreeSet<String>,
}

/// The records by name.
pub(super) fn records(topology: &Topology) -> BTreeMap<&HostName, Record> {
    let mut records: BTreeMap<&HostName, Record> = BTreeMap::new();
    let mut add = |name, service: ServiceId| {
        let record = records.entry(name).or_default();
        for node in nodes(topology, service) {
            match node.public {
                Some(public) => record.addresses.extend(public.addresses()),
                None => drop(record.unknown.insert(node.name.to_string())),
            }
        }
    };
    for service in topology.services() {
        match &service.kind {
            ServiceSpec::Edge(edge) => edge.names().for_each(|name| add(name, service.id)),
            ServiceSpec::Livekit(livekit) => {
                let Some(turn) = &livekit.turn else { continue };
                let Some(domain) = &turn.domain else { continue };
                match (turn.tls, edge_before_turn(topology, service.id)) {
                    (TurnTls::Edge, Some(edge)) => add(domain, edge),
                    _ => add(domain, service.id),
                }
            }
            ServiceSpec::Redis(_) | ServiceSpec::App(_) => {}
        }
    }
    records
}

/// The type of a record for an address.
pub(super) fn kind(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "A",
        IpAddr::V6(_) => "AAAA",
    }
}

/// The records as a zone file has them (RFC 1035, § 5.1), sorted; what is not
/// known stands in a comment.
pub(super) fn render(topology: &Topology) -> String {
    let mut text = "; The records that this stack needs, as a zone file has them. Rendered: change the\n\
         ; stage plot, not this file.\n"
        .to_owned();
    let records = records(topology);
    if records.is_empty() {
        text.push_str("; No service has a name: clients use addresses.\n");
    }
    for (name, Record { addresses, unknown }) in &records {
        for &address in addresses {
            text.push_str(&format!("{name}. 300 IN {} {address}\n", kind(address)));
        }
        let leads = if addresses.is_empty() { "leads" } else { "also leads" };
        for node in unknown {
            text.push_str(&format!(
                "; {name}. {leads} to {node}, for which the plot has no public address: \
                 set nodes.{node}.public, or the address by which clients reach it.\n"
            ));
        }
    }
    text
}

fn nodes(topology: &Topology, service: ServiceId) -> impl Iterator<Item = &Node> {
    let placements = topology.service(service).placements.iter();
    placements.map(|&id| topology.node(topology.placement(id).node))
}

/// The edge that splits TURN from HTTPS for this LiveKit.
fn edge_before_turn(topology: &Topology, livekit: ServiceId) -> Option<ServiceId> {
    let endpoint = topology.endpoint_named(livekit, "turn-tls")?;
    topology.flows_to(endpoint.id).find_map(|flow| match flow.from {
        Party::Service(edge) => Some(edge),
        _ => None,
    })
}
