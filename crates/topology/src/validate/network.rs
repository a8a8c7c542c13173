//! Addresses and networks that contradict each other, and flows without a way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::{Code, FieldPath, Findings, Party, Topology, reach};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    duplicate_addresses(topology, findings);
    networks(topology, findings);
    ways(topology, findings);
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
            if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
                findings.add(
                    Code::InvalidValue,
                    path,
                    format!("{ip} is no address that another machine can dial"),
                    "write an address of one of the node's interfaces",
                );
            } else if let Some(owner) = owners.insert(ip, name) {
                let whose =
                    if owner == name { "twice on this node".to_owned() } else { format!("also {owner}'s") };
                findings.add(
                    Code::DuplicateAddress,
                    path,
                    format!("{ip} is {whose}"),
                    "give each node its own",
                );
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
        for (index, address) in node.addresses.iter().enumerate() {
            let path = node_path(node.name.as_str()).key("address").index(index);
            if bridge.v4.contains(&as_v4(address.ip)) && address.ip.is_ipv4() {
                findings.add(
                    Code::BridgeOverlap,
                    path,
                    format!("{} lies in the container network {}", address.ip, bridge.v4),
                    "set bridge.v4 to addresses that nothing else uses",
                );
            } else if address.network.is_none() && !topology.networks.is_empty() {
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

fn as_v4(ip: IpAddr) -> std::net::Ipv4Addr {
    match ip {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(_) => std::net::Ipv4Addr::UNSPECIFIED,
    }
}

/// Every flow between services must have addresses on both ends.
fn ways(topology: &Topology, findings: &mut Findings) {
    for flow in &topology.flows {
        let Party::Service(service) = flow.from else { continue };
        let endpoint = topology.endpoint(flow.to);
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
                let target = topology.service(endpoint.service);
                if reach::route(stranded, true, node).is_some() {
                    findings.add(
                        Code::BridgeNeedsIpv6,
                        node_path(node.name.as_str()),
                        format!(
                            "{} on {} needs {} on {}, which only IPv6 leads to, and containers have none",
                            topology.service(service).name,
                            stranded.name,
                            target.name,
                            node.name
                        ),
                        "give both nodes IPv4 in one network, put the client on the host network, or set bridge.ipv6 = true where every node's Docker translates IPv6",
                    );
                    continue;
                }
                findings.add(
                    Code::NoRoute,
                    node_path(node.name.as_str()),
                    format!(
                        "{} on {} needs {} on {}, and the two nodes share neither a network nor the Internet",
                        topology.service(service).name,
                        stranded.name,
                        target.name,
                        node.name
                    ),
                    "give both an address in one network, or both a public address",
                );
            }
        }
    }
}
