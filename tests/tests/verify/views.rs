//! What else the command says of a stack that is up: for people, for CI services, for
//! Prometheus.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use stageplot_tests::{Output, Process, Program, Rig, run, stageplot, wait_for};

use crate::{RUN, shell};

/// How soon Prometheus has scraped.
const SCRAPED: Duration = Duration::from_secs(60);

pub(crate) fn look(rig: &Rig, plot: &str) {
    status(rig, plot);
    doctor(rig, plot);
    formats(rig, plot);
    watch(rig, plot);
    prometheus(rig, plot);
}

fn status(rig: &Rig, plot: &str) {
    let containers = command(rig, plot, "media-1", &["status"]).json();
    let states: Vec<_> = containers.as_array().expect("containers").iter().collect();
    let said: Vec<_> =
        states.iter().map(|state| (&state["service"], &state["state"], &state["health"])).collect();
    let well = (&Value::from("running"), &Value::from("healthy"));
    assert_eq!(said, [(&"cache".into(), well.0, well.1), (&"sfu".into(), well.0, well.1)]);

    let used = command(rig, plot, "front", &["resources"]).json();
    for usage in used.as_array().expect("containers") {
        assert!(usage["memory"].as_u64() > Some(100_000), "{usage}");
        assert!(usage["processes"].as_u64() > Some(0), "{usage}");
        // The edge is on the host's network, of which nothing is known; the app is not.
        assert_eq!(usage["received"].is_null(), usage["service"] == "edge", "{usage}");
    }

    let busy = command(rig, plot, "media-2", &["performance"]).json();
    let nodes: Vec<_> = busy["nodes"].as_array().expect("nodes").iter().map(|node| &node["node"]).collect();
    assert_eq!(nodes, ["media-1", "media-2", "media-3"]);
    assert!(busy["redis"]["clients"].as_u64() > Some(0), "{busy}");

    let table = text(&command(rig, plot, "media-1", &["status", "--format", "text"]));
    assert!(table.starts_with("SERVICE") && table.contains("healthy"), "{table}");
}

fn doctor(rig: &Rig, plot: &str) {
    let output = command(rig, plot, "media-1", &["doctor"]);
    let report = output.json();
    let mut groups: Vec<_> = report["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter_map(|line| line["group"].as_str())
        .collect();
    groups.sort_unstable();
    groups.dedup();
    // The group of a machine's own names and certificates is the outside's.
    for group in ["containers", "disk", "docker", "firewall", "livekit", "logs", "ports", "redis", "system"] {
        assert!(groups.contains(&group), "{group}: {groups:?}");
    }
    let rules = check(&report, "firewall rules: media-1");
    assert_eq!(rules["outcome"], "passed", "{rules}");
    // Whatever is wrong, nothing of this has failed, and no secret is told.
    let failed: Vec<_> = report["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|line| line["outcome"] == "failed")
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for (_, secret) in rig.vault().variables() {
        assert!(!output.stdout.contains(secret), "{}", output.stdout);
    }

    shell(rig, "media-1", "nft delete table inet $table");
    let report = command(rig, plot, "media-1", &["doctor"]).json();
    assert_eq!(check(&report, "firewall rules: media-1")["cause"], "rules-absent");
    assert_eq!(report["checks"][0]["cause"], "rules-absent", "the first thing to mend");
    shell(rig, "media-1", "load");
}

fn formats(rig: &Rig, plot: &str) {
    let xml = text(&command(rig, plot, "media-1", &["verify", "--format", "junit"]));
    let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let suites = document.root_element();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase")).count();
    assert_eq!(suites.attribute("tests"), Some(cases.to_string().as_str()), "{xml}");
    assert_eq!(suites.attribute("failures"), Some("0"), "{xml}");
    assert!(cases >= 10, "{xml}");

    let metrics = text(&command(rig, plot, "media-1", &["verify", "--format", "prometheus"]));
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), &metrics).expect("metrics");
    let mut check = Program::named("promtool").expect("found before").command();
    check.args(["check", "metrics"]).stdin(fs::File::open(file.path()).expect("metrics"));
    run(&mut check, RUN).success();
    let page = text(&command(rig, plot, "media-1", &["verify", "--format", "markdown"]));
    assert!(page.starts_with("## `live` from `media-1`: passed\n"), "{page}");
}

fn watch(rig: &Rig, plot: &str) {
    let watched = command(rig, plot, "media-2", &["watch", "--times", "2", "--every", "1s"]);
    assert_eq!(watched.stdout, "", "nothing changed, and nothing was wrong at first");
    shell(rig, "media-1", "docker pause live-cache-1");
    let watched = command(rig, plot, "media-2", &["watch", "--times", "1", "--deadline", "1s"]);
    shell(rig, "media-1", "docker unpause live-cache-1");
    let first: Value =
        serde_json::from_str(watched.stdout.lines().next().unwrap_or_default()).expect("a line");
    assert_eq!((&first["cause"], &first["before"]), (&"no-answer".into(), &Value::Null), "{first}");
}

/// Debian's Prometheus scrapes what is served, and knows each check.
fn prometheus(rig: &Rig, plot: &str) {
    let prometheus = Program::named("prometheus").expect("found before");
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("prometheus.yml");
    let scrape = "global: { scrape_interval: 1s }\nscrape_configs:\n- job_name: stageplot\n  static_configs:\n  - targets: ['127.0.0.1:9477']\n";
    fs::write(&config, scrape).expect("a configuration");
    let program = stageplot();
    let mut serve = rig.command("media-1", program.to_str().expect("a path")).expect("a machine");
    serve.args(["serve", plot, "--node", "media-1", "--every", "2s"]);
    let _serve = Process::start("serve", &mut serve);
    let mut scraper = rig.command("media-1", prometheus.path().to_str().expect("a path")).expect("a machine");
    scraper.args([
        "--config.file",
        config.to_str().expect("a path"),
        "--web.listen-address",
        "127.0.0.1:9099",
    ]);
    scraper.arg("--storage.tsdb.path").arg(directory.path().join("data"));
    let _scraper = Process::start("prometheus", &mut scraper);
    let began = Instant::now();
    let mut known = 0;
    wait_for("Prometheus knows every check", SCRAPED, || {
        let query = "http://127.0.0.1:9099/api/v1/query?query=stageplot_check_up";
        let mut curl = rig.command("media-1", "curl").expect("a machine");
        let Output { stdout, .. } = run(curl.args(["-sS", "-m", "5", query]), RUN);
        let answer: Value = serde_json::from_str(&stdout).unwrap_or_default();
        let found = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        known = found.iter().filter(|series| series["value"][1] == "1").count();
        known >= 10
    });
    println!("Prometheus knows {known} checks after {:?}", began.elapsed());
}

fn command(rig: &Rig, plot: &str, node: &str, words: &[&str]) -> Output {
    let mut command = rig.command(node, stageplot().to_str().expect("a path")).expect("a machine");
    command.arg(words[0]).arg(plot).args(["--node", node]).args(&words[1..]);
    if !words.contains(&"--format") {
        command.args(["--format", "json"]);
    }
    run(&mut command, RUN)
}

fn text(output: &Output) -> String {
    assert!(!output.stdout.is_empty(), "{output:?}");
    output.stdout.clone()
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut all = report["checks"].as_array().into_iter().flatten();
    all.find(|line| line["id"] == id).unwrap_or_else(|| panic!("no {id} in {report:#}"))
}
