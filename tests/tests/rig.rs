//! The rig: whole plots on one machine, people who visit them, and nothing left.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use stageplot_tests::{Given, Image, Namespace, Output, Process, Rig, run, topology, want};
use stageplot_topology::SecretRef;

const URL: &str = "wss://live.example.com";

/// What a plot of one machine may take to come up where others run as well.
const UP: Duration = Duration::from_secs(240);

const SOON: Duration = Duration::from_secs(30);

/// From nothing, four machines come up with certificates from the authority. Clients
/// that came in through the edge have video, directly and over what strict networks
/// leave; and the name server can be made to lie.
#[test]
fn four_machines() {
    let began = Instant::now();
    let topology = topology(include_str!("../plots/four.toml"));
    let tell = &mut |step: &str, took: Duration| println!("{:>6.1} s  {step}", took.as_secs_f64());
    let rig = want!(Rig::up(&topology, &Given::default(), tell));
    println!("{:>6.1} s  in all", began.elapsed().as_secs_f64());
    let outside = rig.outside();
    let secret = rig.vault().value(&SecretRef::Env("LIVEKIT_API_SECRET".to_owned()));
    let video = |room: &str, options: &[&str]| {
        let began = Instant::now();
        let taken = outside.video(URL, secret, room, options);
        println!("{:>6.1} s  video {room}", began.elapsed().as_secs_f64());
        taken
    };

    assert!(outside.curl(&["-f", "https://live.example.com/api/hello"]).success().contains("/api/hello"));
    assert!(outside.stun_over_tls("203.0.113.10", "turn.example.com"));
    assert_eq!(video("direct", &[]), ["udp"]);
    outside.machine().block("udp dport 50000-60000");
    assert_eq!(video("relayed", &["--relay"]), ["relay"]);
    outside.machine().block("udp dport 3478");
    assert_eq!(video("over-tcp", &[]), ["tcp"]);
    outside.machine().unblock();

    // To the app, by the name and the certificate that everybody has.
    let log = |node| rig.machine(node).engine().docker(&["logs", "live-sfu-1"]).stderr;
    let logs = ["media-1", "media-2", "media-3"].map(log).concat();
    let told: Vec<_> = logs.lines().filter(|line| line.contains("webhook")).collect();
    assert!(told.iter().any(|line| line.contains("sent webhook")), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("failed")), "{told:#?}");

    let asks = |place: &str, words: &[&str]| ask(rig.command(place, "env").expect("a machine"), words);
    for place in ["front", "media-2", "outside"] {
        let known = asks(place, &["getent", "ahostsv4", "turn.example.com"]).success();
        assert!(known.starts_with("203.0.113.10"), "{place}: {known}");
        asks(place, &["curl", "-fsS", "-o", "/dev/null", "https://live.example.com/"]).success();
    }
    // As the plot says: the operator, who is outside, is let in where nobody listens here, and
    // nowhere else.
    for (port, what) in [("22", "refused"), ("23", "timed out")] {
        let told = asks("outside", &["nc", "-vzw2", "203.0.113.10", port]).failure();
        assert!(told.contains(what), "{port}: {told}");
    }
    rig.names().set("live.example.com. 1 IN A 203.0.113.12\n");
    assert!(
        asks("outside", &["getent", "ahostsv4", "live.example.com"]).success().starts_with("203.0.113.12")
    );
    assert!(!asks("outside", &["getent", "hosts", "turn.example.com"]).succeeded());
    // Containers ask it too.
    let inside = ["exec", "live-rooms-1", "nslookup", "live.example.com"];
    assert!(rig.machine("front").engine().docker(&inside).success().contains("203.0.113.12"));

    let began = Instant::now();
    drop(rig);
    println!("{:>6.1} s  down", began.elapsed().as_secs_f64());
    assert_nothing_left(std::process::id());
}

/// By hand: what `up` made outlives it and is found by the other commands, and `down`
/// leaves nothing; also where all was killed halfway.
#[test]
fn by_hand() {
    want!(Namespace::new("probe"));
    want!(Image::authority());
    let rig = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rig"));
        run(command.args(words).args(["--name", "byhand"]), UP)
    };
    let plot = concat!(env!("CARGO_MANIFEST_DIR"), "/plots/one.toml");
    rig(&["down"]).success();
    let said = rig(&["up", plot]).success();
    println!("{said}");
    let keeper = keeper();
    assert!(said.contains("front") && said.contains("203.0.113.10/32"), "{said}");
    assert!(rig(&["up", plot]).failure().contains("there is a rig already"));

    let on = |place: &str, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rig"));
        run(command.args(["run", "--name", "byhand", place]).args(words), SOON)
    };
    on("outside", &["curl", "-fsS", "https://live.example.com/api/hello"]).success();
    let shown =
        on("front", &["sh", "-c", "pwd; ls /opt/stageplot/live; docker ps --quiet | wc -l"]).success();
    let here = std::env::current_dir().expect("a directory");
    assert!(shown.starts_with(here.to_str().expect("a path")), "{shown}");
    assert!(shown.contains("current\n") && shown.ends_with("4\n"), "{shown}");
    assert!(on("nowhere", &["true"]).failure().contains("front, outside"));
    assert!(rig(&["status"]).success().contains("(healthy)"));
    assert_eq!(rig(&["down"]).success(), "down\n");
    assert_nothing_left(keeper);

    // Killed while the engine is there and nothing else.
    let directory = tempfile::tempdir().expect("a directory");
    let said = directory.path().join("said");
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"exec "$0" up "$1" --name byhand >"$2""#, env!("CARGO_BIN_EXE_rig"), plot])
        .arg(&said);
    let mut up = Process::start("up", &mut command);
    up.wait_for("an engine", UP, || fs::read_to_string(&said).is_ok_and(|said| said.contains("engine")));
    let keeper = self::keeper();
    up.kill();
    run(Command::new("kill").args(["-9", &keeper.to_string()]), SOON).success();
    assert_eq!(rig(&["down"]).success(), "down\n");
    assert_nothing_left(keeper);
    assert_eq!(rig(&["down"]).success(), "nothing was up\n");
}

/// The process that holds the rig of [`by_hand`].
fn keeper() -> u32 {
    let state = fs::read("/run/stageplot-rig/byhand.json").expect("a state");
    let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
    state["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("a number")
}

/// Nothing has a name that a process gave.
fn assert_nothing_left(pid: u32) {
    let name = format!("stageplot-{pid}-");
    let named = |directory: &Path| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.path().display().to_string());
        names.filter(|path| path.contains(&name)).collect::<Vec<_>>()
    };
    let mut left = named(Path::new("/var/run/netns"));
    left.extend(named(&std::env::temp_dir()));
    left.extend(named(Path::new("/sys/fs/cgroup")));
    for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        left.extend(named(&hierarchy.path()));
    }
    let mounts = fs::read_to_string("/proc/mounts").expect("the mounts");
    left.extend(mounts.lines().filter(|mount| mount.contains(&name)).map(str::to_owned));
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        left.extend(line.contains(&name).then(|| format!("{}: {line}", process.path().display())));
    }
    assert_eq!(left, [""; 0]);
}

fn ask(mut command: Command, words: &[&str]) -> Output {
    run(command.args(words), SOON)
}
