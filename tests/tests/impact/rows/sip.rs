//! The fields of LiveKit's SIP.

use serde_json::json;

use crate::row::{Row, all_given, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let tls = json!({ "cert": secret("SIP_CRT"), "key": secret("SIP_KEY") });
    let rows = vec![
        row("sip.livekit", "livekit"),
        row("sip.key", "main"),
        row("sip.port", 5070),
        row("sip.tls", tls.clone()),
        row("sip.rtp", "10000-12000"),
        row("sip.from", "lan"),
        row("sip.domain", "sip.example.com"),
        row("sip.use-external-ip", true),
        row("sip.max-calls", 20),
        row("sip.max-cpu", 0.8),
        row("sip.health-port", 8950),
        row("sip.metrics", 8943),
        row("sip.log-level", "debug"),
        row("sip.drain.max", "2s"),
        row("sip.image", "stageplot/sip:1"),
        row("sip.limits.memory", "256mb"),
        row("sip.limits.millicpus", 500),
    ];
    let of_tls = [
        row("sip.tls.port", 5071),
        row("sip.tls.cert", secret("OTHER_SIP_CRT")).with("sip.tls.key", secret("OTHER_SIP_KEY")),
        row("sip.tls.key", secret("OTHER_SIP_KEY")).with("sip.tls.cert", secret("OTHER_SIP_CRT")),
    ];
    rows.into_iter().chain(all_given("sip.tls", &tls, of_tls)).collect()
}
