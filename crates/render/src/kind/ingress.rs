//! `ingress`: the configuration of LiveKit's ingress, and the container.

use serde::Serialize;
use stageplot_topology::{Ingress, IngressCost, Port};

use super::companion::Common;
use super::livekit::{self, redis};
use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::yaml;

/// A directory that is no image's own.
const CONFIG: &str = "/etc/ingress";

/// `ServiceConfig` in `pkg/config/config.go` of
/// <https://github.com/livekit/ingress/tree/v1.5.0>.
#[derive(Serialize)]
struct Config<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    /// −1 is off.
    rtmp_port: i32,
    /// −1 is off.
    whip_port: i32,
    http_relay_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtc_config: Option<Rtc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_cost: Option<CpuCost>,
}

/// As LiveKit's own `rtc`.
#[derive(Serialize)]
struct Rtc {
    #[serde(skip_serializing_if = "Option::is_none")]
    udp_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_range_start: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_range_end: Option<u16>,
    use_external_ip: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_ip: Option<String>,
}

#[derive(Serialize)]
struct CpuCost {
    #[serde(skip_serializing_if = "Option::is_none")]
    rtmp_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whip_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whip_bypass_transcoding_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_cpu_cost: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_idle_ratio: Option<f64>,
}

pub(super) fn render(scene: Scene<'_>, ingress: &Ingress) -> Result<Part, RenderError> {
    let port = |port: Option<Port>| port.map_or(-1, |port| i32::from(port.number()));
    let config = Config {
        common: Common::new(scene, CONFIG, ingress.log_level, ingress.health_port, ingress.metrics)?,
        rtmp_port: port(ingress.rtmp_port),
        whip_port: port(ingress.whip_port),
        http_relay_port: Ingress::RELAY_PORT.number(),
        rtc_config: ingress.whip_port.map(|_| rtc(scene, ingress)),
        cpu_cost: cpu_cost(&ingress.cost),
    };
    let mut files = vec![Artifact::private("ingress.yaml", yaml::to_string(&config)?, Owner::ROOT)];
    files.extend(redis::authority(scene, Owner::ROOT)?);
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(scene.topology, scene.placement, &ingress.image, &ingress.limits)
        .grace(ingress.drain.max);
    container.command = vec!["--config".to_owned(), format!("{CONFIG}/ingress.yaml")];
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    let ask = format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/", ingress.health_port);
    container.healthcheck = Some(HealthCheck::shell(&ask));
    Ok(Part { artifacts, container: Some(container) })
}

fn rtc(scene: Scene<'_>, ingress: &Ingress) -> Rtc {
    let single = ingress.udp.single().map(Port::number);
    Rtc {
        udp_port: single,
        port_range_start: single.is_none().then(|| ingress.udp.first().number()),
        port_range_end: single.is_none().then(|| ingress.udp.last().number()),
        use_external_ip: ingress.use_external_ip,
        node_ip: if ingress.use_external_ip { None } else { livekit::node_ip(scene.node) },
    }
}

/// None where nothing of it is set.
fn cpu_cost(cost: &IngressCost) -> Option<CpuCost> {
    (*cost != IngressCost::default()).then_some(CpuCost {
        rtmp_cpu_cost: cost.rtmp,
        whip_cpu_cost: cost.whip,
        whip_bypass_transcoding_cpu_cost: cost.whip_bypass,
        url_cpu_cost: cost.url,
        min_idle_ratio: cost.min_idle,
    })
}
