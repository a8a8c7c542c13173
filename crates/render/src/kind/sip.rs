//! `sip`: the configuration of LiveKit's SIP, and the container.

use std::net::Ipv4Addr;

use serde::Serialize;
use stageplot_topology::{Sip, SipTls};

use super::companion::Common;
use super::livekit::redis;
use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::yaml;

/// Where the image's entrypoint looks for `config.yaml`.
const CONFIG: &str = "/sip";

/// `Config` in `pkg/config/config.go` of <https://github.com/livekit/sip/tree/v1.11.0>.
#[derive(Serialize)]
struct Config<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    sip_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_hostname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
    /// `first-last`.
    rtp_port: String,
    use_external_ip: bool,
    /// What callers are told, where it is known; not beside `use_external_ip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    nat_1_to_1_ip: Option<Ipv4Addr>,
    /// The network in which it looks for an address of its own, where there is no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    local_net: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_active_calls: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cpu_utilization: Option<f64>,
}

#[derive(Serialize)]
struct Tls {
    port: u16,
    certs: [Certificate; 1],
}

#[derive(Serialize)]
struct Certificate {
    cert_file: String,
    key_file: String,
}

pub(super) fn render(scene: Scene<'_>, sip: &Sip) -> Result<Part, RenderError> {
    let told = scene.node.public.and_then(|public| public.v4).filter(|_| !sip.use_external_ip);
    let own = scene.node.own_v4().filter(|_| !sip.use_external_ip && told.is_none());
    let config = Config {
        common: Common::new(scene, CONFIG, sip.log_level, sip.health_port, sip.metrics)?,
        sip_port: sip.port.number(),
        sip_hostname: sip.domain.as_ref().map(|domain| domain.as_str()),
        tls: sip.tls.as_ref().map(tls),
        rtp_port: sip.rtp.to_string(),
        use_external_ip: sip.use_external_ip,
        nat_1_to_1_ip: told,
        local_net: own.map(|address| format!("{address}/32")),
        max_active_calls: (sip.max_calls > 0).then_some(sip.max_calls),
        max_cpu_utilization: sip.max_cpu,
    };
    let private = |name: &str, bytes: &str| Artifact::private(name.to_owned(), bytes.to_owned(), Owner::ROOT);
    let mut files = vec![private("config.yaml", &yaml::to_string(&config)?)];
    if let Some(tls) = &sip.tls {
        files.push(private("sip.crt", scene.values.get(&tls.cert)?));
        files.push(private("sip.key", scene.values.get(&tls.key)?));
    }
    files.extend(redis::authority(scene, Owner::ROOT)?);
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container =
        Container::new(scene.topology, scene.placement, &sip.image, &sip.limits).grace(sip.drain.max);
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    // The image has neither wget nor curl. Under load it answers 429, and is well.
    let ask = format!(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{} && printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3 && \
         head -n 1 <&3 | grep -qE \" (200|429) \"'",
        sip.health_port
    );
    container.healthcheck = Some(HealthCheck::shell(&ask));
    Ok(Part { artifacts, container: Some(container) })
}

fn tls(tls: &SipTls) -> Tls {
    let certificate =
        Certificate { cert_file: format!("{CONFIG}/sip.crt"), key_file: format!("{CONFIG}/sip.key") };
    Tls { port: tls.port.number(), certs: [certificate] }
}
