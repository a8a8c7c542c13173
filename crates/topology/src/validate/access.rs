//! The operator's way in: it must stay open on every node.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::{Code, FieldPath, Findings, Node, Source, Topology, words};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    let access = &topology.plot.access;
    let path = FieldPath::root().key("access");
    let ssh = path.key("ssh").key("from");
    unknown_networks(topology, &access.ssh.from, &ssh, findings);
    unknown_networks(topology, &access.clients, &path.key("clients"), findings);
    if access.clients.is_empty() {
        findings.add(
            Code::MissingField,
            path.key("clients"),
            "nobody could use the stack",
            "name where clients come from, or leave clients out for anybody",
        );
    }
    for (index, keep) in access.keep.iter().enumerate() {
        unknown_networks(topology, &keep.from, &path.key("keep").index(index).key("from"), findings);
    }
    let is_unknown = |source: &Source| match source {
        Source::Network(name) => !topology.networks.iter().any(|network| network.name == *name),
        Source::Any | Source::Net(_) => false,
    };
    if access.ssh.from.iter().any(is_unknown) {
        return;
    }
    if access.ssh.from.is_empty() {
        findings.add(
            Code::SshLockout,
            ssh,
            "nobody could reach any node by SSH",
            "name where operators come from: \"any\", an address, a CIDR or a network",
        );
        return;
    }
    let mut locked_out: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    for node in &topology.nodes {
        let reasons = access.ssh.from.iter().map(|source| dead_end(topology, node, source));
        if let Some(reasons) = reasons.collect::<Option<Vec<_>>>() {
            locked_out.entry(reasons).or_default().push(node.name.as_str());
        }
    }
    for (reasons, nodes) in locked_out {
        findings.add(
            Code::SshLockout,
            ssh.clone(),
            format!("nobody could reach {} by SSH: {}", words::listed(&nodes), words::listed(&reasons)),
            "name where operators come from: \"any\", an address or a CIDR of your own, or a network that \
             the node has an address in",
        );
    }
}

/// Why nobody comes to a node from a source; `None` where somebody may.
fn dead_end(topology: &Topology, node: &Node, source: &Source) -> Option<String> {
    match source {
        Source::Any => None,
        Source::Net(net) => {
            let why = match nobodys(topology, net) {
                Some(why) => why.to_owned(),
                None if is_own(node, net) => "is the node's own address".to_owned(),
                // A node without any address is found elsewhere.
                None if node.main_address().is_none() => return None,
                None => match net {
                    IpNet::V4(_) if !has_v4(node) => "is IPv4, and it has IPv6 only".to_owned(),
                    IpNet::V6(_) if !node.has_v6() => "is IPv6, and it has IPv4 only".to_owned(),
                    _ => return None,
                },
            };
            Some(format!("{source} {why}"))
        }
        Source::Network(name) => {
            let network = topology.networks.iter().find(|network| network.name == *name)?;
            if network.cidr.iter().all(|net| nobodys(topology, net).is_some()) {
                return Some(format!("no machine has an address of {name}"));
            }
            let is_in = node.addresses.iter().any(|address| address.network == Some(network.id));
            let is_out = !is_in && !super::network::is_mistaken(node);
            is_out.then(|| format!("it has no address in {name}"))
        }
    }
}

/// What addresses are that no other machine comes from (RFC 6890); `None` for those
/// that one may.
fn nobodys(topology: &Topology, net: &IpNet) -> Option<&'static str> {
    let bridge = &topology.plot.bridge;
    if IpNet::from(bridge.v4).contains(net) || IpNet::from(bridge.v6).contains(net) {
        return Some("is the plot's own container network");
    }
    SPECIAL.iter().find(|(special, _)| special.parse::<IpNet>().is_ok_and(|s| s.contains(net))).map(|s| s.1)
}

const SPECIAL: &[(&str, &str)] = &[
    ("127.0.0.0/8", "is the node's own loopback"),
    ("::1/128", "is the node's own loopback"),
    ("0.0.0.0/8", "is no machine's address"),
    ("::/128", "is no machine's address"),
    ("169.254.0.0/16", "is link-local"),
    ("fe80::/10", "is link-local"),
    ("224.0.0.0/4", "is multicast"),
    ("ff00::/8", "is multicast"),
    ("240.0.0.0/4", "is no machine's address"),
];

/// Whether a source is one address, and the node's own. Behind a NAT, others may come
/// from the public one.
fn is_own(node: &Node, net: &IpNet) -> bool {
    let bound = node.public.filter(|public| public.bound).into_iter().flat_map(|public| public.addresses());
    let mut own = node.addresses.iter().map(|address| address.ip).chain(bound);
    net.prefix_len() == net.max_prefix_len() && own.any(|ip| ip == net.addr())
}

fn has_v4(node: &Node) -> bool {
    let public = node.public.is_some_and(|public| public.v4.is_some());
    public || node.addresses.iter().any(|address| address.ip.is_ipv4())
}

fn unknown_networks(topology: &Topology, from: &[Source], path: &FieldPath, findings: &mut Findings) {
    for (index, source) in from.iter().enumerate() {
        if let Source::Network(name) = source
            && !topology.networks.iter().any(|network| network.name == *name)
        {
            super::unknown_network(topology, name, path.index(index), findings);
        }
    }
}
