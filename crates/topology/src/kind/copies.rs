//! A database with one primary, and a copy on every further node.

use crate::endpoint::Speaks;
use crate::resolve::{At, Draft, Wiring, service_path};
use crate::validate::Review;
use crate::{Code, Findings, Name, Party, PlacementId, Port, Protocol, Service, Topology, words};

/// The placement that takes writes.
pub(super) fn primary(
    named: &[Name],
    service: &Service,
    topology: &Topology,
    findings: &mut Findings,
) -> Option<PlacementId> {
    let path = service_path(&service.name);
    if let [_, second, ..] = named {
        findings.add(
            Code::TwoPrimaries,
            path.key("primary").index(1),
            format!("{second} would be a second primary, and the two would hold different data"),
            "name one node; the service's other nodes are its replicas",
        );
    }
    let Some(primary) = named.first() else {
        if let [first, _, ..] = service.placements.as_slice() {
            let node = |at: PlacementId| topology.node(topology.placement(at).node).name.as_str();
            let nodes: Vec<_> = service.placements.iter().map(|&at| node(at)).collect();
            findings.add(
                Code::NoPrimary,
                path.key("primary"),
                format!(
                    "{} stands on {}, and none of them is the primary",
                    service.name,
                    words::listed(&nodes)
                ),
                format!(
                    "set primary = \"{}\", or another of them; the others are its replicas",
                    node(*first)
                ),
            );
        }
        return service.placements.first().copied();
    };
    let at = |id: &&PlacementId| topology.node(topology.placement(**id).node).name == *primary;
    let found = service.placements.iter().find(at).copied();
    if found.is_none() {
        let path = path.key("primary");
        if topology.node_named(primary.as_str()).is_none() {
            let known = topology.nodes().iter().map(|n| n.name.as_str());
            let help = match words::nearest(primary.as_str(), known) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("add [nodes.{primary}]"),
            };
            findings.add(Code::UnknownName, path, format!("no node is called {primary}"), help);
        } else if service.placements.is_empty() {
            findings.add(
                Code::NoPrimary,
                path,
                format!("{primary} is to be the primary and does not have the role {}", service.name),
                format!("add \"{}\" to the roles of {primary}", service.name),
            );
        } else {
            findings.add(
                Code::ReplicaOfNothing,
                path,
                format!("replicas follow {primary}, which does not run {}", service.name),
                format!("add \"{}\" to the roles of {primary}, or name a node that has it", service.name),
            );
        }
    }
    found.or(service.placements.first().copied())
}

/// What the primary and the replicas listen on.
pub(super) fn endpoints(port: Port, speaks: &Speaks) -> Vec<Draft> {
    let draft = |name| Draft::new(name, Protocol::Tcp, port, speaks.clone()).field(["port"]);
    vec![draft("primary").at(At::Primary), draft("replica").at(At::Replicas)]
}

/// Replicas follow the primary.
pub(super) fn wire(wiring: &mut Wiring<'_>) {
    if wiring.topology.service(wiring.service).placements.len() > 1 {
        wiring.need(wiring.service, "primary", "replication");
    }
}

/// Says so where one without a password can be reached from another node.
pub(super) fn review_open(variable: &str, review: &mut Review<'_>) {
    let (topology, service) = (review.topology(), review.service());
    let remote =
        topology.endpoints_of(service.id).iter().flat_map(|e| topology.flows_to(e.id)).find(|flow| {
            let Party::Service(client) = flow.from else { return true };
            let own = service.primary.map(|id| topology.placement(id).node);
            topology.service(client).placements.iter().any(|&id| Some(topology.placement(id).node) != own)
        });
    if let Some(flow) = remote {
        let from = topology.party_name(flow.from);
        review.add(
            Code::NoPassword,
            "password",
            format!(
                "{from} reaches {} from another node without a password, and so does whoever else gets onto \
                 that network",
                service.name
            ),
            format!("set password = {{ env = \"{variable}\" }}"),
        );
    }
}
