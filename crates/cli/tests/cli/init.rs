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
        place.run(&["init", "--preset", preset]).code(0).says("Wrote stageplot.toml, and its secrets to");
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
    place.run(&["init", "--preset", "single"]).code(0).says("was there and is left as it is");
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
    person.write_all(b"1\n\nrtc.example.org\nnot an address\n198.51.100.7\n").expect("the answers are typed");
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
