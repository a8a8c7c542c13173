//! `rtmp`: nginx that takes streams over RTMP and hands them out, over HTTP as well.

use serde::{Deserialize, Serialize};

use super::{ContainerNetwork, Kind, Limits};
use crate::check::{Probe, Promise, clients};
use crate::endpoint::{Scope, Speaks};
use crate::resolve::{Draft, Wiring, unknown_service};
use crate::validate::Review;
use crate::{
    App, Attachment, Code, FieldPath, HostName, ImageRef, Name, Party, Period, Port, Protocol, SecretRef,
    Service, ServiceSpec, Source, Topology, words,
};

/// An nginx with the RTMP module: OBS and its like publish to it, players take streams
/// from it over RTMP, or through the edge as HLS, DASH or HTTP-FLV.
///
/// A stream is known to the nginx that it was published to, and to no other: the service
/// stands on one node.
///
/// ```
/// use stageplot_topology::{OnPublish, Period, Recording, Rtmp};
///
/// let streams = Rtmp {
///     on_publish: Some(OnPublish::ask("rooms".parse()?, "/hooks/publish")),
///     fragment: Period::from_seconds(2),
///     record: Recording::Unique,
///     ..Rtmp::default()
/// };
/// assert_eq!((streams.port.number(), streams.application.as_str()), (1935, "live"));
/// assert_eq!(streams.paths(), ["/hls/*"]);
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ on-publish = { app = \"rooms\", path = \"/hooks/publish\" } }"
)]
pub struct Rtmp {
    /// The port for RTMP.
    pub port: Port,
    /// Who may publish and play over RTMP; wherever clients come from (`access.clients`)
    /// where not set.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// The name that publishers are given, which leads to this node. The edge's domain
    /// where that stands on the same node, or else the node's public address.
    pub domain: Option<HostName>,
    /// The application: what follows the host in `rtmp://HOST/APPLICATION/STREAM`.
    pub application: String,
    /// The app that is asked whether somebody may publish. Without one anybody may who
    /// reaches the port, under any name.
    pub on_publish: Option<OnPublish>,
    /// Whether streams are handed out as HLS, below `/hls/` at the edge.
    pub hls: bool,
    /// Whether streams are handed out as DASH, below `/dash/` at the edge.
    pub dash: bool,
    /// Whether streams are handed out as HTTP-FLV, at `/flv/STREAM.flv` of the edge. Needs
    /// an image with nginx-http-flv-module.
    pub flv: bool,
    /// How long a piece of HLS or DASH is: what a player is behind is several of them.
    pub fragment: Period,
    /// How much of a stream a playlist of HLS or DASH lists.
    pub playlist: Period,
    /// The port for HTTP, which the edge asks for HLS and its like.
    pub http_port: Port,
    /// The edge that does, where the plot has several.
    pub edge: Option<Name>,
    /// Whether streams are written to disk, into `data/SERVICE/recordings` of the node.
    pub record: Recording,
    /// Host network or the plot's container network.
    pub network: ContainerNetwork,
    /// The image: nginx with the RTMP module, and `wget` for the health check.
    pub image: ImageRef,
    /// What the container may use.
    pub limits: Limits,
}

impl Rtmp {
    /// Where nginx tells what is published and played, and lets a publisher be dropped:
    /// on the loopback of its own network namespace, for it asks nobody for a password.
    pub const STATUS_PORT: Port = Port::fixed(8936);

    /// The paths that the edge sends here, as Caddy writes them.
    pub fn paths(&self) -> Vec<&'static str> {
        let all = [(self.hls, "/hls/*"), (self.dash, "/dash/*"), (self.flv, "/flv/*")];
        all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, path)| path).collect()
    }
}

impl Default for Rtmp {
    fn default() -> Self {
        Self {
            port: Self::USUAL_PORT,
            from: Vec::new(),
            domain: None,
            application: "live".to_owned(),
            on_publish: None,
            hls: true,
            dash: false,
            flv: false,
            fragment: Period::from_seconds(3),
            playlist: Period::from_seconds(60),
            http_port: Port::fixed(8081),
            edge: None,
            record: Recording::Off,
            network: ContainerNetwork::Bridge,
            image: super::fixed_image("tiangolo/nginx-rtmp:latest-2024-12-02"),
            limits: Limits::default(),
        }
    }
}

/// Who is asked whether a stream may be published.
///
/// nginx sends a form by `POST`, with `app`, `name` (the stream), `addr`, `call` and whatever
/// followed `?` in the stream's name, such as its key. An answer of 2xx lets the publisher in,
/// any other sends it away
/// (<https://github.com/arut/nginx-rtmp-module/wiki/Directives#on_publish>).
///
/// ```
/// use stageplot_topology::OnPublish;
///
/// let asked = OnPublish { done: Some("/hooks/done".to_owned()), ..OnPublish::ask("rooms".parse()?, "/hooks/publish") };
/// assert_eq!(asked.app.as_str(), "rooms");
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "{ app = \"rooms\", path = \"/hooks/publish\" }"
)]
pub struct OnPublish {
    /// The service of kind app.
    pub app: Name,
    /// The path that is asked before a stream is let in.
    pub path: String,
    /// The path that is told when a stream has ended; nobody is told where not set.
    #[serde(default)]
    pub done: Option<String>,
    /// A stream that the app always lets in, with its key: `NAME?key=…`, or as the app has
    /// it. `verify --deep` publishes a few seconds of a test picture there; without one it
    /// tries only that strangers are sent away.
    #[serde(default)]
    pub trial: Option<SecretRef>,
}

impl OnPublish {
    /// Asks an app, at a path.
    pub fn ask(app: Name, path: impl Into<String>) -> Self {
        Self { app, path: path.into(), done: None, trial: None }
    }
}

/// Whether streams are written to disk, as FLV.
///
/// ```
/// use stageplot_topology::{Recording, Rtmp};
///
/// assert_eq!(Rtmp::default().record, Recording::Off);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum Recording {
    /// No.
    Off,
    /// One file for each name: a stream published again overwrites what was there.
    Overwrite,
    /// A file for each time that a stream is published.
    Unique,
}

impl Kind for Rtmp {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn endpoints(&self) -> Vec<Draft> {
        let mut endpoints = vec![
            Draft::new("rtmp", Protocol::Tcp, self.port, Speaks::Rtmp).field(["port"]),
            Draft::new("status", Protocol::Tcp, Self::STATUS_PORT, Speaks::Http { health: None })
                .scope(Scope::Loopback),
        ];
        if !self.paths().is_empty() {
            let health = Some("/health".to_owned());
            let http = Draft::new("http", Protocol::Tcp, self.http_port, Speaks::Http { health });
            endpoints.push(http.field(["http-port"]));
        }
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        let reason = "publishers and players";
        match self.from.is_empty() {
            true => wiring.offer_clients("rtmp", reason),
            false => {
                let path = wiring.path.key("from");
                wiring.offer_to(&self.from, "rtmp", reason, &path);
            }
        }
        if !self.paths().is_empty()
            && let Some(edge) = wiring.one_of_kind("edge", self.edge.as_ref(), "edge")
        {
            wiring.flow(Party::Service(edge), wiring.service, "http", "streams");
        }
        let Some(asked) = &self.on_publish else { return };
        let path = wiring.path.key("on-publish").key("app");
        match wiring.topology.service_named(asked.app.as_str()) {
            None => unknown_service(wiring.topology, &asked.app, path, wiring.findings),
            Some(service) => match &service.kind {
                ServiceSpec::App(App { port: Some(_), .. }) => {
                    wiring.need(service.id, "http", "who may publish");
                }
                ServiceSpec::App(_) => {
                    let message = format!("{} has no port to ask at", asked.app);
                    let help = format!("set services.{}.port", asked.app);
                    wiring.findings.add(Code::MissingField, path, message, help);
                }
                other => {
                    let message = format!("{} is of kind {}, not app", asked.app, other.kind());
                    wiring.findings.add(Code::WrongKind, path, message, "name a service of kind app");
                }
            },
        }
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        let status = topology.endpoint_named(service.id, "status");
        let from = Party::Service(service.id);
        let mut promises: Vec<_> =
            status.map(|to| Promise { from, to: to.id, probe: Probe::RtmpStatus }).into_iter().collect();
        let Some(rtmp) = topology.endpoint_named(service.id, "rtmp") else { return promises };
        let mut probes = Vec::new();
        if let Some(name) = &self.domain {
            let nodes = service.placements.iter().map(|&at| topology.placement(at).node).collect();
            probes.push(Probe::Resolves { name: name.clone(), nodes });
        }
        if self.on_publish.is_some() {
            probes.push(Probe::RtmpStranger);
        }
        if self.on_publish.as_ref().is_none_or(|asked| asked.trial.is_some()) {
            probes.push(Probe::RtmpRoundTrip);
        }
        let to = rtmp.id;
        let from_all =
            clients(topology, to).flat_map(|from| probes.iter().map(move |probe| (from, probe.clone())));
        promises.extend(from_all.map(|(from, probe)| Promise { from, to, probe }));
        promises
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        if self.flv && self.image.is_sibling(&Self::default().image) {
            review.add(
                Code::ImageLacksModule,
                "image",
                "the usual image holds nginx-rtmp-module, which has no HTTP-FLV",
                "name an image with nginx-http-flv-module, or leave out flv",
            );
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if self.application.is_empty() || !self.application.chars().all(plain) {
            review.add(
                Code::InvalidValue,
                "application",
                format!("{:?} cannot be a part of an address", self.application),
                "use letters, digits and - _ only, such as \"live\"",
            );
        }
        if self.fragment.seconds() == 0 || self.playlist.seconds() < 2 * self.fragment.seconds() {
            let field = if self.fragment.seconds() == 0 { "fragment" } else { "playlist" };
            review.add(
                Code::InvalidValue,
                field,
                "a fragment is a second at least, and a playlist lists two of them at least",
                "write fragment = \"3s\" and playlist = \"60s\", or nothing",
            );
        }
        if let Some(asked) = &self.on_publish {
            let path = review.path().key("on-publish");
            review.paths_at(&path.key("path"), std::slice::from_ref(&asked.path));
            review.paths_at(&path.key("done"), asked.done.as_slice());
        }
        self.review_openness(review);
        Self::review_placements(review);
        self.review_edge(review);
    }
}

impl Rtmp {
    /// Where RTMP listens as everybody expects, so that an address need not say it (Adobe's
    /// RTMP specification 1.0, section 5.1).
    pub(crate) const USUAL_PORT: Port = Port::fixed(1935);

    fn review_edge(&self, review: &mut Review<'_>) {
        if self.paths().is_empty() {
            if self.edge.is_some() {
                let message = "the edge has nothing to send here: hls, dash and flv are off";
                review.add(Code::MissingField, "hls", message, "set hls, or leave out edge");
            }
        } else if !review.plot_has("edge") {
            review.add(
                Code::MissingField,
                "edge",
                "players fetch HLS, DASH and HTTP-FLV through an edge, and the plot has none",
                "add a service of kind edge, or set hls = false",
            );
        }
    }

    fn review_openness(&self, review: &mut Review<'_>) {
        let topology = review.topology();
        let access = &topology.plot().access.clients;
        let from = if self.from.is_empty() { access } else { &self.from };
        if self.on_publish.is_none() && from.contains(&Source::Any) {
            review.add(
                Code::PublishOpen,
                "on-publish",
                "anybody on the Internet may publish, under any name",
                "name an app that is asked, as in on-publish = { app = \"rooms\", path = \"/hooks/publish\" }, \
                 or say in from where publishers are",
            );
        }
        let Some(&at) = review.service().placements.first() else { return };
        let node = topology.node(topology.placement(at).node);
        let is_known = self.domain.is_some()
            || node.public.is_some()
            || topology.edge_beside(review.service()).is_some();
        if from.contains(&Source::Any) && !is_known {
            let name = &node.name;
            review.add_at(
                Code::NoPublicAddress,
                FieldPath::root().key("nodes").key(name.as_str()).key("public"),
                format!("{name} has no public address to tell who publishes from the Internet"),
                format!("set nodes.{name}.public, or domain to a name that leads there"),
            );
        }
    }

    fn review_placements(review: &mut Review<'_>) {
        let topology = review.topology();
        let nodes = review.service().placements.iter().map(|&at| topology.node(topology.placement(at).node));
        let nodes: Vec<_> = nodes.map(|node| node.name.as_str()).collect();
        if nodes.len() > 1 {
            review.add_here(
                Code::StreamsApart,
                format!(
                    "{} each have streams of their own, and the edge asks any of them",
                    words::listed(&nodes)
                ),
                "take the role from all but one; for more, add a service of kind rtmp with its own edge",
            );
        }
    }
}
