//! The fields of a Postgres that the plot runs.

use serde_json::{Value, json};

use crate::row::{Row, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let replica = |row: Row| {
        row.given("postgres.primary", "front")
            .given("postgres.replication-password", secret("REPLICATION_PASSWORD"))
            .given("nodes.side.roles", json!(["postgres"]))
    };
    let external = json!({ "address": "203.0.113.33:5432" });
    [
        vec![
            row("postgres.port", 5433),
            row("postgres.password", secret("OTHER_PASSWORD")),
            row("postgres.replication-password", secret("REPLICATION_PASSWORD")),
            row("postgres.database", "other"),
            row("postgres.user", "other"),
            row("postgres.max-connections", 50),
            row("postgres.shared-buffers", "64mb"),
            row("postgres.network", "host"),
            // Of another C library, as far as its name goes.
            row("postgres.image", "postgres:16.4"),
            row("postgres.image", "postgres:18-alpine"),
            row("postgres.major", 18),
            row("postgres.limits.memory", "1gb"),
            row("postgres.limits.millicpus", 500),
            row("postgres.external", external.clone()).with("nodes.front.roles", json!(["app"])),
            replica(row("postgres.primary", "side")),
            replica(row("postgres.max-connections", 120)),
            replica(row("postgres.replication-password", secret("OTHER_PASSWORD"))),
            replica(row("nodes.side.roles", json!([]))),
            // Another client in the same network is none of its business.
            row("nodes.side.roles", json!(["app"])),
        ],
        elsewhere(&external),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One that somebody else runs.
fn elsewhere(external: &Value) -> Vec<Row> {
    let one = |row: Row| {
        row.given("postgres.external", external.clone()).given("nodes.front.roles", json!(["app"]))
    };
    let secure = |row: Row| one(row).given("postgres.external.tls", json!({}));
    vec![
        one(row("postgres.external.address", "203.0.113.34:5432")),
        one(row("postgres.external.tls", json!({}))),
        secure(row("postgres.external.tls.ca", secret("ROOT_CRT"))),
        secure(row("postgres.external.tls.server-name", "postgres.example.com")),
    ]
}
