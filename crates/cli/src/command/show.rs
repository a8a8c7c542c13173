//! `stageplot show`

use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use stageplot_render::{Renderer, Secrets, diagram, dns_names};
use stageplot_topology::{EndpointId, Node, Party, Topology, words};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::{PlotArgs, node_named};
use crate::table::Table;
use crate::{custom, screen};

mod checks;
mod firewall;
mod flows;
mod nodes;
mod ports;

/// Show what follows from a plot
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Show {
    #[command(subcommand)]
    view: View,
}

#[derive(Subcommand)]
enum View {
    /// The machines, and what runs on each
    Nodes(Listing),
    /// Who connects to what, and why
    Flows(Listing),
    /// What listens where, on each node
    Ports(Listing),
    /// What each node's firewall lets in; all else is closed
    Firewall(Listing),
    /// What has to answer whom: the checks that follow from the flows
    Checks(Listing),
    /// The DNS records to set, as a zone file has them
    Dns(Dns),
    /// The flows, drawn
    Diagram(Diagram),
}

/// Of which plot the records are, and how they are printed.
#[derive(clap::Args)]
struct Dns {
    #[command(flatten)]
    plot: PlotArgs,

    /// How they are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

/// What is drawn, and how.
#[derive(clap::Args)]
struct Diagram {
    #[command(flatten)]
    plot: PlotArgs,

    /// How it is drawn
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    format: Drawing,
}

#[derive(Clone, Copy, ValueEnum)]
enum Drawing {
    /// Text that Markdown viewers draw
    Mermaid,
    /// A picture
    Svg,
    /// The boxes and the arrows, for programs
    Json,
}

/// What is listed, and how.
#[derive(clap::Args)]
struct Listing {
    #[command(flatten)]
    plot: PlotArgs,

    /// Only what concerns this node
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

impl Show {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        match &self.view {
            View::Nodes(listing) => listing.show(nodes::rows, nodes::table),
            View::Flows(listing) => listing.show(flows::rows, flows::table),
            View::Ports(listing) => listing.show(ports::rows, ports::table),
            View::Firewall(listing) => listing.show(firewall::rows, firewall::table),
            View::Checks(listing) => listing.show(checks::rows, checks::table),
            View::Dns(dns) => dns.show(),
            View::Diagram(diagram) => diagram.show(),
        }
    }
}

impl Listing {
    /// Lists rows as JSON or as a table.
    fn show<R: Serialize>(
        &self,
        rows: impl Fn(&Topology, Option<&Node>) -> Vec<R>,
        table: impl Fn(&[R]) -> Table,
    ) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology_as(self.format, true)? else { return Ok(Exit::Findings) };
        let node = self.node.as_deref().map(|name| node_named(topology, name)).transpose()?;
        let rows = rows(topology, node);
        match self.format {
            DataFormat::Json => screen::json(&rows)?,
            DataFormat::Text => screen::data(&table(&rows).draw())?,
        }
        Ok(Exit::Well)
    }
}

impl Diagram {
    fn show(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let format = match self.format {
            Drawing::Json => DataFormat::Json,
            Drawing::Mermaid | Drawing::Svg => DataFormat::Text,
        };
        let Some(topology) = plot.topology_as(format, true)? else { return Ok(Exit::Findings) };
        let text = match self.format {
            Drawing::Mermaid => diagram::mermaid(topology)?,
            Drawing::Svg => diagram::svg(topology)?,
            Drawing::Json => diagram::json(topology)?,
        };
        screen::data(&text)?;
        Ok(Exit::Well)
    }
}

impl Dns {
    /// Prints the records just as they are rendered, or as data.
    fn show(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology_as(self.format, true)? else { return Ok(Exit::Findings) };
        if self.format == DataFormat::Json {
            screen::json(&dns_names(topology))?;
            return Ok(Exit::Well);
        }
        let custom = custom::read(topology, &plot.dir)?;
        let files = Renderer::new(topology, Secrets::SEALED, &custom)?.overview()?;
        for file in files.iter().filter(|file| file.path == "dns.txt") {
            screen::data(&String::from_utf8_lossy(&file.bytes))?;
        }
        Ok(Exit::Well)
    }
}

/// The nodes that are asked for.
fn chosen<'t>(topology: &'t Topology, node: Option<&'t Node>) -> &'t [Node] {
    node.map_or(topology.nodes(), std::slice::from_ref)
}

/// Whether what goes from a party to an endpoint leaves a node, or arrives there.
fn concerns(topology: &Topology, from: Party, to: EndpointId, node: &Node) -> bool {
    let leaves = match from {
        Party::Service(service) => topology.placements_on(node.id).any(|p| p.service == service),
        _ => false,
    };
    leaves || topology.endpoint(to).at.iter().any(|&at| topology.placement(at).node == node.id)
}

/// An endpoint, as a row names it.
#[derive(Serialize)]
struct Target {
    service: String,
    endpoint: String,
    protocol: String,
    ports: String,
    /// The nodes that offer it.
    nodes: Vec<String>,
    /// The hosts that offer it, where somebody else runs it.
    elsewhere: Vec<String>,
}

impl Target {
    fn of(topology: &Topology, endpoint: EndpointId) -> Self {
        let endpoint = topology.endpoint(endpoint);
        let nodes = endpoint.at.iter().map(|&at| topology.node(topology.placement(at).node));
        Self {
            service: topology.service(endpoint.service).name.to_string(),
            endpoint: endpoint.name.to_string(),
            protocol: endpoint.protocol.to_string(),
            ports: endpoint.ports.to_string(),
            nodes: nodes.map(|node| node.name.to_string()).collect(),
            elsewhere: endpoint.elsewhere.iter().map(|address| address.host.clone()).collect(),
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.service, self.endpoint)
    }

    fn port(&self) -> String {
        format!("{}/{}", self.ports, self.protocol)
    }

    /// Where it is offered: on nodes, or at hosts that others run.
    fn places(&self) -> String {
        match self.elsewhere.as_slice() {
            [] => words::listed(&self.nodes),
            hosts => format!("elsewhere: {}", words::listed(hosts)),
        }
    }
}
