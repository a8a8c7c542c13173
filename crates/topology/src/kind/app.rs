//! `app`: the open kind. A service of the user's own, in a container or not.

mod build;
mod env;
mod migrate;
mod review;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use env::{EnvPart, EnvValue};

use super::{Balance, ContainerNetwork, Kind, Limits};
use crate::check::{Probe, Promise, clients, entrance};
use crate::endpoint::Speaks;
use crate::resolve::{Draft, Wiring, unknown_service};
use crate::validate::Review;
use crate::{
    Attachment, Code, ImageRef, Name, Party, Port, Protocol, Service, ServiceId, ServiceSpec, Source,
    Topology,
};

/// A business service: what it listens on, what it needs, how to ask whether it
/// is well.
///
/// ```
/// use stageplot_topology::{App, Port, SecretRef};
///
/// let rooms = App::container("registry.example.com/rooms:1.4.0".parse()?)
///     .port(Port::fixed(8080))
///     .health("/health")
///     .route("/api/*")
///     .need("livekit")
///     .env("LIVEKIT_URL", "${livekit.url}")
///     .env("LIVEKIT_API_SECRET", SecretRef::env("LIVEKIT_API_SECRET"));
/// assert_eq!(rooms.needs[0].as_str(), "livekit");
///
/// let rooms = App { command: vec!["serve".to_owned()], ..rooms };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ image = \"registry.example.com/rooms:1.4.0\", port = 8080 }"
)]
pub struct App {
    /// `"host"`: a process that the user starts; nothing is rendered to run it,
    /// but its environment is. Otherwise a container of `image`.
    pub run: Option<Run>,
    /// The container's image.
    pub image: Option<ImageRef>,
    /// The port of its HTTP service.
    pub port: Option<Port>,
    /// The path that answers 2xx while the service is well. The edge asks for it, and
    /// so does Docker, inside the container: its image needs `sh` and `wget`, which
    /// an image of Alpine has and one made from scratch has not.
    pub health: Option<String>,
    /// The path that shows metrics in the language of Prometheus.
    pub metrics: Option<String>,
    /// The paths that the edge sends here, `*` at the end for all below.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<String>")]
    pub routes: Vec<String>,
    /// The edge that does, where the plot has several.
    pub edge: Option<Name>,
    /// How a request picks one of several placements, where it is not the way of the
    /// edge: `{ cookie = "sticky" }` for an app that keeps its sessions in memory.
    pub balance: Option<Balance>,
    /// The path at which the app's clients create a room: `POST` with `room_name` and
    /// `user_name` in JSON, answered with `url` (or `server_url`) and `token`. Tried by
    /// `verify --deep`.
    pub create_room: Option<String>,
    /// Services that it dials.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Name>")]
    pub needs: Vec<Name>,
    /// How many connections each placement may hold to a needed Redis or Postgres, by
    /// its name: the app is given the number as `${SERVICE.pool}` in its `env`. What all
    /// hold together is compared with what the database takes.
    pub pool: BTreeMap<Name, u32>,
    /// Further ports that others reach without the edge.
    pub open: BTreeMap<Name, Opening>,
    /// Environment variables. In a text, `${SERVICE.address}`, `${SERVICE.host}`,
    /// `${SERVICE.port}` and `${SERVICE.url}` stand for a needed service as it is
    /// dialled from the node at hand, `${SERVICE.user}` and `${SERVICE.database}` for
    /// those of a Postgres, `${SERVICE.pool}` for what `pool` says of it,
    /// `${SERVICE.public-url}` for its address as clients are given it: the edge's, and
    /// `${SERVICE.publish-url}` for that of an RTMP service as publishers are given it.
    /// `address` lists all placements, or where there are more than 256 a share of them,
    /// another for each node; `host`, `port` and `url` are those of the one on the same node,
    /// or else of the first.
    pub env: BTreeMap<String, EnvValue>,
    /// The command in place of the image's own.
    pub command: Vec<String>,
    /// The directory in the container in which it runs, where it is not the image's own.
    pub working_dir: Option<String>,
    /// A command that has to end well before the app is started, such as
    /// `["./main", "migrate"]`. It runs in a container of its own, `NAME-migrate`, which is
    /// the app's in all else: image, user, environment, files, volumes, network, limits. It
    /// runs on each of the app's nodes, there may be several at once, and each time the stack
    /// is brought up: it has to bear both, as those do that take a lock and do nothing where
    /// nothing is to be done. One that ends with an error is tried ten times within a
    /// minute, for what it needs may not be up yet; then the app is not started.
    pub migrate: Vec<String>,
    /// The user that the container runs as, where it is not the image's own; by
    /// number where there are volumes, such as `1000:1000`, for they are made to
    /// be that user's.
    pub user: Option<String>,
    /// Directories that outlive the container, by name; the value is the place
    /// in the container.
    pub volumes: BTreeMap<Name, String>,
    /// Host network or the plot's container network; the latter where not set.
    pub network: Option<ContainerNetwork>,
    /// What the container may use.
    pub limits: Limits,
}

impl App {
    /// The user's number and the group's, where `user` has numbers: `uid` or
    /// `uid:gid`, the group being the user's own where it is left out.
    ///
    /// ```
    /// use stageplot_topology::App;
    ///
    /// let app = App { user: Some("1000:999".to_owned()), ..App::default() };
    /// assert_eq!(app.user_ids(), Some((1000, 999)));
    /// let app = App { user: Some("node".to_owned()), ..App::default() };
    /// assert_eq!(app.user_ids(), None);
    /// ```
    pub fn user_ids(&self) -> Option<(u32, u32)> {
        let (user, group) = self.user.as_ref().map(|user| user.split_once(':').unwrap_or((user, user)))?;
        Some((user.parse().ok()?, group.parse().ok()?))
    }
}

impl App {
    /// The LiveKit that has this app's rooms: the first that it needs.
    fn livekit(&self, topology: &Topology) -> Option<ServiceId> {
        let mut needed = self.needs.iter().filter_map(|need| topology.service_named(need.as_str()));
        needed.find(|service| matches!(service.kind, ServiceSpec::Livekit(_))).map(|found| found.id)
    }
}

impl Kind for App {
    fn attachment(&self) -> Attachment {
        match (self.run, self.network) {
            (Some(Run::Host), _) => Attachment::OffDocker,
            (None, Some(network)) => network.into(),
            (None, None) => Attachment::Bridge,
        }
    }

    fn endpoints(&self) -> Vec<Draft> {
        let health = self.health.clone();
        let http = self
            .port
            .map(|port| Draft::new("http", Protocol::Tcp, port, Speaks::Http { health }).field(["port"]));
        let open = self.open.iter().map(|(name, opening)| Draft {
            name: name.to_string().into(),
            ..Draft::new("", opening.protocol, opening.port, Speaks::Other).field([
                "open",
                name.as_str(),
                "port",
            ])
        });
        http.into_iter().chain(open).collect()
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        if !self.routes.is_empty()
            && let Some(edge) = wiring.one_of_kind("edge", self.edge.as_ref(), "edge")
        {
            wiring.flow(Party::Service(edge), wiring.service, "http", "requests");
        }
        for (index, need) in self.needs.iter().enumerate() {
            let path = wiring.path.key("needs").index(index);
            let Some(service) = wiring.topology.service_named(need.as_str()) else {
                unknown_service(wiring.topology, need, path, wiring.findings);
                continue;
            };
            match &service.kind {
                ServiceSpec::Redis(_) | ServiceSpec::Postgres(_) => {
                    wiring.need_writable(service.id, "data");
                }
                ServiceSpec::Livekit(_) => wiring.need(service.id, "signal", "API"),
                ServiceSpec::IonSfu(_) => wiring.need(service.id, "signal", "signalling"),
                ServiceSpec::Rtmp(_) | ServiceSpec::Ingress(_) => wiring.need(service.id, "rtmp", "streams"),
                ServiceSpec::Sip(_) => wiring.need(service.id, "sip-tcp", "calls"),
                ServiceSpec::Egress(_) => {
                    let message = format!("{need} is asked through LiveKit, and answers nobody itself");
                    let help = "name the livekit service that it works for";
                    wiring.findings.add(Code::WrongKind, path, message, help);
                }
                ServiceSpec::Edge(edge) if edge.is_https() => wiring.need(service.id, "https", "requests"),
                ServiceSpec::App(App { port: None, .. }) => {
                    let message = format!("{need} has no port to dial");
                    let help = format!("set services.{need}.port, or take it out of needs");
                    wiring.findings.add(Code::MissingField, path, message, help);
                }
                ServiceSpec::Edge(_)
                | ServiceSpec::App(_)
                | ServiceSpec::Prometheus(_)
                | ServiceSpec::Grafana(_) => {
                    wiring.need(service.id, "http", "requests");
                }
            }
        }
        for (name, opening) in &self.open {
            let path = wiring.path.key("open").key(name.as_str()).key("from");
            wiring.offer_to(&opening.from, name.as_str(), "opened by the plot", &path);
        }
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        let livekit = self.livekit(topology).filter(|_| !self.routes.is_empty());
        let to = topology.edge_of(service.id).and_then(|edge| entrance(topology, edge));
        let (Some(path), Some(livekit), Some(to)) = (&self.create_room, livekit, to) else {
            return Vec::new();
        };
        let probe = Probe::CreateRoom { service: livekit, path: path.clone() };
        clients(topology, to).map(|from| Promise { from, to, probe: probe.clone() }).collect()
    }

    fn review(&self, review: &mut Review<'_>) {
        review::review(self, review);
    }
}

/// How an app is started, where it is not a container.
///
/// ```
/// use stageplot_topology::{App, Port, Run};
///
/// let rooms = App { run: Some(Run::Host), port: Port::new(8080), ..App::default() };
/// assert_eq!(rooms, App::host().port(Port::fixed(8080)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// By the user, on the node itself.
    Host,
}

/// A port of an app that others reach without the edge.
///
/// ```
/// use stageplot_topology::{App, Opening, Port};
///
/// let rtmp = Opening { from: vec!["198.51.100.0/24".parse()?], ..Opening::tcp(Port::fixed(1935)) };
/// let ingest = App::container("registry.example.com/ingest:1".parse()?)
///     .open("rtmp", rtmp)
///     .open("srt", Opening::udp(Port::fixed(9000)))
///     .volume("recordings", "/var/lib/ingest");
/// assert_eq!(ingest.open.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "{ port = 1935, from = \"any\" }")]
pub struct Opening {
    /// The port.
    pub port: Port,
    /// Who may reach it.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// Its protocol.
    #[serde(default = "tcp")]
    pub protocol: Protocol,
}

fn tcp() -> Protocol {
    Protocol::Tcp
}
