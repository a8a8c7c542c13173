//! Where a service listens, so that its flows arrive.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::endpoint::{EndpointId, Scope};
use crate::flow::{Flow, Party};
use crate::{Attachment, PlacementId, Topology};

/// On which addresses a service has to listen, or its port be published, so
/// that its flows arrive and nothing else does.
///
/// Sorted; empty where nobody needs the endpoint from outside the container
/// network. `0.0.0.0` and `::` stand for all addresses.
///
/// ```
/// use stageplot_topology::listen;
/// # let text = r#"
/// #     name = "live"
/// #     [nodes.front]
/// #     address = "10.0.0.1"
/// #     public = "203.0.113.10"
/// #     roles = "edge"
/// #     [nodes.media]
/// #     address = "10.0.0.2"
/// #     public = "203.0.113.11"
/// #     roles = "livekit"
/// #     [edge]
/// #     domain = "livekit.example.com"
/// #     [livekit]
/// #     keys = { main = { env = "LIVEKIT_API_SECRET" } }
/// # "#;
/// # let document = stageplot_topology::Document::parse(stageplot_topology::Format::Toml, "", text)?;
/// # let topology = stageplot_topology::Plot::read(&document)?.topology;
/// let livekit = topology.service_named("livekit").ok_or("a LiveKit")?;
/// let signal = topology.endpoint_named(livekit.id, "signal").ok_or("its signalling")?;
/// for address in listen(&topology, signal.id, livekit.placements[0]) {
///     println!("LiveKit listens on {address}, port {}", signal.ports);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn listen(topology: &Topology, endpoint: EndpointId, at: PlacementId) -> Vec<IpAddr> {
    let at = topology.placement(at);
    let node = topology.node(at.node);
    let mut addresses = BTreeSet::new();
    let bridged = at.attachment == Attachment::Bridge;
    match topology.endpoint(endpoint).scope {
        Scope::Everywhere => return everywhere(node.has_v6() || !bridged),
        Scope::Loopback if bridged => return Vec::new(),
        Scope::Loopback => return vec![Ipv4Addr::LOCALHOST.into()],
        Scope::Flows | Scope::Shared => {}
    }
    if !bridged {
        // Its own health check asks there.
        addresses.insert(Ipv4Addr::LOCALHOST.into());
    }
    for flow in bound_for(topology, endpoint) {
        match flow.from {
            Party::Internet | Party::Operator | Party::Nets(_) => return everywhere(node.has_v6()),
            Party::Network(network) => {
                addresses.extend(node.addresses.iter().filter(|a| a.network == Some(network)).map(|a| a.ip));
            }
            Party::Service(service) => {
                for client in topology.placements_on(at.node).filter(|p| p.service == service) {
                    match (client.attachment, bridged) {
                        (Attachment::Bridge, true) => {}
                        (Attachment::Bridge, false) => {
                            addresses.insert(topology.bridge_gateway().into());
                        }
                        (Attachment::Host | Attachment::OffDocker, _) => {
                            addresses.insert(Ipv4Addr::LOCALHOST.into());
                        }
                    }
                }
                for group in &topology.peers[service.index()].groups {
                    if group.members.iter().any(|&member| member != at.node)
                        && let Some((target, _)) = group.towards(node)
                    {
                        // Behind address translation the public address is no
                        // address of the machine's own.
                        let foreign =
                            node.public.is_some_and(|p| !p.bound && p.addresses().any(|a| a == target));
                        if foreign {
                            return everywhere(node.has_v6());
                        }
                        addresses.insert(target);
                    }
                }
            }
        }
    }
    addresses.into_iter().collect()
}

/// The flows that decide where an endpoint listens.
fn bound_for(topology: &Topology, endpoint: EndpointId) -> impl Iterator<Item = &Flow> {
    let own = topology.endpoint(endpoint);
    let others = topology.endpoints_of(own.service).iter();
    let bound = others
        .filter(|other| other.id == own.id || own.scope == Scope::Shared && other.scope == Scope::Shared);
    bound.flat_map(|endpoint| topology.flows_to(endpoint.id))
}

fn everywhere(v6: bool) -> Vec<IpAddr> {
    let v4 = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    if v6 { vec![v4, Ipv6Addr::UNSPECIFIED.into()] } else { vec![v4] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::tests::{MEDIA, sources, topology};

    #[test]
    fn what_shares_one_list_listens_where_any_of_it_is_reached() {
        let metrics = MEDIA.replace("[livekit]", "[livekit]\nmetrics = { from = \"lan\" }");
        let (without, with) = (topology(MEDIA), topology(&metrics));
        let listens = |topology: &Topology, endpoint: &str| {
            let service = topology.service_named("livekit").expect("a service");
            let endpoint = topology.endpoint_named(service.id, endpoint).expect("an endpoint").id;
            listen(topology, endpoint, service.placements[0])
        };
        let addresses =
            |texts: &[&str]| texts.iter().map(|t| t.parse().expect("an address")).collect::<Vec<IpAddr>>();
        assert_eq!(listens(&without, "signal"), addresses(&["127.0.0.1"]));
        assert_eq!(listens(&with, "signal"), addresses(&["127.0.0.1", "192.168.1.1"]));
        assert_eq!(listens(&with, "metrics"), listens(&with, "signal"));
        // What listens there is not let in for that.
        assert_eq!(sources(&with, "livekit", "signal", "one"), [""; 0]);
    }
}
