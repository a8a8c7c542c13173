//! Paths behind an edge that two services claim, or that nobody does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::resolve::service_path;
use crate::{Code, FieldPath, Findings, Ingress, Livekit, Name, Service, ServiceId, ServiceSpec, Topology};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    conflicts(topology, findings);
    webhooks(topology, findings);
}

/// Events that are sent to an edge of the plot have to get into it, and to come
/// out behind it.
fn webhooks(topology: &Topology, findings: &mut Findings) {
    for service in &topology.services {
        let ServiceSpec::Livekit(livekit) = &service.kind else { continue };
        for (index, url) in livekit.webhook.iter().flat_map(|webhook| &webhook.urls).enumerate() {
            let called = topology.services.iter().find_map(|service| match &service.kind {
                ServiceSpec::Edge(edge) => {
                    let is_called = edge.names().any(|name| url.host_str() == Some(name.as_str()));
                    is_called.then_some((service, edge))
                }
                _ => None,
            });
            let Some((Service { id, name, .. }, edge)) = called else { continue };
            let at = || service_path(&service.name).key("webhook").key("urls").index(index);
            // What an image of the operator's own trusts is the operator's to know.
            if livekit.image.is_none() && url.scheme() == "https" && edge.tls.is_private() {
                findings.add(
                    Code::WebhookUntrusted,
                    at(),
                    format!("{} does not trust the authority of {name}'s certificate", service.name),
                    format!("give {name} a certificate that everybody trusts, or {} an image that trusts this one", service.name),
                );
            }
            let behind = topology.flows_from(*id).map(|flow| topology.endpoint(flow.to).service);
            let mut apps = behind.filter_map(|id| match &topology.service(id).kind {
                ServiceSpec::App(app) => Some(app),
                _ => None,
            });
            let path = url.path();
            if apps.any(|app| app.routes.iter().any(|route| covers(route, path))) {
                continue;
            }
            findings.add(
                Code::WebhookNoRoute,
                at(),
                format!("no app behind {name} takes {path}"),
                format!("add {path:?} to the routes of the app that takes the events, or mend the address"),
            );
        }
    }
}

/// Routes with the fields that they are written in.
fn written<'a>(service: &Name, routes: &'a [String]) -> Vec<(Cow<'a, str>, FieldPath)> {
    let field = service_path(service).key("routes");
    routes.iter().enumerate().map(|(index, route)| (route.into(), field.index(index))).collect()
}

/// Whether a route takes a path, as Caddy's `path` matcher reads it.
fn covers(route: &str, path: &str) -> bool {
    let (route, path) = (route.to_ascii_lowercase(), path.to_ascii_lowercase());
    match route.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == route,
    }
}

fn conflicts(topology: &Topology, findings: &mut Findings) {
    for edge in topology.services.iter().filter(|s| matches!(s.kind, ServiceSpec::Edge(_))) {
        let mut owners: BTreeMap<Cow<'_, str>, ServiceId> = BTreeMap::new();
        for flow in topology.flows_from(edge.id) {
            let id = topology.endpoint(flow.to).service;
            let service = topology.service(id);
            let routes: Vec<(Cow<'_, str>, FieldPath)> = match &service.kind {
                ServiceSpec::App(app) => written(&service.name, &app.routes),
                ServiceSpec::Livekit(livekit) if flow.reason == "signalling" => {
                    written(&service.name, &livekit.routes)
                }
                ServiceSpec::Rtmp(rtmp) => {
                    let field = service_path(&service.name).key("edge");
                    rtmp.paths().into_iter().map(|path| (path.into(), field.clone())).collect()
                }
                ServiceSpec::Grafana(grafana) => {
                    let field = service_path(&service.name).key("route");
                    grafana.paths().into_iter().map(|path| (path.into(), field.clone())).collect()
                }
                ServiceSpec::Ingress(_) => {
                    let field = service_path(&service.name).key("edge");
                    Ingress::PATHS.iter().map(|path| ((*path).into(), field.clone())).collect()
                }
                _ => continue,
            };
            for (route, field) in routes {
                let owner = owners.insert(route.clone(), id);
                if let Some(owner) = owner.filter(|owner| *owner != id) {
                    findings.add(
                        Code::RouteConflict,
                        field,
                        format!("{route} is also {}'s behind {}", topology.service(owner).name, edge.name),
                        "let one of them have it",
                    );
                }
            }
        }
        taken_from_livekit(topology, edge, findings);
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
                service_path(&edge.name),
                format!("{first} and {second} both take all paths that no app takes behind {}", edge.name),
                "give each LiveKit service an edge with a domain of its own (edge = \"…\")",
            );
        }
    }
}

/// Says so where an app takes the paths by which clients join a LiveKit behind the same edge,
/// which is to have what nobody else takes.
fn taken_from_livekit(topology: &Topology, edge: &Service, findings: &mut Findings) {
    let behind =
        topology.flows_from(edge.id).map(|flow| topology.service(topology.endpoint(flow.to).service));
    let behind: Vec<_> = behind.collect();
    let livekit = behind
        .iter()
        .find(|service| matches!(&service.kind, ServiceSpec::Livekit(livekit) if livekit.routes.is_empty()));
    let Some(livekit) = livekit else { return };
    let overlap = |one: &str, other: &str| {
        covers(one, other.trim_end_matches('*')) || covers(other, one.trim_end_matches('*'))
    };
    for service in &behind {
        let ServiceSpec::App(app) = &service.kind else { continue };
        for (route, field) in written(&service.name, &app.routes) {
            // Of all that is left, LiveKit's own paths are taken out.
            let Some(path) = Livekit::JOIN.iter().find(|path| route != "/*" && overlap(&route, path)) else {
                continue;
            };
            findings.add(
                Code::RouteConflict,
                field,
                format!("{route} takes {path}, by which clients join rooms of {}", livekit.name),
                "give the app paths of its own, such as \"/api/*\"",
            );
        }
    }
}
