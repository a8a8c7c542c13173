//! Which checks there are for a machine to try: each check of the topology, from
//! every place there that has to succeed, to every place that has to answer.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use stageplot_topology::{
    Check, Endpoint, FlowId, Name, NodeId, Origin, Party, PlacementId, Port, Probe, RemoteAddress, ServiceId,
    SocketTarget, Speaks, TargetHost, Topology, checks, dial,
};

use crate::custom::{Custom, CustomCheck};
use crate::{Cause, Place, Stand};

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
    /// Whose it is that has to answer; none where it is the machine's.
    pub service: Option<ServiceId>,
    /// The placement that has to answer; none where somebody else runs it.
    pub at: Option<PlacementId>,
    /// What is dialled, or looked at.
    pub target: Target,
    /// What is tried, and what has to come back.
    pub what: What,
    /// How long it may take.
    pub deadline: Duration,
}

impl Trial {
    /// How long a trial may take, unless somebody says otherwise: a client who has
    /// waited this long has gone.
    pub const DEADLINE: Duration = Duration::from_secs(5);

    /// … and one with a session of its own, which has several steps.
    pub const DEEP_DEADLINE: Duration = Duration::from_secs(20);

    /// … and one that looks at all ports of a machine.
    pub const CLOSED_DEADLINE: Duration = Duration::from_secs(20 * 60);

    /// A check of one's own, of a machine, tried where `place` is. Its `id` has to be another
    /// one than those of all other trials.
    pub fn custom(
        id: impl Into<String>,
        node: NodeId,
        place: Place,
        check: impl CustomCheck + 'static,
    ) -> Self {
        Self {
            id: id.into(),
            subject: Subject::Node(node),
            place,
            service: None,
            at: None,
            target: Target::Machine,
            what: What::Custom(Custom(Arc::new(check))),
            deadline: Self::DEADLINE,
        }
    }
}

impl Trial {
    /// Whether all that it asks is asked over TCP, from the network of a machine: then that
    /// machine need not be this one, for SSH opens the connections there.
    pub fn goes_by_tcp(&self) -> bool {
        let What::Probe(probe) = &self.what else { return false };
        let on_machine = !matches!(self.place, Place::Container(_))
            && !matches!(self.target, Target::Socket(Host::Container(_), _));
        let over_tcp = match probe {
            Probe::TcpConnect
            | Probe::HttpGet { .. }
            | Probe::HttpsRedirect
            | Probe::TlsSession { .. }
            | Probe::RedisPing { .. }
            | Probe::RedisReplication
            | Probe::RedisPrimary { .. }
            | Probe::RedisRoom { .. }
            | Probe::RedisPersistence { .. }
            | Probe::PostgresLogin { .. }
            | Probe::PostgresReplication
            | Probe::PostgresPrimary { .. }
            | Probe::PostgresConnections { .. }
            | Probe::CaddyUpstreams
            | Probe::CaddyBalance { .. }
            | Probe::PrometheusTargets
            | Probe::RtmpStatus
            | Probe::IonSfuCall
            | Probe::RtmpHandshake
            | Probe::RtmpStranger
            | Probe::RtmpRoundTrip
            | Probe::LivekitKeys
            | Probe::LivekitToken
            | Probe::LivekitNodes { .. }
            | Probe::LivekitJoin
            | Probe::CreateRoom { .. }
            | Probe::Webhook { .. } => true,
            // What is asked of a name server, over QUIC, or in datagrams.
            Probe::Resolves { .. }
            | Probe::Http3Session { .. }
            | Probe::StunBinding
            | Probe::SipOptions
            | Probe::IceBinding
            | Probe::TurnAllocate
            | Probe::TurnTlsAllocate { .. } => false,
        };
        on_machine && over_tcp
    }

    /// Whose it is to answer for what was seen, and where it runs: Redis is asked for
    /// LiveKit's nodes, and it is not Redis that lacks one.
    pub(crate) fn answers(&self, cause: Option<Cause>) -> (Option<ServiceId>, Option<PlacementId>) {
        match (&self.what, cause) {
            (
                What::Probe(Probe::LivekitNodes { service }),
                Some(Cause::NodeMissing | Cause::NodeDraining | Cause::ClockSkew | Cause::LivekitUnready),
            ) => (Some(*service), None),
            // The edge is asked, and it is the app that answers.
            (
                What::Probe(Probe::CreateRoom { .. }),
                Some(
                    Cause::RoomElsewhere
                    | Cause::KeyRejected
                    | Cause::JoinRefused
                    | Cause::HttpStatus
                    | Cause::WrongProtocol,
                ),
            ) => match self.subject {
                Subject::Service(app) => (Some(app), None),
                _ => (self.service, self.at),
            },
            _ => (self.service, self.at),
        }
    }
}

/// What is tried, and what has to come back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A question over the network.
    Probe(Probe),
    /// Docker runs a container of this image, and it is well.
    Container {
        /// As the rendered `compose.yaml` names it.
        image: String,
    },
    /// What has to end before an app is started has ended, and well.
    Migration {
        /// As the rendered `compose.yaml` names it.
        image: String,
    },
    /// Docker runs nothing under the plot's name but these services.
    NoStrangers {
        /// Their names.
        known: Vec<Name>,
    },
    /// Each container was made from what its Compose file says now.
    Configuration,
    /// Nobody but a node's services listens on their ports.
    Ports {
        /// The node.
        node: NodeId,
    },
    /// Something of one's own.
    Custom(Custom),
    /// Docker answers.
    Engine,
    /// The firewall has the plot's rules.
    Rules {
        /// Whether they guard the machine itself; containers are guarded by them in
        /// either case.
        input: bool,
    },
    /// What a container has said of late is no error.
    Logs,
    /// Somebody keeps the clock right.
    Clock,
    /// How long the machine has been up.
    Uptime,
    /// There is room on the disk that has the plot's data.
    Disk {
        /// A directory on it, or the one above that where it is not there.
        path: String,
    },
    /// There is memory left.
    Memory,
    /// The kernel lets a socket keep as much as media needs.
    UdpBuffers,
    /// No TCP port of a node answers but those that the plot allows.
    ClosedTcp {
        /// The node.
        node: NodeId,
    },
    /// No UDP port of a node lets anything in but those that the plot allows, and those
    /// do.
    ClosedUdp {
        /// The node.
        node: NodeId,
    },
    /// No container of a node answers who routes to it directly.
    ClosedContainers {
        /// The node.
        node: NodeId,
    },
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

/// What is dialled, or looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// An endpoint.
    Socket(Host, Port),
    /// All that answers at an address.
    Address(IpAddr),
    /// A container, by the name of its service in `compose.yaml`, through Docker.
    Container(Name),
    /// This machine itself.
    Machine,
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
        Self::Socket(host, target.port)
    }
}

impl From<&RemoteAddress> for Target {
    fn from(remote: &RemoteAddress) -> Self {
        let host = remote.host.parse().map_or_else(|_| Host::Name(remote.host.clone()), Host::Ip);
        Self::Socket(host, remote.port)
    }
}

impl fmt::Display for Target {
    /// `host:port`, an IPv6 address in brackets; or what else it is, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(Host::Ip(IpAddr::V6(v6)), port) => write!(f, "[{v6}]:{port}"),
            Self::Socket(Host::Ip(ip), port) => write!(f, "{ip}:{port}"),
            Self::Socket(Host::Container(name), port) => write!(f, "{name}:{port}"),
            Self::Socket(Host::Name(name), port) => write!(f, "{name}:{port}"),
            Self::Address(ip) => ip.fmt(f),
            Self::Container(service) => write!(f, "the container of {service}"),
            Self::Machine => f.write_str("this machine"),
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
    if let Stand::Node(node) = stand {
        of_machine(topology, node, &mut trials);
    }
    trials
}

/// Adds what a machine itself is asked.
fn of_machine(topology: &Topology, node: NodeId, trials: &mut Vec<Trial>) {
    let name = &topology.node(node).name;
    let mut add = |id: String, at: Option<PlacementId>, target: Target, what: What| {
        trials.push(Trial {
            id: format!("{id}: {name}"),
            subject: at.map_or(Subject::Node(node), Subject::Placement),
            place: Place::Node(node),
            service: at.map(|at| topology.placement(at).service),
            at,
            target,
            what,
            deadline: Trial::DEADLINE,
        });
    };
    let mut known = Vec::new();
    let mut has_media = false;
    for placed in topology.placements_on(node) {
        let service = topology.service(placed.service);
        has_media |=
            topology.endpoints_of(service.id).iter().any(|endpoint| endpoint.speaks == Speaks::Media);
        if let Some(image) = service.kind.image() {
            known.push(service.name.clone());
            let image = topology.pulled(&image).to_string();
            if let Some(migration) = service.migration() {
                known.push(migration.clone());
                let what = What::Migration { image: image.clone() };
                add(format!("{migration} container"), Some(placed.id), Target::Container(migration), what);
            }
            add(
                format!("{} container", service.name),
                Some(placed.id),
                Target::Container(service.name.clone()),
                What::Container { image },
            );
        }
    }
    if !known.is_empty() {
        add("no other containers".to_owned(), None, Target::Machine, What::NoStrangers { known });
        add("configuration".to_owned(), None, Target::Machine, What::Configuration);
        add("ports".to_owned(), None, Target::Machine, What::Ports { node });
    }
    let path = topology.plot().root.clone();
    add("disk".to_owned(), None, Target::Machine, What::Disk { path });
    add("memory".to_owned(), None, Target::Machine, What::Memory);
    if has_media {
        add("UDP buffers".to_owned(), None, Target::Machine, What::UdpBuffers);
    }
}

/// Adds the trials of a check that belong to a machine.
fn expand(topology: &Topology, stand: Stand, check: &Check, trials: &mut Vec<Trial>) {
    let endpoint = topology.endpoint(check.to);
    let subject = match check.origin {
        Origin::Flow(flow) => Subject::Flow(flow),
        Origin::Service(service) => Subject::Service(service),
        // What else a check may follow from is a promise of the service that answers.
        _ => Subject::Service(endpoint.service),
    };
    let mut add = |place: Place, at: Option<PlacementId>, target: Target| {
        trials.push(Trial {
            id: format!("{}: {} to {target}", check.id, place.name(topology)),
            subject,
            place,
            service: Some(endpoint.service),
            at,
            target,
            what: What::Probe(check.probe.clone()),
            deadline: if check.probe.is_deep() { Trial::DEEP_DEADLINE } else { Trial::DEADLINE },
        });
    };
    if let Probe::Resolves { name, .. } = &check.probe {
        // A name is looked up once, whatever it leads to.
        if let Some(place) = at_clients(topology, stand, check.from) {
            add(place, None, Target::Socket(Host::Name(name.to_string()), endpoint.ports.first()));
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
                let mut public = topology.node(topology.placement(at).node).public;
                if let (Probe::TurnAllocate, Some(public)) = (&check.probe, &mut public) {
                    // On a node of both families LiveKit's relays have IPv4 alone: to who comes
                    // by IPv6 it answers 508, for it opens a relay of that family on `0.0.0.0`
                    // (pion/turn v5, `defaultAllocationAddressFamily`).
                    public.v6 = public.v6.filter(|_| public.v4.is_none());
                }
                for ip in public.into_iter().flat_map(|public| public.addresses()) {
                    let port = endpoint.ports.first();
                    add(Place::Outside, Some(at), Target::Socket(Host::Ip(ip), port));
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
                    add(Place::Node(node), Some(at), Target::Socket(Host::Ip(ip), port));
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
    Target::Socket(Host::Ip(Ipv4Addr::LOCALHOST.into()), endpoint.ports.first())
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
pub(crate) fn met_at(topology: &Topology, from: NodeId, to: NodeId) -> Vec<IpAddr> {
    let own: Vec<_> = topology.node(from).addresses.iter().filter_map(|address| address.network).collect();
    let met = topology.node(to).addresses.iter();
    met.filter(|address| address.network.is_some_and(|network| own.contains(&network)))
        .map(|address| address.ip)
        .collect()
}
