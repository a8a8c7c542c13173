//! The fields of LiveKit, and those of a Redis elsewhere, which LiveKit alone reads.

use serde_json::json;

use crate::row::{Row, all_given, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let turn = json!({ "domain": "turn.example.com", "udp-port": 3478 });
    let direct = json!({ "domain": "turn.example.com", "tls": "direct", "cert": secret("TURN_CRT"), "key": secret("TURN_KEY") });
    let apart = |row: Row| {
        row.given("nodes.front.roles", json!(["livekit", "redis"]))
            .given("nodes.side.roles", json!(["edge"]))
            .given("livekit.turn", direct.clone())
    };
    let second_redis = |row: Row| {
        row.given(
            "services.second",
            json!({ "kind": "redis", "port": 6380, "password": secret("REDIS_PASSWORD") }),
        )
        .given("nodes.front.roles", json!(["edge", "livekit", "redis", "second"]))
        .given("livekit.redis", "redis")
    };
    let second_edge = |row: Row| {
        let second = json!({ "kind": "edge", "domain": "second.example.com", "tls": "internal" });
        row.given("services.second", second)
            .given("nodes.side.roles", json!(["second"]))
            .given("livekit.edge", "edge")
    };
    let rooms = json!({ "image": "stageplot/echo:1", "port": 8080, "routes": "/api/*", "needs": "livekit" });
    let region = json!({ "lat": 52.5, "lon": 13.4 });
    let regions = |row: Row| {
        row.given("nodes.front.region", "eu")
            .given("livekit.regions", json!({ "eu": region }))
            .given("livekit.selector", "regionaware")
    };
    let webhook = json!({ "key": "main", "urls": "http://203.0.113.12/hook" });
    let keys = json!({ "main": secret("API_SECRET"), "other": secret("OTHER_API_SECRET") });
    let metrics = json!({ "port": 6789, "from": "lan" });
    [
        vec![
            // It says what is tried, and is told to nobody.
            row("app.create-room", "/api/rooms")
                .given("app", rooms)
                .given("nodes.front.roles", json!(["edge", "livekit", "redis", "app"])),
            row("livekit.version", "1.11.0"),
            row("livekit.image", "stageplot/livekit:1"),
            row("livekit.keys.main", secret("OTHER_API_SECRET")),
            row("livekit.keys.other", secret("OTHER_API_SECRET")),
            row("livekit.port", 7890),
            row("livekit.tcp-port", 7882),
            row("livekit.udp", "50000-50100"),
            row("livekit.udp", 7882),
            row("livekit.use-external-ip", true),
            row("livekit.routes", json!(["/rtc/*", "/twirp/*"])),
            row("livekit.room.auto-create", false),
            row("livekit.room.empty-timeout", "6m"),
            row("livekit.room.departure-timeout", "30s"),
            row("livekit.room.max-participants", 11),
            row("livekit.log-level", "debug"),
            row("livekit.drain.max", "2s"),
            row("livekit.selector", "cpuload"),
            row("livekit.settings.limit", json!({ "num_tracks": 100 })),
            row("livekit.limits.memory", "1gb"),
            row("livekit.limits.millicpus", 500),
            row("livekit.webhook", webhook.clone()),
            row("livekit.metrics", metrics.clone()),
            row("livekit.turn", turn.clone()),
            row("nodes.side.roles", json!(["livekit"])),
        ],
        all_given(
            "livekit.webhook",
            &webhook,
            [
                row("livekit.webhook.urls", "http://203.0.113.13/hook"),
                row("livekit.webhook.key", "other").given("livekit.keys", keys),
            ],
        ),
        all_given(
            "livekit.metrics",
            &metrics,
            [row("livekit.metrics.port", 6790), row("livekit.metrics.from", "any")],
        ),
        all_given(
            "livekit.turn",
            &turn,
            [
                row("livekit.turn.domain", "turn2.example.com"),
                row("livekit.turn.udp-port", 3479),
                row("livekit.turn.relay", "30000-30100"),
                row("livekit.turn.tls", "edge")
                    .given("edge.image", "stageplot/caddy-l4:2.11")
                    .given("edge.layer4", true),
            ],
        ),
        vec![
            apart(
                row("livekit.turn.cert", secret("OTHER_TURN_CRT"))
                    .with("livekit.turn.key", secret("OTHER_TURN_KEY")),
            ),
            apart(
                row("livekit.turn.key", secret("OTHER_TURN_KEY"))
                    .with("livekit.turn.cert", secret("OTHER_TURN_CRT")),
            ),
            second_redis(row("livekit.redis", "second")),
            second_edge(row("livekit.edge", "second")),
            regions(row("livekit.regions.us", json!({ "lat": 40.7, "lon": -74.0 }))),
            regions(row("livekit.regions.eu.lat", 48.9)),
            regions(row("livekit.regions.eu.lon", 2.4)),
            regions(row("nodes.front.region", "us"))
                .given("livekit.regions.us", json!({ "lat": 40.7, "lon": -74.0 })),
        ],
        external(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Nobody is there: LiveKit does not run, and its container shows the same.
fn external() -> Vec<Row> {
    let given = |remote: serde_json::Value| {
        move |row: Row| {
            row.given("redis.external", remote.clone()).given("nodes.front.roles", json!(["edge", "livekit"]))
        }
    };
    let one = given(json!({ "address": "203.0.113.33:6379" }));
    let secure = given(json!({ "address": "203.0.113.33:6379", "tls": {} }));
    let sentinels = given(json!({ "sentinels": ["203.0.113.33:26379"], "sentinel-master": "live" }));
    let cluster = given(json!({ "cluster": ["203.0.113.33:6379"] }));
    vec![
        one(row("redis.external.address", "203.0.113.34:6379")),
        one(row("redis.external.username", "live")),
        one(row("redis.external.db", 2)),
        one(row("redis.external.tls", json!({}))),
        secure(row("redis.external.tls.ca", secret("ROOT_CRT"))),
        secure(row("redis.external.tls.server-name", "redis.example.com")),
        sentinels(row("redis.external.sentinels", json!(["203.0.113.33:26379", "203.0.113.34:26379"]))),
        sentinels(row("redis.external.sentinel-master", "other")),
        sentinels(row("redis.external.sentinel-password", secret("OTHER_PASSWORD"))),
        cluster(row("redis.external.cluster", json!(["203.0.113.33:6379", "203.0.113.34:6379"]))),
    ]
}
