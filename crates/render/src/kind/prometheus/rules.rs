//! When an alarm is raised.

use std::collections::BTreeMap;

use serde::Serialize;

/// `rules.yml`: <https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/>.
#[derive(Serialize)]
pub(super) struct Rules {
    groups: [Group; 1],
}

#[derive(Serialize)]
struct Group {
    name: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Rule {
    alert: &'static str,
    expr: &'static str,
    r#for: &'static str,
    labels: BTreeMap<&'static str, &'static str>,
    annotations: BTreeMap<&'static str, &'static str>,
}

/// The alarms of a stack, with those of an edge where one shows metrics.
pub(super) fn rules(edge: bool) -> Rules {
    let mut rules = vec![
        alarm(
            "TargetDown",
            "up == 0",
            "2m",
            "critical",
            "{{ $labels.job }} on {{ $labels.node }} shows no metrics",
        ),
        // Of `stageplot serve`, where an app of the plot is one.
        alarm(
            "CheckFailed",
            "stageplot_check_up == 0",
            "2m",
            "critical",
            "{{ $labels.id }} fails: stageplot verify says why",
        ),
        alarm(
            "ChecksStale",
            "time() - stageplot_run_timestamp_seconds > 600",
            "0m",
            "warning",
            "the checks of {{ $labels.node }} were last run ten minutes ago or more",
        ),
    ];
    if edge {
        rules.push(alarm(
            "UpstreamDown",
            "caddy_reverse_proxy_upstreams_healthy == 0",
            "1m",
            "critical",
            "the edge on {{ $labels.node }} gets no answer from {{ $labels.upstream }}",
        ));
        rules.push(alarm(
            "ErrorsAtTheEdge",
            "sum by (node) (rate(caddy_http_request_duration_seconds_count{code=~\"5..\"}[5m])) > 0.05 * sum by (node) (rate(caddy_http_request_duration_seconds_count[5m]))",
            "5m",
            "warning",
            "more than one of twenty requests at {{ $labels.node }} is answered with 5xx",
        ));
    }
    Rules { groups: [Group { name: "stageplot", rules }] }
}

fn alarm(
    alert: &'static str,
    expr: &'static str,
    r#for: &'static str,
    severity: &'static str,
    summary: &'static str,
) -> Rule {
    Rule {
        alert,
        expr,
        r#for,
        labels: [("severity", severity)].into(),
        annotations: [("summary", summary)].into(),
    }
}
