//! What people read: a README for each node, and for the whole the DNS records
//! to set.

use std::net::IpAddr;

use serde::Serialize;
use stageplot_topology::{Node, ServiceSpec, Topology, TurnTls};

use crate::RenderError;
use crate::artifact::Artifact;
use crate::compose::Project;
use crate::system::install_dir;
use crate::template::{Dialect, Template, Templates};

pub(crate) const TEMPLATES: &[Template] =
    &[Template::new("README.md", Dialect::Markdown, include_str!("../templates/README.md"))];

/// What a node's README is given.
#[derive(Serialize)]
struct Readme<'a> {
    name: &'a str,
    node: &'a str,
    dir: String,
    ufw: bool,
    containers: Vec<&'a str>,
    reloads: Vec<&'a str>,
}

/// A node's README: how to bring it up by hand.
pub(crate) fn readme(
    topology: &Topology,
    node: &Node,
    templates: &Templates,
    project: &Project,
) -> Result<Artifact, RenderError> {
    let edges = topology.placements_on(node.id).map(|p| topology.service(p.service));
    let readme = Readme {
        name: topology.name().as_str(),
        node: node.name.as_str(),
        dir: install_dir(topology),
        ufw: topology.plot().firewall.input == stageplot_topology::FirewallInput::Ufw,
        containers: project.services.keys().map(String::as_str).collect(),
        reloads: edges.filter(|s| matches!(s.kind, ServiceSpec::Edge(_))).map(|s| s.name.as_str()).collect(),
    };
    Ok(Artifact::open("README.md", templates.render("README.md", &readme)?))
}

/// The files about the whole.
pub(crate) fn render(topology: &Topology, _: &Templates) -> Result<Vec<Artifact>, RenderError> {
    Ok(vec![Artifact::open("dns.txt", dns(topology))])
}

/// The records to set, as a zone file has them.
fn dns(topology: &Topology) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |name: &str, service: stageplot_topology::ServiceId| {
        let placements = topology.service(service).placements.iter();
        let nodes = placements.map(|&id| topology.node(topology.placement(id).node));
        for address in nodes.filter_map(|node| node.public).flat_map(|p| p.addresses()) {
            let kind = match address {
                IpAddr::V4(_) => "A",
                IpAddr::V6(_) => "AAAA",
            };
            lines.push(format!("{name}. 300 IN {kind} {address}\n"));
        }
    };
    for service in topology.services() {
        match &service.kind {
            ServiceSpec::Edge(edge) => edge.names().for_each(|name| add(name.as_str(), service.id)),
            ServiceSpec::Livekit(livekit) => {
                let Some(turn) = &livekit.turn else { continue };
                let Some(domain) = &turn.domain else { continue };
                let edge = topology.endpoint_named(service.id, "turn-tls").and_then(|endpoint| {
                    topology.flows_to(endpoint.id).find_map(|flow| match flow.from {
                        stageplot_topology::Party::Service(edge) => Some(edge),
                        _ => None,
                    })
                });
                match (turn.tls, edge) {
                    (TurnTls::Edge, Some(edge)) => add(domain.as_str(), edge),
                    _ => add(domain.as_str(), service.id),
                }
            }
            _ => {}
        }
    }
    lines.concat()
}

#[cfg(test)]
pub(crate) mod tests;
