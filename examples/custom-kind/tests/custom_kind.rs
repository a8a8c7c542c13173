//! The example: what it renders, and what the programs that read it say.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use stageplot_tests::{Lan, Program, run, want};
use tempfile::TempDir;

const PLOT: &str = include_str!("../stageplot.toml");

/// Renders a plot; the directory that it stands in, with what was rendered in `sealed`.
fn render(plot: &str) -> (TempDir, Output) {
    let scratch = tempfile::tempdir().expect("a directory");
    fs::write(scratch.path().join("stageplot.toml"), plot).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-kind"));
    let ended = command.args(["stageplot.toml", "sealed"]).current_dir(&scratch).output().expect("it starts");
    (scratch, ended)
}

/// The example's own plot, rendered.
#[track_caller]
fn rendered() -> TempDir {
    let (scratch, ended) = render(PLOT);
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "2 machines rendered to sealed\n");
    scratch
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("a file")).expect("JSON")
}

/// The directory of a service's files, which is named by what they hold.
fn files_of(bundle: &Path, service: &str) -> std::path::PathBuf {
    let mut versions = fs::read_dir(bundle.join("services").join(service)).expect("a directory");
    versions.next().expect("one").expect("one").path()
}

#[test]
fn the_files_of_ones_own_are_in_the_manifests() {
    let scratch = rendered();
    for (node, names) in
        [("front", &["edge", "icecast", "livekit", "prometheus", "redis"][..]), ("media", &["livekit"])]
    {
        let bundle = scratch.path().join("sealed").join(node);
        let inventory = json(&bundle.join("inventory.json"));
        let services = inventory["services"].as_array().expect("services");
        assert_eq!(services.iter().map(|service| &service["name"]).collect::<Vec<_>>(), names, "{node}");
        assert_eq!(json(&bundle.join("manifest.json"))["files"]["inventory.json"]["mode"], "0644");
    }
    let front = scratch.path().join("sealed/front");
    let prometheus = files_of(&front, "prometheus");
    let targets = json(&prometheus.join("livekit.json"));
    assert_eq!(targets[1]["targets"], json!(["10.0.0.2:6789"]));
    assert_eq!(targets[1]["labels"], json!({ "stack": "live", "node": "media", "service": "livekit" }));
    assert_eq!(json(&prometheus.join("prometheus.yml"))["scrape_configs"][0]["job_name"], "livekit");
    let path = prometheus.strip_prefix(&front).expect("in the bundle").join("livekit.json");
    let entry = &json(&front.join("manifest.json"))["files"][path.to_str().expect("UTF-8")];
    assert_eq!((&entry["service"], &entry["change"]), (&json!("prometheus"), &json!("recreate")));
}

#[test]
fn compose_reads_the_radio() {
    let scratch = rendered();
    let front = scratch.path().join("sealed/front");
    for version in Program::versions("compose") {
        let compose = want!(Program::versioned("compose", version));
        let mut command = compose.command();
        command.arg("--project-directory").arg(&front).args(["config", "--format", "json"]);
        let said = run(command.current_dir(&front), Duration::from_secs(60));
        assert_eq!(said.stderr, "", "{version}");
        let project: Value = serde_json::from_str(&said.success()).expect("JSON");
        let radio = &project["services"]["icecast"];
        assert_eq!(radio["image"], "libretime/icecast:2.4.4");
        assert_eq!(
            (&radio["ports"][0]["published"], &radio["ports"][0]["target"]),
            (&json!("8000"), &json!(8000))
        );
        let env = &radio["environment"];
        assert_eq!(
            (&env["ICECAST_HOSTNAME"], &env["ICECAST_MAX_CLIENTS"]),
            (&json!("radio.example.com"), &json!("500"))
        );
        let mounts = project["services"]["prometheus"]["volumes"].as_array().expect("mounts");
        assert!(mounts.iter().any(|mount| mount["target"] == "/etc/prometheus"), "{mounts:?}");
    }
}

#[test]
fn the_firewall_lets_listeners_in() {
    let lan = want!(Lan::new("lan"));
    let front = lan.machine("front", &["203.0.113.10/24"]);
    let scratch = rendered();
    let table = scratch.path().join("sealed/front/firewall/stageplot.nft");
    front.run("nft", &["-f", table.to_str().expect("UTF-8")]).success();
    let rules = front.run("nft", &["list", "ruleset"]).success();
    let listening =
        rules.lines().filter(|line| line.contains("8000") && line.contains("icecast listen")).count();
    // To the node itself, and to the container that Docker publishes.
    assert_eq!(listening, 2, "{rules}");
}

#[test]
fn mistakes_in_the_kinds_table_are_found_like_others() {
    for (right, wrong, says) in [
        (
            "listeners  ",
            "listners   ",
            "32:1: icecast.listners: unknown field `listners` in icecast (help: did you mean `listeners`?",
        ),
        ("= 500", "= 0", "28:1: icecast: nobody may listen (help: set listeners, or take the service out)"),
        (
            "[icecast]",
            "[icecats]",
            "28:2: icecats: unknown field `icecats` in the file (help: did you mean `icecast`?",
        ),
        ("radio.example.com", "${x.url}", "icecast.hostname: "),
    ] {
        assert!(PLOT.contains(right));
        let (scratch, ended) = render(&PLOT.replace(right, wrong));
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains(says), "{said}");
        assert!(!scratch.path().join("sealed").exists());
    }
}
