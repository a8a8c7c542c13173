//! A row for every field, and more where one field can do several things.

mod app;
mod edge;
mod egress;
mod grafana;
mod ingress;
mod ion_sfu;
mod livekit;
mod plot;
mod postgres;
mod prometheus;
mod redis;
mod rtmp;
mod sip;

use serde_json::{Value, json};
use stageplot_tests::Image;

use crate::row::{Row, secret};

/// A plot, and the rows that are tried on it.
pub(crate) struct Trial {
    pub(crate) plot: Value,
    /// Whether a row loses data, so that it is known that this would be seen.
    pub(crate) loses: bool,
    pub(crate) images: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
}

const FRONT: [&str; 3] = [Image::CADDY, Image::REDIS, Image::ECHO];
const EDGE: [&str; 4] = [Image::CADDY, Image::REDIS, Image::ECHO, Image::CADDY_L4];
const MEDIA: [&str; 6] = [
    Image::CADDY,
    Image::REDIS,
    Image::CADDY_L4,
    Image::ECHO,
    Image::LIVEKIT,
    "livekit/livekit-server:v1.11.0",
];

const DATABASE: [&str; 3] = [Image::POSTGRES, Image::POSTGRES_18, Image::ECHO];

const STREAMS: [&str; 3] = [Image::CADDY, Image::ECHO, Image::NGINX_RTMP];

const RELAYED: [&str; 2] = [Image::ECHO, Image::ION_SFU];

const INGRESS: [&str; 4] = [Image::CADDY, Image::REDIS, Image::LIVEKIT, Image::INGRESS];

const EGRESS: [&str; 4] = [Image::CADDY, Image::REDIS, Image::LIVEKIT, Image::EGRESS];

const SIP: [&str; 4] = [Image::CADDY, Image::REDIS, Image::LIVEKIT, Image::SIP];

const WATCHED: [&str; 3] = [Image::CADDY, Image::ECHO, Image::PROMETHEUS];

const SHOWN: [&str; 4] = [Image::CADDY, Image::ECHO, Image::PROMETHEUS, Image::GRAFANA];

/// All trials by name.
pub(crate) fn trials() -> Vec<(&'static str, Trial)> {
    vec![
        ("app", Trial { plot: front(), loses: true, images: &FRONT, rows: app::rows() }),
        ("edge", Trial { plot: front(), loses: false, images: &EDGE, rows: edge::rows() }),
        ("livekit", Trial { plot: media(), loses: true, images: &MEDIA, rows: livekit::rows() }),
        ("plot", Trial { plot: front(), loses: true, images: &FRONT, rows: plot::rows() }),
        ("postgres", Trial { plot: database(), loses: true, images: &DATABASE, rows: postgres::rows() }),
        ("prometheus", Trial { plot: watched(), loses: false, images: &WATCHED, rows: prometheus::rows() }),
        ("grafana", Trial { plot: shown(), loses: false, images: &SHOWN, rows: grafana::rows() }),
        ("ion-sfu", Trial { plot: relayed(), loses: false, images: &RELAYED, rows: ion_sfu::rows() }),
        ("ingress", Trial { plot: with("ingress"), loses: false, images: &INGRESS, rows: ingress::rows() }),
        ("egress", Trial { plot: with("egress"), loses: false, images: &EGRESS, rows: egress::rows() }),
        ("sip", Trial { plot: with("sip"), loses: false, images: &SIP, rows: sip::rows() }),
        ("rtmp", Trial { plot: streams(), loses: false, images: &STREAMS, rows: rtmp::rows() }),
        ("redis", Trial { plot: front(), loses: true, images: &FRONT, rows: redis::rows() }),
    ]
}

/// Caddy, an app with data, and Redis.
fn front() -> Value {
    stack(json!({
        "access": { "ssh": { "port": 22, "from": "any" }, "keep": { "port": 9100, "from": "lan" } },
        "edge": { "domain": "live.example.com", "tls": "internal" },
        "app": {
            "image": "stageplot/echo:1",
            "port": 8080,
            "health": "/health",
            "routes": "/api/*",
            "needs": "redis",
            "env": { "MODE": "one", "REDIS_PASSWORD": secret("REDIS_PASSWORD") },
            "volumes": { "state": "/app/state" },
            "user": "1000:1000",
        },
        "redis": { "password": secret("REDIS_PASSWORD") },
    }))
}

/// An app with its Postgres.
fn database() -> Value {
    stack(json!({
        "access": { "ssh": { "from": "any" } },
        "app": {
            "image": "stageplot/echo:1",
            "port": 8080,
            "health": "/health",
            "needs": "postgres",
            "env": { "URL": "${postgres.url}", "PASSWORD": secret("POSTGRES_PASSWORD") },
        },
        "postgres": { "password": secret("POSTGRES_PASSWORD") },
    }))
}

/// An app behind Caddy, watched by a Prometheus.
fn watched() -> Value {
    stack(json!({
        "access": { "ssh": { "from": "any" } },
        "edge": { "domain": "live.example.com", "tls": "internal" },
        "app": {
            "image": "stageplot/echo:1", "port": 8080, "health": "/health", "routes": "/api/*",
            "metrics": "/metrics",
        },
        "prometheus": {},
    }))
}

/// The same, with a Grafana behind the edge.
fn shown() -> Value {
    let mut plot = watched();
    plot["grafana"] = json!({ "password": secret("GRAFANA_PASSWORD"), "route": "/grafana" });
    let roles = plot["nodes"]["front"]["roles"].as_array_mut().expect("roles");
    roles.push(json!("grafana"));
    plot
}

/// An SFU, and the app that picks it for rooms.
fn relayed() -> Value {
    stack(json!({
        "access": { "ssh": { "from": "any" } },
        "app": { "image": "stageplot/echo:1", "port": 8080, "health": "/health", "needs": "ion-sfu",
            "env": { "SFU_SERVER_URL": "${ion-sfu.url}" } },
        "ion-sfu": {},
        "severity": { "unmaintained": "allow" },
    }))
}

/// nginx for RTMP behind Caddy, and an app that it asks.
fn streams() -> Value {
    stack(json!({
        "access": { "ssh": { "from": "any" } },
        "edge": { "domain": "live.example.com", "tls": "internal" },
        "app": {
            "image": "stageplot/echo:1", "port": 8080, "health": "/health", "routes": "/api/*",
            "open": { "extra": { "port": 8090, "from": "lan" } },
        },
        "rtmp": { "on-publish": { "app": "app", "path": "/hooks/publish" } },
    }))
}

/// LiveKit with one of those that work for it.
fn with(companion: &str) -> Value {
    let mut plot = media();
    plot[companion] = json!({ "drain": { "max": "1s" } });
    let roles = plot["nodes"]["front"]["roles"].as_array_mut().expect("roles");
    roles.push(json!(companion));
    plot
}

/// LiveKit behind Caddy, with Redis.
fn media() -> Value {
    stack(json!({
        "access": { "ssh": { "from": "any" } },
        "edge": { "domain": "live.example.com", "tls": "internal" },
        // One that is told to stop in its first moments would wait all of this.
        "livekit": { "keys": { "main": secret("API_SECRET") }, "drain": { "max": "1s" } },
        "redis": { "password": secret("REDIS_PASSWORD") },
    }))
}

/// Services on one machine, and who may log in there; another machine stands by.
fn stack(mut given: Value) -> Value {
    let given = given.as_object_mut().expect("a table");
    let roles: Vec<_> =
        given.keys().filter(|key| !["access", "severity"].contains(&key.as_str())).cloned().collect();
    let mut plot = json!({
        "name": "live",
        "root": "/stack",
        "networks": { "lan": { "cidr": "192.168.1.0/24" } },
        "nodes": {
            "front": { "address": "192.168.1.1", "public": "203.0.113.10", "roles": roles },
            "side": { "address": "192.168.1.2", "public": "203.0.113.12", "roles": [] },
        },
    });
    plot.as_object_mut().expect("a table").append(given);
    plot
}
