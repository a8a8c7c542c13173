//! The validated whole: nodes, services, placements, endpoints, flows.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::endpoint::{Endpoint, EndpointId};
use crate::flow::{Flow, FlowId};
use crate::plot::PublicAddress;
use crate::reach::Peers;
use crate::{ByteSize, Lock, Name, Plot, ServiceSpec};

/// Declares an index into one of the topology's lists. Lists are in the order
/// of names, so equal plots have equal ids however they were written.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            pub(crate) fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }

            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}
pub(crate) use id;

id! {
    /// A [`Node`] of one topology.
    ///
    /// See [`Node`].
    NodeId
}
id! {
    /// A [`Network`] of one topology.
    ///
    /// See [`Network`].
    NetworkId
}
id! {
    /// A [`Service`] of one topology.
    ///
    /// See [`Service`].
    ServiceId
}
id! {
    /// A [`Placement`] of one topology.
    ///
    /// See [`Placement`].
    PlacementId
}

/// A machine.
///
/// ```
/// # use stageplot_topology::*;
/// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
/// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
/// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
/// # let topology = Plot::new("live".parse()?)
/// #     .service("edge", Edge::new("livekit.example.com".parse()?))
/// #     .service("livekit", Livekit { keys, ..Livekit::default() })
/// #     .node("front", front.role("edge"))
/// #     .node("media", media.role("livekit"))
/// #     .build()?
/// #     .topology;
/// let front = topology.node_named("front").ok_or("a node")?;
/// assert_eq!(front.main_address(), Some("10.0.0.1".parse()?));
/// assert_eq!(front.advertised_address(), Some("203.0.113.10".parse()?));
/// assert!(front.has("10.0.0.1".parse()?) && !front.has_v6());
/// assert_eq!(topology.node(front.id), front);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Node {
    /// Its index.
    pub id: NodeId,
    /// Its name.
    pub name: Name,
    /// Its addresses in private networks, as written.
    pub addresses: Vec<NodeAddress>,
    /// The address by which the Internet reaches it.
    pub public: Option<PublicAddress>,
    /// Where in the world it is, where the plot says.
    pub region: Option<Name>,
    /// Its memory, where the plot says.
    pub memory: Option<ByteSize>,
}

impl Node {
    /// Whether it has an IPv6 address.
    pub fn has_v6(&self) -> bool {
        self.addresses.iter().any(|a| a.ip.is_ipv6()) || self.public.is_some_and(|p| p.v6.is_some())
    }

    /// Whether an address is one of its own.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|a| a.ip == ip)
            || self.public.is_some_and(|p| p.addresses().any(|own| own == ip))
    }

    /// The address that it tells to clients: the public one, IPv4 first, else
    /// the main one.
    pub fn advertised_address(&self) -> Option<IpAddr> {
        self.public.and_then(|p| p.addresses().next()).or_else(|| self.main_address())
    }

    /// An IPv4 address that the machine has itself: the public one where that is bound,
    /// else the first private one.
    ///
    /// ```
    /// use stageplot_topology::{NodeSpec, Plot, PublicAddress};
    ///
    /// let public = PublicAddress { v4: Some("203.0.113.10".parse()?), v6: None, bound: false };
    /// let node = NodeSpec { public: Some(public), ..NodeSpec::private("10.0.0.1".parse()?) };
    /// let topology = Plot::new("live".parse()?).node("front", node).build()?.topology;
    /// assert_eq!(topology.nodes()[0].own_v4(), Some("10.0.0.1".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn own_v4(&self) -> Option<Ipv4Addr> {
        let public = self.public.filter(|public| public.bound).and_then(|public| public.v4);
        let private = self.addresses.iter().find_map(|address| match address.ip {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        });
        public.or(private)
    }

    /// The address to call it by where one is enough: the first private one,
    /// else the public one.
    pub fn main_address(&self) -> Option<IpAddr> {
        let private = self.addresses.first().map(|a| a.ip);
        private.or_else(|| self.public.and_then(|p| p.addresses().next()))
    }
}

/// An address of a node in a private network.
///
/// See [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeAddress {
    /// The address.
    pub ip: IpAddr,
    /// The network of the plot that it lies in, if it lies in one.
    pub network: Option<NetworkId>,
}

/// A private network.
///
/// ```
/// use stageplot_topology::{NetworkSpec, NodeSpec, Plot};
///
/// let topology = Plot::new("live".parse()?)
///     .network("lan", NetworkSpec::new(["10.0.0.0/24".parse()?]))
///     .node("front", NodeSpec::private("10.0.0.1".parse()?))
///     .build()?
///     .topology;
/// let address = topology.nodes()[0].addresses[0];
/// let lan = topology.network(address.network.ok_or("it lies in one")?);
/// assert!(lan.name.as_str() == "lan" && lan.cidr[0].contains(&address.ip));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// Its index.
    pub id: NetworkId,
    /// Its name.
    pub name: Name,
    /// Its addresses.
    pub cidr: Vec<IpNet>,
}

/// Something placed on nodes.
///
/// ```
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let cache = topology.service_named("cache").ok_or("a Redis")?;
/// assert_eq!((cache.kind.kind(), cache.placements.len()), ("redis", 1));
/// assert_eq!(cache.primary, Some(cache.placements[0]));
/// assert_eq!(topology.service(cache.id), cache);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Service {
    /// Its index.
    pub id: ServiceId,
    /// Its name.
    pub name: Name,
    /// Its kind, with all settings.
    pub kind: ServiceSpec,
    /// Where it is placed, in the order of nodes.
    pub placements: Vec<PlacementId>,
    /// For a Redis that the plot runs: the one that takes writes.
    pub primary: Option<PlacementId>,
}

/// One service on one node.
///
/// ```
/// use stageplot_topology::Attachment;
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let front = topology.node_named("front").ok_or("a node")?;
/// let placement = topology.placements_on(front.id).next().ok_or("a Redis")?;
/// assert_eq!(topology.service(placement.service).name.as_str(), "cache");
/// assert_eq!(placement.attachment, Attachment::Bridge);
/// assert_eq!(topology.placement(placement.id), placement);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placement {
    /// Its index.
    pub id: PlacementId,
    /// What is placed.
    pub service: ServiceId,
    /// Where.
    pub node: NodeId,
    /// How it meets the network.
    pub attachment: Attachment,
}

/// How a placed service meets the network.
///
/// See [`Placement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attachment {
    /// A container on the node's own network.
    Host,
    /// A container on the plot's container network of that node.
    Bridge,
    /// A process of the user's own, outside Docker.
    OffDocker,
}

/// A stage plot that was validated: every name is known, every flow has a way,
/// no two placements share a port.
///
/// It is built by [`Plot::build`] alone.
///
/// ```
/// # let text = r#"
/// #     name = "live"
/// #     [nodes.front]
/// #     address = "10.0.0.1"
/// #     public = "203.0.113.10"
/// #     roles = "edge"
/// #     [nodes.media]
/// #     address = "10.0.0.2"
/// #     public = "203.0.113.11"
/// #     roles = "livekit"
/// #     [edge]
/// #     domain = "livekit.example.com"
/// #     [livekit]
/// #     keys = { main = { env = "LIVEKIT_API_SECRET" } }
/// # "#;
/// # let document = stageplot_topology::Document::parse(stageplot_topology::Format::Toml, "", text)?;
/// # let topology = stageplot_topology::Plot::read(&document)?.topology;
/// for node in topology.nodes() {
///     for placement in topology.placements_on(node.id) {
///         let service = topology.service(placement.service);
///         println!("{} runs {}, a {}", node.name, service.name, service.kind.kind());
///         for endpoint in topology.endpoints_of(service.id) {
///             for flow in topology.flows_to(endpoint.id) {
///                 let who = topology.party_name(flow.from);
///                 println!("  {who} connects to {}/{}: {}", endpoint.ports, endpoint.protocol, flow.reason);
///             }
///         }
///     }
/// }
/// assert_eq!(topology.services().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Topology {
    pub(crate) plot: Plot,
    pub(crate) lock: Lock,
    pub(crate) networks: Vec<Network>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) services: Vec<Service>,
    pub(crate) placements: Vec<Placement>,
    /// Placements of each node, by node.
    pub(crate) on_node: Vec<Vec<PlacementId>>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) flows: Vec<Flow>,
    /// Flows that arrive at each endpoint, by endpoint.
    pub(crate) flows_to: Vec<Vec<FlowId>>,
    /// Each service's nodes, grouped by how they are reached.
    pub(crate) peers: Vec<Peers>,
    /// Addresses named by openings.
    pub(crate) nets: Vec<Vec<IpNet>>,
}

impl Topology {
    /// The stack's name.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// assert_eq!(topology.name().as_str(), "live");
    /// assert_eq!(topology.plot().root, "/opt/stageplot");
    /// assert_eq!(topology.lock().iter().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name(&self) -> &Name {
        &self.plot.name
    }

    /// The plot that this was built from.
    pub fn plot(&self) -> &Plot {
        &self.plot
    }

    /// The digests of its images; none unless it was [locked](crate::Built::locked).
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// All machines, by name.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let names: Vec<_> = topology.nodes().iter().map(|node| node.name.as_str()).collect();
    /// assert_eq!(names, ["front", "media"]);
    /// let names: Vec<_> = topology.services().iter().map(|service| service.name.as_str()).collect();
    /// assert_eq!(names, ["edge", "livekit"]);
    /// assert_eq!(topology.placements().len(), 2);
    /// // Every flow leads to one of the endpoints.
    /// for flow in topology.flows() {
    ///     assert!(topology.endpoints().iter().any(|endpoint| endpoint.id == flow.to));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All private networks, by name.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// All services, by name.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// All placements, by service, then node.
    pub fn placements(&self) -> &[Placement] {
        &self.placements
    }

    /// All endpoints, by service.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// All flows.
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// A machine.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A private network.
    pub fn network(&self, id: NetworkId) -> &Network {
        &self.networks[id.index()]
    }

    /// A service.
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.index()]
    }

    /// A placement.
    pub fn placement(&self, id: PlacementId) -> Placement {
        self.placements[id.index()]
    }

    /// An endpoint.
    pub fn endpoint(&self, id: EndpointId) -> &Endpoint {
        &self.endpoints[id.index()]
    }

    /// A flow.
    pub fn flow(&self, id: FlowId) -> &Flow {
        &self.flows[id.index()]
    }

    /// The machine of that name.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// assert!(topology.node_named("front").is_some());
    /// assert!(topology.node_named("back").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn node_named(&self, name: &str) -> Option<&Node> {
        let index = self.nodes.binary_search_by(|node| node.name.as_str().cmp(name)).ok()?;
        self.nodes.get(index)
    }

    /// The service of that name.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// assert!(topology.service_named("cache").is_some());
    /// assert!(topology.service_named("redis").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn service_named(&self, name: &str) -> Option<&Service> {
        let index = self.services.binary_search_by(|service| service.name.as_str().cmp(name)).ok()?;
        self.services.get(index)
    }

    /// What is placed on a machine, by service.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let media = topology.node_named("media").ok_or("a node")?;
    /// let placed: Vec<_> = topology.placements_on(media.id).map(|placement| placement.service).collect();
    /// assert_eq!(placed, [topology.service_named("livekit").ok_or("a LiveKit")?.id]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn placements_on(&self, node: NodeId) -> impl Iterator<Item = Placement> + '_ {
        self.on_node[node.index()].iter().map(|&id| self.placement(id))
    }

    /// A service's endpoints.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let edge = topology.service_named("edge").ok_or("an edge")?;
    /// let names: Vec<_> = topology.endpoints_of(edge.id).iter().map(|endpoint| &*endpoint.name).collect();
    /// assert!(names.contains(&"https"));
    /// let https = topology.endpoint_named(edge.id, "https").ok_or("its HTTPS")?;
    /// assert_eq!(https.ports.to_string(), "443");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn endpoints_of(&self, service: ServiceId) -> &[Endpoint] {
        let start = self.endpoints.partition_point(|e| e.service < service);
        let end = self.endpoints.partition_point(|e| e.service <= service);
        &self.endpoints[start..end]
    }

    /// A service's endpoint of that name.
    pub fn endpoint_named(&self, service: ServiceId, name: &str) -> Option<&Endpoint> {
        self.endpoints_of(service).iter().find(|e| e.name == name)
    }

    /// The flows that arrive at an endpoint.
    ///
    /// ```
    /// use stageplot_topology::Party;
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let edge = topology.service_named("edge").ok_or("an edge")?;
    /// let https = topology.endpoint_named(edge.id, "https").ok_or("its HTTPS")?;
    /// assert!(topology.flows_to(https.id).any(|flow| flow.from == Party::Internet));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flows_to(&self, endpoint: EndpointId) -> impl Iterator<Item = &Flow> {
        self.flows_to[endpoint.index()].iter().map(|&id| self.flow(id))
    }

    /// The flows that leave a service.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let livekit = topology.service_named("livekit").ok_or("a LiveKit")?;
    /// // It talks to no Redis, and sends no events.
    /// assert_eq!(topology.flows_from(livekit.id).count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flows_from(&self, service: ServiceId) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| flow.from == crate::Party::Service(service))
    }
}
