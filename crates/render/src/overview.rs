//! What people read: a README for each node, and for the whole the DNS records
//! to set, the runbook and the diagram; and what programs read of the whole.

mod checklist;
mod dns;
mod runbook;
#[cfg(test)]
pub(crate) mod tests;

pub use dns::{DnsName, DnsRecord, dns_names};
use serde::Serialize;
use stageplot_topology::{FirewallInput, Node, ServiceSpec, Topology};

use crate::artifact::Artifact;
use crate::compose::Project;
use crate::summary::{Sealed, Summary};
use crate::system::install_dir;
use crate::template::{Dialect, Template, Templates};
use crate::{RenderError, diagram};

pub(crate) const TEMPLATES: &[Template] = &[
    Template::new("README.md", Dialect::Markdown, include_str!("../templates/README.md")),
    Template::new("runbook.md", Dialect::Markdown, include_str!("../templates/runbook.md")),
    diagram::MERMAID,
    diagram::SVG,
];

/// What a node's README is given.
#[derive(Serialize)]
struct Readme<'a> {
    name: &'a str,
    node: &'a str,
    dir: String,
    /// The table of the firewall.
    table: String,
    ufw: bool,
    containers: Vec<&'a str>,
    reloads: Vec<&'a str>,
    /// Whether it was rendered without the values of secrets.
    sealed: bool,
}

/// A node's README: how to bring it up by hand.
pub(crate) fn readme(
    topology: &Topology,
    node: &Node,
    templates: &Templates,
    project: &Project,
    sealed: bool,
) -> Result<Artifact, RenderError> {
    let edges = topology.placements_on(node.id).map(|p| topology.service(p.service));
    let readme = Readme {
        name: topology.name().as_str(),
        node: node.name.as_str(),
        dir: install_dir(topology),
        table: topology.firewall_table(),
        ufw: topology.plot().firewall.input == FirewallInput::Ufw,
        containers: project.services.keys().map(String::as_str).collect(),
        reloads: edges.filter(|s| matches!(s.kind, ServiceSpec::Edge(_))).map(|s| s.name.as_str()).collect(),
        sealed,
    };
    Ok(Artifact::open("README.md", templates.render("README.md", &readme)?))
}

/// The files about the whole.
pub(crate) fn render(
    topology: &Topology,
    templates: &Templates,
    sealed: Option<&Sealed>,
) -> Result<Vec<Artifact>, RenderError> {
    let summary = Summary::of(topology).sealed(sealed.cloned());
    Ok(vec![
        Artifact::open("diagram.mmd", diagram::mermaid_with(topology, templates)?),
        Artifact::open("diagram.svg", diagram::svg_with(topology, templates)?),
        Artifact::open("dns.txt", dns::render(topology)),
        Artifact::open("runbook.md", runbook::render(topology, templates)?),
        Artifact::open(Summary::PATH, summary.to_json()?),
    ])
}
