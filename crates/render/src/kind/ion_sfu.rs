//! `ion-sfu`: its configuration, and the container.

use std::net::Ipv4Addr;

use serde::Serialize;
use stageplot_topology::{IonSfu, IonTurn, PortRange};

use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};

/// `nobody`: it needs no more.
const NOBODY: Owner = Owner::new(65534, 65534);

/// Where its images have their own.
const CONFIG: &str = "/configs";

/// `sfu.toml`, every key that the program knows and that does something
/// (<https://github.com/pion/ion-sfu/blob/v1.11.0/pkg/sfu/sfu.go>); what it does not know it
/// ignores without a word.
#[derive(Serialize)]
struct Config {
    sfu: Sfu,
    router: Router,
    webrtc: Webrtc,
    turn: Turn,
}

#[derive(Serialize)]
struct Sfu {
    /// In MiB.
    ballast: u32,
    withstats: bool,
}

#[derive(Serialize)]
struct Router {
    /// In bits for each second.
    maxbandwidth: u32,
    /// Without it the process ends at the first picture.
    maxpackettrack: u32,
    audiolevelthreshold: u8,
    audiolevelinterval: u32,
    audiolevelfilter: u8,
    simulcast: Simulcast,
}

#[derive(Serialize)]
struct Simulcast {
    bestqualityfirst: bool,
}

#[derive(Serialize)]
struct Webrtc {
    /// In the place of a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    singleport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portrange: Option<[u16; 2]>,
    sdpsemantics: &'static str,
    mdns: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    iceserver: Vec<IceServer>,
    candidates: Candidates,
    /// All or none: one that is left out is zero.
    timeouts: Timeouts,
}

#[derive(Serialize)]
struct IceServer {
    urls: [String; 1],
}

#[derive(Serialize)]
struct Candidates {
    icelite: bool,
    /// The address that clients are told in the place of all others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nat1to1: Vec<Ipv4Addr>,
}

/// In seconds.
#[derive(Serialize)]
struct Timeouts {
    disconnected: u32,
    failed: u32,
    keepalive: u32,
}

#[derive(Serialize)]
struct Turn {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    realm: Option<String>,
    /// One that the machine has: it is told to clients as the relay's, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portrange: Option<[u16; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Auth>,
}

#[derive(Serialize)]
struct Auth {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// `user=password,user=password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<String>,
}

pub(super) fn render(scene: Scene<'_>, sfu: &IonSfu) -> Result<Part, RenderError> {
    let Scene { topology, placement, node, .. } = scene;
    let is_one = sfu.udp.single().is_some();
    let config = Config {
        sfu: Sfu { ballast: 0, withstats: sfu.metrics.is_some() },
        router: Router {
            maxbandwidth: sfu.max_bandwidth,
            maxpackettrack: 500,
            audiolevelthreshold: 40,
            audiolevelinterval: 1000,
            audiolevelfilter: 20,
            simulcast: Simulcast { bestqualityfirst: true },
        },
        webrtc: Webrtc {
            singleport: is_one.then(|| sfu.udp.first().number()),
            portrange: (!is_one).then(|| bounds(sfu.udp)),
            sdpsemantics: "unified-plan",
            mdns: false,
            iceserver: sfu.stun.iter().map(|url| IceServer { urls: [url.clone()] }).collect(),
            candidates: Candidates {
                icelite: false,
                nat1to1: node.public.and_then(|public| public.v4).into_iter().collect(),
            },
            timeouts: Timeouts { disconnected: 5, failed: 25, keepalive: 2 },
        },
        turn: match &sfu.turn {
            Some(turn) => self::turn(scene, turn)?,
            None => Turn { enabled: false, realm: None, address: None, portrange: None, auth: None },
        },
    };
    let text = toml::to_string(&config).map_err(|error| RenderError::Format(error.to_string()))?;
    let text =
        format!("# ion-sfu, as this node runs it. Rendered: change the stage plot, not this file.\n{text}");
    let mut files = vec![Artifact::private("sfu.toml", text, NOBODY)];
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(topology, placement, &sfu.image, &sfu.limits);
    let metrics = match sfu.metrics {
        Some(port) => format!(":{port}"),
        None => format!("127.0.0.1:{}", IonSfu::METRICS_PORT),
    };
    let command = ["-c", &format!("{CONFIG}/sfu.toml"), "-a", &format!(":{}", sfu.port), "-m", &metrics];
    container.command = command.map(str::to_owned).to_vec();
    container.user = Some(NOBODY.to_string());
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    // It answers as long as the process lives, and that ends where it cannot listen.
    let port = sfu.metrics.unwrap_or(IonSfu::METRICS_PORT);
    container.healthcheck =
        Some(HealthCheck::shell(&format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{port}/metrics")));
    Ok(Part { artifacts, container: Some(container) })
}

fn turn(scene: Scene<'_>, turn: &IonTurn) -> Result<Turn, RenderError> {
    let users = turn.users.iter().map(|(user, secret)| Ok(format!("{user}={}", scene.values.get(secret)?)));
    let users = users.collect::<Result<Vec<_>, RenderError>>()?;
    let secret = turn.secret.as_ref().map(|secret| scene.values.get(secret)).transpose()?;
    Ok(Turn {
        enabled: true,
        realm: Some(turn.realm.clone()),
        address: scene.node.own_v4().map(|address| format!("{address}:{}", turn.port)),
        portrange: Some(bounds(turn.relay)),
        auth: Some(Auth {
            secret: secret.map(str::to_owned),
            credentials: (!users.is_empty()).then(|| users.join(",")),
        }),
    })
}

fn bounds(ports: PortRange) -> [u16; 2] {
    [ports.first().number(), ports.last().number()]
}
