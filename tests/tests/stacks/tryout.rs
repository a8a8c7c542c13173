//! Plots that one machine plays: whole, several side by side, and gone again without a trace.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Engine, Image, Lan, Output, Scratch, Visitor, run, stageplot, wait_for, want};

const FLUXCODE: &str = include_str!("../../../examples/plots/fluxcode/stageplot.toml");
const FOUR: &str = include_str!("../../plots/four.toml");
const MONITORED: &str = include_str!("../../../examples/plots/monitored/stageplot.toml");

/// What a trial may take to come up, and to go.
const UP: Duration = Duration::from_secs(180);

/// How soon a site answers.
const SOON: Duration = Duration::from_secs(90);

/// Somebody's own machine, with Docker and nothing else.
struct Laptop<'a> {
    engine: &'a Engine,
    home: &'a Path,
}

impl Laptop<'_> {
    fn stageplot(&self, words: &[&str]) -> Output {
        let mut command = self.engine.command(stageplot());
        run(command.args(words).env_remove("XDG_STATE_HOME").env("HOME", self.home), UP)
    }

    /// Tries a plot; where it is entered, by service and endpoint.
    fn tries(&self, plot: &Path) -> Value {
        let plot = plot.to_str().expect("a path");
        let told = self.stageplot(&["try", plot, "--format", "json"]);
        let shown = told.json();
        assert_eq!(shown["well"], true, "{told:?}");
        shown
    }

    /// What Docker has of trials: containers, networks and volumes, by their names.
    fn has(&self) -> Vec<String> {
        let names = |words: &[&str]| self.engine.docker(words).success();
        let all = [
            names(&["ps", "--all", "--format", "{{.Names}}"]),
            names(&["network", "ls", "--format", "{{.Name}}"]),
            names(&["volume", "ls", "--format", "{{.Name}}"]),
        ];
        let names = all.iter().flat_map(|names| names.lines());
        names.filter(|name| name.starts_with("try-")).map(str::to_owned).collect()
    }
}

fn door(shown: &Value, service: &str, endpoint: &str) -> String {
    let doors = shown["doors"].as_array().expect("doors");
    let door = doors.iter().find(|door| door["service"] == service && door["endpoint"] == endpoint);
    let door = door.unwrap_or_else(|| panic!("no {service} {endpoint} in {shown:#}"));
    door["address"].as_str().expect("an address").to_owned()
}

#[test]
fn plots_are_tried_side_by_side() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("laptop", &["192.0.2.7/24"]);
    let visitor = want!(Visitor::new(&node, "localhost", "127.0.0.1"));
    let images = [
        Image::BUSYBOX,
        Image::CADDY,
        Image::CADDY_L4,
        Image::REDIS,
        Image::POSTGRES,
        Image::LIVEKIT,
        Image::PROMETHEUS,
        Image::GRAFANA,
        Image::ECHO,
        Image::FLUXCODE,
    ];
    let engine = want!(Engine::start(&node, &images));
    let scratch = Scratch::new();
    let laptop = Laptop { engine: &engine, home: scratch.path() };
    let plot = |name: &str, text: &str| -> PathBuf {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).expect("a plot");
        path
    };
    let (flux, four) = (plot("fluxcode.toml", FLUXCODE), plot("four.toml", FOUR));

    // Both by one edge each, on ports of their own.
    let shown = laptop.tries(&flux);
    let site = door(&shown, "edge", "http");
    let visit = |site: &str| visitor.curl(&["-f", "-X", "POST", &format!("{site}api/visits")]).json();
    // So many that chance leaves neither out.
    let visits: Vec<_> = (0..20).map(|_| visit(&site)).collect();
    let nodes: std::collections::BTreeSet<_> = visits.iter().map(|visit| visit["node"].to_string()).collect();
    assert_eq!(nodes.len(), 2, "both nodes with the application answer: {visits:?}");
    assert!(visits.iter().all(|visit| visit["for_good"].is_i64()), "{visits:?}");

    let rooms = laptop.tries(&four);
    assert_ne!(door(&rooms, "edge", "http"), site);
    let secrets = std::fs::read_to_string(rooms["secrets"].as_str().expect("a file")).expect("secrets");
    let secret = secrets.lines().find_map(|line| line.strip_prefix("LIVEKIT_API_SECRET=")).expect("a secret");
    let url = door(&rooms, "edge", "http").replace("http", "ws");
    let answers = |path: &str| visitor.curl(&["-f", &format!("{}{path}", door(&rooms, "edge", "http"))]);
    wait_for("the app and LiveKit answer", SOON, || {
        answers("api/hello").succeeded() && answers("").succeeded()
    });
    for room in ["one", "two", "three"] {
        assert_eq!(visitor.video(url.trim_end_matches('/'), secret, room, &[]), ["udp"]);
    }
    let told = |node: &str| engine.docker(&["logs", &format!("try-live-{node}.sfu-1")]).stderr;
    let logs = ["media-1", "media-2", "media-3"].map(told).concat();
    // The plot's own receiver hears of it, at the name that it has.
    let events: Vec<_> = logs.lines().filter(|line| line.contains("webhook")).collect();
    assert!(events.iter().any(|line| line.contains("sent webhook")), "{events:#?}");
    assert!(!events.iter().any(|line| line.contains("failed")), "{events:#?}");

    // Down, and up again: what was written is there, and the secrets still fit it.
    // Each node counts its own.
    let counted = |node: &Value| {
        let of_node = visits.iter().filter(|visit| visit["node"] == *node);
        of_node.filter_map(|visit| visit["for_good"].as_i64()).max().expect("a node that was visited")
    };
    let flux_name = flux.to_str().expect("a path");
    assert!(laptop.stageplot(&["try", flux_name, "--down"]).stderr.contains("Its data waits"));
    assert!(!visitor.curl(&["-f", &site]).succeeded());
    assert!(answers("api/hello").succeeded(), "the other one goes on");
    let shown = laptop.tries(&flux);
    assert_eq!(door(&shown, "edge", "http"), site);
    let again = visit(&site);
    assert!(again["for_good"].as_i64().is_some_and(|now| now > counted(&again["node"])), "{again}");

    for plot in [&flux, &four] {
        let plot = plot.to_str().expect("a path");
        laptop.stageplot(&["try", plot, "--down", "--delete-data"]).success();
    }
    assert_eq!(laptop.has(), [""; 0]);
    let left = scratch.path().join(".local/state/stageplot/try").read_dir().expect("a directory").count();
    assert_eq!(left, 0);

    // A Prometheus, in a network of its own elsewhere, reaches all that show metrics.
    let monitored = plot("monitored.toml", MONITORED);
    let shown = laptop.tries(&monitored);
    assert!(shown["left_out"].to_string().contains("checks is a process of yours"), "{shown:#}");
    let numbers = door(&shown, "numbers", "http");
    let asked = format!("{numbers}api/v1/targets?state=active");
    wait_for("all that show metrics", Duration::from_secs(60), || {
        let targets = visitor.curl(&[&asked]).json();
        let all = targets["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        let (own, played): (Vec<_>, Vec<_>) =
            all.iter().partition(|target| target["labels"]["job"] == "checks");
        own.len() == 2 && played.len() == 3 && played.iter().all(|target| target["health"] == "up")
    });
    laptop.stageplot(&["try", monitored.to_str().expect("a path"), "--down", "--delete-data"]).success();
    assert_eq!(laptop.has(), [""; 0]);
}

#[test]
fn what_cannot_be_tried_is_told() {
    let place = Scratch::new();
    let plot = place.path().join("stageplot.toml");
    std::fs::write(&plot, FOUR).expect("a plot");
    let mut command = Command::new(stageplot());
    command.args(["try", plot.to_str().expect("a path")]);
    command.env("HOME", place.path()).env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let told = run(&mut command, UP).failure();
    assert!(told.contains("Docker does not answer") && told.contains("docker ps"), "{told}");
    let down =
        Command::new(stageplot()).args(["try", "--down"]).arg(&plot).env("HOME", place.path()).output();
    let down = down.expect("the command runs");
    assert!(String::from_utf8_lossy(&down.stderr).contains("is not tried here") && down.status.success());
}
