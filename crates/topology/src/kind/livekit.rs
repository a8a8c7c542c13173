//! `livekit`: LiveKit server, one to a node, on the node's own network.

mod behaviour;
mod review;
mod settings;
mod turn;
mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

pub use turn::{Turn, TurnTls};
pub use version::{LivekitVersion, UnknownLivekitVersion};

use super::Limits;
use crate::{ImageRef, Name, Period, Port, PortRange, SecretRef, Source};

/// A LiveKit cluster: one server on each node that takes the role.
///
/// ```
/// use stageplot_topology::{Livekit, SecretRef, Turn};
///
/// let livekit = Livekit {
///     keys: [("main".into(), SecretRef::env("LIVEKIT_API_SECRET"))].into(),
///     turn: Some(Turn::default()),
///     ..Livekit::default()
/// };
/// assert!(livekit.image().to_string().starts_with("livekit/livekit-server:"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ keys = { main = { env = \"LIVEKIT_API_SECRET\" } } }"
)]
pub struct Livekit {
    /// The version whose configuration is written and whose image is run.
    pub version: LivekitVersion,
    /// The image; the official one of that version where not set.
    pub image: Option<ImageRef>,
    /// API keys by name, each with its secret of 32 characters or more.
    pub keys: BTreeMap<String, SecretRef>,
    /// Signalling, API and health over HTTP (`port`).
    pub port: Port,
    /// ICE over TCP (`rtc.tcp_port`); 0 in the file turns it off.
    #[serde(with = "crate::value::port_or_off")]
    #[schemars(with = "u16")]
    pub tcp_port: Option<Port>,
    /// Media over UDP: a range (`rtc.port_range_*`), or one port that all
    /// sessions share (`rtc.udp_port`).
    pub udp: PortRange,
    /// Whether each node asks a STUN server for its public address at start
    /// (`rtc.use_external_ip`) instead of being told.
    pub use_external_ip: bool,
    /// The relay for clients that reach neither UDP nor TCP ports.
    pub turn: Option<Turn>,
    /// The Redis through which the nodes find each other. May be left out where
    /// the plot has one only.
    pub redis: Option<Name>,
    /// The edge in front. May be left out where the plot has one only.
    pub edge: Option<Name>,
    /// The paths that the edge sends here; all that no app takes where not set.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<String>")]
    pub routes: Vec<String>,
    /// What rooms are like unless the one who creates them says otherwise.
    pub room: Room,
    /// Where events are sent.
    pub webhook: Option<Webhook>,
    /// How much is logged.
    pub log_level: LogLevel,
    /// How long a node that is told to stop waits for its rooms.
    pub drain: Drain,
    /// Prometheus metrics.
    pub metrics: Option<Metrics>,
    /// How a node for a new room is chosen.
    pub selector: Selector,
    /// The regions that nodes are in, by name, for `selector = "regionaware"`.
    pub regions: BTreeMap<Name, Region>,
    /// Settings of `livekit.yaml` that have no field here, by their own names;
    /// they are refused where the configured version does not know them.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// What each container may use.
    pub limits: Limits,
}

impl Livekit {
    /// The paths that LiveKit answers, for an edge whose other paths belong to
    /// an app: signalling, the API, agents, WHIP.
    pub const PATHS: &[&str] = &["/rtc", "/rtc/*", "/twirp/*", "/agent", "/agent/*", "/whip/*"];

    /// Those of [`PATHS`](Self::PATHS) without which nobody joins a room: the first ones.
    pub(crate) const JOIN: &[&str] = Self::PATHS.split_at(3).0;

    /// The shortest API secret that LiveKit does not complain of, in characters
    /// (its `pkg/config`, `validateKeys`).
    pub const MIN_SECRET_LEN: usize = 32;

    /// The image to run.
    pub fn image(&self) -> ImageRef {
        match &self.image {
            Some(image) => image.clone(),
            None => super::fixed_image(&format!("livekit/livekit-server:v{}", self.version)),
        }
    }
}

impl Default for Livekit {
    fn default() -> Self {
        Self {
            version: LivekitVersion::LATEST,
            image: None,
            keys: BTreeMap::new(),
            port: Port::fixed(7880),
            tcp_port: Some(Port::fixed(7881)),
            udp: PortRange::fixed(50000, 60000),
            use_external_ip: false,
            turn: None,
            redis: None,
            edge: None,
            routes: Vec::new(),
            room: Room::default(),
            webhook: None,
            log_level: LogLevel::Info,
            drain: Drain::default(),
            metrics: None,
            selector: Selector::Any,
            regions: BTreeMap::new(),
            settings: serde_json::Map::new(),
            limits: Limits::default(),
        }
    }
}

/// Defaults for rooms.
///
/// ```
/// use stageplot_topology::{Livekit, Period, Room};
///
/// let room = Room { empty_timeout: Period::from_seconds(60), max_participants: 50, ..Room::default() };
/// let sfu = Livekit { room, ..Livekit::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ empty-timeout = \"5m\" }")]
pub struct Room {
    /// Whether joining a room that does not exist creates it.
    pub auto_create: bool,
    /// How long a room that nobody joined stays.
    pub empty_timeout: Period,
    /// How long a room that everybody left stays.
    pub departure_timeout: Period,
    /// How many may join; 0 is any number.
    pub max_participants: u32,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            auto_create: true,
            empty_timeout: Period::from_seconds(300),
            departure_timeout: Period::from_seconds(20),
            max_participants: 0,
        }
    }
}

/// Where events are sent, signed with one of the API keys.
///
/// ```
/// use stageplot_topology::{Livekit, Webhook};
///
/// let webhook = Webhook { urls: vec!["https://live.example.com/webhook".parse()?], ..Webhook::default() };
/// let sfu = Livekit { webhook: Some(webhook), ..Livekit::default() };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ urls = \"https://live.example.com/webhook\" }"
)]
pub struct Webhook {
    /// The API key that signs; may be left out where there is one only.
    pub key: Option<String>,
    /// The receivers.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Url>")]
    pub urls: Vec<Url>,
}

/// How much LiveKit logs.
///
/// ```
/// use stageplot_topology::{Livekit, LogLevel};
///
/// let sfu = Livekit { log_level: LogLevel::Warn, ..Livekit::default() };
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warn,
    /// What fails.
    Error,
}

/// How a node leaves: running rooms go on, new ones start elsewhere.
///
/// ```
/// use stageplot_topology::{Drain, Livekit, Period};
///
/// let drain = Drain { max: Period::from_seconds(3600), ..Drain::default() };
/// let sfu = Livekit { drain, ..Livekit::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ max = \"2h\" }")]
pub struct Drain {
    /// How long rooms, streams, recordings or calls may go on after the node was told to stop.
    /// Whatever is left is cut off then, and those in rooms reconnect to another node: Docker
    /// knows no other end of a stop, and LiveKit has no deadline of its own.
    pub max: Period,
}

impl Default for Drain {
    fn default() -> Self {
        Self { max: Period::from_seconds(2 * 3600) }
    }
}

/// Prometheus metrics of each server.
///
/// ```
/// use stageplot_topology::{Livekit, Metrics};
///
/// let metrics = Metrics { from: vec!["10.0.0.0/24".parse()?], ..Metrics::default() };
/// let sfu = Livekit { metrics: Some(metrics), ..Livekit::default() };
/// # Ok::<(), stageplot_topology::InvalidSource>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ from = \"10.0.0.0/24\" }")]
pub struct Metrics {
    /// The port.
    pub port: Port,
    /// Who may read them.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { port: Port::fixed(6789), from: Vec::new() }
    }
}

/// How a node for a new room is chosen (`node_selector.kind`).
///
/// ```
/// use stageplot_topology::{Livekit, Selector};
///
/// let sfu = Livekit { selector: Selector::CpuLoad, ..Livekit::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Selector {
    /// Any node, at random.
    Any,
    /// By processor load.
    CpuLoad,
    /// By system load.
    SysLoad,
    /// In the region nearest to the node that the request came to, where one
    /// there is not overloaded.
    RegionAware,
}

/// Where a region is.
///
/// ```
/// use stageplot_topology::{Livekit, Region, Selector};
///
/// let frankfurt = Region { lat: 50.1, ..Region::new(0.0, 8.7) };
/// assert_eq!(frankfurt, Region::new(50.1, 8.7));
/// let regions = [("frankfurt".parse()?, frankfurt)].into();
/// let sfu = Livekit { selector: Selector::RegionAware, regions, ..Livekit::default() };
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, expecting = "{ lat = 50.1, lon = 8.7 }")]
pub struct Region {
    /// Degrees north of the equator, −90 to 90.
    pub lat: f64,
    /// Degrees east of Greenwich, −180 to 180.
    pub lon: f64,
}

impl Region {
    /// A region at these degrees north of the equator and east of Greenwich.
    pub const fn new(lat: f64, lon: f64) -> Self {
        Self { lat, lon }
    }
}
