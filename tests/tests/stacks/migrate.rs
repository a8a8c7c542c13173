//! What is done before an app is started: where that fails, the app is not started and it is
//! said why; where it ended well all is well, and stays so.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{
    Container, Engine, Image, Lan, Machine, Missing, Output, Program, Scratch, render, run, stageplot,
    wait_for, want,
};

/// What the command may take: its own deadlines are shorter.
const COMMAND: Duration = Duration::from_secs(60);

/// How soon what was brought up is well.
const SOON: Duration = Duration::from_secs(60);

/// What a trial may take to come up.
const UP: Duration = Duration::from_secs(180);

/// The app's secret, which its migration prints where it fails.
const TOKEN: (&str, &str) = ("TOKEN", "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4");

/// An app that is started only after a file is there: in its own volume, which its working
/// directory is.
fn plot(root: &Path, mode: &str) -> String {
    format!(
        r#"
name = "live"
root = "{}"

[access]
ssh = {{ from = "192.168.1.0/24" }}

[nodes.front]
address = "192.168.1.1"
roles = ["cache", "rooms"]

[services.rooms]
kind = "app"
image = "stageplot/echo:1"
port = 8080
health = "/health"
needs = "cache"
user = "1000:1000"
volumes = {{ data = "/app/data" }}
working-dir = "/app/data"
migrate = ["migrate", "ready"]
env = {{ MODE = "{mode}", LIVEKIT_API_SECRET = {{ env = "TOKEN" }} }}

[services.cache]
kind = "redis"
"#,
        root.display()
    )
}

/// A machine with the plot, and the version of Compose that brings it up.
struct Front {
    machine: Machine,
    version: &'static str,
    plot: PathBuf,
    // What the machine is on, and where the plot stands.
    _scratch: Scratch,
    _lan: Lan,
}

impl Front {
    fn new(version: &'static str) -> Result<Self, Missing> {
        Program::versioned("compose", version)?;
        // Built, where it is not, before anything waits for an answer.
        stageplot();
        let lan = Lan::new("wire")?;
        let node = lan.machine("front", &["192.168.1.1/24"]);
        let machine = Machine::new(Engine::start(&node, &[Image::ECHO, Image::REDIS])?, "front");
        let scratch = Scratch::new();
        let plot = scratch.path().join("stageplot.toml");
        let front = Self { machine, version, plot, _scratch: scratch, _lan: lan };
        front.install("one");
        Ok(front)
    }

    /// Puts a release in place, as its README says.
    fn install(&self, mode: &str) {
        let plot = plot(&self.machine.root(), mode);
        fs::write(&self.plot, &plot).expect("a plot");
        let bundle = self.machine.upload(&render(&plot, &[TOKEN]));
        self.machine.shell("sh install.sh", &bundle).success();
        self.machine.shell("nft -f current/firewall/stageplot.nft", &self.directory()).success();
    }

    fn directory(&self) -> PathBuf {
        self.machine.root().join("live")
    }

    fn compose(&self, words: &[&str]) -> Output {
        let project = ["--project-directory", ".", "--file", "current/compose.yaml"];
        self.machine.engine().compose(self.version, &[&project, words].concat(), &self.directory())
    }

    /// Brings it up as its systemd unit does.
    fn up(&self) -> Output {
        self.compose(&["up", "--detach", "--remove-orphans"])
    }

    fn stageplot(&self, words: &[&str]) -> Output {
        let mut command = self.machine.command(stageplot().to_str().expect("a path"));
        command.envs(self.machine.engine().environment(self.version)).env(TOKEN.0, TOKEN.1);
        command.arg(words[0]).arg(&self.plot).args(["--node", "front"]).args(&words[1..]);
        let output = run(&mut command, COMMAND);
        assert!(!output.stdout.contains(TOKEN.1) && !output.stderr.contains(TOKEN.1), "{output:?}");
        output
    }

    /// What is said first, of a check that did not pass.
    fn first(&self, command: &str) -> Value {
        self.stageplot(&[command, "--format", "json"]).json()["checks"][0].clone()
    }

    fn wait_until_well(&self) {
        let mut report = Value::Null;
        wait_for("all is well", SOON, || {
            report = self.stageplot(&["verify", "--format", "json"]).json();
            if report["outcome"] != "passed" {
                println!("{}: {}", self.version, report["checks"][0]);
            }
            report["outcome"] == "passed"
        });
        let checks = report["checks"].as_array().expect("checks");
        assert!(checks.iter().any(|check| check["id"] == "rooms-migrate container: front"), "{report:#}");
        self.stageplot(&["status"]).success();
    }

    /// What the migration waits for.
    fn mend(&self) {
        fs::write(self.directory().join("data/rooms/data/ready"), "").expect("a file");
    }

    /// The app, and what ran before it.
    fn both(&self) -> [Container; 2] {
        ["rooms", "rooms-migrate"].map(|service| self.machine.container(service))
    }
}

/// Compose says so, and the app is not started; that and why is the first thing that is said.
/// The next time it ends well.
#[test]
fn one_that_fails_is_said_to() {
    let front = want!(Front::new("2.26.1"));
    let up = front.up();
    assert!(!up.succeeded() && up.stderr.contains("exit 3"), "{up:?}");
    let [app, migration] = front.both();
    assert!(!app.running && app.started.starts_with("0001"), "{app:?}");
    assert_eq!((migration.running, migration.exit_code, migration.restarts), (false, 3, 9));

    for command in ["verify", "doctor"] {
        let first = front.first(command);
        let said = ["cause", "service", "node"].map(|name| first[name].as_str().unwrap_or_default());
        assert_eq!(said, ["migration-failed", "rooms", "front"], "{first:#}");
        let message = first["message"].as_str().expect("a message");
        assert!(message.contains("ended with 3") && message.contains("stat ready"), "{message}");
        assert!(first["evidence"]["line-5"].as_str().expect("a line").contains("failed with (TOKEN)"));
        assert_eq!(first["evidence"]["exit-code"], "3");
    }
    let report = front.stageplot(&["verify", "--format", "json"]).json();
    let checks = report["checks"].as_array().expect("checks");
    let causes: Vec<_> = checks.iter().filter_map(|check| check["cause"].as_str()).collect();
    assert_eq!(causes[..2], ["migration-failed", "container-stopped"], "{report:#}");
    // From a container that does not run nothing can be tried.
    assert!(causes[2..].iter().all(|cause| *cause == "client-absent"), "{report:#}");
    let status = front.stageplot(&["status"]);
    assert!(!status.succeeded() && status.stdout.contains("exited (3)"), "{status:?}");
    let told = "rooms-migrate ended with 3, and rooms is started only after it has ended well";
    assert!(status.stdout.contains(told) && status.stdout.contains("failed with (TOKEN)"), "{status:?}");

    front.mend();
    front.compose(&["up", "--detach", "--wait", "--wait-timeout", "60"]).success();
    goes_on(front);
}

/// What it needs comes up while it is tried again, and nobody has to do anything.
#[test]
fn one_that_fails_at_first_is_tried_again() {
    let front = want!(Front::new("5.2.0"));
    let up = thread::scope(|scope| {
        let up = scope.spawn(|| front.compose(&["up", "--detach", "--wait", "--wait-timeout", "100"]));
        wait_for("it has failed", SOON, || front.first("verify")["cause"] == "migration-failed");
        front.mend();
        up.join().expect("it ends")
    });
    up.success();
    goes_on(front);
}

/// All is well, and is still when it is brought up again, with another environment, without
/// what has ended, and after the machine was off.
fn goes_on(mut front: Front) {
    front.wait_until_well();
    let first = front.both();
    assert!(first[0].running && first[1].has_ended_well(), "{first:?}");

    // It runs once more, and the app is left alone.
    front.up().success();
    let again = front.both();
    assert_eq!((&again[0].id, &again[0].started), (&first[0].id, &first[0].started));
    assert_eq!(again[1].id, first[1].id);
    assert_ne!(again[1].started, first[1].started);
    front.wait_until_well();

    front.install("two");
    let stale = front.first("verify");
    assert_eq!(stale["cause"], "container-stale", "{stale:#}");
    front.up().success();
    let changed = front.both();
    assert!(changed[0].id != first[0].id && changed[1].id != first[1].id && changed[1].has_ended_well());
    front.wait_until_well();

    // Without power at once, the app comes back by itself.
    front.machine.engine_mut().halt();
    front.machine.engine_mut().boot();
    wait_for("the app runs", SOON, || front.machine.container("rooms").running);
    assert_eq!(front.machine.container("rooms").id, changed[0].id);
    front.wait_until_well();

    // Whoever tidies up takes away what has ended.
    front.machine.engine().docker(&["container", "prune", "--force"]).success();
    assert!(!front.machine.containers().contains_key("rooms-migrate"));
    front.wait_until_well();

    // Shut down as its unit does it, the unit brings it back.
    front.compose(&["stop"]).success();
    front.machine.engine_mut().restart();
    assert!(!front.machine.container("rooms").running);
    front.up().success();
    let [app, migration] = front.both();
    assert!(app.running && app.id == changed[0].id && migration.has_ended_well());
    front.wait_until_well();
}

/// One machine plays it too.
#[test]
fn a_trial_plays_it() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("laptop", &["192.0.2.7/24"]);
    let engine = want!(Engine::start(&node, &[Image::BUSYBOX, Image::ECHO, Image::REDIS]));
    let scratch = Scratch::new();
    let path = scratch.path().join("stageplot.toml");
    let plot = plot(Path::new("/opt/stageplot"), "one").replace(r#"["migrate", "ready"]"#, r#"["migrate"]"#);
    fs::write(&path, plot).expect("a plot");
    let mut command = engine.command(stageplot());
    command.arg("try").arg(&path).args(["--format", "json"]);
    let tried = run(command.env_remove("XDG_STATE_HOME").env("HOME", scratch.path()), UP);
    assert_eq!(tried.json()["well"], true, "{tried:?}");
    let state = |name: &str| {
        let name = format!("try-live-front.{name}-1");
        engine.docker(&["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", &name]).success()
    };
    assert_eq!([state("rooms-migrate").trim(), state("rooms").trim()], ["exited 0", "running 0"]);
    let logs = engine.docker(&["logs", "try-live-front.rooms-migrate-1"]);
    assert!(logs.stderr.contains("migrated"), "{logs:?}");
}
