//! The DNS records to set.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;
use stageplot_topology::{HostName, Node, Party, ServiceId, ServiceSpec, Topology, TurnTls};

/// A name that clients use, and the nodes that answer to it.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) addresses: BTreeSet<IpAddr>,
    /// Nodes without a public address: where the name should lead, the plot
    /// cannot know.
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
                    // Nothing asks for it there.
                    (TurnTls::Off, _) => {}
                    (TurnTls::Edge, Some(edge)) => add(domain, edge),
                    _ => add(domain, service.id),
                }
            }
            ServiceSpec::Ingress(ingress) => ingress.domain.iter().for_each(|name| add(name, service.id)),
            ServiceSpec::Sip(sip) => sip.domain.iter().for_each(|name| add(name, service.id)),
            ServiceSpec::Rtmp(rtmp) => rtmp.domain.iter().for_each(|name| add(name, service.id)),
            ServiceSpec::Redis(_)
            | ServiceSpec::Egress(_)
            | ServiceSpec::Postgres(_)
            | ServiceSpec::Prometheus(_)
            | ServiceSpec::Grafana(_)
            | ServiceSpec::IonSfu(_)
            | ServiceSpec::App(_) => {}
        }
    }
    records
}

/// A name to set records for.
///
/// See [`dns_names`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DnsName {
    /// The name, without a dot at its end.
    pub name: String,
    /// The records to set.
    pub records: Vec<DnsRecord>,
    /// Nodes that answer to it too, and of which the plot has no public address.
    pub unknown: Vec<String>,
}

/// A record to set.
///
/// See [`dns_names`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DnsRecord {
    /// `A` or `AAAA`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// Where it leads.
    pub address: IpAddr,
}

/// The DNS records to set, as `dns.txt` has them.
///
/// ```
/// use stageplot_render::dns_names;
/// use stageplot_topology::{Edge, NodeSpec, Plot};
///
/// let topology = Plot::new("live".parse()?)
///     .service("edge", Edge::new("live.example.com".parse()?))
///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge"))
///     .build()?
///     .topology;
/// for name in dns_names(&topology) {
///     for record in name.records {
///         println!("{} {} IN {} {}", name.name, record.ttl, record.kind, record.address);
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn dns_names(topology: &Topology) -> Vec<DnsName> {
    let record = |address| DnsRecord { kind: kind(address), ttl: TTL, address };
    let names = records(topology).into_iter().map(|(name, Record { addresses, unknown })| DnsName {
        name: name.to_string(),
        records: addresses.into_iter().map(record).collect(),
        unknown: unknown.into_iter().collect(),
    });
    names.collect()
}

/// How long a record may be kept, in seconds: short, since a node may be replaced.
const TTL: u32 = 300;

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
            text.push_str(&format!("{name}. {TTL} IN {} {address}\n", kind(address)));
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
