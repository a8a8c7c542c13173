//! `ingress`: takes streams over RTMP and WHIP into LiveKit's rooms.

use serde::{Deserialize, Serialize};

use super::companion::{self, Companion};
use super::{ContainerNetwork, Drain, Kind, Limits, LogLevel};
use crate::check::Promise;
use crate::endpoint::{Scope, Speaks};
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    Attachment, Code, FieldPath, HostName, ImageRef, Name, Party, Port, PortRange, Protocol, Rtmp, Service,
    Source, Topology, words,
};

/// LiveKit's ingress: OBS and its like publish to it over RTMP, or over WHIP through the edge, and
/// it publishes what they send into a room.
///
/// Who may publish, and into which room, LiveKit says: an app asks its API for an ingress
/// (`CreateIngress`) and gets an address and a key. The address is one that the plot knows, for it
/// is written into `livekit.yaml` too.
///
/// Nobody has run the program with what is rendered here: its file is held against the structs
/// that its source reads it into, in version 1.5.0, and tests start a stand-in.
///
/// ```
/// use stageplot_topology::{Ingress, PortRange};
///
/// let streams = Ingress { udp: "7900-7950".parse()?, domain: Some("rtmp.example.com".parse()?), ..Ingress::default() };
/// assert_eq!(streams.rtmp_port.map(|port| port.number()), Some(1935));
/// assert_eq!(Ingress::default().udp, "7885".parse::<PortRange>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ domain = \"rtmp.example.com\" }"
)]
pub struct Ingress {
    /// The LiveKit that it works for, and whose Redis it uses. May be left out where the plot
    /// has one only.
    pub livekit: Option<Name>,
    /// The API key of that LiveKit by which it joins rooms. May be left out where there is one
    /// only.
    pub key: Option<String>,
    /// RTMP (`rtmp_port`); 0 in the file turns it off.
    #[serde(with = "crate::value::port_or_off")]
    #[schemars(with = "u16")]
    pub rtmp_port: Option<Port>,
    /// Who may publish over RTMP; wherever clients come from (`access.clients`) where not set.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// The name that publishers over RTMP are given, which leads to its nodes. The edge's domain
    /// where that stands on the same node, or else the first node's public address.
    pub domain: Option<HostName>,
    /// WHIP over HTTP (`whip_port`), which the edge asks for `/w` and what is below; 0 in the
    /// file turns it off.
    #[serde(with = "crate::value::port_or_off")]
    #[schemars(with = "u16")]
    pub whip_port: Option<Port>,
    /// The edge that does, where the plot has several.
    pub edge: Option<Name>,
    /// The media of WHIP over UDP: one port that all share (`rtc_config.udp_port`), or a range
    /// (`rtc_config.port_range_*`).
    pub udp: PortRange,
    /// Whether each node asks a STUN server for its public address at start
    /// (`rtc_config.use_external_ip`) instead of being told.
    pub use_external_ip: bool,
    /// The port at which it says whether it is well (`health_port`), for nobody but checks.
    pub health_port: Port,
    /// The port at which its metrics are shown to a Prometheus of the plot (`prometheus_port`);
    /// nowhere where not set.
    pub metrics: Option<Port>,
    /// What it takes a stream to cost, by which it takes more of them or none.
    pub cost: IngressCost,
    /// How much is logged.
    pub log_level: LogLevel,
    /// How long streams may go on after a node was told to stop.
    pub drain: Drain,
    /// Host network or the plot's container network. On the latter, every port of `udp` is
    /// published by a process of Docker's own.
    pub network: ContainerNetwork,
    /// The image. Nobody has run its program with what is rendered: its file is held against the
    /// source of version 1.5.0.
    pub image: ImageRef,
    /// What each container may use. Upstream asks for four processors and 4 GB.
    pub limits: Limits,
}

impl Ingress {
    /// The paths that the edge sends here, as Caddy writes them.
    pub const PATHS: &[&str] = &["/w", "/w/*"];

    /// Where it hands media from its server to its workers (`http_relay_port`), on the loopback:
    /// not 9090, as it has it, which is Prometheus' own.
    pub const RELAY_PORT: Port = Port::fixed(8937);

    /// What follows the host in the address for RTMP, before the key: it takes any word.
    pub const APPLICATION: &str = "x";
}

impl Default for Ingress {
    fn default() -> Self {
        Self {
            livekit: None,
            key: None,
            rtmp_port: Some(Rtmp::USUAL_PORT),
            from: Vec::new(),
            domain: None,
            whip_port: Some(Port::fixed(8080)),
            edge: None,
            udp: PortRange::fixed(7885, 7885),
            use_external_ip: false,
            health_port: Port::fixed(8938),
            metrics: None,
            cost: IngressCost::default(),
            log_level: LogLevel::Info,
            drain: Drain::default(),
            network: ContainerNetwork::Host,
            image: super::fixed_image("livekit/ingress:v1.5.0"),
            limits: Limits::default(),
        }
    }
}

/// What streams cost an ingress, in processors; its own figures where not set (`cpu_cost` in its
/// file).
///
/// ```
/// use stageplot_topology::{Ingress, IngressCost};
///
/// let cost = IngressCost { rtmp: Some(1.5), ..IngressCost::default() };
/// let streams = Ingress { cost, ..Ingress::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ rtmp = 1.5 }")]
pub struct IngressCost {
    /// One over RTMP.
    pub rtmp: Option<f64>,
    /// One over WHIP.
    pub whip: Option<f64>,
    /// One over WHIP that is handed on as it is.
    pub whip_bypass: Option<f64>,
    /// One that it fetches from an address.
    pub url: Option<f64>,
    /// The share of the processors that stays idle, of 1.
    pub min_idle: Option<f64>,
}

impl Kind for Ingress {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn endpoints(&self) -> Vec<Draft> {
        let scope = companion::scope(self.network);
        let mut endpoints = Vec::new();
        if let Some(port) = self.rtmp_port {
            let rtmp = Draft::new("rtmp", Protocol::Tcp, port, Speaks::Rtmp);
            endpoints.push(rtmp.field(["rtmp-port"]).scope(scope));
        }
        if let Some(port) = self.whip_port {
            let health = Some("/health".to_owned());
            let whip = Draft::new("whip", Protocol::Tcp, port, Speaks::Http { health });
            let media = Draft::new("media", Protocol::Udp, self.udp, Speaks::Media);
            endpoints.extend([whip.field(["whip-port"]).scope(scope), media.field(["udp"]).scope(scope)]);
        }
        let relay = Draft::new("relay", Protocol::Tcp, Self::RELAY_PORT, Speaks::Http { health: None });
        endpoints.push(relay.scope(Scope::Loopback));
        endpoints.extend(companion::endpoints(self.health_port, self.metrics, self.network));
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        let reason = "publishers";
        match self.from.is_empty() {
            true => wiring.offer_clients("rtmp", reason),
            false => {
                let path = wiring.path.key("from");
                wiring.offer_to(&self.from, "rtmp", reason, &path);
            }
        }
        wiring.offer_clients("media", "media of WHIP");
        if self.whip_port.is_some()
            && let Some(edge) = wiring.one_of_kind("edge", self.edge.as_ref(), "edge")
        {
            wiring.flow(Party::Service(edge), wiring.service, "whip", "WHIP");
        }
        self.companion().wire(wiring);
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        companion::promises(service, topology)
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        self.companion().review(review);
        let cost = &self.cost;
        let costs =
            [("rtmp", cost.rtmp), ("whip", cost.whip), ("whip-bypass", cost.whip_bypass), ("url", cost.url)];
        companion::review_costs("cost", &costs, review);
        companion::review_share(review.path().key("cost").key("min-idle"), cost.min_idle, review);
        if self.whip_port.is_some() {
            self.review_edge(review);
            if !self.use_external_ip {
                companion::review_public(&[], "publishers over WHIP", review);
            }
        }
        if self.rtmp_port.is_some() {
            self.review_rtmp(review);
        }
    }
}

impl Ingress {
    fn companion(&self) -> Companion<'_> {
        Companion::new(self.livekit.as_ref(), self.key.as_deref())
    }

    fn review_edge(&self, review: &mut Review<'_>) {
        if !review.plot_has("edge") {
            review.add(
                Code::MissingField,
                "edge",
                "publishers over WHIP come in through an edge, and the plot has none",
                "add a service of kind edge, or set whip-port = 0",
            );
        }
    }

    /// Says so where those who publish over RTMP are told no address, or one of several.
    fn review_rtmp(&self, review: &mut Review<'_>) {
        let (topology, service) = (review.topology(), review.service());
        if self.domain.is_some() || topology.edge_beside(service).is_some() {
            return;
        }
        let nodes: Vec<_> = companion::nodes(topology, service).collect();
        let access = &topology.plot().access.clients;
        let from = if self.from.is_empty() { access } else { &self.from };
        let Some(first) = nodes.first() else { return };
        if from.contains(&Source::Any) && first.public.is_none() {
            let name = &first.name;
            review.add_at(
                Code::NoPublicAddress,
                FieldPath::root().key("nodes").key(name.as_str()).key("public"),
                format!("{name} has no public address to tell who publishes from the Internet"),
                format!("set nodes.{name}.public, or domain to a name that leads there"),
            );
        }
        if nodes.len() > 1 {
            let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            review.add(
                Code::OneOfSeveral,
                "domain",
                format!(
                    "who publishes over RTMP is told the address of {} alone, and {} stands on {}",
                    first.name,
                    service.name,
                    words::listed(&names)
                ),
                "set domain to a name that leads to all of them",
            );
        }
    }
}
