//! `topology.json`: what stands where and who connects to what, for programs.
//!
//! ```
//! use stageplot_render::summary::{Party, Summary};
//! # use stageplot_topology::*;
//! # let topology = Plot::new("live".parse()?)
//! #     .service("cache", Redis::default())
//! #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
//! #     .build()?
//! #     .topology;
//! let summary = Summary::of(&topology);
//! for flow in &summary.flows {
//!     println!("{} connects to {} of {}: {}", flow.from, flow.endpoint, flow.service, flow.reason);
//! }
//! // SSH, which is open to anybody unless the plot says otherwise.
//! assert_eq!(summary.access[0].from, Party::Internet);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stageplot_topology::{self as topology, NodeId, ServiceSpec, Source, Topology};

use crate::system::install_dir;
use crate::{RenderError, Seal};

/// A topology without its settings: what stands where, and who connects to what.
///
/// It is rendered as `topology.json`, beside `dns.txt`; so a tree tells what its
/// files alone do not. It holds no secret's value, and grows with the nodes, never with
/// their pairs.
///
/// ```
/// use stageplot_render::summary::Summary;
/// use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// // As a program reads it from a tree that was rendered.
/// let rendering = render(&topology, Secrets::SEALED, &Custom::default())?;
/// let file = rendering.overview.iter().find(|file| file.path == Summary::PATH).ok_or("a summary")?;
/// let summary: Summary = serde_json::from_slice(&file.bytes)?;
/// assert_eq!(summary.version, Summary::VERSION);
/// assert_eq!(summary.nodes["front"].addresses, ["10.0.0.1"]);
/// let cache = &summary.services["cache"];
/// assert_eq!((cache.kind.as_str(), cache.nodes[0].as_str()), ("redis", "front"));
/// assert_eq!(cache.endpoints[0].ports, "6379");
/// assert_eq!(summary, Summary::of(&topology));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The version of this format: [`Summary::VERSION`].
    pub version: u32,
    /// The stack's name.
    pub name: String,
    /// The directory that it lives in on every machine.
    pub directory: String,
    /// The machines by name.
    pub nodes: BTreeMap<String, Node>,
    /// The services by name.
    pub services: BTreeMap<String, Service>,
    /// Who connects to what.
    pub flows: Vec<Flow>,
    /// What the operator keeps open on every machine.
    pub access: Vec<Opening>,
    /// What stands for secrets, where it was rendered with their seals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// The seals that stand for secrets in a rendering.
///
/// ```
/// use stageplot_render::summary::Sealed;
///
/// let json = r#"{
///     "made_with": "9f86d081884c7d659a2feaa0c55ad015",
///     "secrets": { "REDIS_PASSWORD": "60303ae22b998861bce3b28f33eec1be", "SMTP_PASSWORD": null }
/// }"#;
/// let sealed: Sealed = serde_json::from_str(json)?;
/// let without: Vec<_> = sealed.secrets.iter().filter(|(_, seal)| seal.is_none()).collect();
/// assert_eq!(without[0].0, "SMTP_PASSWORD");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sealed {
    /// Which key they were made with.
    pub made_with: Seal,
    /// The seal of every secret, by its name; none for one that has no seal.
    pub secrets: BTreeMap<String, Option<Seal>>,
}

/// A machine.
///
/// See [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// Its addresses in private networks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The addresses by which the Internet reaches it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public: Vec<String>,
}

/// A service.
///
/// See [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Service {
    /// `edge`, `livekit`, `redis`, `postgres`, `app`.
    pub kind: String,
    /// Where it is placed.
    pub nodes: Vec<String>,
    /// The node that takes writes, for a Redis or a Postgres that the plot runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// How what it holds outlives a restart, for a Redis that the plot runs: `aof`,
    /// `snapshots` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistence: Option<String>,
    /// The database that was made where there was no data, for a Postgres that the plot
    /// runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The user that was made with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How long it waits for its rooms when it is told to stop, in seconds; none
    /// for what stops at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_seconds: Option<u32>,
    /// What it listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
}

/// What a service listens on.
///
/// See [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// What the service calls it.
    pub name: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// `443` or `50000-60000`.
    pub ports: String,
    /// The nodes that offer it, where not all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<String>>,
    /// The addresses at which somebody else offers it, such as
    /// `redis.example.com:6379`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
}

/// Connections from a party to an endpoint.
///
/// ```
/// use stageplot_render::summary::{Flow, Party};
///
/// let json = r#"{ "from": { "service": "rooms" }, "service": "cache", "endpoint": "primary", "reason": "data" }"#;
/// let flow: Flow = serde_json::from_str(json)?;
/// assert_eq!((flow.from, flow.nodes), (Party::Service("rooms".to_owned()), None));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flow {
    /// Who connects.
    pub from: Party,
    /// The service that is connected to.
    pub service: String,
    /// What that service calls the endpoint.
    pub endpoint: String,
    /// Where, if not everywhere that the endpoint is offered: a network leads to
    /// the nodes alone that have an address in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<String>>,
    /// Why.
    pub reason: String,
}

/// A port that the operator keeps open on every machine.
///
/// ```
/// use stageplot_render::summary::Opening;
///
/// let json = r#"{ "from": "internet", "protocol": "tcp", "ports": "22", "reason": "ssh" }"#;
/// let opening: Opening = serde_json::from_str(json)?;
/// assert!(opening.from.is_anybody());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Opening {
    /// Who may connect.
    pub from: Party,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// `22` or `60000-61000`.
    pub ports: String,
    /// Why.
    pub reason: String,
}

/// Who connects.
///
/// ```
/// use stageplot_render::summary::Party;
///
/// let lan = Party::Network { name: "lan".to_owned(), nets: vec!["10.0.0.0/24".to_owned()] };
/// assert_eq!(lan.to_string(), "network lan (10.0.0.0/24)");
/// assert!(!lan.is_anybody() && Party::Nets(vec!["::/0".to_owned()]).is_anybody());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Party {
    /// Anybody.
    Internet,
    /// Any machine of a private network of the plot.
    Network {
        /// Its name.
        name: String,
        /// Its addresses.
        nets: Vec<String>,
    },
    /// These networks.
    Nets(Vec<String>),
    /// A service of the plot.
    Service(String),
}

impl Party {
    /// Whether it is anybody, over IPv4 or IPv6.
    pub fn is_anybody(&self) -> bool {
        match self {
            Self::Internet => true,
            Self::Network { nets, .. } | Self::Nets(nets) => nets.iter().any(|net| net.ends_with("/0")),
            Self::Service(_) => false,
        }
    }

    /// Who stands behind sources as a plot writes them.
    fn of(sources: &[Source], topology: &Topology) -> Vec<Self> {
        if sources.contains(&Source::Any) {
            return vec![Self::Internet];
        }
        let network = |source: &Source| match source {
            Source::Network(name) => topology.networks().iter().find(|network| network.name == *name),
            _ => None,
        };
        let mut parties: Vec<_> = sources.iter().filter_map(network).map(Self::network).collect();
        let nets = sources.iter().filter_map(|source| match source {
            Source::Net(net) => Some(net.to_string()),
            _ => None,
        });
        let nets: Vec<_> = nets.collect();
        if !nets.is_empty() {
            parties.push(Self::Nets(nets));
        }
        parties
    }

    fn network(network: &topology::Network) -> Self {
        let nets = network.cidr.iter().map(ToString::to_string).collect();
        Self::Network { name: network.name.to_string(), nets }
    }
}

impl fmt::Display for Party {
    /// As an operator would say it: `the Internet`, `network lan (10.0.0.0/24)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet => f.write_str("the Internet"),
            Self::Network { name, nets } => write!(f, "network {name} ({})", nets.join(", ")),
            Self::Nets(nets) => f.write_str(&nets.join(", ")),
            Self::Service(name) => f.write_str(name),
        }
    }
}

impl Summary {
    /// The version of the format that it serialises to.
    pub const VERSION: u32 = 1;

    /// Where it stands among the files about the whole.
    pub const PATH: &'static str = "topology.json";

    /// Sums a topology up.
    pub fn of(topology: &Topology) -> Self {
        let node = |node: &topology::Node| {
            let addresses = node.addresses.iter().map(|address| address.ip.to_string()).collect();
            let public = node.public.iter().flat_map(|public| public.addresses());
            (node.name.to_string(), Node { addresses, public: public.map(|ip| ip.to_string()).collect() })
        };
        let service =
            |service: &topology::Service| (service.name.to_string(), Service::of(service, topology));
        Self {
            version: Self::VERSION,
            name: topology.name().to_string(),
            directory: install_dir(topology),
            nodes: topology.nodes().iter().map(node).collect(),
            services: topology.services().iter().map(service).collect(),
            flows: topology.flows().iter().flat_map(|flow| Flow::of(flow, topology)).collect(),
            access: access(topology),
            sealed: None,
        }
    }

    /// The same, rendered with these seals.
    pub(crate) fn sealed(mut self, sealed: Option<Sealed>) -> Self {
        self.sealed = sealed;
        self
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, RenderError> {
        let mut json =
            serde_json::to_vec_pretty(self).map_err(|error| RenderError::Format(error.to_string()))?;
        json.push(b'\n');
        Ok(json)
    }
}

impl Service {
    fn of(service: &topology::Service, topology: &Topology) -> Self {
        let name = |at| name(topology.placement(at).node, topology);
        let redis = match &service.kind {
            ServiceSpec::Redis(redis) if redis.external.is_none() => Some(redis),
            _ => None,
        };
        let postgres = match &service.kind {
            ServiceSpec::Postgres(postgres) if postgres.external.is_none() => Some(postgres),
            _ => None,
        };
        let drain = crate::kind::drain(&service.kind);
        let endpoint = |endpoint: &topology::Endpoint| {
            let all = endpoint.at.len() == service.placements.len();
            Endpoint {
                name: endpoint.name.to_string(),
                protocol: endpoint.protocol.to_string(),
                ports: endpoint.ports.to_string(),
                nodes: (!all).then(|| endpoint.at.iter().map(|&at| name(at)).collect()),
                elsewhere: endpoint.elsewhere.iter().map(ToString::to_string).collect(),
            }
        };
        Self {
            kind: service.kind.kind().to_owned(),
            nodes: service.placements.iter().map(|&at| name(at)).collect(),
            primary: service.primary.map(name),
            persistence: redis.map(|redis| redis.persistence.as_str().to_owned()),
            database: postgres.map(|postgres| postgres.database.to_string()),
            user: postgres.map(|postgres| postgres.user.to_string()),
            drain_seconds: drain,
            endpoints: topology.endpoints_of(service.id).iter().map(endpoint).collect(),
        }
    }
}

impl Flow {
    /// A flow from the operator comes from wherever operators do.
    fn of(flow: &topology::Flow, topology: &Topology) -> Vec<Self> {
        let endpoint = topology.endpoint(flow.to);
        let from = match flow.from {
            topology::Party::Internet => vec![Party::Internet],
            topology::Party::Operator => Party::of(&topology.plot().access.ssh.from, topology),
            topology::Party::Network(id) => vec![Party::network(topology.network(id))],
            topology::Party::Nets(id) => {
                vec![Party::Nets(topology.nets(id).iter().map(ToString::to_string).collect())]
            }
            topology::Party::Service(id) => vec![Party::Service(topology.service(id).name.to_string())],
            _ => Vec::new(),
        };
        let nodes = match flow.from {
            topology::Party::Network(id) => {
                let nodes = endpoint.at.iter().map(|&at| topology.node(topology.placement(at).node));
                let met = nodes.filter(|node| node.addresses.iter().any(|a| a.network == Some(id)));
                let met: Vec<_> = met.map(|node| node.name.to_string()).collect();
                (met.len() < endpoint.at.len()).then_some(met)
            }
            _ => None,
        };
        let flow = |from| Self {
            from,
            service: topology.service(endpoint.service).name.to_string(),
            endpoint: endpoint.name.to_string(),
            nodes: nodes.clone(),
            reason: flow.reason.to_string(),
        };
        from.into_iter().map(flow).collect()
    }
}

/// What the operator keeps open.
fn access(topology: &Topology) -> Vec<Opening> {
    let access = &topology.plot().access;
    let ssh = Party::of(&access.ssh.from, topology).into_iter().map(|from| Opening {
        from,
        protocol: topology::Protocol::Tcp.to_string(),
        ports: access.ssh.port.to_string(),
        reason: "ssh".to_owned(),
    });
    let keep = access.keep.iter().flat_map(|keep| {
        Party::of(&keep.from, topology).into_iter().map(|from| Opening {
            from,
            protocol: keep.protocol.to_string(),
            ports: keep.port.to_string(),
            reason: if keep.why.is_empty() { "kept open".to_owned() } else { keep.why.clone() },
        })
    });
    ssh.chain(keep).collect()
}

fn name(node: NodeId, topology: &Topology) -> String {
    topology.node(node).name.to_string()
}
