//! A service as it is written: one of the kinds.

use serde::Serialize;

use crate::{
    App, ByteSize, Edge, Egress, Grafana, ImageRef, Ingress, IonSfu, Limits, Livekit, Postgres, Prometheus,
    Redis, Rtmp, Sip,
};

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
    /// Prometheus.
    Prometheus(Prometheus),
    /// Grafana.
    Grafana(Grafana),
    /// Postgres.
    Postgres(Box<Postgres>),
    /// nginx with the RTMP module.
    Rtmp(Box<Rtmp>),
    /// ion-sfu.
    IonSfu(Box<IonSfu>),
    /// LiveKit's ingress.
    Ingress(Box<Ingress>),
    /// LiveKit's egress.
    Egress(Box<Egress>),
    /// LiveKit's SIP.
    Sip(Box<Sip>),
    /// A service of the user's own.
    App(App),
}

impl ServiceSpec {
    /// The names of all kinds, as the file has them.
    pub const KINDS: &[&str] = &[
        "app",
        "edge",
        "egress",
        "grafana",
        "ingress",
        "ion-sfu",
        "livekit",
        "postgres",
        "prometheus",
        "redis",
        "rtmp",
        "sip",
    ];

    /// The kind's name, as the file has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Edge(_) => "edge",
            Self::Livekit(_) => "livekit",
            Self::Redis(_) => "redis",
            Self::Postgres(_) => "postgres",
            Self::Prometheus(_) => "prometheus",
            Self::Grafana(_) => "grafana",
            Self::Rtmp(_) => "rtmp",
            Self::IonSfu(_) => "ion-sfu",
            Self::Ingress(_) => "ingress",
            Self::Egress(_) => "egress",
            Self::Sip(_) => "sip",
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
            Self::Postgres(postgres) => postgres.external.is_none().then(|| postgres.image.clone()),
            Self::Prometheus(prometheus) => Some(prometheus.image.clone()),
            Self::Grafana(grafana) => Some(grafana.image.clone()),
            Self::Rtmp(rtmp) => Some(rtmp.image.clone()),
            Self::IonSfu(sfu) => Some(sfu.image.clone()),
            Self::Ingress(ingress) => Some(ingress.image.clone()),
            Self::Egress(egress) => Some(egress.image.clone()),
            Self::Sip(sip) => Some(sip.image.clone()),
            Self::App(app) => app.image.clone().filter(|_| app.run.is_none()),
        }
    }

    /// What its containers may use; nothing for a process that the user starts.
    pub fn limits(&self) -> Option<&Limits> {
        match self {
            Self::Edge(edge) => Some(&edge.limits),
            Self::Livekit(livekit) => Some(&livekit.limits),
            Self::Redis(redis) => redis.external.is_none().then_some(&redis.limits),
            Self::Postgres(postgres) => postgres.external.is_none().then_some(&postgres.limits),
            Self::Prometheus(prometheus) => Some(&prometheus.limits),
            Self::Grafana(grafana) => Some(&grafana.limits),
            Self::Rtmp(rtmp) => Some(&rtmp.limits),
            Self::IonSfu(sfu) => Some(&sfu.limits),
            Self::Ingress(ingress) => Some(&ingress.limits),
            Self::Egress(egress) => Some(&egress.limits),
            Self::Sip(sip) => Some(&sip.limits),
            Self::App(app) => app.run.is_none().then_some(&app.limits),
        }
    }
}

impl ServiceSpec {
    /// Whether somebody else runs it, and no node has it as a role.
    ///
    /// ```
    /// use stageplot_topology::{Postgres, PostgresRemote, Redis, ServiceSpec};
    ///
    /// let remote = PostgresRemote::new("postgres.example.com:5432".parse()?);
    /// let db = ServiceSpec::from(Postgres { external: Some(remote), ..Postgres::default() });
    /// assert!(db.is_external() && db.image().is_none());
    /// assert!(!ServiceSpec::from(Redis::default()).is_external());
    /// # Ok::<(), stageplot_topology::InvalidRemoteAddress>(())
    /// ```
    pub fn is_external(&self) -> bool {
        match self {
            Self::Redis(redis) => redis.external.is_some(),
            Self::Postgres(postgres) => postgres.external.is_some(),
            Self::Edge(_)
            | Self::Livekit(_)
            | Self::Prometheus(_)
            | Self::Grafana(_)
            | Self::Rtmp(_)
            | Self::IonSfu(_)
            | Self::Ingress(_)
            | Self::Egress(_)
            | Self::Sip(_)
            | Self::App(_) => false,
        }
    }

    /// What one of its containers may take of a node's memory, as far as that is known.
    pub(crate) fn memory(&self) -> Option<ByteSize> {
        let limits = self.limits()?;
        limits.memory.or_else(|| match self {
            Self::Redis(redis) => Some(redis.maxmemory),
            Self::Postgres(postgres) => Some(postgres.memory()),
            Self::Edge(_)
            | Self::Livekit(_)
            | Self::Prometheus(_)
            | Self::Grafana(_)
            | Self::Rtmp(_)
            | Self::IonSfu(_)
            | Self::Ingress(_)
            | Self::Egress(_)
            | Self::Sip(_)
            | Self::App(_) => None,
        })
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

impl From<Prometheus> for ServiceSpec {
    fn from(prometheus: Prometheus) -> Self {
        Self::Prometheus(prometheus)
    }
}

impl From<Grafana> for ServiceSpec {
    fn from(grafana: Grafana) -> Self {
        Self::Grafana(grafana)
    }
}

impl From<Postgres> for ServiceSpec {
    fn from(postgres: Postgres) -> Self {
        Self::Postgres(Box::new(postgres))
    }
}

impl From<Rtmp> for ServiceSpec {
    fn from(rtmp: Rtmp) -> Self {
        Self::Rtmp(Box::new(rtmp))
    }
}

impl From<IonSfu> for ServiceSpec {
    fn from(sfu: IonSfu) -> Self {
        Self::IonSfu(Box::new(sfu))
    }
}

impl From<Ingress> for ServiceSpec {
    fn from(ingress: Ingress) -> Self {
        Self::Ingress(Box::new(ingress))
    }
}

impl From<Egress> for ServiceSpec {
    fn from(egress: Egress) -> Self {
        Self::Egress(Box::new(egress))
    }
}

impl From<Sip> for ServiceSpec {
    fn from(sip: Sip) -> Self {
        Self::Sip(Box::new(sip))
    }
}

impl From<App> for ServiceSpec {
    fn from(app: App) -> Self {
        Self::App(app)
    }
}
