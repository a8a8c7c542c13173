//! The operator's way in: it must stay open on every node.

use ipnet::IpNet;

use crate::arrival::Sources;
use crate::{Code, FieldPath, Findings, Source, Topology};

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
    let sources = topology.sources(&access.ssh.from);
    if sources.is_empty() {
        findings.add(
            Code::SshLockout,
            ssh,
            "nobody could reach any node by SSH",
            "name where operators come from: \"any\", an address, a CIDR or a network",
        );
        return;
    }
    for node in &topology.nodes {
        let families: Vec<_> = node.addresses.iter().map(|a| a.ip.is_ipv6()).collect();
        let public = node.public.into_iter().flat_map(|p| p.addresses()).map(|ip| ip.is_ipv6());
        let families: Vec<_> = families.into_iter().chain(public).collect();
        let open = |sources: &Sources| match sources {
            Sources::Any | Sources::Bridge => true,
            Sources::Nets(nets) => nets.iter().any(|net| families.contains(&matches!(net, IpNet::V6(_)))),
        };
        if !families.is_empty() && !sources.iter().any(open) {
            let other = if families.contains(&true) { "IPv6" } else { "IPv4" };
            findings.add(
                Code::SshLockout,
                ssh.clone(),
                format!("{} has {other} only, and nobody may reach it by SSH over that", node.name),
                format!("add an {other} address or network to access.ssh.from"),
            );
        }
    }
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
