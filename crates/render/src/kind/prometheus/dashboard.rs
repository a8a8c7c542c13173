//! What is shown: a dashboard that Grafana imports.

use serde_json::{Value, json};
use stageplot_topology::ServiceSpec;

/// The version of the model of dashboards that Grafana 11 writes; later ones read it.
const SCHEMA: u32 = 39;

/// How wide Grafana's grid is.
const COLUMNS: u32 = 24;

/// A dashboard of a stack, with panels for each kind of service that shows metrics of its own: <https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>.
pub(super) fn dashboard(stack: &str, shown: &[&ServiceSpec]) -> String {
    let shows = |wanted: fn(&ServiceSpec) -> bool| shown.iter().any(|kind| wanted(kind));
    let mut board = Board::default();
    board.panel("stat", "Up", "short", &[("sum(up)", "up"), ("count(up)", "of")]);
    board.panel(
        "stat",
        "Checks that fail",
        "short",
        &[("count(stageplot_check_up == 0) or vector(0)", "failing")],
    );
    board.panel("table", "What fails, and why", "short", &[("stageplot_check_problem == 1", "")]);
    if shows(|kind| matches!(kind, ServiceSpec::Edge(_))) {
        let by_code = "sum by (code) (rate(caddy_http_request_duration_seconds_count[5m]))";
        board.panel("timeseries", "Requests at the edge", "reqps", &[(by_code, "{{code}}")]);
        let slow =
            "histogram_quantile(0.95, sum by (le) (rate(caddy_http_request_duration_seconds_bucket[5m])))";
        board.panel("timeseries", "95 of 100 are answered within", "s", &[(slow, "all")]);
        board.panel(
            "timeseries",
            "Upstreams that are well",
            "short",
            &[("caddy_reverse_proxy_upstreams_healthy", "{{node}}: {{upstream}}")],
        );
    }
    if shows(|kind| matches!(kind, ServiceSpec::Livekit(_))) {
        board.panel("timeseries", "Rooms", "short", &[("livekit_room_total", "{{node}}")]);
        board.panel("timeseries", "Participants", "short", &[("livekit_participant_total", "{{node}}")]);
        let bytes = "sum by (node, direction) (rate(livekit_packet_bytes[5m]))";
        board.panel("timeseries", "Media", "Bps", &[(bytes, "{{node}} {{direction}}")]);
        let loss = "sum by (node, direction) (rate(livekit_packet_loss_total[5m]))";
        board.panel("timeseries", "Packets lost", "pps", &[(loss, "{{node}} {{direction}}")]);
    }
    if shows(|kind| matches!(kind, ServiceSpec::IonSfu(_))) {
        board.panel("timeseries", "Sessions at SFUs", "short", &[("sfu_sessions", "{{node}}")]);
        board.panel("timeseries", "Peers at SFUs", "short", &[("sfu_peers", "{{node}}")]);
        let tracks = [("sfu_video_tracks", "{{node}} video"), ("sfu_audio_tracks", "{{node}} audio")];
        board.panel("timeseries", "Tracks at SFUs", "short", &tracks);
    }
    let dashboard = json!({
        "uid": null, "title": format!("Stageplot: {stack}"), "tags": ["stageplot", stack],
        "schemaVersion": SCHEMA, "version": 1, "editable": true, "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "templating": { "list": [{
            "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        }] },
        "panels": board.panels,
    });
    format!("{dashboard:#}\n")
}

/// Panels, one after the other, three in a row.
#[derive(Default)]
struct Board {
    panels: Vec<Value>,
}

impl Board {
    fn panel(&mut self, kind: &str, title: &str, unit: &str, queries: &[(&str, &str)]) {
        const WIDTH: u32 = 8;
        const HEIGHT: u32 = 8;
        let id = u32::try_from(self.panels.len()).unwrap_or(u32::MAX).saturating_add(1);
        let source = json!({ "type": "prometheus", "uid": "${datasource}" });
        let names = ["A", "B", "C"].iter().zip(queries);
        let targets = names.map(|(name, (query, legend))| {
            let table = kind == "table";
            json!({
                "refId": name, "datasource": source, "expr": query, "legendFormat": legend,
                "instant": table, "range": !table, "format": if table { "table" } else { "time_series" },
            })
        });
        let (column, row) = ((id - 1) * WIDTH % COLUMNS, (id - 1) * WIDTH / COLUMNS * HEIGHT);
        self.panels.push(json!({
            "id": id, "type": kind, "title": title, "datasource": source,
            "gridPos": { "x": column, "y": row, "w": WIDTH, "h": HEIGHT },
            "fieldConfig": { "defaults": { "unit": unit }, "overrides": [] },
            "options": {}, "targets": targets.collect::<Vec<_>>(),
        }));
    }
}
