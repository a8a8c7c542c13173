//! Which checks there are for a machine to try: each check of the topology, from
//! every place there that has to succeed, to every place that has to answer.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use stageplot_topology::{
    Check, Endpoint, FlowId, Name, NodeId, Origin, Party, PlacementId, Port, Probe, RemoteAddress, ServiceId,
    SocketTarget, TargetHost, Topology, checks, dial,
};

use crate::{Place, Stand};

/// One check, from one place to one place.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// What to call it; unique among the trials of a topology.
    pub id: String,
    /// What it follows from.
    pub subject: Subject,
    /// Where it is tried from.
    pub place: Place,
    /// Whose endpoint it is that has to answer.
    pub service: ServiceId,
    /// The placement that has to answer; none where somebody else runs it.
    pub at: Option<PlacementId>,
    /// What is dialled.
    pub target: Target,
    /// What is tried, and what has to come back.
    pub probe: Probe,
    /// How long it may take.
    pub deadline: Duration,
}

impl Trial {
    /// How long a trial may take, unless somebody says otherwise: a client who has
    /// waited this long has gone.
    pub const DEADLINE: Duration = Duration::from_secs(5);

    /// … and one with a session of its own, which has several steps.
    pub const DEEP_DEADLINE: Duration = Duration::from_secs(20);
}

/// What a check follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// A flow, which has to be possible.
    Flow(FlowId),
    /// A service's own promise.
    Service(ServiceId),
    /// What runs of a service on a node.
    Placement(PlacementId),
    /// A machine.
    Node(NodeId),
}

/// What is dialled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Target {
    /// Name or address.
    pub host: Host,
    /// Port; the first one of a range.
    pub port: Port,
}

/// The host part of a [`Target`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// An address; no other one is tried in its place.
    Ip(IpAddr),
    /// A container on the same container network, whom Docker's own resolver knows.
    Container(Name),
    /// A name that the system's resolver knows.
    Name(String),
}

impl From<SocketTarget> for Target {
    fn from(target: SocketTarget) -> Self {
        let host = match target.host {
            TargetHost::Ip(ip) => Host::Ip(ip),
            TargetHost::Container(name) => Host::Container(name),
        };
        Self { host, port: target.port }
    }
}

impl From<&RemoteAddress> for Target {
    fn from(remote: &RemoteAddress) -> Self {
        let host = remote.host.parse().map_or_else(|_| Host::Name(remote.host.clone()), Host::Ip);
        Self { host, port: remote.port }
    }
}

impl fmt::Display for Target {
    /// `host:port`, an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(v6)) => write!(f, "[{v6}]:{}", self.port),
            Host::Ip(ip) => write!(f, "{ip}:{}", self.port),
            Host::Container(name) => write!(f, "{name}:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// The trials of one machine, in the order of the topology's checks.
///
/// Checks that need a session of one's own are among them where `deep` is set.
///
/// ```
/// use stageplot_health::{Stand, trials};
/// use stageplot_topology::{NodeSpec, Plot, Redis, Livekit, SecretRef};
///
/// let keys = [("main".to_owned(), SecretRef::Env("LIVEKIT_API_SECRET".into()))].into();
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .service("sfu", Livekit { keys, ..Livekit::default() })
///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("sfu").role("cache"))
///     .build()?
///     .topology;
/// let outside = trials(&topology, Stand::Outside, false);
/// assert_eq!(outside[0].id, "sfu.ice-tcp from the Internet: outside to 203.0.113.10:7881");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn trials(topology: &Topology, stand: Stand, deep: bool) -> Vec<Trial> {
    let mut trials = Vec::new();
    for check in checks(topology) {
        if deep || !check.probe.is_deep() {
            expand(topology, stand, &check, &mut trials);
        }
    }
    trials
}

/// Adds the trials of a check that belong to a machine.
fn expand(topology: &Topology, stand: Stand, check: &Check, trials: &mut Vec<Trial>) {
    let endpoint = topology.endpoint(check.to);
    let subject = match check.origin {
        Origin::Flow(flow) => Subject::Flow(flow),
        // What else a check may follow from is a promise of the service that answers.
        _ => Subject::Service(endpoint.service),
    };
    let mut add = |place: Place, at: Option<PlacementId>, target: Target| {
        trials.push(Trial {
            id: format!("{}: {} to {target}", check.id, place.name(topology)),
            subject,
            place,
            service: endpoint.service,
            at,
            target,
            probe: check.probe.clone(),
            deadline: if check.probe.is_deep() { Trial::DEEP_DEADLINE } else { Trial::DEADLINE },
        });
    };
    if let Probe::Resolves { name, .. } = &check.probe {
        // A name is looked up once, whatever it leads to.
        if let Some(place) = at_clients(topology, stand, check.from) {
            add(place, None, Target { host: Host::Name(name.to_string()), port: endpoint.ports.first() });
        }
        return;
    }
    match (check.from, stand) {
        (Party::Service(service), Stand::Node(_))
            if endpoint.service == service && check.origin == Origin::Service(service) =>
        {
            for &at in &endpoint.at {
                let place = Place::of(topology, at);
                if place.stand(topology) == stand {
                    add(place, Some(at), own(endpoint));
                }
            }
        }
        (Party::Service(service), Stand::Node(node)) => {
            for from in topology.placements_on(node).filter(|placed| placed.service == service) {
                let place = Place::of(topology, from.id);
                for &at in &endpoint.at {
                    if let Some(target) = dial(topology, from.id, endpoint.id, at) {
                        add(place, Some(at), target.into());
                    }
                }
                for remote in &endpoint.elsewhere {
                    add(place, None, remote.into());
                }
            }
        }
        (Party::Internet, Stand::Outside) => {
            for &at in &endpoint.at {
                let public = topology.node(topology.placement(at).node).public;
                for ip in public.into_iter().flat_map(|public| public.addresses()) {
                    let port = endpoint.ports.first();
                    add(Place::Outside, Some(at), Target { host: Host::Ip(ip), port });
                }
            }
        }
        (Party::Network(_) | Party::Nets(_), Stand::Node(node)) => {
            if !is_among(topology, node, check.from) {
                return;
            }
            for &at in &endpoint.at {
                for ip in met_at(topology, node, topology.placement(at).node) {
                    let port = endpoint.ports.first();
                    add(Place::Node(node), Some(at), Target { host: Host::Ip(ip), port });
                }
            }
        }
        _ => {}
    }
}

/// Where a party outside the plot is met on a machine.
fn at_clients(topology: &Topology, stand: Stand, party: Party) -> Option<Place> {
    match (party, stand) {
        (Party::Internet, Stand::Outside) => Some(Place::Outside),
        (_, Stand::Node(node)) if is_among(topology, node, party) => Some(Place::Node(node)),
        _ => None,
    }
}

/// An endpoint as the service itself reaches it.
fn own(endpoint: &Endpoint) -> Target {
    Target { host: Host::Ip(Ipv4Addr::LOCALHOST.into()), port: endpoint.ports.first() }
}

/// Whether a node is one of a party of addresses.
fn is_among(topology: &Topology, node: NodeId, party: Party) -> bool {
    let mut own = topology.node(node).addresses.iter();
    match party {
        Party::Network(network) => own.any(|address| address.network == Some(network)),
        Party::Nets(nets) => {
            own.any(|address| topology.nets(nets).iter().any(|net| net.contains(&address.ip)))
        }
        _ => false,
    }
}

/// The addresses of a node that another node of the same networks dials.
fn met_at(topology: &Topology, from: NodeId, to: NodeId) -> Vec<IpAddr> {
    let own: Vec<_> = topology.node(from).addresses.iter().filter_map(|address| address.network).collect();
    let met = topology.node(to).addresses.iter();
    met.filter(|address| address.network.is_some_and(|network| own.contains(&network)))
        .map(|address| address.ip)
        .collect()
}
