//! Paths behind an edge that two services claim.

use std::collections::BTreeMap;

use crate::{Code, Findings, ServiceId, ServiceSpec, Topology};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    for edge in topology.services.iter().filter(|s| matches!(s.kind, ServiceSpec::Edge(_))) {
        let mut owners: BTreeMap<&str, ServiceId> = BTreeMap::new();
        for flow in topology.flows_from(edge.id) {
            let id = topology.endpoint(flow.to).service;
            let service = topology.service(id);
            let routes = match &service.kind {
                ServiceSpec::App(app) => app.routes.as_slice(),
                ServiceSpec::Livekit(livekit) if flow.reason == "signalling" => livekit.routes.as_slice(),
                _ => continue,
            };
            for (index, route) in routes.iter().enumerate() {
                if let Some(owner) = owners.insert(route, id).filter(|owner| *owner != id) {
                    findings.add(
                        Code::RouteConflict,
                        crate::resolve::service_path(&service.name).key("routes").index(index),
                        format!("{route} is also {}'s behind {}", topology.service(owner).name, edge.name),
                        "let one of them have it",
                    );
                }
            }
        }
        let several: Vec<_> = topology
            .flows_from(edge.id)
            .map(|flow| topology.endpoint(flow.to).service)
            .map(|id| topology.service(id))
            .filter(|service| matches!(&service.kind, ServiceSpec::Livekit(l) if l.routes.is_empty()))
            .collect();
        let mut names: Vec<_> = several.iter().map(|service| service.name.as_str()).collect();
        names.dedup();
        if let [first, second, ..] = names.as_slice() {
            findings.add(
                Code::RouteConflict,
                crate::resolve::service_path(&edge.name),
                format!("{first} and {second} both take all paths that no app takes behind {}", edge.name),
                "give each LiveKit service an edge with a domain of its own (edge = \"…\")",
            );
        }
    }
}
