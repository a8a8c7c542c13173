//! What a client writes into its configuration to reach an endpoint.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::endpoint::{Endpoint, Speaks};
use crate::reach::route;
use crate::{Attachment, EndpointId, Name, Placement, PlacementId, Port, Topology};

/// An address to dial.
///
/// ```
/// use stageplot_topology::{Port, SocketTarget, TargetHost};
///
/// let port = Port::fixed(6379);
/// let beside = SocketTarget { host: TargetHost::Container("cache".parse()?), port };
/// assert_eq!(beside.to_string(), "cache:6379");
/// let elsewhere = SocketTarget { host: TargetHost::Ip("fd00::1".parse()?), port };
/// assert_eq!(elsewhere.to_string(), "[fd00::1]:6379");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketTarget {
    /// Name or address.
    pub host: TargetHost,
    /// Port; the first one of a range.
    pub port: Port,
}

/// The host part of a [`SocketTarget`].
///
/// See [`SocketTarget`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetHost {
    /// An address.
    Ip(IpAddr),
    /// A container on the same container network, by its service's name.
    Container(Name),
}

impl fmt::Display for TargetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Container(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for SocketTarget {
    /// `host:port`, an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            TargetHost::Ip(IpAddr::V6(v6)) => write!(f, "[{v6}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// Where `from` dials to reach `endpoint` as it is offered by `to`.
///
/// | from → to | same node | other node |
/// |---|---|---|
/// | container network → container network | the service's name | the node's address |
/// | container network → host network, process | the container network's gateway | the node's address |
/// | host network, process → any | loopback | the node's address |
///
/// The node's address is the one in a network that both nodes are in, else the
/// public one; IPv4 before IPv6, which a container can dial only where the plot
/// says so (`bridge.ipv6`). `None` where the nodes share neither; no flow of a
/// built topology is such a case.
///
/// A relay's far side is met at the address that its node tells to everybody
/// (RFC 8656, section 7.2), also from that node itself.
///
/// ```
/// use stageplot_topology::dial;
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
/// // The plot has the edge on one machine, and LiveKit on another.
/// let edge = topology.service_named("edge").ok_or("an edge")?;
/// let livekit = topology.service_named("livekit").ok_or("a LiveKit")?;
/// let signal = topology.endpoint_named(livekit.id, "signal").ok_or("its signalling")?;
/// let target = dial(&topology, edge.placements[0], signal.id, livekit.placements[0]).ok_or("a way")?;
/// assert_eq!(target.to_string(), "10.0.0.2:7880");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn dial(
    topology: &Topology,
    from: PlacementId,
    endpoint: EndpointId,
    to: PlacementId,
) -> Option<SocketTarget> {
    let (from, to) = (topology.placement(from), topology.placement(to));
    let Endpoint { ports, speaks, .. } = topology.endpoint(endpoint);
    let port = ports.first();
    let node = topology.node(to.node);
    let host = if *speaks == Speaks::Relay {
        TargetHost::Ip(node.advertised_address()?)
    } else if from.node == to.node {
        dial_same_node(topology, from, to)
    } else {
        let v6 = topology.dials_v6(from.attachment);
        TargetHost::Ip(route(topology.node(from.node), v6, node)?.target)
    };
    Some(SocketTarget { host, port })
}

fn dial_same_node(topology: &Topology, from: Placement, to: Placement) -> TargetHost {
    match (from.attachment, to.attachment) {
        (Attachment::Bridge, Attachment::Bridge) => {
            TargetHost::Container(topology.service(to.service).name.clone())
        }
        (Attachment::Bridge, Attachment::Host | Attachment::OffDocker) => {
            TargetHost::Ip(topology.bridge_gateway().into())
        }
        (Attachment::Host | Attachment::OffDocker, _) => TargetHost::Ip(Ipv4Addr::LOCALHOST.into()),
    }
}

impl Topology {
    /// The node's own address on its container network: the first one of it.
    ///
    /// ```
    /// use stageplot_topology::{NodeSpec, Plot};
    ///
    /// let front = NodeSpec::private("10.0.0.1".parse()?);
    /// let topology = Plot::new("live".parse()?).node("front", front).build()?.topology;
    /// assert_eq!(topology.bridge_gateway().to_string(), "172.30.90.1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bridge_gateway(&self) -> Ipv4Addr {
        let network = self.plot().bridge.v4.network();
        Ipv4Addr::from(u32::from(network).saturating_add(1))
    }
}
