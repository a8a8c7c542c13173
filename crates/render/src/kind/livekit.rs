//! `livekit`: `livekit.yaml` for the configured version, and the container.

mod config;
pub(super) mod redis;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use stageplot_topology::{
    Livekit, LivekitVersion, Name, Node, SOURCES_LIMIT, Selector, Service, ServiceId, ServiceSpec, Topology,
    TurnTls, listen,
};

use self::config::{
    Config, Ingress, Logging, NodeRegion, NodeSelector, Prometheus, Room, Rtc, Turn, Webhook,
};
use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::yaml;

/// Where the container finds its configuration.
const CONFIG: &str = "/etc/livekit";

pub(super) fn render(scene: Scene<'_>, livekit: &Livekit) -> Result<Part, RenderError> {
    let mut config = yaml::value(&config(scene, livekit)?)?;
    merge(&mut config, &Value::Object(livekit.settings.clone()));
    let mut files = vec![Artifact::private("livekit.yaml", yaml::to_string(&config)?, Owner::ROOT)];
    if let Some(turn) = &livekit.turn {
        for (name, secret) in [("turn.crt", &turn.cert), ("turn.key", &turn.key)] {
            if let Some(secret) = secret {
                files.push(Artifact::private(name, scene.values.get(secret)?, Owner::ROOT));
            }
        }
    }
    files.extend(redis::authority(scene, Owner::ROOT)?);
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let image = livekit.image();
    let mut container =
        Container::new(scene.topology, scene.placement, &image, &livekit.limits).grace(livekit.drain.max);
    container.command = vec!["--config".to_owned(), format!("{CONFIG}/livekit.yaml")];
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    // Answers 406 four seconds after Redis went away.
    container.healthcheck =
        Some(HealthCheck::shell(&format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/", livekit.port)));
    Ok(Part { artifacts, container: Some(container) })
}

fn config<'a>(scene: Scene<'a>, livekit: &'a Livekit) -> Result<Config<'a>, RenderError> {
    let range = livekit.udp;
    let single = range.single().map(|port| port.number());
    let keys = livekit.keys.iter().map(|(name, secret)| Ok((name.as_str(), scene.values.get(secret)?)));
    Ok(Config {
        port: livekit.port.number(),
        bind_addresses: bind_addresses(scene),
        keys: keys.collect::<Result<_, RenderError>>()?,
        region: scene.node.region.as_ref().map(Name::as_str),
        logging: Logging { level: livekit.log_level },
        rtc: Rtc {
            tcp_port: livekit.tcp_port.map_or(0, |port| port.number()),
            port_range_start: single.is_none().then(|| range.first().number()),
            port_range_end: single.is_none().then(|| range.last().number()),
            udp_port: single,
            use_external_ip: livekit.use_external_ip,
            node_ip: if livekit.use_external_ip { None } else { advertised(scene.node, livekit.version) },
        },
        redis: redis::section(scene, CONFIG)?,
        turn: turn(scene, livekit),
        room: Room {
            auto_create: livekit.room.auto_create,
            empty_timeout: livekit.room.empty_timeout.seconds(),
            departure_timeout: livekit.room.departure_timeout.seconds(),
            max_participants: livekit.room.max_participants,
        },
        webhook: livekit.webhook.as_ref().and_then(|webhook| {
            let api_key = webhook.key.as_deref().or(livekit.keys.keys().next().map(String::as_str))?;
            Some(Webhook { api_key, urls: webhook.urls.iter().map(url::Url::as_str).collect() })
        }),
        prometheus: livekit.metrics.as_ref().map(|metrics| Prometheus { port: metrics.port.number() }),
        node_selector: node_selector(livekit),
        ingress: ingress(scene),
    })
}

/// What those are told who ask LiveKit for an ingress: addresses that the Internet knows.
fn ingress(scene: Scene<'_>) -> Option<Ingress> {
    let topology = scene.topology;
    let own = topology.services().iter().filter(|service| {
        matches!(service.kind, ServiceSpec::Ingress(_))
            && topology.livekit_of(service.id) == Some(scene.service.id)
    });
    let all: Vec<_> = own.map(|service| service.id).collect();
    let first =
        |url: fn(&Topology, ServiceId) -> Option<String>| all.iter().find_map(|&id| url(topology, id));
    let (rtmp, whip) = (first(Topology::publish_url), first(Topology::whip_url));
    (rtmp.is_some() || whip.is_some()).then_some(Ingress { rtmp_base_url: rtmp, whip_base_url: whip })
}

fn node_selector(livekit: &Livekit) -> Option<NodeSelector<'_>> {
    let (kind, regions) = match livekit.selector {
        Selector::CpuLoad => ("cpuload", Vec::new()),
        Selector::SysLoad => ("sysload", Vec::new()),
        Selector::RegionAware => ("regionaware", regions(livekit)),
        _ => return None,
    };
    Some(NodeSelector { kind, regions })
}

fn regions(livekit: &Livekit) -> Vec<NodeRegion<'_>> {
    let regions = livekit.regions.iter();
    regions
        .map(|(name, region)| NodeRegion { name: name.as_str(), lat: region.lat, lon: region.lon })
        .collect()
}

/// Where what listens on flows alone does: LiveKit has one list for all of that.
fn bind_addresses(scene: Scene<'_>) -> Vec<String> {
    let signal = scene.topology.endpoint_named(scene.service.id, "signal");
    let addresses =
        signal.map_or_else(Vec::new, |signal| listen(scene.topology, signal.id, scene.placement.id));
    match addresses.iter().any(IpAddr::is_unspecified) {
        true => Vec::new(),
        false => addresses.iter().map(ToString::to_string).collect(),
    }
}

/// The address that clients are told to send media to: `v4`, `v6` or, from 1.11
/// on, `v4,v6`; 1.9 takes what is written for one address.
fn advertised(node: &Node, version: LivekitVersion) -> Option<String> {
    match version < LivekitVersion::TAKES_TWO_FAMILIES {
        true => addresses(node).first().map(ToString::to_string),
        false => node_ip(node),
    }
}

/// The addresses that clients are told to send media to, as `v4,v6`.
pub(super) fn node_ip(node: &Node) -> Option<String> {
    let texts: Vec<_> = addresses(node).iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

fn turn<'a>(scene: Scene<'a>, livekit: &'a Livekit) -> Option<Turn<'a>> {
    let turn = livekit.turn.as_ref()?;
    let own_tls = turn.tls == TurnTls::Direct;
    Some(Turn {
        enabled: true,
        domain: turn.domain.as_ref().map(|domain| domain.as_str()),
        udp_port: turn.udp_port.map(|port| port.number()),
        tls_port: livekit.turn_tls_port().map(|port| port.number()),
        external_tls: turn.tls == TurnTls::Edge,
        cert_file: own_tls.then(|| format!("{CONFIG}/turn.crt")),
        key_file: own_tls.then(|| format!("{CONFIG}/turn.key")),
        bind_addresses: relays_ipv6_only(scene.node, livekit).then_some(["::"]),
        relay_range_start: turn.relay.first().number(),
        relay_range_end: turn.relay.last().number(),
        allow_restricted_peer_cidrs: scene.restricted.0.get(&scene.service.id).map_or(&[], Vec::as_slice),
    })
}

/// The addresses by which clients, and relays, reach a node's media.
fn addresses(node: &Node) -> Vec<IpAddr> {
    let public: Vec<_> = node.public.into_iter().flat_map(|p| p.addresses()).collect();
    if public.is_empty() { node.main_address().into_iter().collect() } else { public }
}

/// Whether a relay has no IPv4 address to give out; the versions that know both
/// families do not start then unless they are told to listen on IPv6.
fn relays_ipv6_only(node: &Node, livekit: &Livekit) -> bool {
    let knows_both = livekit.version >= LivekitVersion::TAKES_TWO_FAMILIES;
    knows_both && !livekit.use_external_ip && addresses(node).iter().all(IpAddr::is_ipv6)
}

/// For each LiveKit that relays, the addresses of media servers that a relay would
/// refuse to send to because they are no public ones: the same for all its nodes,
/// and worked out once.
#[derive(Default)]
pub(crate) struct RestrictedPeers(BTreeMap<ServiceId, Vec<String>>);

impl RestrictedPeers {
    pub(crate) fn new(topology: &Topology) -> Self {
        let services = topology.services().iter().filter(|service| match &service.kind {
            ServiceSpec::Livekit(livekit) => {
                livekit.turn.is_some() && livekit.version >= LivekitVersion::DENIES_PRIVATE_PEERS
            }
            _ => false,
        });
        Self(services.map(|service| (service.id, restricted_peers(topology, service))).collect())
    }
}

fn restricted_peers(topology: &Topology, service: &Service) -> Vec<String> {
    let nodes = service.placements.iter().map(|&id| topology.placement(id).node);
    let advertised = nodes.flat_map(|id| addresses(topology.node(id)));
    let restricted: Vec<_> = advertised.filter(|ip| !is_global(*ip)).map(IpNet::from).collect();
    let exact = IpNet::aggregate(&restricted);
    if exact.len() <= SOURCES_LIMIT {
        return exact.iter().map(ToString::to_string).collect();
    }
    topology.networks().iter().flat_map(|network| &network.cidr).map(ToString::to_string).collect()
}

/// Whether an address belongs to the Internet, as far as LiveKit's relay asks:
/// not private (RFC 1918, RFC 4193, RFC 6598), not link-local, not loopback.
fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (v4.octets()[1] & 0xc0) == 64;
            !(v4.is_private() || v4.is_link_local() || v4.is_loopback() || shared)
        }
        IpAddr::V6(v6) => !(v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback()),
    }
}

/// Lays the user's own settings over the rendered ones, table by table.
fn merge(config: &mut Value, settings: &Value) {
    match (config, settings) {
        (Value::Object(config), Value::Object(settings)) => {
            for (key, value) in settings {
                match config.get_mut(key) {
                    Some(own) => merge(own, value),
                    None => {
                        config.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (config, settings) => *config = settings.clone(),
    }
}
