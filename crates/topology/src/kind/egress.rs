//! `egress`: records LiveKit's rooms, and streams them elsewhere.

mod storage;

use serde::{Deserialize, Serialize};

pub use storage::{EgressCost, S3};

use super::companion::{self, Companion};
use super::{ContainerNetwork, Drain, Kind, Limits, LogLevel};
use crate::check::Promise;
use crate::endpoint::{Scope, Speaks};
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{Attachment, Code, ImageRef, Name, Port, Protocol, Service, Topology};

/// LiveKit's egress: apps ask LiveKit's API to record a room or a track (`StartRoomCompositeEgress`
/// and its like), and it does, with Chrome where there is a picture to be put together.
///
/// Nobody connects to it: it needs LiveKit's Redis and LiveKit itself. Chrome runs without a
/// sandbox of its own, as the program has it where nothing else is said, so that the container
/// takes no capability.
///
/// Nobody has run the program with what is rendered here: its file is held against the structs
/// that its source reads it into, in version 1.14.1, and tests start a stand-in.
///
/// ```
/// use stageplot_topology::{Egress, S3, SecretRef};
///
/// let bucket = S3 {
///     region: Some("eu-central-1".to_owned()),
///     access_key: Some(SecretRef::env("S3_ACCESS_KEY")),
///     secret_key: Some(SecretRef::env("S3_SECRET_KEY")),
///     ..S3::new("recordings")
/// };
/// let recorder = Egress { s3: Some(bucket), ..Egress::default() };
/// assert!(recorder.directory); // where files go that could not be uploaded
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ s3 = { bucket = \"recordings\" } }"
)]
pub struct Egress {
    /// The LiveKit that it works for, and whose Redis it uses. May be left out where the plot
    /// has one only.
    pub livekit: Option<Name>,
    /// The API key of that LiveKit by which it joins rooms. May be left out where there is one
    /// only.
    pub key: Option<String>,
    /// Whether files are kept in `data/SERVICE/recordings` of the node: those of requests that
    /// bring no storage of their own, or with `s3`, those that could not be uploaded. What a
    /// request uploads to a bucket of its own is named `out/…` there where no `s3` is set.
    pub directory: bool,
    /// Where files are uploaded to unless a request says otherwise.
    pub s3: Option<S3>,
    /// What it takes a request to cost, by which it takes more of them or none.
    pub cost: EgressCost,
    /// The port at which it says whether it is well (`health_port`), for nobody but checks.
    pub health_port: Port,
    /// The port at which its metrics are shown to a Prometheus of the plot (`prometheus_port`);
    /// nowhere where not set.
    pub metrics: Option<Port>,
    /// How much is logged.
    pub log_level: LogLevel,
    /// How long recordings may go on after a node was told to stop.
    pub drain: Drain,
    /// Host network or the plot's container network.
    pub network: ContainerNetwork,
    /// The image; its program runs as the user `egress`. Nobody has run it with what is rendered:
    /// its file is held against the source of version 1.14.1.
    pub image: ImageRef,
    /// What each container may use. Upstream asks for four processors and 4 GB.
    pub limits: Limits,
}

impl Egress {
    /// Where it shows Chrome its pages (`template_port`), on the loopback.
    pub const TEMPLATE_PORT: Port = Port::fixed(7980);

    /// The directory of the container that recordings are written to.
    pub const DIRECTORY: &str = "/out";
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            livekit: None,
            key: None,
            directory: true,
            s3: None,
            cost: EgressCost::default(),
            health_port: Port::fixed(8939),
            metrics: None,
            log_level: LogLevel::Info,
            drain: Drain::default(),
            network: ContainerNetwork::Bridge,
            image: super::fixed_image("livekit/egress:v1.14.1"),
            limits: Limits::default(),
        }
    }
}

impl Kind for Egress {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn endpoints(&self) -> Vec<Draft> {
        let templates =
            Draft::new("templates", Protocol::Tcp, Self::TEMPLATE_PORT, Speaks::Http { health: None });
        let mut endpoints = vec![templates.scope(Scope::Loopback)];
        endpoints.extend(companion::endpoints(self.health_port, self.metrics, self.network));
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        Companion::new(self.livekit.as_ref(), self.key.as_deref()).wire(wiring);
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        companion::promises(service, topology)
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        Companion::new(self.livekit.as_ref(), self.key.as_deref()).review(review);
        self.cost.review(review);
        match &self.s3 {
            Some(s3) => s3.review(review),
            None if !self.directory => review.add(
                Code::EgressNowhere,
                "directory",
                "recordings have nowhere to go, unless each request brings a storage of its own",
                "set s3, or leave out directory",
            ),
            None => {}
        }
    }
}
