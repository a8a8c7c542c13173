//! `stageplot init`

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::place::{PLOT, Place};

const SECRETS: &str = "stageplot.secrets.env";

#[test]
fn a_preset_is_checked_and_rendered_at_once() {
    for preset in ["single", "pair", "cluster"] {
        let place = Place::new();
        place
            .run(&["init", "--preset", preset])
            .code(0)
            .says("Wrote stageplot.toml, and its secrets to")
            .says("New secrets: LIVEKIT_API_SECRET, REDIS_PASSWORD.");
        assert_eq!(place.names(), [SECRETS, "stageplot.toml"]);
        let mode = fs::metadata(place.at(SECRETS)).expect("the secrets").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        place.run(&["check", "--deny-warnings"]).code(0);
        let rendered = place.run(&["render", "--out", "out"]).code(0);
        assert!(!rendered.err.contains("warning"), "{}", rendered.err);
        let compose = place.at("out").read_dir().expect("nodes").count();
        assert!(compose >= 2, "{preset}");
    }
}

#[test]
fn every_plot_has_secrets_of_its_own() {
    let (one, other) = (Place::new(), Place::new());
    one.run(&["init", "--preset", "single"]).code(0);
    other.run(&["init", "--preset", "single"]).code(0);
    assert_eq!(one.read("stageplot.toml"), other.read("stageplot.toml"));
    assert_ne!(one.read(SECRETS), other.read(SECRETS));
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::with_plot();
    place.run(&["init", "--preset", "single"]).code(1).says("stageplot.toml exists");
    assert_eq!(place.read("stageplot.toml"), PLOT);
    assert_eq!(place.names(), ["stageplot.toml"]);

    let place = Place::with(SECRETS, "REDIS_PASSWORD=mine\n");
    let ended = place.run(&["init", "--preset", "single"]).code(0).says("was there and is left as it is");
    ended.says("stageplot.secrets.env lacks LIVEKIT_API_SECRET: add NAME=value");
    assert_eq!(place.read(SECRETS), "REDIS_PASSWORD=mine\n");
    fs::remove_file(place.at("stageplot.toml")).expect("the plot");
    place.write("a.env", "DOMAIN=a.example.com\n");
    place.run(&["init", "--from-env", "203.0.113.1=a.env"]).code(1).says("may hold other secrets");
    assert_eq!(place.read(SECRETS), "REDIS_PASSWORD=mine\n");
}

#[test]
fn a_directory_is_made() {
    let place = Place::new();
    place.run(&["init", "new/stack", "--preset", "single"]).code(0).says("stageplot check new/stack");
    place.run(&["check", "new/stack"]).code(0);
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let place = Place::new();
    place.run(&["init"]).code(1).says("there is nobody to ask").says("--preset");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn env_files_become_a_plot() {
    let place = Place::with(
        "front.env",
        "DOMAIN=live.example.com\nNODES=192.168.1.2,192.168.1.3\nREDIS_HOST=192.168.1.2\n",
    );
    let media = "NODES=192.168.1.2,192.168.1.3\nREDIS_HOST=192.168.1.2\nREDIS_PASSWORD=hunter2-redis\n\
                 LIVEKIT_API_KEY=main\nLIVEKIT_API_SECRET=hunter2-0123456789abcdef0123456789abcdef\nOTHER=hunter2-other\n";
    place.write("media.env", media);
    let machines = ["192.168.1.1=front.env", "192.168.1.2=media.env", "192.168.1.3=media.env"];
    let ended = place.run(&[&["init", "--from-env"], &machines[..]].concat());
    assert!(matches!(ended.code, Some(0 | 2)), "{}", ended.err);
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    assert!(ended.err.contains("env-unknown") && ended.err.contains("media.env:6"), "{}", ended.err);
    assert!(!place.read("stageplot.toml").contains("hunter2"));
    assert!(place.read(SECRETS).contains("REDIS_PASSWORD='hunter2-redis'"));
    assert!(!ended.err.contains("New,"), "every file has its secrets: {}", ended.err);
    let mode = fs::metadata(place.at(SECRETS)).expect("the secrets").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn env_files_that_contradict_each_other_are_no_plot() {
    let place = Place::with("a.env", "DOMAIN=a.example.com\nREDIS_PASSWORD=hunter2-a\nNODES=localhost\n");
    place.write("b.env", "DOMAIN=b.example.com\nREDIS_PASSWORD=hunter2-b\nNODES=localhost\n");
    let ended = place.run(&["init", "--from-env", "203.0.113.1=a.env", "203.0.113.2=b.env"]).code(2);
    let ended = ended.says("error[env-contradiction]");
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    assert_eq!(place.names(), ["a.env", "b.env"]);
    place.run(&["init", "--from-env", "front=a.env"]).code(1).says("is not an IP address");
    place.run(&["init", "--from-env", "203.0.113.1=no.env"]).code(1).says("failed to read no.env");
}

/// The documents' files for a machine with Caddy and a service, and for one
/// with LiveKit and Redis, as they are copied.
const FRONT: &str = "DOMAIN=livekit.example.com\nWEBHOOK_ENABLED=true\n\
                     WEBHOOK_URLS=https://livekit.example.com/api/webhook\nWEBHOOK_API_KEY=your_key\n";
const MEDIA: &str = "NODES=192.168.1.2,192.168.1.3\nREDIS_HOST=192.168.1.2\nREDIS_PORT=6379\n\
                     LIVEKIT_API_KEY=your_key\nLIVEKIT_API_SECRET=your_secret\n";

#[test]
fn the_documents_own_files_become_a_plot_that_renders() {
    let place = Place::with("front.env", FRONT);
    place.write("media.env", MEDIA);
    let machines = ["192.168.1.1=front.env", "192.168.1.2=media.env", "192.168.1.3=media.env"];
    let ended = place.run(&[&["init", "--from-env"], &machines[..]].concat()).code(0);
    let ended = ended.says("New, as no .env file has a value: LIVEKIT_API_SECRET, REDIS_PASSWORD.");
    let ended = ended.says(" --> media.env:5:1").says("To know, with nothing to be done:");
    let ended =
        ended.says("\n  stageplot check\n  stageplot render --out rendered\n  less rendered/runbook.md\n");
    let to_do = ended.err.find("nodes.front.public").expect("the edge's address");
    assert!(to_do < ended.err.find("To know").expect("the rest"), "{}", ended.err);
    // Findings say what the file says.
    let plot = place.read("stageplot.toml");
    for table in ["[access]", "[redis]", "[livekit]", "[services.api]", "[nodes.front]"] {
        assert!(plot.contains(&format!("\n{table}")), "{table} is not in\n{plot}");
    }
    assert!(
        !ended.err.contains("services.redis") && !ended.err.contains("services.livekit"),
        "{}",
        ended.err
    );

    place.run(&["check"]).code(0);
    place.run(&["render", "--sealed", "--out", "sealed"]).code(0);
    place.run(&["render", "--out", "rendered"]).code(0);
    let secrets = place.read(SECRETS);
    let made = |name: &str| -> String {
        let line = secrets.lines().find_map(|line| line.strip_prefix(&format!("{name}='"))).expect("a line");
        line.trim_end_matches('\'').to_owned()
    };
    assert_ne!(made("LIVEKIT_API_SECRET"), made("REDIS_PASSWORD"));
    assert!(made("LIVEKIT_API_SECRET").len() >= 32);
    assert!(!plot.contains(&made("REDIS_PASSWORD")) && !ended.err.contains(&made("REDIS_PASSWORD")));
}

/// FluxCode's own example files, filled in as its documents say, and the one value that
/// all have.
const INFRA: &str = include_str!("../../../topology/tests/dotenv/fluxcode/infra.env");
const APP: &str = include_str!("../../../topology/tests/dotenv/fluxcode/app.env");
const NODE: &str = include_str!("../../../topology/tests/dotenv/fluxcode/node.env");

#[test]
fn fluxcodes_own_files_become_a_plot_that_renders() {
    let place = Place::with("infra.env", INFRA);
    place.write("app.env", APP);
    place.write("node.env", NODE);
    let machines = ["10.0.0.10=infra.env", "10.0.0.11=app.env", "10.0.0.12=node.env"];
    let ended = place.run(&[&["init", "--from-env"], &machines[..]].concat()).code(0);
    let ended = ended.says("entry, where Caddy runs, has no public address");
    assert!(!ended.err.contains("a-password-of") && !ended.err.contains("New,"), "{}", ended.err);
    let plot = place.read("stageplot.toml");
    assert!(!plot.contains("a-password-of") && !plot.contains("a-secret-of"), "{plot}");
    assert_eq!(fs::metadata(place.at(SECRETS)).expect("the secrets").permissions().mode() & 0o777, 0o600);

    place.run(&["render", "--out", "rendered"]).code(0);
    let environment = |node: &str| {
        let directory = place.at(&format!("rendered/{node}/services/fluxcode"));
        let version = fs::read_dir(directory).expect("its directory").next().expect("one").expect("readable");
        fs::read_to_string(version.path().join("env")).expect("its variables")
    };
    for node in ["entry", "node"] {
        let env = environment(node);
        for line in [
            "DATABASE_HOST=10.0.0.10",
            "DATABASE_USER=fluxcode",
            "DATABASE_PASSWORD=a-password-of-postgres",
            "DATABASE_MAX_OPEN_CONNS=10",
            "REDIS_PASSWORD=a-password-of-redis",
            "REDIS_POOL_SIZE=64",
            "AUTO_SETUP=true",
        ] {
            assert!(env.lines().any(|other| other == line), "{line} is not in\n{env}");
        }
    }
    let caddy = place.read("rendered/entry/live/edge/Caddyfile");
    for line in ["lb_policy cookie fluxcode_sticky", "10.0.0.12:8080", "health_uri /health", "flux.mine.cn {"]
    {
        assert!(caddy.contains(line), "{line} is not in\n{caddy}");
    }
}

/// Two machines of a LAN, with Postgres and Redis of somebody else.
#[test]
fn fluxcode_in_a_lan_with_databases_elsewhere_is_rendered() {
    let elsewhere = |text: &str| text.replace("10.0.0.10", "192.168.1.5").replace("flux.mine.cn", "");
    let place = Place::with("app.env", elsewhere(APP).replace("HTTP_PORT=80", "HTTP_PORT=8080"));
    place.write("node.env", elsewhere(NODE));
    let machines = ["192.168.1.20=app.env", "192.168.1.23=node.env"];
    let ended = place.run(&[&["init", "--from-env"], &machines[..]].concat()).code(0);
    ended.says("clients are let in from 192.168.0.0/16 alone");
    let plot = place.read("stageplot.toml");
    assert!(plot.contains("\n[access]\n") && plot.contains("\nssh = {"), "{plot}");
    place.run(&["render", "--out", "rendered"]).code(0);
    let caddy = place.read("rendered/entry/live/edge/Caddyfile");
    assert!(caddy.contains("reverse_proxy fluxcode:8080 192.168.1.23:8080 {"), "{caddy}");
    assert!(caddy.contains("\n:8080 {"), "{caddy}");
}

#[test]
fn the_password_of_another_redis_is_asked_for() {
    let text = "NODES=localhost\nREDIS_HOST=10.0.0.50\nREDIS_PASSWORD=changeme\n";
    let place = Place::with("a.env", text);
    let ended = place.run(&["init", "--from-env", "203.0.113.1=a.env"]).code(0);
    ended.says("Still missing, and not for the plot to choose: REDIS_PASSWORD.");
    assert!(place.read(SECRETS).contains("# REDIS_PASSWORD=''"));
    place.run(&["render", "--out", "rendered"]).code(2).says("secret-missing");
}

#[test]
fn what_the_files_lack_is_not_said_of_the_plot_again() {
    let place = Place::with("a.env", "DOMAIN=live.rtc.test\nNODES=localhost\n");
    let ended = place.run(&["init", "--from-env", "10.0.0.2=a.env"]).code(0);
    let ended = ended.says("main, where Caddy runs, has no public address");
    assert!(!ended.err.contains("edge-not-public"), "{}", ended.err);
    // It is still there to be found.
    place.run(&["check"]).code(0).prints("edge-not-public");
}

#[test]
fn a_directory_is_no_machine() {
    let place = Place::with("a.env", "NODES=localhost\n");
    let ended = place.run(&["init", "--from-env", "203.0.113.1=a.env", "stack"]).code(1);
    ended.says("stageplot init DIR --from-env 192.168.1.1=front.env");
    assert_eq!(place.names(), ["a.env"]);
    let ended = place.run(&["init", "stack", "--from-env", "203.0.113.1=a.env"]).code(0);
    let ended = ended.says("stageplot render stack --out stack/rendered").says(">> stack/.gitignore");
    ended.says("less stack/rendered/runbook.md");
    assert!(place.at("stack/stageplot.toml").exists());
}

/// A terminal: what a person types at, and what a program sees of it.
struct Terminal {
    person: OwnedFd,
    program: File,
}

impl Terminal {
    fn open() -> rustix::io::Result<Self> {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&person)?;
        unlockpt(&person)?;
        let name = ptsname(&person, Vec::new())?;
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let program = rustix::fs::open(name, flags, rustix::fs::Mode::empty())?;
        Ok(Self { person, program: program.into() })
    }
}

#[test]
fn a_person_is_asked() {
    let Ok(Terminal { person, program }) = Terminal::open() else {
        return println!("skipped: no pseudo-terminal can be opened");
    };
    let place = Place::new();
    let stdin = program.try_clone().expect("the terminal");
    let mut child = place.command(&["init"]).stdin(stdin).stderr(program).spawn().expect("the command runs");
    let mut person = File::from(person);
    person
        .write_all(b"1\n\nrtc.example.org\nfrom home\n198.51.100.0/24\nnot an address\n198.51.100.7\n")
        .expect("the answers are typed");
    let mut screen = person.try_clone().expect("the terminal");
    // The kernel ends it with an error once the last program has closed it.
    let reader = thread::spawn(move || {
        let mut seen = Vec::new();
        let mut piece = [0; 1024];
        while let Ok(read @ 1..) = screen.read(&mut piece) {
            seen.extend_from_slice(&piece[..read]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    });
    let status = child.wait().expect("it ends");
    drop(child);
    let seen = reader.join().expect("the screen");
    assert!(status.success(), "{seen}");
    for text in [
        "Everything on one machine",
        "The domain that clients use [livekit.example.com]:",
        "Where you come from by SSH",
        "Write an address such as 198.51.100.7",
        "That is not an IPv4 or IPv6 address.",
    ] {
        assert!(seen.contains(text), "{text:?} is not in\n{seen}");
    }
    let plot = place.read("stageplot.toml");
    assert!(
        plot.contains("domain = \"rtc.example.org\"") && plot.contains("public = \"198.51.100.7\""),
        "{plot}"
    );
    place.run(&["check", "--deny-warnings"]).code(0);
}
