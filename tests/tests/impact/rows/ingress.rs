//! The fields of LiveKit's ingress.

use crate::row::{Row, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("ingress.livekit", "livekit"),
        row("ingress.key", "main"),
        row("ingress.rtmp-port", 1936),
        row("ingress.rtmp-port", 0),
        row("ingress.from", "lan"),
        // Its records, and what LiveKit tells publishers: the ingress itself answers to any name.
        row("ingress.domain", "publish.example.com"),
        row("ingress.whip-port", 8085),
        row("ingress.whip-port", 0),
        row("ingress.edge", "edge"),
        row("ingress.udp", 7886),
        row("ingress.udp", "7900-7950"),
        row("ingress.use-external-ip", true),
        row("ingress.health-port", 8948),
        row("ingress.metrics", 8941),
        row("ingress.cost.rtmp", 1.5),
        row("ingress.cost.whip", 1.5),
        row("ingress.cost.whip-bypass", 0.2),
        row("ingress.cost.url", 1.5),
        row("ingress.cost.min-idle", 0.3),
        row("ingress.log-level", "debug"),
        row("ingress.drain.max", "2s"),
        row("ingress.network", "bridge"),
        row("ingress.image", "stageplot/ingress:1"),
        row("ingress.limits.memory", "256mb"),
        row("ingress.limits.millicpus", 500),
    ]
}
