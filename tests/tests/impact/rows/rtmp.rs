//! The fields of an nginx for RTMP.

use serde_json::json;

use crate::row::{Row, row, secret};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("rtmp.port", 1936),
        row("rtmp.from", "lan"),
        // Its records, and what publishers are told: nginx itself answers to any name.
        row("rtmp.domain", "rtmp.example.com"),
        row("rtmp.application", "tv"),
        row("rtmp.on-publish.app", "side-app")
            .with(
                "services.side-app",
                json!({
                    "kind": "app", "image": "stageplot/echo:1", "port": 8085,
                }),
            )
            .with("nodes.side.roles", json!(["side-app"])),
        row("rtmp.on-publish", json!(null)),
        // For whoever verifies: it is rendered nowhere.
        row("rtmp.on-publish.trial", secret("TRIAL_STREAM")),
        row("rtmp.on-publish.path", "/hooks/other"),
        row("rtmp.on-publish.done", "/hooks/done"),
        row("rtmp.hls", false),
        row("rtmp.dash", true),
        row("rtmp.flv", true).with("rtmp.image", "stageplot/nginx-http-flv:1"),
        row("rtmp.fragment", "2s"),
        row("rtmp.playlist", "30s"),
        row("rtmp.http-port", 8082),
        row("rtmp.edge", "edge"),
        row("rtmp.record", "overwrite"),
        row("rtmp.record", "unique"),
        row("rtmp.network", "host"),
        row("rtmp.image", "stageplot/nginx-rtmp:1"),
        row("rtmp.limits.memory", "256mb"),
        row("rtmp.limits.millicpus", 500),
    ]
}
