//! The fields of a Grafana.

use crate::row::{Row, row, secret};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("grafana.port", 3001),
        row("grafana.password", secret("OTHER_PASSWORD")),
        row("grafana.route", "/boards"),
        row("grafana.edge", "edge"),
        row("grafana.from", "lan"),
        row("grafana.prometheus", "prometheus"),
        row("grafana.image", "grafana/grafana:12.3.0"),
        row("grafana.limits.memory", "256mb"),
        row("grafana.limits.millicpus", 500),
        // Another panel on its dashboard.
        row("edge.metrics", 9180),
    ]
}
