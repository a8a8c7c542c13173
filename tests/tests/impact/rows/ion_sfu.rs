//! The fields of an ion-sfu.

use serde_json::json;

use crate::row::{Row, all_given, row, secret};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("ion-sfu.port", 7778),
        row("ion-sfu.udp", "5000-5300"),
        row("ion-sfu.udp", 5000),
        row("ion-sfu.turn", json!({ "secret": secret("TURN_SECRET") })),
        row("ion-sfu.stun", "stun:192.168.1.2:3478"),
        row("ion-sfu.max-bandwidth", 1_500_000),
        row("ion-sfu.metrics", 8101),
        // With one port: of a range, each is published by a process of Docker's own.
        row("ion-sfu.network", "bridge").given("ion-sfu.udp", 5000),
        row("ion-sfu.image", "stageplot/ion-sfu:1"),
        row("ion-sfu.limits.memory", "256mb"),
        row("ion-sfu.limits.millicpus", 500),
    ];
    let turn = json!({ "secret": secret("TURN_SECRET") });
    rows.extend(all_given(
        "ion-sfu.turn",
        &turn,
        [
            row("ion-sfu.turn.port", 3479),
            row("ion-sfu.turn.realm", "live"),
            row("ion-sfu.turn.secret", secret("OTHER_TURN_SECRET")),
            row("ion-sfu.turn.relay", "5301-5400"),
            row("ion-sfu.turn.users", json!({ "guest": secret("WORD") }))
                .with("ion-sfu.turn.secret", json!(null)),
        ],
    ));
    rows
}
