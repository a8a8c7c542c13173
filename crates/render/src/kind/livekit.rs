//! `livekit`: `livekit.yaml` for the configured version, and the container.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::Value;
use stageplot_topology::{
    Livekit, LivekitVersion, LogLevel, Node, RedisRemote, SOURCES_LIMIT, Selector, Service, ServiceId,
    ServiceSpec, Topology, TurnTls, dial, listen,
};

use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::yaml;

/// Where the container finds its configuration.
const CONFIG: &str = "/etc/livekit";

/// `livekit.yaml`. LiveKit refuses keys that it does not know, so every field
/// here is one that all supported versions have, or says otherwise.
#[derive(Serialize)]
struct Config<'a> {
    port: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bind_addresses: Vec<String>,
    keys: BTreeMap<&'a str, &'a str>,
    logging: Logging,
    rtc: Rtc,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Redis<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<Turn<'a>>,
    room: Room,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<Webhook<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prometheus: Option<Prometheus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_selector: Option<NodeSelector>,
}

#[derive(Serialize)]
struct Logging {
    level: LogLevel,
}

#[derive(Serialize)]
struct Rtc {
    tcp_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_range_start: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_range_end: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp_port: Option<u16>,
    use_external_ip: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_ip: Option<String>,
}

#[derive(Default, Serialize)]
struct Redis<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    db: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<RedisTls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentinel_master_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sentinel_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentinel_password: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cluster_addresses: Vec<String>,
}

#[derive(Serialize)]
struct RedisTls {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_cert_file: Option<String>,
}

#[derive(Serialize)]
struct Turn<'a> {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_port: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    external_tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<String>,
    /// From 1.11 on; IPv4 alone where not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    bind_addresses: Option<[&'static str; 1]>,
    relay_range_start: u16,
    relay_range_end: u16,
    /// From 1.12 on.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    allow_restricted_peer_cidrs: &'a [String],
}

#[derive(Serialize)]
struct Room {
    auto_create: bool,
    empty_timeout: u32,
    departure_timeout: u32,
    max_participants: u32,
}

#[derive(Serialize)]
struct Webhook<'a> {
    api_key: &'a str,
    urls: Vec<&'a str>,
}

#[derive(Serialize)]
struct Prometheus {
    port: u16,
}

#[derive(Serialize)]
struct NodeSelector {
    kind: &'static str,
}

pub(super) fn render(scene: Scene<'_>, livekit: &Livekit) -> Result<Part, RenderError> {
    let mut config = yaml::value(&config(scene, livekit))?;
    merge(&mut config, &Value::Object(livekit.settings.clone()));
    let mut files = vec![Artifact::private("livekit.yaml", yaml::to_string(&config)?, Owner::ROOT)];
    if let Some(turn) = &livekit.turn {
        for (name, secret) in [("turn.crt", &turn.cert), ("turn.key", &turn.key)] {
            files.extend(secret.iter().map(|s| Artifact::private(name, scene.values.get(s), Owner::ROOT)));
        }
    }
    if let Some(ca) = remote(scene).and_then(|(remote, _)| remote.tls.as_ref()?.ca.as_ref()) {
        files.push(Artifact::private("redis-ca.crt", scene.values.get(ca), Owner::ROOT));
    }
    files.extend(scene.extra_files());
    let (dir, artifacts) = scene.at_start(files);
    let image = livekit.image().to_string();
    let mut container =
        Container::new(scene.topology, scene.placement, &image, &livekit.limits).grace(livekit.drain.max);
    container.command = vec!["--config".to_owned(), format!("{CONFIG}/livekit.yaml")];
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    // Answers 406 four seconds after Redis went away.
    container.healthcheck =
        Some(HealthCheck::shell(&format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/", livekit.port)));
    Ok(Part { artifacts, container: Some(container) })
}

fn config<'a>(scene: Scene<'a>, livekit: &'a Livekit) -> Config<'a> {
    let range = livekit.udp;
    let single = range.single().map(|port| port.number());
    Config {
        port: livekit.port.number(),
        bind_addresses: bind_addresses(scene),
        keys: livekit.keys.iter().map(|(name, secret)| (name.as_str(), scene.values.get(secret))).collect(),
        logging: Logging { level: livekit.log_level },
        rtc: Rtc {
            tcp_port: livekit.tcp_port.map_or(0, |port| port.number()),
            port_range_start: single.is_none().then(|| range.first().number()),
            port_range_end: single.is_none().then(|| range.last().number()),
            udp_port: single,
            use_external_ip: livekit.use_external_ip,
            node_ip: if livekit.use_external_ip { None } else { advertised(scene.node, livekit.version) },
        },
        redis: redis(scene),
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
        node_selector: match livekit.selector {
            Selector::CpuLoad => Some(NodeSelector { kind: "cpuload" }),
            Selector::SysLoad => Some(NodeSelector { kind: "sysload" }),
            _ => None,
        },
    }
}

/// Where signalling and metrics listen: LiveKit has one list for both.
fn bind_addresses(scene: Scene<'_>) -> Vec<String> {
    let endpoints = scene.topology.endpoints_of(scene.service.id).iter();
    let bound = endpoints.filter(|endpoint| matches!(endpoint.name.as_ref(), "signal" | "metrics"));
    let addresses: BTreeSet<_> =
        bound.flat_map(|endpoint| listen(scene.topology, endpoint.id, scene.placement.id)).collect();
    match addresses.iter().any(IpAddr::is_unspecified) {
        true => Vec::new(),
        false => addresses.iter().map(ToString::to_string).collect(),
    }
}

/// The address that clients are told to send media to: `v4`, `v6` or, from 1.11
/// on, `v4,v6`; 1.9 takes what is written for one address.
fn advertised(node: &Node, version: LivekitVersion) -> Option<String> {
    let mut addresses = addresses(node);
    if version < LivekitVersion::TAKES_TWO_FAMILIES {
        addresses.truncate(1);
    }
    let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

/// The external Redis that this LiveKit uses, if it uses one.
fn remote(scene: Scene<'_>) -> Option<(&RedisRemote, &stageplot_topology::Redis)> {
    let redis = scene.topology.redis_of(scene.service.id)?;
    match &scene.topology.service(redis).kind {
        ServiceSpec::Redis(redis) => redis.external.as_ref().map(|remote| (remote, redis)),
        _ => None,
    }
}

fn redis(scene: Scene<'_>) -> Option<Redis<'_>> {
    let service = scene.topology.service(scene.topology.redis_of(scene.service.id)?);
    let ServiceSpec::Redis(spec) = &service.kind else { return None };
    let password = spec.password.as_ref().map(|secret| scene.values.get(secret));
    let Some(remote) = &spec.external else {
        let endpoint = scene.topology.endpoint_named(service.id, "primary")?;
        let target = dial(scene.topology, scene.placement.id, endpoint.id, service.primary?)?;
        return Some(Redis { address: Some(target.to_string()), password, ..Redis::default() });
    };
    let texts =
        |addresses: &[stageplot_topology::RedisAddress]| addresses.iter().map(ToString::to_string).collect();
    Some(Redis {
        address: remote.address.as_ref().map(ToString::to_string),
        username: remote.username.as_deref(),
        password,
        db: remote.db,
        tls: remote.tls.as_ref().map(|tls| RedisTls {
            enabled: true,
            server_name: tls.server_name.as_ref().map(ToString::to_string),
            ca_cert_file: tls.ca.as_ref().map(|_| format!("{CONFIG}/redis-ca.crt")),
        }),
        sentinel_master_name: remote.sentinel_master.as_deref(),
        sentinel_addresses: texts(&remote.sentinels),
        sentinel_password: remote.sentinel_password.as_ref().map(|secret| scene.values.get(secret)),
        cluster_addresses: texts(&remote.cluster),
    })
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
