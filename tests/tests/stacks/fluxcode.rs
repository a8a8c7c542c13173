//! FluxCode's stack on the rig, with a stand-in that holds real pools and serves the real
//! routes: clients stay with their node and lose it when it dies, and one more node is one
//! more entry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use stageplot_render::{Custom, Secrets, render};
use stageplot_tests::{Given, Image, Output, Rig, run, stageplot, topology, wait_for, want};

const PLOT: &str = include_str!("../../../examples/plots/fluxcode/stageplot.toml");
const SITE: &str = "https://fluxcode.example.com";

/// What a command may take.
const SOON: Duration = Duration::from_secs(30);

/// How soon all is well again.
const WELL: Duration = Duration::from_secs(120);

/// One more machine, with nothing on it yet.
const MORE: &str = "\n[nodes.node-2]\naddress = \"10.0.0.13\"\nmemory = \"2gb\"\nroles = []\n";

#[test]
fn clients_stay_with_their_node_and_more_nodes_are_more_entries() {
    let before = format!("{PLOT}{MORE}");
    let rig = want!(Rig::up(&topology(&before), &Given::default(), &mut |_, _| ()));
    works(&rig);
    is_closed(&rig);
    sticks(&rig);
    is_told_who_asks(&rig);
    flushes(&rig);
    shares_sessions(&rig);
    logs(&rig);
    is_verified(&rig, &before);
    grows(&rig, &before.replace("roles = []", "roles = [\"api\"]"));
}

fn works(rig: &Rig) {
    assert_eq!(ask(rig, &["/health"]).json(), json!({ "status": "ok" }));
    assert!(ask(rig, &["/"]).success().contains("FluxCode"));
    let redirected =
        rig.outside().curl(&["-o", "/dev/null", "-w", "%{redirect_url}", "http://fluxcode.example.com/"]);
    assert_eq!(redirected.success(), format!("{SITE}/"));
    // Postgres and Redis are the same for every node.
    // So many that chance leaves neither out.
    let visits: Vec<_> = (0..20).map(|_| ask(rig, &["-X", "POST", "/api/visits"]).json()).collect();
    let nodes: BTreeSet<_> = visits.iter().map(|visit| visit["node"].to_string()).collect();
    assert_eq!(nodes.len(), 2, "requests without a cookie go to both: {visits:?}");
    let counted = visits.iter().filter(|visit| visit["for_good"].is_i64() && visit["of_late"].is_i64());
    assert_eq!(counted.count(), visits.len(), "{visits:?}");
    // As many as are kept, and no more than the plot lets a node hold.
    let pools = ask(rig, &["/api/pools"]).json();
    let held = ["postgres", "redis"].map(|pool| pools[pool].as_u64().unwrap_or_default());
    assert!((5..=10).contains(&held[0]) && (10..=64).contains(&held[1]), "{pools}");
}

/// Postgres and Redis are there for the nodes with the application, and that for the edge.
fn is_closed(rig: &Rig) {
    let reaches = |from: &str, address: &str, port: &str| {
        let mut nc = rig.command(from, "nc").expect("a machine");
        run(nc.args(["-zw2", address, port]), SOON).succeeded()
    };
    for (from, to, port, open) in [
        ("entry", "10.0.0.10", "5432", true),
        ("node-1", "10.0.0.10", "6379", true),
        ("entry", "10.0.0.12", "8080", true),
        ("infra", "10.0.0.12", "8080", false),
        ("node-2", "10.0.0.10", "5432", false),
        ("node-2", "10.0.0.10", "6379", false),
        ("outside", "203.0.113.10", "8080", false),
    ] {
        assert_eq!(reaches(from, to, port), open, "{from} to {to}:{port}");
    }
}

/// By its cookie a client comes back to its node; when that dies, at once to another, with
/// a new cookie.
fn sticks(rig: &Rig) {
    let jar = tempfile::NamedTempFile::new().expect("a file");
    let jar = jar.path().to_str().expect("a path");
    let node = || ask(rig, &["-f", "-b", jar, "-c", jar, "/api/seen"]).json()["node"].to_string();
    let own = node();
    for _ in 0..10 {
        assert_eq!(node(), own);
    }
    let container = |name: &str| {
        let hostname = ["inspect", "--format", "\"{{.Config.Hostname}}\"", "fluxcode-api-1"];
        rig.machine(name).engine().docker(&hostname).success().trim() == own
    };
    let place = ["entry", "node-1"].into_iter().find(|name| container(name)).expect("the node's container");
    // Killed, so that it does not say good-bye.
    rig.machine(place).engine().docker(&["kill", "fluxcode-api-1"]).success();
    let other = node();
    assert_ne!(other, own);
    for _ in 0..5 {
        assert_eq!(node(), other, "the new cookie is for the other node");
    }
    rig.machine(place).engine().docker(&["start", "fluxcode-api-1"]).success();
    rig.wait_until_healthy(&[place], WELL);
    wait_for("both nodes are used again", WELL, || nodes(rig).len() == 2);
}

/// The nodes that clients without a cookie reach.
fn nodes(rig: &Rig) -> BTreeSet<String> {
    (0..8).map(|_| ask(rig, &["/api/seen"]).json()["node"].to_string()).collect()
}

/// What a client says of itself is not believed.
fn is_told_who_asks(rig: &Rig) {
    let forged =
        ["X-Forwarded-For: 198.51.100.66", "X-Forwarded-Proto: ftp", "X-Forwarded-Host: evil.example"];
    let words: Vec<_> = forged.iter().flat_map(|header| ["-H", header]).chain(["/api/seen"]).collect();
    let seen = ask(rig, &words).json();
    assert_eq!(seen["forwarded_for"], "192.0.2.7", "{seen}");
    assert_eq!(seen["forwarded_proto"], "https", "{seen}");
    assert_eq!(seen["forwarded_host"], "fluxcode.example.com", "{seen}");
}

/// What an application says while it is not done arrives at once.
fn flushes(rig: &Rig) {
    // They never end; what came by then is kept.
    let events = ask(rig, &["-N", "-m", "2", "/api/events"]);
    let count = events.stdout.lines().filter(|line| line.starts_with("data: ")).count();
    assert!((2..=5).contains(&count), "{events:?}");
    // Its end comes after a second.
    let begun = ask(rig, &["-N", "-m", "0.8", "/api/wait"]);
    assert!(!begun.succeeded() && begun.stdout == "wait\n", "{begun:?}");
    assert_eq!(ask(rig, &["/api/wait"]).success(), "wait\ndone\n");
    let mut socket = rig.outside().socket("wss://fluxcode.example.com/ws");
    socket.wait_for("echoed", SOON);
    socket.leave();
}

/// Who signed in at one node is known at the other: all have one secret.
fn shares_sessions(rig: &Rig) {
    let password = rig.vault().value(&stageplot_topology::SecretRef::env("ADMIN_PASSWORD"));
    let login = json!({ "email": "ops@example.com", "password": password }).to_string();
    let signed = ["-f", "-H", "content-type: application/json", "-d", &login, "/api/login"];
    let token = ask(rig, &signed).json()["token"].as_str().expect("a token").to_owned();
    let bearer = format!("authorization: Bearer {token}");
    let known: Vec<_> = (0..20).map(|_| ask(rig, &["-f", "-H", &bearer, "/api/me"]).json()).collect();
    let here = known.iter().filter(|me| me["began_here"] == true).count();
    assert!((1..20).contains(&here), "{known:?}");
    let wrong = json!({ "email": "ops@example.com", "password": "wrong" }).to_string();
    ask(rig, &["-f", "-H", "content-type: application/json", "-d", &wrong, "/api/login"]).failure();
}

/// The log shows who took each request, and nothing that may be secret.
fn logs(rig: &Rig) {
    ask(rig, &["/api/seen?token=a-secret-of-somebody"]).success();
    let log = rig.machine("entry").engine().docker(&["logs", "fluxcode-edge-1"]);
    let log = log.stdout + &log.stderr;
    let requests = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for request in requests.filter(|line| line["msg"] == "handled request") {
        *taken.entry(request["upstream"].as_str().unwrap_or("nobody").to_owned()).or_default() += 1;
    }
    println!("requests by upstream: {taken:?}");
    let served = taken.iter().filter(|(upstream, count)| upstream.ends_with(":8080") && **count >= 5);
    assert_eq!(served.count(), 2, "{taken:?}");
    assert!(log.contains("/api/seen") && !log.contains("a-secret-of-somebody"));
}

fn is_verified(rig: &Rig, plot: &str) {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(file.path(), plot).expect("a plot");
    for place in ["infra", "entry", "node-1", "outside"] {
        let mut report = Value::Null;
        wait_for(&format!("all is well from {place}"), WELL, || {
            let program = stageplot();
            let mut command = rig.command(place, program.to_str().expect("a path")).expect("a machine");
            command.args(["verify", "--format", "json"]).arg(file.path());
            match place {
                "outside" => command.args(["--from", "outside"]),
                node => command.args(["--node", node]),
            };
            let output = run(&mut command, SOON);
            report = serde_json::from_str(&output.stdout).unwrap_or_default();
            if report["outcome"] != "passed" {
                println!("{place}: not well yet: {} {}", report["checks"][0], output.stderr);
            }
            report["outcome"] == "passed"
        });
        println!("{place}: {} checks passed", report["checks"].as_array().map_or(0, Vec::len));
    }
}

/// One more node: the edge reads its configuration again, and nothing restarts.
fn grows(rig: &Rig, plot: &str) {
    let topology = topology(plot);
    let more = render(&topology, Secrets::From(rig.vault()), &Custom::default()).expect("it renders");
    let old = ["infra", "entry", "node-1"];
    let running = || -> Vec<String> {
        let shown = ["ps", "--quiet", "--no-trunc"];
        let ids = old.map(|node| rig.machine(node).engine().docker(&shown).success());
        let started = old.iter().zip(&ids).flat_map(|(node, ids)| {
            let words = ["inspect", "--format", "{{.Id}} {{.State.StartedAt}}"];
            let words: Vec<_> = words.into_iter().chain(ids.split_whitespace()).collect();
            let said = rig.machine(node).engine().docker(&words).success();
            said.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        started.collect()
    };
    let before = running();
    assert_eq!(before.len(), 5, "{before:?}");
    // What a registry would give the new machine.
    let image = Image::named("duegin/fluxcode:1").expect("found before");
    let archive = image.archive().to_str().expect("a path");
    rig.machine("node-2").engine().docker(&["load", "--input", archive]).success();
    for node in ["infra", "node-2", "node-1", "entry"] {
        rig.machine(node).bring_up(&more);
    }
    rig.machine("entry").reload(&more);
    assert_eq!(running(), before, "nothing was made anew or started again");
    wait_for("the third node is used", WELL, || nodes(rig).len() == 3);
}

/// Asks the site; the last word is a path.
fn ask(rig: &Rig, words: &[&str]) -> Output {
    let (path, words) = words.split_last().expect("a path");
    let url = format!("{SITE}{path}");
    let words: Vec<_> = words.iter().copied().chain([url.as_str()]).collect();
    rig.outside().curl(&words)
}
