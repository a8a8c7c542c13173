//! A service as it is written: one of the kinds.

use serde::Serialize;

use crate::{App, Edge, ImageRef, Limits, Livekit, Redis};

/// A service, by its kind.
///
/// A kind more is a breaking change, and meant to be one: whoever makes
/// something of each kind (files, checks) is shown by the compiler where the new
/// one is still missing, where a wildcard would silently make nothing of it.
///
/// ```
/// use stageplot_topology::{Redis, ServiceSpec};
///
/// let cache = ServiceSpec::from(Redis::default());
/// assert!(ServiceSpec::KINDS.contains(&cache.kind()));
/// if let Some(image) = cache.image() {
///     println!("a {} from {image}, within {:?}", cache.kind(), cache.limits());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ServiceSpec {
    /// Caddy.
    Edge(Edge),
    /// LiveKit server.
    Livekit(Box<Livekit>),
    /// Redis.
    Redis(Redis),
    /// A service of the user's own.
    App(App),
}

impl ServiceSpec {
    /// The names of all kinds, as the file has them.
    pub const KINDS: &[&str] = &["app", "edge", "livekit", "redis"];

    /// The kind's name, as the file has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Edge(_) => "edge",
            Self::Livekit(_) => "livekit",
            Self::Redis(_) => "redis",
            Self::App(_) => "app",
        }
    }

    /// The image that its containers run; nothing where the user, or somebody else,
    /// runs it.
    pub fn image(&self) -> Option<ImageRef> {
        match self {
            Self::Edge(edge) => Some(edge.image.clone()),
            Self::Livekit(livekit) => Some(livekit.image()),
            Self::Redis(redis) => redis.external.is_none().then(|| redis.image.clone()),
            Self::App(app) => app.image.clone().filter(|_| app.run.is_none()),
        }
    }

    /// What its containers may use; nothing for a process that the user starts.
    pub fn limits(&self) -> Option<&Limits> {
        match self {
            Self::Edge(edge) => Some(&edge.limits),
            Self::Livekit(livekit) => Some(&livekit.limits),
            Self::Redis(redis) => redis.external.is_none().then_some(&redis.limits),
            Self::App(app) => app.run.is_none().then_some(&app.limits),
        }
    }
}

impl From<Edge> for ServiceSpec {
    fn from(edge: Edge) -> Self {
        Self::Edge(edge)
    }
}

impl From<Livekit> for ServiceSpec {
    fn from(livekit: Livekit) -> Self {
        Self::Livekit(Box::new(livekit))
    }
}

impl From<Redis> for ServiceSpec {
    fn from(redis: Redis) -> Self {
        Self::Redis(redis)
    }
}

impl From<App> for ServiceSpec {
    fn from(app: App) -> Self {
        Self::App(app)
    }
}
