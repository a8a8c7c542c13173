//! The fields of a Prometheus.

use crate::row::{Row, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("prometheus.port", 9091),
        row("prometheus.from", "lan"),
        row("prometheus.interval", "30s"),
        row("prometheus.retention", "30d"),
        row("prometheus.image", "prom/prometheus:v3.6.0"),
        row("prometheus.limits.memory", "256mb"),
        row("prometheus.limits.millicpus", 500),
        row("app.metrics", "/numbers"),
        // One more to ask is another configuration of it.
        row("edge.metrics", 9180),
        row("nodes.side.roles", serde_json::json!(["app"])),
    ]
}
