//! A stack with a Prometheus on the rig: it gets through to everybody who shows metrics, and
//! where one does not, that is told.

use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Given, Output, Rig, run, stageplot, topology, wait_for, want};

const EXAMPLE: &str = include_str!("../../../examples/plots/monitored/stageplot.toml");

const SOON: Duration = Duration::from_secs(90);
const WELL: Duration = Duration::from_secs(90);

#[test]
fn a_prometheus_reaches_all_that_show_metrics() {
    // Sooner than one would have it.
    let text = EXAMPLE.replace("retention", "interval  = \"2s\"\nretention");
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(file.path(), &text).expect("a plot");
    let (plot, program) = (file.path().display().to_string(), stageplot());
    // As the plot says: the checks themselves are among what is asked.
    let serve = format!("exec {} serve {plot} --listen 0.0.0.0:9477 --every 5s", program.display());
    let given = Given { apps: [("checks".to_owned(), serve)].into(), ..Given::default() };
    let rig = want!(Rig::up(&topology(&text), &given, &mut |_, _| ()));
    let verify = || -> Value {
        let mut command = rig.command("front", program.to_str().expect("a path")).expect("a machine");
        run(command.args(["verify", &plot, "--node", "front", "--format", "json"]), SOON).json()
    };
    let targets = |report: &Value| -> Value {
        let all = report["checks"].as_array().expect("checks");
        all.iter()
            .find(|line| line["id"].as_str().is_some_and(|id| id.contains("targets")))
            .expect("a check")
            .clone()
    };
    wait_for("Prometheus reaches everybody", WELL, || targets(&verify())["outcome"] == "passed");
    assert_eq!(targets(&verify())["evidence"]["targets"], "5");

    // What it keeps: the checks of both machines, and which of them fail.
    let ask = |query: &str| -> Value {
        let mut curl = rig.command("media", "curl").expect("a machine");
        let url = format!("http://10.0.0.1:9090/api/v1/query?query={query}");
        let Output { stdout, .. } = run(curl.args(["-sS", "-m", "5", "-G", &url]), SOON);
        serde_json::from_str(&stdout).unwrap_or_default()
    };
    wait_for("checks of both machines", WELL, || {
        let known = ask("count(stageplot_check_up)by(node)");
        known["data"]["result"].as_array().is_some_and(|nodes| nodes.len() == 2)
    });
    assert_eq!(ask("livekit_node_messages")["status"], "success");
    let edge = ask("caddy_reverse_proxy_upstreams_healthy");
    assert!(!edge["data"]["result"].as_array().expect("a vector").is_empty(), "{edge}");
    // What stands in for Grafana is there below its path.
    let boards = rig.outside().curl(&["-f", "https://livekit.example.com/grafana/api/health"]).success();
    assert!(boards.contains("ok"), "{boards}");
    // From outside nobody reads it.
    let closed = rig.outside().curl(&["-m", "3", "http://203.0.113.10:9090/-/ready"]);
    assert!(!closed.succeeded(), "{closed:?}");

    rig.machine("media").engine().docker(&["stop", "live-livekit-1"]).success();
    wait_for("that LiveKit shows no metrics is told", WELL, || targets(&verify())["cause"] == "target-down");
    let said = targets(&verify())["message"].to_string();
    assert!(said.contains("10.0.0.2:6789"), "{said}");
}
