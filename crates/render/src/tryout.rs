//! A whole plot on one machine, to be tried: each node is played by a container, whose
//! network the node's own containers share.

mod plot;
mod project;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use stageplot_topology::{Findings, Port, Protocol, Topology};

use crate::{Artifact, Custom, RenderError, Renderer, Secrets, custom, yaml};

/// What a trial takes of the machine that plays it.
///
/// See [`tryout`].
pub struct Ground<'a> {
    subnet: Ipv4Net,
    port: &'a mut dyn FnMut(Port) -> Option<Port>,
}

impl<'a> Ground<'a> {
    /// A network for the containers that play the nodes, and ports of the machine's
    /// loopback that nobody has. `port` gives none twice: the one that it is asked for, where
    /// that is free, or else another.
    pub fn new(subnet: Ipv4Net, port: &'a mut dyn FnMut(Port) -> Option<Port>) -> Self {
        Self { subnet, port }
    }
}

/// All files of a trial, and where it is entered.
///
/// See [`tryout`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Tryout {
    /// The files, `compose.yaml` on top. Every user may read them in a container: let nobody
    /// else into the directory that they stand in.
    pub files: Vec<Artifact>,
    /// Where clients come in, on the machine's loopback.
    pub doors: Vec<Door>,
    /// What of the plot is not tried, or is otherwise there, each in a sentence.
    pub left_out: Vec<String>,
}

/// A port of the machine's loopback that leads to a service of the plot.
///
/// See [`tryout`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Door {
    /// The service.
    pub service: String,
    /// What it is called among the service's own, such as `http`.
    pub endpoint: String,
    /// The node.
    pub node: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port of the loopback.
    pub outside: Port,
    /// The port of the node.
    pub inside: Port,
    /// Whether a browser can open it.
    pub is_site: bool,
}

/// Why a plot cannot be tried.
///
/// See [`tryout`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TryoutError {
    /// What is left of the plot contradicts itself.
    #[error("{0}")]
    Plot(#[from] Findings),
    /// It cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The network has no address for every node.
    #[error("the network {subnet} has no addresses for {nodes} nodes")]
    Crowded {
        /// The network.
        subnet: Ipv4Net,
        /// How many nodes there are.
        nodes: usize,
    },
    /// No port is free.
    #[error("no port of this machine's loopback is free for {service}")]
    NoPort {
        /// The service that wanted it.
        service: String,
    },
    /// Two containers of a node, which share one network here, want the same port.
    #[error("{first} and {second} both listen on {port} of {node}, where they share one network here")]
    Shared {
        /// The node.
        node: String,
        /// One service.
        first: String,
        /// The other.
        second: String,
        /// The port.
        port: Port,
    },
}

/// Renders a plot so that one machine can play it, with Docker alone: nobody has to be
/// root, and nothing leaves the machine.
///
/// Edges speak plain HTTP on `localhost`, where browsers give pages a camera all the same.
/// LiveKit has two ports of the loopback for media. What somebody else runs for the plot, a
/// Redis or a Postgres, is played as well.
///
/// ```
/// use stageplot_render::{Custom, Ground, Secrets, tryout};
/// # use stageplot_topology::*;
/// # let site = App { routes: vec!["/*".to_owned()], ..App::container("registry.example.com/site:1".parse()?) };
/// # let topology = Plot::new("live".parse()?)
/// #     .service("edge", Edge::new("example.com".parse()?))
/// #     .service("site", site.port(Port::fixed(8080)))
/// #     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge").role("site"))
/// #     .build()?
/// #     .topology;
/// // A caller of the real thing looks whether a port is free.
/// let mut next = 9000;
/// let mut port = |_| {
///     next += 1;
///     Port::new(next)
/// };
/// let ground = Ground::new("10.221.7.0/24".parse()?, &mut port);
/// let tried = tryout(&topology, Secrets::SEALED, &Custom::default(), ground)?;
/// assert!(tried.files.iter().any(|file| file.path == "compose.yaml"));
/// assert_eq!((tried.doors[0].service.as_str(), tried.doors[0].outside), ("edge", Port::fixed(9001)));
/// println!("{}", tried.left_out.join("\n")); // edge speaks plain HTTP here, …
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// See [`TryoutError`].
pub fn tryout(
    topology: &Topology,
    secrets: Secrets<'_>,
    custom: &Custom,
    ground: Ground<'_>,
) -> Result<Tryout, TryoutError> {
    let Ground { subnet, port } = ground;
    let plot::Played { plot, left_out, hosts } = plot::played(topology, subnet, port)?;
    let played = plot.build()?.topology;
    let renderer = Renderer::new(&played, secrets, custom)?;
    let mut stage = project::Stage::new(&played, subnet, hosts);
    let mut files = Vec::new();
    for node in played.nodes() {
        let (project, artifacts) = renderer.project(node)?;
        custom::check_places(node, &artifacts)?;
        stage.place(&played, node, project, port)?;
        files.extend(artifacts.into_iter().map(|file| project::shared(node, file)));
    }
    let project::Stage { project, doors, .. } = stage;
    let text = yaml::to_string(&project)?;
    files.push(Artifact::open("compose.yaml", text).mode(0o600));
    Ok(Tryout { files, doors, left_out })
}

/// The address of a node, by its place among all: the first is the network's gateway.
fn address(subnet: Ipv4Net, index: usize) -> Option<Ipv4Addr> {
    subnet.hosts().nth(index + 1)
}
