//! The kinds of service. Each is one file here, and one of the same name in
//! the crates that render and check it.

use crate::check::Promise;
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{Attachment, Findings, PlacementId, Service, ServiceSpec, Topology};

mod app;
mod companion;
mod copies;
mod edge;
mod egress;
mod grafana;
mod ingress;
mod ion_sfu;
mod limits;
mod livekit;
mod postgres;
mod prometheus;
mod redis;
mod remote;
mod rtmp;
mod sip;

pub use app::{App, EnvPart, EnvValue, Opening, Run};
pub use edge::{Acme, Balance, DnsChallenge, Edge, Sticky, Tls};
pub use egress::{Egress, EgressCost, S3};
pub use grafana::Grafana;
pub use ingress::{Ingress, IngressCost};
pub use ion_sfu::{IonSfu, IonTurn};
pub use limits::{ContainerNetwork, Limits};
pub use livekit::{
    Drain, Livekit, LivekitVersion, LogLevel, Metrics, Region, Room, Selector, Turn, TurnTls,
    UnknownLivekitVersion, Webhook,
};
pub use postgres::{Postgres, PostgresRemote};
pub use prometheus::Prometheus;
pub use redis::{Eviction, Persistence, Redis, RedisRemote};
pub use remote::RemoteTls;
pub use rtmp::{OnPublish, Recording, Rtmp};
pub use sip::{Sip, SipTls};

/// An image reference known when the program is written.
fn fixed_image(text: &str) -> crate::ImageRef {
    text.parse().expect("a valid reference; a test parses every default")
}

/// What a kind says of its services. To add a kind, implement this for it and
/// follow the compiler.
pub(crate) trait Kind {
    /// How its placements meet the network.
    fn attachment(&self) -> Attachment;

    /// The placement that takes writes, where there is such a thing.
    fn primary(&self, _: &Service, _: &Topology, _: &mut Findings) -> Option<PlacementId> {
        None
    }

    /// What it listens on.
    fn endpoints(&self) -> Vec<Draft>;

    /// What it needs, and who needs it from outside the plot.
    fn wire(&self, wiring: &mut Wiring<'_>);

    /// What it promises beside its flows.
    fn promises(&self, _: &Service, _: &Topology) -> Vec<Promise> {
        Vec::new()
    }

    /// What is wrong with it, or may hurt.
    fn review(&self, review: &mut Review<'_>);
}

impl ServiceSpec {
    /// The kind's own behaviour.
    pub(crate) fn behaviour(&self) -> &dyn Kind {
        match self {
            Self::Edge(edge) => edge,
            Self::Livekit(livekit) => &**livekit,
            Self::Redis(redis) => redis,
            Self::Postgres(postgres) => &**postgres,
            Self::Prometheus(prometheus) => prometheus,
            Self::Grafana(grafana) => grafana,
            Self::Rtmp(rtmp) => &**rtmp,
            Self::IonSfu(sfu) => &**sfu,
            Self::Ingress(ingress) => &**ingress,
            Self::Egress(egress) => &**egress,
            Self::Sip(sip) => &**sip,
            Self::App(app) => app,
        }
    }
}
