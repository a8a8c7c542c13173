//! Rooms with real clients through rendered bundles: every file in its place, every
//! program the real one, brought up by what the bundle's own README says.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stageplot_tests::{Engine, Image, Lan, Machine, Process, Visitor, on_front, render, wait_for, want};

const SECRET: &str = "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4";
const SECRETS: [(&str, &str); 2] = [("LIVEKIT_API_SECRET", SECRET), ("REDIS_PASSWORD", "a $pass# \"word\"")];

const DOMAIN: &str = "live.example.com";
const URL: &str = "wss://live.example.com";

/// How soon a stack answers once it is brought up, and a room has video.
const SOON: Duration = Duration::from_secs(90);

/// What every plot here has.
const SERVICES: &str = r#"
[services.edge]
kind = "edge"
domain = "live.example.com"
tls = "internal"

[services.rooms]
kind = "app"
image = "stageplot/echo:1"
port = 8080
health = "/health"
routes = ["/api/*", "/ws"]
needs = ["sfu"]
env = { LIVEKIT_URL = "${sfu.url}" }

[services.sfu]
kind = "livekit"
keys = { main = { env = "LIVEKIT_API_SECRET" } }
turn = { udp-port = 3478 }

[services.cache]
kind = "redis"
password = { env = "REDIS_PASSWORD" }
"#;

/// The commands of the README bring the whole stack up behind its firewall; a room
/// joined through Caddy has video, directly and, where only TURN is left, relayed.
#[test]
fn a_room_on_one_node() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let visitor = want!(Visitor::new(&lan.machine("visitor", &["198.51.100.7/24"]), DOMAIN, "203.0.113.10"));
    let engine = want!(Engine::start(&node, &Image::STACK));
    let front = Machine::new(engine, "front");
    let plot = on_front(&front.root(), SERVICES);
    let installed = bring_up(&front, &plot);
    visit(&visitor, &installed);
    assert_eq!(front.kernel_parameter("net/core/rmem_max"), "5000000");
    let firewall = node.run("nft", &["list", "table", "inet", "stageplot_live"]).success();

    assert_eq!(video(&visitor, "direct", &[]), ["udp"]);
    // Networks that let less and less out. What is left is tried without being told.
    visitor.machine().block("udp dport 50000-60000");
    visitor.machine().block("udp dport 3478");
    assert_eq!(video(&visitor, "over-tcp", &[]), ["tcp"]);
    visitor.machine().unblock();
    visitor.machine().block("udp dport 50000-60000");
    visitor.machine().block("tcp dport 7881");
    assert_eq!(video(&visitor, "relay-left", &[]), ["relay"]);
    assert_eq!(video(&visitor, "relay-only", &["--relay"]), ["relay"]);
    visitor.machine().unblock();
    assert_eq!(node.run("nft", &["list", "table", "inet", "stageplot_live"]).success(), firewall);

    drains(&front, &visitor);
    obeys_its_unit(&front, &visitor);
    assert_eq!(video(&visitor, "again", &[]), ["udp"]);
}

/// A room spans machines: the edge and LiveKit apart, and then LiveKit on both, with
/// clients that are not on the same one.
#[test]
fn a_room_on_two_nodes() {
    let lan = want!(Lan::new("wire"));
    let front = lan.machine("front", &["192.168.1.1/24", "203.0.113.10/24"]);
    let media = lan.machine("media", &["192.168.1.2/24", "203.0.113.11/24"]);
    let visitor = want!(Visitor::new(&lan.machine("visitor", &["198.51.100.7/24"]), DOMAIN, "203.0.113.10"));
    let front =
        Machine::new(want!(Engine::start(&front, &[Image::CADDY, Image::LIVEKIT, Image::ECHO])), "front");
    let media = Machine::new(want!(Engine::start(&media, &[Image::REDIS, Image::LIVEKIT])), "media");
    let plot = |root: PathBuf, front: &str| {
        format!(
            "name = \"live\"\nroot = \"{}\"\n[networks.lan]\ncidr = \"192.168.1.0/24\"\n\
             [nodes.front]\naddress = \"192.168.1.1\"\npublic = \"203.0.113.10\"\nroles = [{front}]\n\
             [nodes.media]\naddress = \"192.168.1.2\"\npublic = \"203.0.113.11\"\n\
             roles = [\"sfu\", \"cache\"]\n{}",
            root.display(),
            // Who is signalled with is told at this level.
            SERVICES.replace("turn =", "log-level = \"debug\"\nturn =")
        )
    };
    let apart = r#""edge", "rooms""#;
    bring_up(&media, &plot(media.root(), apart));
    let installed = bring_up(&front, &plot(front.root(), apart));
    visit(&visitor, &installed);
    assert_eq!(video(&visitor, "apart", &[]), ["udp"]);

    let both = r#""edge", "rooms", "sfu""#;
    bring_up(&media, &plot(media.root(), both));
    bring_up(&front, &plot(front.root(), both));
    wait_for("well", SOON, || front.container("sfu").health == "healthy");
    front.reload(&render(&plot(front.root(), both), &SECRETS));
    assert_eq!(video(&visitor, "both", &[]), ["udp"]);
    // The edge sends a client to the server with the fewest, so each had one.
    for machine in [&front, &media] {
        let log = machine.engine().docker(&["logs", "live-sfu-1"]).stderr;
        let signalled = log.lines().filter(|line| line.contains("client WS connected"));
        assert_eq!(signalled.filter(|line| line.contains(r#""room": "both""#)).count(), 1, "{log}");
    }
}

/// A server that is told to stop lets its rooms go on, takes in who joins them, and
/// ends when they have.
fn drains(front: &Machine, visitor: &Visitor) {
    let mut publisher = visitor.client(SECRET, &[URL, "last", "ann", "publish"]);
    publisher.wait_for("published", SOON);
    let mut command = front.command("docker");
    let directory = front.root().join("live");
    command.args(["compose", "--file", "current/compose.yaml", "--project-directory", "."]);
    let mut stop = Process::start("stop", command.args(["stop", "sfu"]).current_dir(directory));
    let draining = || front.engine().docker(&["logs", "live-sfu-1"]).stderr.contains("shutting down");
    stop.wait_for("draining", SOON, draining);
    assert_eq!(stop.ended_within(Duration::from_secs(3)), None);
    let mut watcher = visitor.client(SECRET, &[URL, "last", "ben", "watch"]);
    watcher.sees();
    assert!(publisher.event("disconnected").is_none() && front.container("sfu").running);
    let mut delete = visitor.client(SECRET, &[URL, "last", "ann", "delete"]);
    delete.wait_for("deleted", SOON);
    let started = Instant::now();
    assert!(stop.ended_within(SOON).expect("an end").success());
    println!("drained {:?} after its last room", started.elapsed());
    let server = front.container("sfu");
    assert_eq!((server.running, server.exit_code), (false, 0));
    assert!(publisher.event("disconnected").is_some());
}

/// What the unit runs to stop and to start stops and starts all.
fn obeys_its_unit(front: &Machine, visitor: &Visitor) {
    let directory = front.root().join("live");
    let unit = std::fs::read_to_string(directory.join("current/system/stageplot-live.service"));
    let unit = unit.expect("a unit");
    let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
    assert_eq!(line("WorkingDirectory="), directory.to_str().expect("a path"));
    front.shell(line("ExecStop="), &directory).success();
    assert!(front.containers().values().all(|container| !container.running));
    front.shell(line("ExecStart="), &directory).success();
    assert!(front.containers().values().all(|container| container.running));
    visit(visitor, &directory);
}

/// Installs and starts what a plot has for a machine; returns where it is installed.
fn bring_up(machine: &Machine, plot: &str) -> PathBuf {
    let started = Instant::now();
    machine.bring_up(&render(plot, &SECRETS));
    println!("brought up after {:?}", started.elapsed());
    machine.root().join("live")
}

/// Trusts the edge's own authority, and waits until all behind it is well.
fn visit(visitor: &Visitor, installed: &Path) {
    let root = installed.join("data/edge/data/caddy/pki/authorities/local/root.crt");
    wait_for("an authority", SOON, || root.exists());
    visitor.trust(&root);
    let started = Instant::now();
    let answers = |path: &str| visitor.curl(&["-f", &format!("https://{DOMAIN}{path}")]).succeeded();
    wait_for("answered through the edge", SOON, || answers("/api/hello") && answers("/"));
    println!("answered through the edge after {:?}", started.elapsed());
}

/// Has one client publish a picture and another see it; returns how media came.
fn video(visitor: &Visitor, room: &str, options: &[&str]) -> Vec<String> {
    visitor.video(URL, SECRET, room, options)
}
