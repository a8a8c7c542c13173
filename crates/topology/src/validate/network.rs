//! Addresses and networks that contradict each other, and flows without a way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::endpoint::Speaks;
use crate::reach::SOURCES_LIMIT;
use crate::{
    Code, FieldPath, Findings, Node, NodeAddress, Party, PlacementId, Segment, ServiceId, Topology, reach,
    words,
};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    duplicate_addresses(topology, findings);
    public_addresses(topology, findings);
    networks(topology, findings);
    ways(topology, findings);
    meshes(topology, findings);
}

fn node_path(name: &str) -> FieldPath {
    FieldPath::root().key("nodes").key(name)
}

fn duplicate_addresses(topology: &Topology, findings: &mut Findings) {
    let mut owners: BTreeMap<IpAddr, &str> = BTreeMap::new();
    for node in &topology.nodes {
        let name = node.name.as_str();
        let private = node
            .addresses
            .iter()
            .enumerate()
            .map(|(index, address)| (address.ip, node_path(name).key("address").index(index)));
        let public = node.public.into_iter().flat_map(|p| p.addresses());
        let public = public.map(|ip| (ip, node_path(name).key("public")));
        for (ip, path) in private.chain(public) {
            if !is_dialable(ip) {
                findings.add(
                    Code::InvalidValue,
                    path,
                    format!("{ip} is no address that another machine can dial"),
                    "write an address of one of the node's interfaces",
                );
            } else if let Some(owner) = owners.insert(ip, name) {
                let is_public = path.segments().last() == Some(&Segment::Key("public".to_owned()));
                let (message, help) = match owner == name {
                    true if is_public && not_public(ip).is_some() => (
                        format!("{ip} is address and public of this node"),
                        "take public out, or write the address by which the Internet reaches it",
                    ),
                    true if is_public => (
                        format!("{ip} is address and public of this node"),
                        "take address out: it is for a private network, and a node may have none",
                    ),
                    true => (format!("{ip} is twice on this node"), "take one of them out"),
                    false => (format!("{ip} is also {owner}'s"), "give each node its own"),
                };
                findings.add(Code::DuplicateAddress, path, message, help);
            }
        }
        if node.main_address().is_none() {
            findings.add(
                Code::MissingField,
                node_path(name),
                format!("{name} has no address"),
                "set address, public, or both",
            );
        }
    }
}

/// Whether an address means one machine to another machine. A link-local IPv6
/// address needs an interface beside it; an IPv4 address written as IPv6 is
/// taken for either by different programs.
fn is_dialable(ip: IpAddr) -> bool {
    let special = match ip {
        IpAddr::V4(v4) => v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some(),
    };
    !(special || ip.is_unspecified() || ip.is_multicast() || ip.is_loopback())
}

fn public_addresses(topology: &Topology, findings: &mut Findings) {
    for node in &topology.nodes {
        for ip in node.public.into_iter().flat_map(|public| public.addresses()) {
            let Some(what) = not_public(ip).filter(|_| is_dialable(ip)) else { continue };
            findings.add(
                Code::PublicAddressNotPublic,
                node_path(node.name.as_str()).key("public"),
                format!("{ip} is {what}: the Internet does not lead there"),
                "write the address that the provider shows for the machine, with bound = false where its \
                 interface has another; or set address instead of public",
            );
        }
    }
}

/// What an address is that the Internet has no way to, by the registries of
/// special addresses (RFC 6890). Those for documentation pass: a plot that is an
/// example has them.
fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(v4) => match v4.octets() {
            _ if v4.is_private() => Some("a private address"),
            [100, 64..=127, ..] => Some("shared by the customers of a carrier"),
            _ if v4.is_link_local() => Some("a link-local address"),
            [0 | 240..=255, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => Some("a reserved address"),
            _ => None,
        },
        IpAddr::V6(v6) if v6.is_unique_local() => Some("a private address"),
        IpAddr::V6(v6) => match v6.segments() {
            [0x2000..=0x3fff, ..] => None,
            _ => Some("a reserved address"),
        },
    }
}

fn networks(topology: &Topology, findings: &mut Findings) {
    let bridge = &topology.plot.bridge;
    let bridge_path = FieldPath::root().key("bridge");
    if bridge.v4.prefix_len() > 29 {
        findings.add(
            Code::BridgeOverlap,
            bridge_path.key("v4"),
            format!("{} has no room for containers", bridge.v4),
            "use a /24",
        );
    }
    if bridge.v6.prefix_len() > 120 {
        findings.add(
            Code::BridgeOverlap,
            bridge_path.key("v6"),
            format!("{} has no room for containers", bridge.v6),
            "use a /64",
        );
    }
    let mut seen: Vec<(&str, IpNet)> = Vec::new();
    for network in &topology.networks {
        let path = FieldPath::root().key("networks").key(network.name.as_str()).key("cidr");
        if network.cidr.is_empty() {
            findings.add(Code::MissingField, path.clone(), "a network without addresses", "set cidr");
        }
        for (index, &cidr) in network.cidr.iter().enumerate() {
            let overlaps = |other: &IpNet| cidr.contains(other) || other.contains(&cidr);
            if let Some((other, net)) = seen.iter().find(|(_, net)| overlaps(net)) {
                findings.add(
                    Code::NetworkOverlap,
                    path.index(index),
                    format!("{cidr} overlaps {net} of {other}, so an address may be in either"),
                    "give each network addresses of its own",
                );
            }
            if overlaps(&bridge.v4.into()) || overlaps(&bridge.v6.into()) {
                findings.add(
                    Code::BridgeOverlap,
                    bridge_path.clone(),
                    format!("the container network overlaps {}", network.name),
                    "set bridge.v4 and bridge.v6 to addresses that nothing else uses",
                );
            }
            seen.push((network.name.as_str(), cidr));
        }
    }
    for node in &topology.nodes {
        let public = node.public.into_iter().flat_map(|p| p.addresses());
        if let Some((ip, net)) =
            public.filter_map(|ip| Some((ip, container_network_of(topology, ip)?))).next()
        {
            findings.add(
                Code::BridgeOverlap,
                node_path(node.name.as_str()).key("public"),
                format!("{ip} lies in the container network {net}"),
                "set bridge.v4 and bridge.v6 to addresses that nothing else uses",
            );
        }
        for (index, address) in node.addresses.iter().enumerate() {
            let path = node_path(node.name.as_str()).key("address").index(index);
            if let Some(net) = container_network_of(topology, address.ip) {
                findings.add(
                    Code::BridgeOverlap,
                    path,
                    format!("{} lies in the container network {net}", address.ip),
                    "set bridge.v4 and bridge.v6 to addresses that nothing else uses",
                );
            } else if let Some(what) = reserved(topology, address) {
                findings.add(
                    Code::InvalidValue,
                    path,
                    format!("{} is {what}, and no machine's", address.ip),
                    "write an address of one of the node's interfaces",
                );
            } else if address.network.is_none()
                && is_dialable(address.ip)
                && !topology.networks.is_empty()
                && !node.public.is_some_and(|public| public.addresses().any(|own| own == address.ip))
            {
                findings.add(
                    Code::AddressOutsideNetworks,
                    path,
                    format!("{} lies in none of the plot's networks", address.ip),
                    "add its network under [networks], or mend the address",
                );
            }
        }
    }
}

/// What an IPv4 address is to its network where no machine can have it: a network of more
/// than two addresses keeps the first and the last (RFC 1122, section 3.2.1.3).
fn reserved(topology: &Topology, address: &NodeAddress) -> Option<String> {
    let network = topology.network(address.network?);
    let net = network.cidr.iter().find(|net| net.contains(&address.ip))?;
    if !net.addr().is_ipv4() || net.prefix_len() > 30 {
        return None;
    }
    match address.ip {
        ip if ip == net.broadcast() => Some(format!("the broadcast address of {}", network.name)),
        ip if ip == net.network() => Some(format!("the address of {} itself", network.name)),
        _ => None,
    }
}

/// Whether a node has an address that no other machine can dial, which is told by
/// itself: what follows from it is not.
pub(super) fn is_mistaken(node: &Node) -> bool {
    node.addresses.iter().any(|address| !is_dialable(address.ip))
}

/// The container network, where an address lies in it.
fn container_network_of(topology: &Topology, ip: IpAddr) -> Option<IpNet> {
    let bridge = &topology.plot.bridge;
    [IpNet::from(bridge.v4), IpNet::from(bridge.v6)].into_iter().find(|net| net.contains(&ip))
}

/// Services that stand on no node, and those on nodes that need them.
pub(super) fn needed_nowhere(topology: &Topology) -> BTreeMap<ServiceId, BTreeSet<&str>> {
    let mut needed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for flow in &topology.flows {
        let Party::Service(client) = flow.from else { continue };
        let (endpoint, client) = (topology.endpoint(flow.to), topology.service(client));
        if endpoint.at.is_empty() && !endpoint.is_elsewhere() && !client.placements.is_empty() {
            needed.entry(endpoint.service).or_default().insert(client.name.as_str());
        }
    }
    needed
}

/// Every flow between services must have addresses on both ends.
fn ways(topology: &Topology, findings: &mut Findings) {
    // Two nodes apart are told once, however many services need each other there.
    let mut apart = BTreeSet::new();
    if topology.knows_all_roles() {
        for (target, clients) in needed_nowhere(topology) {
            let target = &topology.service(target).name;
            let clients: Vec<_> = clients.into_iter().collect();
            let need = if clients.len() == 1 { "needs" } else { "need" };
            findings.add(
                Code::NoRoute,
                crate::resolve::service_path(target),
                format!("{} {need} {target}, which stands on no node", words::listed(&clients)),
                format!("add \"{target}\" to the roles of a node"),
            );
        }
    }
    for flow in &topology.flows {
        let Party::Service(service) = flow.from else { continue };
        let endpoint = topology.endpoint(flow.to);
        let (client, target) = (topology.service(service), topology.service(endpoint.service));
        for &at in &endpoint.at {
            let node = topology.node(topology.placement(at).node);
            for group in &topology.peers[service.index()].groups {
                let Some(&stranded) = group.members.iter().find(|&&member| member != node.id) else {
                    continue;
                };
                if group.towards(node).is_some() {
                    continue;
                }
                let stranded = topology.node(stranded);
                if reach::route(stranded, true, node).is_some() {
                    findings.add(
                        Code::BridgeNeedsIpv6,
                        node_path(node.name.as_str()),
                        format!(
                            "{} on {} needs {} on {}, which only IPv6 leads to, and containers have none",
                            client.name,
                            stranded.name,
                            target.name,
                            node.name
                        ),
                        "give both nodes IPv4 in one network, put the client on the host network, or set bridge.ipv6 = true where every node's Docker translates IPv6",
                    );
                    continue;
                }
                if !apart.insert((stranded.id.min(node.id), stranded.id.max(node.id))) {
                    continue;
                }
                findings.add(
                    Code::NoRoute,
                    node_path(node.name.as_str()),
                    format!(
                        "{} on {} needs {} on {}, and the two nodes share neither a network nor the Internet",
                        client.name, stranded.name, target.name, node.name
                    ),
                    "give both an address in one network, or both a public address",
                );
            }
        }
    }
}

/// Firewalls of many nodes would each list many others, and together grow with the square
/// of the nodes. What a list in fewer words would let in beside the peers is no peer's.
fn meshes(topology: &Topology, findings: &mut Findings) {
    let mut told = BTreeSet::new();
    for flow in &topology.flows {
        let Party::Service(client) = flow.from else { continue };
        let endpoint = topology.endpoint(flow.to);
        // A relay of very many is met from anywhere.
        if endpoint.speaks == Speaks::Relay || endpoint.at.len() <= SOURCES_LIMIT {
            continue;
        }
        let groups = &topology.peers[client.index()].groups;
        let lists_many = |at: &&PlacementId| {
            let node = topology.node(topology.placement(**at).node);
            let mut listed = 0;
            groups.iter().filter_map(|group| group.towards(node)).any(|(_, nets)| {
                listed += nets.len();
                listed > SOURCES_LIMIT
            })
        };
        let are_many = endpoint.at.iter().filter(lists_many).nth(SOURCES_LIMIT).is_some();
        if !are_many || !told.insert((client, endpoint.service)) {
            continue;
        }
        let (client, target) = (topology.service(client), topology.service(endpoint.service));
        findings.add(
            Code::ScatteredPeers,
            crate::resolve::service_path(&target.name),
            format!(
                "more than {SOURCES_LIMIT} nodes of {} would each list more than {SOURCES_LIMIT} addresses of {} in \
                 their firewalls, and have no network in common that those are in",
                target.name, client.name
            ),
            "give these nodes an address each in one network, and write it down: [networks.lan] with its cidr",
        );
    }
}
