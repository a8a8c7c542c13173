//! What services say to each other in the clear, over the Internet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::network::is_mistaken;
use crate::{Code, Endpoint, FieldPath, Findings, Flow, Node, NodeId, Party, Topology, words};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    let mut nodes = BTreeSet::new();
    let mut talks = BTreeSet::new();
    for flow in &topology.flows {
        let endpoint = topology.endpoint(flow.to);
        if endpoint.speaks.is_clear() && collect(topology, flow, endpoint, &mut nodes) {
            let target = &topology.service(endpoint.service).name;
            talks.insert(format!("{} to {target}", topology.party_name(flow.from)));
        }
    }
    let named = |nodes: &mut dyn Iterator<Item = &Node>| -> Vec<String> {
        nodes.map(|node| node.name.to_string()).collect()
    };
    let all = || nodes.iter().map(|&id| topology.node(id));
    let lacking = named(&mut all().filter(|node| node.addresses.is_empty()));
    let all = named(&mut all());
    let Some(first) = lacking.first().or(all.first()) else { return };
    let help = match lacking.as_slice() {
        [] => "give them addresses in one private network".to_owned(),
        [only] => format!("set nodes.{only}.address to its address in the private network of the others"),
        _ => format!(
            "set address for {}, in a private network of theirs: the provider's, or WireGuard",
            words::listed(&lacking)
        ),
    };
    findings.add(
        Code::ClearOverInternet,
        FieldPath::root().key("nodes").key(first.as_str()).key("address"),
        format!(
            "unencrypted over the Internet: {}; not all of {} are in one private network",
            words::listed(&talks.into_iter().collect::<Vec<_>>()),
            words::listed(&all)
        ),
        help,
    );
}

/// Adds the nodes at both ends of a flow that have no way but public addresses,
/// and says whether there are some.
fn collect(topology: &Topology, flow: &Flow, endpoint: &Endpoint, nodes: &mut BTreeSet<NodeId>) -> bool {
    let Party::Service(client) = flow.from else { return false };
    let mistaken = |id: NodeId| is_mistaken(topology.node(id));
    let groups = &topology.peers[client.index()].groups;
    // A group may have many members, and as many nodes that it talks to.
    let mut seen = vec![false; groups.len()];
    for &at in &endpoint.at {
        let node = topology.node(topology.placement(at).node);
        // That it has no way to another may be for its mistaken address, which is told.
        if is_mistaken(node) {
            continue;
        }
        for (group, seen) in groups.iter().zip(&mut seen) {
            let is_apart = group.members.iter().any(|&member| member != node.id && !mistaken(member));
            let is_public = |ip: IpAddr| node.addresses.iter().all(|address| address.ip != ip);
            if is_apart && group.towards(node).is_some_and(|(target, _)| is_public(target)) {
                nodes.insert(node.id);
                if !std::mem::replace(seen, true) {
                    nodes.extend(group.members.iter().filter(|&&member| !mistaken(member)));
                }
            }
        }
    }
    seen.contains(&true)
}
