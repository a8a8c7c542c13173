//! What Prometheus reads, by `promtool`; and what Grafana does, by what its own model of a
//! dashboard asks for.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use stageplot_render::Artifact;
use stageplot_tests::{Output, Program, run, want};

use super::Example;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_configuration_and_every_rule_is_taken() {
    let promtool = want!(Program::named("promtool"));
    let mut checked = 0;
    for example in want!(Example::all()) {
        for (dir, files) in prometheus(&example) {
            let text = |name: &str| -> String {
                let file = files.iter().find(|file| file.path.ends_with(name)).expect("a file");
                String::from_utf8(file.bytes.clone()).expect("UTF-8")
            };
            let config = text("/prometheus.yml");
            let what = format!("{}, {dir}", example.name);
            check(&promtool, &config, &text("/rules.yml")).success();
            // A referee that takes anything proves nothing.
            assert!(
                !check(&promtool, &config.replace("job_name", "job"), &text("/rules.yml")).succeeded(),
                "{what}"
            );
            assert!(
                !check(&promtool, &config, &text("/rules.yml").replace("== 0", "== (")).succeeded(),
                "{what}"
            );
            is_dashboard(&text("/grafana-dashboard.json"), &what);
            checked += 1;
        }
    }
    assert!(checked > 0, "no plot has a Prometheus");
}

/// The files of each Prometheus, with the directory that they are in.
fn prometheus(example: &Example) -> Vec<(String, Vec<&Artifact>)> {
    let all = example.rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
    let configs = all.clone().filter(|file| file.path.ends_with("/prometheus.yml"));
    let dirs = configs.map(|file| file.path.trim_end_matches("prometheus.yml").to_owned());
    dirs.map(|dir| (dir.clone(), all.clone().filter(|file| file.path.starts_with(&dir)).collect())).collect()
}

fn check(promtool: &Program, config: &str, rules: &str) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("prometheus.yml"), config).expect("a configuration");
    fs::write(dir.path().join("rules.yml"), rules).expect("rules");
    let mut command = promtool.command();
    run(command.args(["check", "config"]).arg(dir.path().join("prometheus.yml")), SOON)
}

/// The fields that Grafana's model of a dashboard has no dashboard without, panels that do
/// not lie on each other, and queries that Prometheus can read.
fn is_dashboard(text: &str, what: &str) {
    let board: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}"));
    for field in ["title", "schemaVersion", "panels", "time", "templating"] {
        assert!(!board[field].is_null(), "{what} has no {field}");
    }
    let panels = board["panels"].as_array().expect("panels");
    assert!(panels.len() >= 3, "{what}: {board:#}");
    let mut taken = std::collections::BTreeSet::new();
    let mut ids = std::collections::BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].to_string()), "{what}: {panel}");
        let at = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24, "{what}: {panel}");
        for cell in
            (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert(cell), "{what}: {panel} lies on another");
        }
        let queries = panel["targets"].as_array().expect("queries");
        assert!(!queries.is_empty(), "{what}: {panel}");
        let promtool = Program::named("promtool").expect("found before");
        for query in queries {
            let query = query["expr"].as_str().expect("a query");
            // As a rule, for that is how promtool reads an expression.
            let rules =
                format!("groups: [{{name: q, rules: [{{record: q, expr: {}}}]}}]", Value::from(query));
            println!("{what}: {query}");
            check(&promtool, "rule_files: [rules.yml]\n", &rules).success();
        }
    }
}
