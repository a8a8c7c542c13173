//! What a node's firewall sees of a flow.

use std::sync::Arc;

use ipnet::IpNet;

use crate::endpoint::Speaks;
use crate::flow::{Flow, Party};
use crate::reach::SOURCES_LIMIT;
use crate::{Attachment, Node, Placement, PlacementId, ServiceId, ServiceSpec, Source, Topology};

/// What a node's firewall sees of a flow.
///
/// ```
/// use stageplot_topology::{Hook, Sources, arrivals};
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
/// // The edge on `front` sends requests to LiveKit on `media`, over the Internet's side.
/// let livekit = topology.service_named("livekit").ok_or("a LiveKit")?;
/// let signal = topology.endpoint_named(livekit.id, "signal").ok_or("its signalling")?;
/// let flow = topology.flows_to(signal.id).next().ok_or("the edge's requests")?;
/// let arrival = arrivals(&topology, flow, livekit.placements[0]).remove(0);
/// assert_eq!(arrival.hook, Hook::Input);
/// assert!(matches!(arrival.sources, Sources::Nets(nets) if nets[0].to_string() == "10.0.0.1/32"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// Where in the kernel it comes by.
    pub hook: Hook,
    /// Who it comes from.
    pub sources: Sources,
}

/// Where in the kernel's path a connection comes by.
///
/// See [`Arrival`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// It ends on the node itself.
    Input,
    /// It was sent on to a container: its destination was rewritten, and the
    /// port dialled is the connection's original one.
    Forward,
}

/// Who a connection comes from.
///
/// See [`Arrival`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sources {
    /// Anybody.
    Any,
    /// These networks.
    Nets(Arc<[IpNet]>),
    /// Containers on the node's own container network.
    Bridge,
}

/// What the node of `at` sees of `flow` arriving there.
///
/// Connections inside the node's loopback and between containers of one
/// container network pass no firewall and are not listed.
///
/// ```
/// use stageplot_topology::{Hook, Sources, arrivals};
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
/// let edge = topology.service_named("edge").ok_or("an edge")?;
/// let https = topology.endpoint_named(edge.id, "https").ok_or("its endpoint")?;
/// for flow in topology.flows_to(https.id) {
///     for arrival in arrivals(&topology, flow, edge.placements[0]) {
///         println!("{}: {:?} by {:?}", flow.reason, arrival.sources, arrival.hook);
///         assert_eq!((arrival.hook, arrival.sources), (Hook::Input, Sources::Any));
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn arrivals(topology: &Topology, flow: &Flow, at: PlacementId) -> Vec<Arrival> {
    let at = topology.placement(at);
    let mut arrivals = Vec::new();
    if let Party::Service(service) = flow.from
        && at.attachment != Attachment::Bridge
        && is_bridged_on(topology, service, at)
    {
        arrivals.push(Arrival { hook: Hook::Input, sources: Sources::Bridge });
    }
    for sources in remote_sources(topology, flow, at) {
        arrivals.extend(hooks(topology, at, sources));
    }
    arrivals
}

/// Where connections that do not stay inside the node come by.
///
/// Docker rewrites the destination of a published port, so it is forwarded. Over
/// IPv6 it does so only where the container has such an address; elsewhere a
/// process of Docker's on the node (`docker-proxy`) answers. So it does to
/// containers of the node itself that dial the node's own address, such as an app
/// that dials the edge by its public name.
fn hooks(topology: &Topology, at: Placement, sources: Sources) -> Vec<Arrival> {
    let arrival = |hook, sources| Arrival { hook, sources };
    let nets = match sources {
        _ if at.attachment != Attachment::Bridge => return vec![arrival(Hook::Input, sources)],
        Sources::Any => {
            return vec![arrival(Hook::Input, Sources::Any), arrival(Hook::Forward, Sources::Any)];
        }
        Sources::Bridge => return vec![arrival(Hook::Input, sources)],
        Sources::Nets(_) if topology.plot().bridge.ipv6 => return vec![arrival(Hook::Forward, sources)],
        Sources::Nets(nets) => nets,
    };
    let (v6, v4): (Vec<_>, Vec<_>) = nets.iter().copied().partition(|net| matches!(net, IpNet::V6(_)));
    let split = [(Hook::Input, v6), (Hook::Forward, v4)].into_iter().filter(|(_, nets)| !nets.is_empty());
    split.map(|(hook, nets)| arrival(hook, Sources::Nets(nets.into()))).collect()
}

fn is_bridged_on(topology: &Topology, service: ServiceId, at: Placement) -> bool {
    topology.placements_on(at.node).any(|p| p.service == service && p.attachment == Attachment::Bridge)
}

fn remote_sources(topology: &Topology, flow: &Flow, at: Placement) -> Vec<Sources> {
    let node = topology.node(at.node);
    match flow.from {
        // Both are met at the address that their node tells to everybody.
        Party::Service(service)
            if matches!(
                topology.endpoint(flow.to).speaks,
                Speaks::Relay | Speaks::Media | Speaks::IceTcp
            ) =>
        {
            relay_sources(topology, service, node)
        }
        Party::Internet => vec![Sources::Any],
        Party::Operator => topology.sources(&topology.plot().access.ssh.from),
        Party::Network(id) => {
            // The service listens on the node's addresses in that network.
            let own: Vec<_> = node.addresses.iter().filter(|a| a.network == Some(id)).collect();
            let met = |net: &&IpNet| own.iter().any(|a| a.ip.is_ipv6() == matches!(net, IpNet::V6(_)));
            let nets: Vec<_> = topology.network(id).cidr.iter().filter(met).copied().collect();
            if nets.is_empty() { Vec::new() } else { vec![Sources::Nets(nets.into())] }
        }
        Party::Nets(id) => vec![Sources::Nets(topology.nets(id).into())],
        Party::Service(service) => {
            let by_name = is_by_name(topology, flow).then(|| any_way(topology, service, node)).flatten();
            if let Some(sources) = by_name {
                return sources;
            }
            let groups = topology.peers[service.index()].groups.iter();
            let others = groups.filter(|group| group.members.iter().any(|&member| member != at.node));
            others.filter_map(|group| group.towards(node)).map(|(_, nets)| Sources::Nets(nets)).collect()
        }
    }
}

/// The ways to a node that most plots have: private and public, IPv4 and IPv6.
const WAYS: usize = 4;

/// Who meets a relay, or media: its peers, itself among them, come from whichever address
/// of theirs leads to the one that its node tells to everybody.
fn relay_sources(topology: &Topology, service: ServiceId, node: &Node) -> Vec<Sources> {
    let service = topology.service(service);
    let mut nodes = service.placements.iter().map(|&id| topology.node(topology.placement(id).node));
    let asks = matches!(&service.kind, ServiceSpec::Livekit(livekit) if livekit.use_external_ip);
    if asks && nodes.any(|node| node.public.is_none()) {
        // The plot does not know the address that such a node is seen by.
        return vec![Sources::Any];
    }
    // Too many to list on every node; a relay asks each peer's leave by itself.
    any_way(topology, service.id, node).unwrap_or_else(|| vec![Sources::Any])
}

/// Whether the other end is called by a name, which leads to a public address also where
/// there is a private one.
fn is_by_name(topology: &Topology, flow: &Flow) -> bool {
    let target = topology.service(topology.endpoint(flow.to).service);
    matches!(&target.kind, ServiceSpec::Edge(edge) if edge.domain.is_some())
}

/// Where a service comes from that dials whichever address of a node there is; nothing where
/// those are too many to list on every node.
fn any_way(topology: &Topology, service: ServiceId, node: &Node) -> Option<Vec<Sources>> {
    let groups = topology.peers[service.index()].groups.iter();
    let lists: Vec<_> = groups.flat_map(|group| group.anyhow(node)).collect();
    // However few each way has, many ways together are as long.
    let listed: usize = lists.iter().map(|nets| nets.len()).sum();
    if lists.iter().any(|nets| nets.len() > SOURCES_LIMIT) || listed > WAYS * SOURCES_LIMIT {
        return None;
    }
    let nets: Vec<_> = lists.iter().flat_map(|nets| nets.iter().copied()).collect();
    Some(if nets.is_empty() { Vec::new() } else { vec![Sources::Nets(IpNet::aggregate(&nets).into())] })
}

impl Topology {
    /// What sources written in the plot stand for.
    pub(crate) fn sources(&self, written: &[Source]) -> Vec<Sources> {
        if written.contains(&Source::Any) {
            return vec![Sources::Any];
        }
        let nets: Vec<IpNet> = written
            .iter()
            .flat_map(|source| match source {
                Source::Any => Vec::new(),
                Source::Net(net) => vec![*net],
                Source::Network(name) => {
                    let network = self.networks.iter().find(|network| network.name == *name);
                    network.map(|network| network.cidr.clone()).unwrap_or_default()
                }
            })
            .collect();
        if nets.is_empty() { Vec::new() } else { vec![Sources::Nets(IpNet::aggregate(&nets).into())] }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Document, Format, Plot};

    pub(crate) fn topology(text: &str) -> Topology {
        let document = Document::parse(Format::Toml, "stageplot.toml", text).expect("a document");
        Plot::read(&document).expect("a sound plot").topology
    }

    /// The sources of a service's endpoint on a node, as text.
    pub(crate) fn sources(topology: &Topology, service: &str, endpoint: &str, node: &str) -> Vec<String> {
        let service = topology.service_named(service).expect("a service").id;
        let endpoint = topology.endpoint_named(service, endpoint).expect("an endpoint");
        let on = |id: &&PlacementId| topology.node(topology.placement(**id).node).name.as_str() == node;
        let at = *endpoint.at.iter().find(on).expect("a placement");
        let all = topology.flows_to(endpoint.id).flat_map(|flow| arrivals(topology, flow, at));
        let text = |arrival: Arrival| match arrival.sources {
            Sources::Nets(nets) => nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        };
        all.map(text).collect()
    }

    pub(crate) const MEDIA: &str = r#"
        name = "live"
        [networks.lan]
        cidr = ["192.168.1.0/24", "fd00:1::/64"]
        [nodes]
        one   = { address = "192.168.1.1", public = "203.0.113.1", roles = ["livekit", "redis"] }
        two   = { address = "192.168.1.2", public = "203.0.113.2", roles = ["livekit"] }
        three = { public = "203.0.113.3", roles = ["livekit"] }
        [livekit]
        keys = { main = { env = "LIVEKIT_API_SECRET" } }
        turn = { udp-port = 3478 }
        [redis]
        password = { env = "REDIS_PASSWORD" }
    "#;

    #[test]
    fn a_relay_is_met_from_every_side_and_by_itself() {
        let topology = topology(MEDIA);
        let relay = sources(&topology, "livekit", "relay", "one");
        assert_eq!(relay, ["192.168.1.1/32 192.168.1.2/32 203.0.113.1/32 203.0.113.2/31"]);
        let relay = sources(&topology, "livekit", "relay", "three");
        assert_eq!(relay, ["203.0.113.1/32 203.0.113.2/31"]);
        // What is no relay is dialled on the best side alone.
        let redis = sources(&topology, "redis", "primary", "one");
        assert_eq!(redis, ["192.168.1.1/32 192.168.1.2/32", "203.0.113.3/32"]);
    }

    #[test]
    fn what_is_called_by_its_name_is_met_from_the_public_side_as_well() {
        let text = r#"
            name = "live"
            [access]
            clients = "10.0.0.0/8"
            [networks.lan]
            cidr = "192.168.1.0/24"
            [nodes]
            front = { address = "192.168.1.1", public = "203.0.113.1", roles = ["edge", "rooms"] }
            media = { address = "192.168.1.2", public = "203.0.113.2", roles = ["livekit"] }
            [edge]
            domain = "live.example.com"
            tls = "internal"
            [services.rooms]
            kind = "app"
            run = "host"
            port = 8080
            routes = "/api/*"
            [livekit]
            keys = { main = { env = "LIVEKIT_API_SECRET" } }
            webhook = { urls = "https://live.example.com/api/webhook" }
        "#;
        let https = sources(&topology(text), "edge", "https", "front");
        assert_eq!(https, ["10.0.0.0/8", "192.168.1.2/32 203.0.113.2/32"]);
    }

    #[test]
    fn a_relay_is_met_from_anywhere_where_no_one_knows_its_peers_addresses() {
        let asks = MEDIA.replace("[livekit]", "[livekit]\nuse-external-ip = true");
        assert_ne!(sources(&topology(&asks), "livekit", "relay", "one"), ["Any"]);
        let asks = asks.replace(
            r#"{ address = "192.168.1.2", public = "203.0.113.2","#,
            r#"{ address = "192.168.1.2","#,
        );
        let asks = asks.replace(r#"{ public = "203.0.113.3","#, r#"{ address = "192.168.1.3","#);
        assert_eq!(sources(&topology(&asks), "livekit", "relay", "one"), ["Any"]);
    }

    #[test]
    fn a_relay_of_very_many_is_met_from_anywhere() {
        let plot = |nodes: usize| {
            // Every other address, so that none are one network.
            let nodes = (1..=nodes).map(|n| {
                let (high, low) = (n * 2 / 256, n * 2 % 256);
                format!("node-{n} = {{ public = \"203.0.{high}.{low}\", roles = [\"livekit\"] }}\n")
            });
            let first = "one = { public = \"198.51.100.1\", roles = [\"livekit\", \"redis\"] }\n";
            let (head, rest) = MEDIA.split_once("one   =").expect("the nodes");
            let (_, tail) = rest.split_once("[livekit]").expect("the services");
            format!("{head}{first}{}[livekit]{tail}", nodes.collect::<String>())
        };
        assert_ne!(sources(&topology(&plot(250)), "livekit", "relay", "one"), ["Any"]);
        assert_eq!(sources(&topology(&plot(260)), "livekit", "relay", "one"), ["Any"]);
    }

    #[test]
    fn a_network_comes_only_where_a_node_is_in_it() {
        let metrics = MEDIA.replace("[livekit]", "[livekit]\nmetrics = { from = \"lan\" }");
        let topology = topology(&metrics);
        assert_eq!(sources(&topology, "livekit", "metrics", "one"), ["192.168.1.0/24"]);
        assert_eq!(sources(&topology, "livekit", "metrics", "three"), [""; 0]);
    }

    #[test]
    fn what_works_for_livekit_is_let_in_to_its_media_wherever_clients_come_from() {
        let text = r#"
            name = "live"
            access = { clients = "198.51.100.0/24" }
            [networks]
            lan = { cidr = "192.168.1.0/24" }
            [nodes]
            one = { address = "192.168.1.1", public = "203.0.113.1", roles = ["livekit", "redis"] }
            two = { address = "192.168.1.2", public = "203.0.113.2", roles = ["egress"] }
            [livekit]
            keys = { main = { env = "KEY" } }
            [redis]
            password = { env = "PASSWORD" }
            [egress]
        "#;
        let topology = topology(text);
        // It is told the node's public address, and may come by either of its own.
        for endpoint in ["media", "ice-tcp"] {
            let sources = sources(&topology, "livekit", endpoint, "one");
            assert_eq!(sources, ["192.168.1.2/32 203.0.113.2/32", "198.51.100.0/24"], "{endpoint}");
        }
        assert_eq!(sources(&topology, "livekit", "signal", "one"), ["192.168.1.2/32"]);
    }

    #[test]
    fn containers_dial_over_ipv4_where_they_have_nothing_else() {
        let plot = r#"
            name = "live"
            [nodes]
            one = { address = "fd00:1::1", public = "203.0.113.1", roles = ["app", "job"] }
            two = { address = "fd00:1::2", public = "203.0.113.2", roles = ["redis"] }
            [services.app]
            kind = "app"
            image = "registry.example.com/app:1"
            needs = ["redis"]
            [services.job]
            kind = "app"
            run = "host"
            needs = ["redis"]
            [redis]
            password = { env = "REDIS_PASSWORD" }
        "#;
        let without = topology(plot);
        assert_eq!(sources(&without, "redis", "primary", "two"), ["203.0.113.1/32", "fd00:1::1/128"]);
        let with = topology(&plot.replace("[redis]", "[bridge]\nipv6 = true\n[redis]"));
        assert_eq!(sources(&with, "redis", "primary", "two"), ["fd00:1::1/128"; 2]);
    }
}
