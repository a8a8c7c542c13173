//! The fields of LiveKit's egress.

use serde_json::json;

use crate::row::{Row, all_given, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let rows = vec![
        row("egress.livekit", "livekit"),
        row("egress.key", "main"),
        row("egress.s3", json!({ "bucket": "recordings" })),
        row("egress.directory", false).given("egress.s3", json!({ "bucket": "recordings" })),
        row("egress.cost.max-cpu", 0.7),
        row("egress.cost.max-memory", "4gb"),
        row("egress.cost.memory", "512mb"),
        row("egress.cost.room-composite", 3.0),
        row("egress.cost.audio-room-composite", 0.8),
        row("egress.cost.web", 3.0),
        row("egress.cost.audio-web", 0.8),
        row("egress.cost.participant", 1.5),
        row("egress.cost.track-composite", 1.5),
        row("egress.cost.track", 0.8),
        row("egress.health-port", 8949),
        row("egress.metrics", 8942),
        row("egress.log-level", "debug"),
        row("egress.drain.max", "2s"),
        row("egress.network", "host"),
        row("egress.image", "stageplot/egress:1"),
        row("egress.limits.memory", "256mb"),
        row("egress.limits.millicpus", 500),
    ];
    let key =
        json!({ "bucket": "recordings", "access-key": secret("S3_ID"), "secret-key": secret("S3_WORD") });
    let of_s3 = [
        row("egress.s3.bucket", "others"),
        row("egress.s3.region", "eu-central-1"),
        row("egress.s3.endpoint", "https://s3.example.com"),
        row("egress.s3.access-key", secret("OTHER_S3_ID")),
        row("egress.s3.secret-key", secret("OTHER_S3_WORD")),
        row("egress.s3.path-style", true),
        row("egress.s3.prefix", "live/"),
    ];
    rows.into_iter().chain(all_given("egress.s3", &key, of_s3)).collect()
}
