//! Checks, as data: what is to be tried, from where, and what has to come back.
//!
//! Nobody writes a check down: each follows from a flow, or from what a service
//! promises. Trying them is another crate's work.

use url::Url;

use crate::endpoint::{Endpoint, EndpointId, Speaks};
use crate::{
    ByteSize, Eviction, FlowId, HostName, NodeId, Party, Persistence, Protocol, ServiceId, ServiceSpec,
    Topology, TurnTls,
};

/// One probe with its expectation.
///
/// ```
/// use stageplot_topology::{Origin, Probe, checks};
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
/// for check in checks(&topology) {
///     let why = match check.origin {
///         Origin::Flow(id) => topology.flow(id).reason.clone(),
///         Origin::Service(id) => format!("{} promises it", topology.service(id).name).into(),
///         _ => "another reason".into(),
///     };
///     match check.probe {
///         Probe::TlsSession { name } => println!("{}: a certificate for {name} ({why})", check.id),
///         probe if probe.is_deep() => println!("{}: takes a session ({why})", check.id),
///         _ => println!("{} ({why})", check.id),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// What to call it: `SERVICE.ENDPOINT from PARTY`; unique in a topology.
    pub id: String,
    /// What it follows from.
    pub origin: Origin,
    /// Who has to succeed.
    pub from: Party,
    /// Where it is tried; every placement that offers it has to answer.
    pub to: EndpointId,
    /// What is tried, and what has to come back.
    pub probe: Probe,
}

/// What a check follows from.
///
/// See [`Check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A flow, which has to be possible.
    Flow(FlowId),
    /// A service's own promise.
    Service(ServiceId),
}

/// What is tried, and what has to come back.
///
/// See [`Check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A connection is accepted.
    TcpConnect,
    /// `GET` answers 2xx.
    HttpGet {
        /// The path.
        path: String,
    },
    /// `GET /` over HTTP answers with a redirect to HTTPS.
    HttpsRedirect,
    /// A TLS session whose certificate is valid for the name, by a chain that
    /// the client trusts.
    TlsSession {
        /// The name asked for and expected.
        name: HostName,
    },
    /// A QUIC session in which HTTP/3 is spoken for the name.
    Http3Session {
        /// The name asked for and expected.
        name: HostName,
    },
    /// `PING` with the password answers `PONG`; without it, it is refused.
    RedisPing {
        /// Whether a password is set.
        password: bool,
        /// Whether it is asked inside TLS.
        tls: bool,
    },
    /// `INFO replication` says that the link to the primary is up.
    RedisReplication,
    /// `INFO replication` says that it is the primary, and how far behind its replicas
    /// are.
    RedisPrimary {
        /// How many replicas it should have.
        replicas: usize,
    },
    /// `INFO memory` says that there is room left, under the limit and the policy of the
    /// plot, and `INFO clients` that others may still connect.
    RedisRoom {
        /// What data may take.
        maxmemory: ByteSize,
        /// What happens then.
        policy: Eviction,
    },
    /// `INFO persistence` says that what is written is kept, and that the last save went
    /// well.
    RedisPersistence {
        /// How data is kept.
        kind: Persistence,
    },
    /// A login with the password is answered by `SELECT 1`; one without is refused.
    PostgresLogin {
        /// Whether a password is set.
        password: bool,
        /// Whether it is asked inside TLS.
        tls: bool,
    },
    /// It follows its primary, and is not far behind.
    PostgresReplication,
    /// It takes writes, and its replicas follow, none of them far behind.
    PostgresPrimary {
        /// How many replicas it should have.
        replicas: usize,
    },
    /// It takes as many connections as the plot says, and others may still connect.
    PostgresConnections {
        /// How many it takes.
        most: u32,
        /// How many the pools of all apps may hold together.
        pools: u64,
    },
    /// Caddy's administration says that every upstream is healthy, and knows each of
    /// them.
    CaddyUpstreams,
    /// Caddy, asked again and again at its [health port](crate::Edge::HEALTH_PORT), hands
    /// requests to every upstream of a service.
    CaddyBalance {
        /// The service behind it.
        service: ServiceId,
    },
    /// SIP over UDP: `OPTIONS` is answered (RFC 3261, section 11).
    SipOptions,
    /// ion-sfu answers a call that it has to refuse, in JSON-RPC.
    IonSfuCall,
    /// An RTMP server completes the handshake (Adobe's specification 1.0, section 5.2).
    RtmpHandshake,
    /// A stream that nobody gave out is sent away.
    RtmpStranger,
    /// A stream is let in, and played: over RTMP, and where that is on as HLS by the edge.
    RtmpRoundTrip,
    /// nginx tells what is published and played, and has the plot's application.
    RtmpStatus,
    /// Prometheus says that everything which it asks answers it.
    PrometheusTargets,
    /// A name has exactly the addresses of these nodes.
    Resolves {
        /// The name.
        name: HostName,
        /// The nodes that it should lead to.
        nodes: Vec<NodeId>,
    },
    /// LiveKit's API takes every key of the plot (`ListRooms`).
    LivekitKeys,
    /// LiveKit takes a token for a room (`/rtc/validate`).
    LivekitToken,
    /// Every LiveKit node of the plot is among those that know each other through Redis:
    /// it serves, and its clock is right.
    LivekitNodes {
        /// The service whose nodes they are.
        service: ServiceId,
    },
    /// A room is joined by WebSocket, through the edge where there is one.
    LivekitJoin,
    /// An event that is signed as LiveKit signs is accepted at a webhook's address, and one
    /// that somebody else signed is refused.
    Webhook {
        /// The LiveKit whose key signs.
        service: ServiceId,
        /// Where events are sent.
        url: Url,
    },
    /// A room is created as the app's own clients do it; the answer sends them to the
    /// edge, with a token that LiveKit takes.
    CreateRoom {
        /// The LiveKit that has the room.
        service: ServiceId,
        /// Where it is asked for.
        path: String,
    },
    /// A STUN Binding request (RFC 8489) is answered with the client's address.
    StunBinding,
    /// A STUN Binding request with the credentials of a session of one's own:
    /// media ports answer nobody else.
    IceBinding,
    /// A TURN allocation (RFC 8656) over UDP with the credentials of a session of one's
    /// own.
    TurnAllocate,
    /// … and over TLS, with somebody who shows a certificate for the name.
    TurnTlsAllocate {
        /// The name.
        name: HostName,
    },
}

impl Probe {
    /// Whether it takes a session of one's own: such a session costs a server something,
    /// and others may see it.
    pub fn is_deep(&self) -> bool {
        matches!(
            self,
            Self::CreateRoom { .. }
                | Self::IceBinding
                | Self::LivekitJoin
                | Self::RtmpRoundTrip
                | Self::RtmpStranger
                | Self::TurnAllocate
                | Self::TurnTlsAllocate { .. }
                | Self::Webhook { .. }
        )
    }

    /// What a service promises by it, as a word of a check's name.
    fn promise(&self) -> &'static str {
        match self {
            Self::RedisReplication | Self::PostgresReplication => "replication",
            Self::RedisPrimary { .. } | Self::PostgresPrimary { .. } => "role",
            Self::PostgresConnections { .. } => "connections",
            Self::RedisRoom { .. } => "room",
            Self::RedisPersistence { .. } => "persistence",
            Self::CaddyUpstreams => "upstreams",
            Self::CaddyBalance { .. } => "balance",
            Self::PrometheusTargets => "targets",
            Self::RtmpStatus => "streams",
            Self::RtmpStranger => "turns strangers away",
            Self::RtmpRoundTrip => "plays",
            Self::Resolves { .. } => "name",
            Self::LivekitKeys => "keys",
            Self::LivekitToken => "token",
            Self::LivekitNodes { .. } => "nodes",
            Self::LivekitJoin => "join",
            Self::Webhook { .. } => "webhook",
            Self::CreateRoom { .. } => "creates a room",
            Self::TurnAllocate | Self::TurnTlsAllocate { .. } => "allocation",
            Self::TcpConnect
            | Self::HttpGet { .. }
            | Self::HttpsRedirect
            | Self::TlsSession { .. }
            | Self::Http3Session { .. }
            | Self::RedisPing { .. }
            | Self::PostgresLogin { .. }
            | Self::IonSfuCall
            | Self::SipOptions
            | Self::RtmpHandshake
            | Self::StunBinding
            | Self::IceBinding => "answer",
        }
    }
}

/// All checks of a topology, in the order of its flows, then its services.
///
/// Flows whose far side answers only inside a running session that nobody can have, such
/// as TURN's relay ports and the media of ion-sfu or of calls, have no check of their own.
///
/// ```
/// use stageplot_topology::{Party, Probe, checks};
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
/// let checks = checks(&topology);
/// let from_outside = checks.iter().find(|check| {
///     check.from == Party::Internet && matches!(check.probe, Probe::TlsSession { .. })
/// });
/// assert_eq!(from_outside.ok_or("a check")?.id, "edge.https from the Internet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn checks(topology: &Topology) -> Vec<Check> {
    let of_flows = topology.flows().iter().filter_map(|flow| {
        let endpoint = topology.endpoint(flow.to);
        // Services meet LiveKit's media in rooms of their own; that it answers, clients try.
        if endpoint.speaks == Speaks::Media && matches!(flow.from, Party::Service(_)) {
            return None;
        }
        let probe = probe(topology, endpoint)?;
        Some(check(topology, Origin::Flow(flow.id), flow.from, endpoint, probe))
    });
    let of_services = topology.services().iter().flat_map(|service| {
        let promises = service.kind.behaviour().promises(service, topology).into_iter();
        promises.map(|promise| {
            let endpoint = topology.endpoint(promise.to);
            let owner = &topology.service(endpoint.service).name;
            let what = promise.probe.promise();
            let name = match &promise.probe {
                Probe::Resolves { name, .. } | Probe::TurnTlsAllocate { name } => format!(" {name}"),
                Probe::Webhook { url, .. } => format!(" {}", url.path()),
                Probe::CreateRoom { path, .. } => format!(" {path}"),
                Probe::CaddyBalance { service } => format!(" {}", topology.service(*service).name),
                _ => String::new(),
            };
            let from = match promise.from {
                Party::Service(id) if id == endpoint.service => String::new(),
                from => format!(" from {}", topology.party_name(from)),
            };
            Check {
                id: format!("{owner}.{} {what}{name}{from}", endpoint.name),
                origin: Origin::Service(service.id),
                from: promise.from,
                to: promise.to,
                probe: promise.probe,
            }
        })
    });
    of_flows.chain(of_services).collect()
}

/// What a kind promises beside its flows.
pub(crate) struct Promise {
    /// Who has to succeed: the service itself, or whoever its clients are.
    pub(crate) from: Party,
    /// Where it is tried.
    pub(crate) to: EndpointId,
    /// What is tried, and what has to come back.
    pub(crate) probe: Probe,
}

/// The parties outside the plot that an endpoint is open to.
pub(crate) fn clients(topology: &Topology, endpoint: EndpointId) -> impl Iterator<Item = Party> + '_ {
    topology.flows_to(endpoint).map(|flow| flow.from).filter(|from| !matches!(from, Party::Service(_)))
}

/// Where an edge's clients come in.
pub(crate) fn entrance(topology: &Topology, edge: ServiceId) -> Option<EndpointId> {
    let https = topology.endpoint_named(edge, "https");
    https.or_else(|| topology.endpoint_named(edge, "http")).map(|endpoint| endpoint.id)
}

fn check(topology: &Topology, origin: Origin, from: Party, to: &Endpoint, probe: Probe) -> Check {
    let service = &topology.service(to.service).name;
    let id = format!("{service}.{} from {}", to.name, topology.party_name(from));
    Check { id, origin, from, to: to.id, probe }
}

fn probe(topology: &Topology, endpoint: &Endpoint) -> Option<Probe> {
    let service = topology.service(endpoint.service);
    let domain = match &service.kind {
        ServiceSpec::Edge(edge) => edge.domain.clone(),
        _ => None,
    };
    match &endpoint.speaks {
        Speaks::Http { health: Some(path) } => Some(Probe::HttpGet { path: path.clone() }),
        Speaks::Http { health: None } => match &service.kind {
            ServiceSpec::Edge(edge) if edge.is_https() => Some(Probe::HttpsRedirect),
            _ => Some(Probe::TcpConnect),
        },
        Speaks::Https => Some(domain.map_or(Probe::TcpConnect, |name| Probe::TlsSession { name })),
        Speaks::Http3 => domain.map(|name| Probe::Http3Session { name }),
        Speaks::Redis => {
            let ServiceSpec::Redis(redis) = &service.kind else { return None };
            Some(match &redis.external {
                Some(remote) => remote.ping(endpoint, redis.password.is_some()),
                None => Probe::RedisPing { password: redis.password.is_some(), tls: false },
            })
        }
        Speaks::Postgres => {
            let ServiceSpec::Postgres(postgres) = &service.kind else { return None };
            let tls = postgres.external.as_ref().is_some_and(|remote| remote.tls.is_some());
            Some(Probe::PostgresLogin { password: postgres.password.is_some(), tls })
        }
        Speaks::IonSfu => Some(Probe::IonSfuCall),
        Speaks::Rtmp => Some(Probe::RtmpHandshake),
        Speaks::Sip => Some(Probe::SipOptions),
        Speaks::Turn => Some(Probe::StunBinding),
        Speaks::TurnTls => {
            let ServiceSpec::Livekit(livekit) = &service.kind else { return None };
            let turn = livekit.turn.as_ref()?;
            match (&turn.domain, turn.tls) {
                (Some(name), TurnTls::Direct) => Some(Probe::TlsSession { name: name.clone() }),
                _ => Some(Probe::TcpConnect),
            }
        }
        Speaks::IceTcp => Some(Probe::TcpConnect),
        // Others give a session to nobody but the apps that need one, or to whoever has a key
        // of theirs.
        Speaks::Media => matches!(service.kind, ServiceSpec::Livekit(_)).then_some(Probe::IceBinding),
        Speaks::Relay => None,
        Speaks::Other => (endpoint.protocol == Protocol::Tcp).then_some(Probe::TcpConnect),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Document, Edge, Format, Livekit, NodeSpec, Plot, Redis, SecretRef, firewall};

    fn topology() -> Topology {
        let secret = |name: &str| SecretRef::Env(name.to_owned());
        Plot::new("live".parse().expect("a name"))
            .service("edge", Edge::new("live.example.com".parse().expect("a host")))
            .service("sfu", Livekit { keys: [("main".into(), secret("KEY"))].into(), ..Livekit::default() })
            .service(
                "cache",
                Redis {
                    password: Some(secret("PASSWORD")),
                    primary: vec!["a".parse().expect("a name")],
                    ..Redis::default()
                },
            )
            .node(
                "a",
                NodeSpec::public("203.0.113.1".parse().expect("an address"))
                    .role("edge")
                    .role("sfu")
                    .role("cache"),
            )
            .node("b", NodeSpec::public("203.0.113.2".parse().expect("an address")).role("sfu").role("cache"))
            .build()
            .expect("a sound plot")
            .topology
    }

    #[test]
    fn every_flow_but_relays_is_tried_and_has_a_name_of_its_own() {
        let topology = topology();
        let checks = checks(&topology);
        let tried: BTreeSet<_> = checks.iter().map(|check| check.origin).collect();
        for flow in topology.flows() {
            let relay = topology.endpoint(flow.to).speaks == Speaks::Relay;
            assert_eq!(tried.contains(&Origin::Flow(flow.id)), !relay, "{flow:?}");
        }
        let ids: BTreeSet<_> = checks.iter().map(|check| &check.id).collect();
        assert_eq!(ids.len(), checks.len());
    }

    #[test]
    fn a_redis_elsewhere_is_asked_at_each_part_and_opens_nothing() {
        let plot = |external: &str| {
            let text = format!(
                "name = 'live'\n[nodes.a]\npublic = '203.0.113.1'\nroles = ['livekit', 'rooms']\n\
                 [livekit]\nkeys = {{ main = {{ env = 'KEY' }} }}\n\
                 [services.rooms]\nkind = 'app'\nimage = 'registry.example.com/rooms:1'\nneeds = 'redis'\n\
                 [redis]\npassword = {{ env = 'PASSWORD' }}\nexternal = {{ {external} }}\n"
            );
            let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("a document");
            Plot::read(&document).expect("a sound plot").topology
        };
        let asked = |external: &str| {
            let topology = plot(external);
            let node = topology.nodes()[0].id;
            assert_eq!(firewall(&topology, node), firewall(&plot("address = 'redis.example.com:1'"), node));
            let checks = checks(&topology).into_iter().filter(|check| check.id.starts_with("redis."));
            let (promised, asked): (Vec<_>, Vec<_>) =
                checks.partition(|check| matches!(check.origin, Origin::Service(_)));
            // Only one server has the whole of what LiveKit writes.
            let nodes: Vec<_> = promised.iter().map(|check| check.id.as_str()).collect();
            let wanted: &[&str] =
                if external.starts_with("address") { &["redis.server nodes from livekit"] } else { &[] };
            assert_eq!(nodes, wanted);
            asked.into_iter().map(|check| (check.id, check.probe)).collect::<Vec<_>>()
        };
        let ping = |id: &str, password, tls| (id.to_owned(), Probe::RedisPing { password, tls });
        assert_eq!(
            asked("address = '10.0.0.9:6380', tls = {}"),
            [ping("redis.server from livekit", true, true), ping("redis.server from rooms", true, true)]
        );
        assert_eq!(
            asked("sentinels = ['a:26379', 'b:26379'], sentinel-master = 'live'"),
            [
                ping("redis.sentinel from livekit", false, false),
                ping("redis.sentinel from rooms", false, false)
            ]
        );
        assert_eq!(
            asked("cluster = ['10.0.0.9:7000', '10.0.0.8:7000', '10.0.0.9:7001']"),
            [
                ping("redis.cluster-7000 from livekit", true, false),
                ping("redis.cluster-7001 from livekit", true, false),
                ping("redis.cluster-7000 from rooms", true, false),
                ping("redis.cluster-7001 from rooms", true, false),
            ]
        );
    }

    #[test]
    fn a_redis_with_a_password_is_asked_with_it() {
        let topology = topology();
        let redis = checks(&topology).into_iter().find(|check| check.id == "cache.primary from sfu");
        assert_eq!(redis.expect("a check").probe, Probe::RedisPing { password: true, tls: false });
    }
}
