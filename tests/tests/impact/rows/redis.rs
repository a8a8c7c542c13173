//! The fields of a Redis that the plot runs.

use serde_json::json;

use crate::row::{Row, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let with_none = |row: Row| row.given("redis.persistence", "none");
    let snapshots = |row: Row| row.given("redis.persistence", "snapshots");
    let replica = |row: Row| row.given("redis.primary", "front").given("nodes.side.roles", json!(["redis"]));
    vec![
        row("redis.port", 6380),
        row("redis.password", secret("OTHER_PASSWORD")),
        row("redis.maxmemory", "64mb"),
        row("redis.maxmemory-policy", "allkeys-lru"),
        row("redis.network", "host"),
        row("redis.image", "redis:7.2-alpine"),
        row("redis.limits.memory", "1gb"),
        row("redis.limits.millicpus", 500),
        row("redis.external", json!({ "address": "203.0.113.33:6379" }))
            .with("nodes.front.roles", json!(["edge", "app"])),
        row("redis.persistence", "snapshots"),
        row("redis.persistence", "none"),
        with_none(row("redis.maxmemory", "64mb")),
        with_none(row("redis.limits.memory", "1gb")),
        with_none(row("app.env.MODE", "two")),
        snapshots(row("redis.persistence", "aof")),
        snapshots(row("redis.maxmemory", "64mb")),
        replica(row("redis.primary", "side")),
        replica(row("redis.maxmemory", "64mb")),
        replica(row("nodes.side.roles", json!([]))),
        row("nodes.front.roles", json!(["edge", "app"])).with("nodes.side.roles", json!(["redis"])),
    ]
}
