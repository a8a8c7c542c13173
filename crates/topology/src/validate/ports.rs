//! Two programs on one port of one node.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::arrival::listen;
use crate::{Code, FieldPath, Findings, Node, NodeId, PortRange, Protocol, Topology};

/// Something that takes ports of a node.
struct Binding {
    owner: String,
    /// What to call it in the path of the finding; none for SSH.
    service: Option<crate::ServiceId>,
    protocol: Protocol,
    ports: PortRange,
    addresses: Vec<IpAddr>,
}

impl Binding {
    fn clashes(&self, other: &Self) -> bool {
        let meets = |a: &IpAddr, b: &IpAddr| {
            // A socket on all IPv6 addresses takes IPv4 as well.
            a == b
                || a.is_unspecified() && (a.is_ipv6() || b.is_ipv4())
                || b.is_unspecified() && (b.is_ipv6() || a.is_ipv4())
        };
        self.protocol == other.protocol
            && self.ports.overlaps(other.ports)
            && self.addresses.iter().any(|a| other.addresses.iter().any(|b| meets(a, b)))
    }
}

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    let mut kept = BTreeSet::new();
    for node in &topology.nodes {
        let bindings = bindings(topology, node.id);
        keeps(topology, node, &bindings, &mut kept, findings);
        for (index, later) in bindings.iter().enumerate() {
            let Some(service) = later.service else { continue };
            for earlier in bindings[..index].iter().filter(|earlier| later.clashes(earlier)) {
                let path = crate::resolve::service_path(&topology.service(service).name);
                let (code, help) = match earlier.service {
                    None => (
                        Code::SshLockout,
                        "give the service another port, or say in access.ssh.port where SSH listens"
                            .to_owned(),
                    ),
                    Some(_) => {
                        (Code::PortConflict, "give one of them another port or another node".to_owned())
                    }
                };
                findings.add(
                    code,
                    path,
                    format!(
                        "{} takes {}/{} on {}, and so does {}",
                        later.owner, later.ports, later.protocol, node.name, earlier.owner
                    ),
                    help,
                );
            }
        }
    }
}

/// Ports that are kept open for a program that the plot does not know, and that
/// one of its own takes: it would be open to more than its flows. Of a range, such as
/// that of media, a program takes what is free at the time.
fn keeps(
    topology: &Topology,
    node: &Node,
    bindings: &[Binding],
    told: &mut BTreeSet<(usize, String)>,
    findings: &mut Findings,
) {
    for (index, keep) in topology.plot.access.keep.iter().enumerate() {
        let services = bindings.iter().filter(|binding| binding.service.is_some());
        let mut open = services.filter(|b| !b.addresses.is_empty() && b.ports.single().is_some());
        let taken = open.find(|b| b.protocol == keep.protocol && b.ports.overlaps(keep.port));
        let Some(taken) = taken.filter(|taken| told.insert((index, taken.owner.clone()))) else { continue };
        findings.add(
            Code::PortConflict,
            FieldPath::root().key("access").key("keep").index(index),
            format!(
                "{}/{} is kept open on every node for a program that the plot does not know, and {} takes {} on {}",
                keep.port, keep.protocol, taken.owner, taken.ports, node.name
            ),
            "take it out, for its flows open what a service needs; or give one of them another port",
        );
    }
}

/// Everything that takes ports of a node, SSH first.
fn bindings(topology: &Topology, node: NodeId) -> Vec<Binding> {
    let ssh = Binding {
        owner: "SSH".to_owned(),
        service: None,
        protocol: Protocol::Tcp,
        ports: topology.plot.access.ssh.port.into(),
        addresses: vec![std::net::Ipv6Addr::UNSPECIFIED.into()],
    };
    let services = topology.placements_on(node).flat_map(|placement| {
        let service = topology.service(placement.service);
        let endpoints = topology.endpoints_of(placement.service).iter();
        endpoints.filter(move |endpoint| endpoint.is_at(placement.id)).map(move |endpoint| Binding {
            owner: format!("{} {}", service.name, endpoint.name),
            service: Some(service.id),
            protocol: endpoint.protocol,
            ports: endpoint.ports,
            addresses: listen(topology, endpoint.id, placement.id),
        })
    });
    std::iter::once(ssh).chain(services).collect()
}
