//! A row for every field, and more where one field can do several things.

mod app;
mod edge;
mod livekit;
mod plot;
mod redis;

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
const MEDIA: [&str; 5] =
    [Image::CADDY, Image::REDIS, Image::CADDY_L4, Image::LIVEKIT, "livekit/livekit-server:v1.11.0"];

/// All trials by name.
pub(crate) fn trials() -> Vec<(&'static str, Trial)> {
    vec![
        ("app", Trial { plot: front(), loses: true, images: &FRONT, rows: app::rows() }),
        ("edge", Trial { plot: front(), loses: false, images: &EDGE, rows: edge::rows() }),
        ("livekit", Trial { plot: media(), loses: false, images: &MEDIA, rows: livekit::rows() }),
        ("plot", Trial { plot: front(), loses: true, images: &FRONT, rows: plot::rows() }),
        ("redis", Trial { plot: front(), loses: true, images: &FRONT, rows: redis::rows() }),
    ]
}

/// Caddy, an app with data, and Redis; another machine stands by.
fn front() -> Value {
    json!({
        "name": "live",
        "root": "/stack",
        "access": { "ssh": { "port": 22, "from": "any" }, "keep": { "port": 9100, "from": "lan" } },
        "networks": { "lan": { "cidr": "192.168.1.0/24" } },
        "nodes": {
            "front": { "address": "192.168.1.1", "public": "203.0.113.10", "roles": ["edge", "app", "redis"] },
            "side": { "address": "192.168.1.2", "public": "203.0.113.12", "roles": [] },
        },
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
    })
}

/// LiveKit behind Caddy, with Redis; another machine stands by.
fn media() -> Value {
    json!({
        "name": "live",
        "root": "/stack",
        "access": { "ssh": { "from": "any" } },
        "networks": { "lan": { "cidr": "192.168.1.0/24" } },
        "nodes": {
            "front": { "address": "192.168.1.1", "public": "203.0.113.10", "roles": ["edge", "livekit", "redis"] },
            "side": { "address": "192.168.1.2", "public": "203.0.113.12", "roles": [] },
        },
        "edge": { "domain": "live.example.com", "tls": "internal" },
        // One that is told to stop in its first moments would wait all of this.
        "livekit": { "keys": { "main": secret("API_SECRET") }, "drain": { "max": "1s" } },
        "redis": { "password": secret("REDIS_PASSWORD") },
    })
}
