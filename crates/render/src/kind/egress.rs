//! `egress`: the configuration of LiveKit's egress, and the container.

use serde::Serialize;
use stageplot_topology::{ByteSize, Egress, EgressCost, S3};

use super::companion::Common;
use super::livekit::redis;
use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::yaml;

/// A directory that is no image's own.
const CONFIG: &str = "/etc/egress";

/// The user `egress` of the official image: the second one that Ubuntu 24.04 gives out, in the
/// group of root (`build/egress/Dockerfile`).
const EGRESS: Owner = Owner::new(1001, 0);

/// `ServiceConfig` and `BaseConfig` in `pkg/config` of
/// <https://github.com/livekit/egress/tree/v1.14.1>.
#[derive(Serialize)]
struct Config<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    template_port: u16,
    /// Chrome may open a WebSocket in the clear, as the one to LiveKit is.
    insecure: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disallow_local_storage: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage: Option<Storage<'a>>,
    /// For files that could not be uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Storage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_cost: Option<CpuCost>,
}

/// Files of the machine, unless a bucket is named.
#[derive(Serialize)]
struct Storage<'a> {
    /// What names begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3: Option<Bucket<'a>>,
}

impl Storage<'_> {
    /// The directory that is kept.
    const DIRECTORY: Self = Self { prefix: Some(Egress::DIRECTORY), s3: None };
}

/// `S3Config` in <https://github.com/livekit/storage>.
#[derive(Serialize)]
struct Bucket<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    bucket: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    force_path_style: bool,
}

#[derive(Serialize)]
struct CpuCost {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cpu_utilization: Option<f64>,
    /// In GiB, as the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_memory: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_composite_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_room_composite_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_web_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_composite_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_cpu_cost: Option<f64>,
}

pub(super) fn render(scene: Scene<'_>, egress: &Egress) -> Result<Part, RenderError> {
    let kept = egress.directory.then_some(Storage::DIRECTORY);
    let (storage, backup) = match &egress.s3 {
        Some(s3) => (Some(Storage { prefix: s3.prefix.as_deref(), s3: Some(bucket(scene, s3)?) }), kept),
        None => (kept, None),
    };
    let config = Config {
        common: Common::new(scene, CONFIG, egress.log_level, egress.health_port, egress.metrics)?,
        template_port: Egress::TEMPLATE_PORT.number(),
        insecure: true,
        disallow_local_storage: !egress.directory,
        storage,
        backup,
        cpu_cost: cpu_cost(&egress.cost),
    };
    let mut files = vec![Artifact::private("egress.yaml", yaml::to_string(&config)?, EGRESS)];
    files.extend(redis::authority(scene, EGRESS)?);
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(scene.topology, scene.placement, &egress.image, &egress.limits)
        .grace(egress.drain.max);
    // Its entrypoint hands no argument on.
    container.environment = [("EGRESS_CONFIG_FILE", format!("{CONFIG}/egress.yaml"))].into();
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    if egress.directory {
        container.volumes.push(Mount::data(&format!("{}/recordings", scene.service.name), Egress::DIRECTORY));
    }
    container.data_owner = Some(EGRESS);
    let ask = format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/", egress.health_port);
    container.healthcheck = Some(HealthCheck::shell(&ask));
    Ok(Part { artifacts, container: Some(container) })
}

fn bucket<'a>(scene: Scene<'a>, s3: &'a S3) -> Result<Bucket<'a>, RenderError> {
    Ok(Bucket {
        access_key: s3.access_key.as_ref().map(|secret| scene.values.get(secret)).transpose()?,
        secret: s3.secret_key.as_ref().map(|secret| scene.values.get(secret)).transpose()?,
        region: s3.region.as_deref(),
        endpoint: s3.endpoint.as_ref().map(url::Url::as_str),
        bucket: &s3.bucket,
        force_path_style: s3.path_style,
    })
}

/// None where nothing of it is set.
fn cpu_cost(cost: &EgressCost) -> Option<CpuCost> {
    #[expect(clippy::cast_precision_loss, reason = "no machine has so much memory that it matters")]
    let gib = |size: ByteSize| size.bytes() as f64 / f64::from(1 << 30);
    (*cost != EgressCost::default()).then(|| CpuCost {
        max_cpu_utilization: cost.max_cpu,
        max_memory: cost.max_memory.map(gib),
        memory_cost: cost.memory.map(gib),
        room_composite_cpu_cost: cost.room_composite,
        audio_room_composite_cpu_cost: cost.audio_room_composite,
        web_cpu_cost: cost.web,
        audio_web_cpu_cost: cost.audio_web,
        participant_cpu_cost: cost.participant,
        track_composite_cpu_cost: cost.track_composite,
        track_cpu_cost: cost.track,
    })
}
