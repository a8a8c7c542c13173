//! `livekit.yaml` as it is written.

use std::collections::BTreeMap;

use serde::Serialize;
use stageplot_topology::LogLevel;

use super::redis::Redis;

/// `livekit.yaml`. LiveKit refuses keys that it does not know, so every field
/// here is one that all supported versions have, or says otherwise.
#[derive(Serialize)]
pub(super) struct Config<'a> {
    pub(super) port: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) bind_addresses: Vec<String>,
    pub(super) keys: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<&'a str>,
    pub(super) logging: Logging,
    pub(super) rtc: Rtc,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redis: Option<Redis<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) turn: Option<Turn<'a>>,
    pub(super) room: Room,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook: Option<Webhook<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prometheus: Option<Prometheus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node_selector: Option<NodeSelector<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ingress: Option<Ingress>,
}

#[derive(Serialize)]
pub(super) struct Logging {
    pub(super) level: LogLevel,
}

#[derive(Serialize)]
pub(super) struct Rtc {
    pub(super) tcp_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port_range_start: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port_range_end: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) udp_port: Option<u16>,
    pub(super) use_external_ip: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node_ip: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Turn<'a> {
    pub(super) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) udp_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_port: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) external_tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cert_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_file: Option<String>,
    /// From 1.11 on. Any of the two addresses that stand for all takes both
    /// families; which one it is decides the relays' own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bind_addresses: Option<[&'static str; 1]>,
    pub(super) relay_range_start: u16,
    pub(super) relay_range_end: u16,
    /// From 1.12 on.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) allow_restricted_peer_cidrs: &'a [String],
}

#[derive(Serialize)]
pub(super) struct Room {
    pub(super) auto_create: bool,
    pub(super) empty_timeout: u32,
    pub(super) departure_timeout: u32,
    pub(super) max_participants: u32,
}

#[derive(Serialize)]
pub(super) struct Webhook<'a> {
    pub(super) api_key: &'a str,
    pub(super) urls: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Prometheus {
    pub(super) port: u16,
}

#[derive(Serialize)]
pub(super) struct NodeSelector<'a> {
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) regions: Vec<NodeRegion<'a>>,
}

#[derive(Serialize)]
pub(super) struct NodeRegion<'a> {
    pub(super) name: &'a str,
    pub(super) lat: f64,
    pub(super) lon: f64,
}

#[derive(Serialize)]
pub(super) struct Ingress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtmp_base_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) whip_base_url: Option<String>,
}
