//! The fields of an app.

use serde_json::json;

use crate::row::{Row, all_given, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let second = json!({ "kind": "edge", "domain": "second.example.com", "tls": "internal" });
    let migrate = json!(["migrate"]);
    let opening = json!({ "port": 1935, "from": "any" });
    [
        vec![
            row("app.image", "stageplot/echo:2"),
            row("app.port", 8090),
            row("app.health", "/well"),
            row("app.routes", json!(["/api/*", "/ws"])),
            row("app.needs", json!([])),
            row("app.balance", "first"),
            row("app.balance.cookie", "sticky"),
            row("app.balance.header", "X-Room"),
            row("app.balance.query", "room"),
            row("app.balance.random", 2),
            row("app.balance.secret", secret("COOKIE")).given("app.balance.cookie", "sticky"),
            row("app.balance.max-age", "1h").given("app.balance.cookie", "sticky"),
            row("app.pool.redis", 20),
            row("app.env.MODE", "two"),
            row("app.env.OTHER", "new"),
            row("app.env.REDIS_PASSWORD", secret("OTHER_PASSWORD")),
            row("app.command", json!(["-h"])),
            row("app.working-dir", "/app/data"),
            row("app.migrate", migrate.clone()),
            row("app.migrate", json!(["migrate", "/echo"])).given("app.migrate", migrate.clone()),
            row("app.env.MODE", "two").given("app.migrate", migrate.clone()),
            row("app.port", 8090).given("app.migrate", migrate.clone()),
            row("redis.maxmemory", "64mb").given("app.migrate", migrate),
            row("app.user", "1000:1001"),
            row("app.volumes.state", "/app/other"),
            row("app.volumes.more", "/app/more"),
            row("app.volumes.state", json!(null)),
            row("app.network", "host"),
            row("app.limits.memory", "256mb"),
            row("app.limits.millicpus", 500),
            row("app.run", "host").with("app.image", json!(null)).given("app.volumes", json!({})),
            row("app.env.MODE", "two")
                .given("app.run", "host")
                .given("app.image", json!(null))
                .given("app.volumes", json!({})),
            row("app.edge", "second")
                .given("app.edge", "edge")
                .given("services.second", second)
                .given("nodes.side.roles", json!(["second"])),
            row("app.open.media", opening.clone()),
        ],
        all_given(
            "app.open.media",
            &opening,
            [
                row("app.open.media.port", 1936),
                row("app.open.media.from", "lan"),
                row("app.open.media.protocol", "udp"),
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
