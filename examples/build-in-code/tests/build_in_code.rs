//! The example, run as its page says.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SECRETS: [(&str, &str); 2] =
    [("LIVEKIT_API_SECRET", "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4"), ("REDIS_PASSWORD", "9c1b6a5e4d3c2b1a")];

fn run(media: &str, dir: &Path, secrets: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_build-in-code"));
    command.arg(media).arg(dir).env_clear().envs(secrets.iter().copied());
    command.output().expect("it starts")
}

#[test]
fn every_media_node_has_its_files() {
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("rendered");
    let ended = run("3", &dir, &SECRETS);
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert!(String::from_utf8_lossy(&ended.stdout).starts_with("4 machines; "));
    for n in 1..=3 {
        let services = dir.join(format!("media-{n}/services/sfu"));
        let version = fs::read_dir(services).expect("a directory").next().expect("one").expect("one");
        let livekit = fs::read_to_string(version.path().join("livekit.yaml")).expect("livekit.yaml");
        assert!(livekit.contains("10.0.0.1:6379"), "{livekit}");
    }
    // One more is a few files more, and new lines at the front.
    let ended = run("4", &dir, &SECRETS);
    assert!(ended.status.success() && dir.join("media-4/compose.yaml").is_file());
    let caddyfile = fs::read_to_string(dir.join("front/live/edge/Caddyfile")).expect("a Caddyfile");
    assert!((2..=5).all(|n| caddyfile.contains(&format!("10.0.0.{n}:7880"))), "{caddyfile}");
}

#[test]
fn what_is_wrong_is_told() {
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("rendered");
    for (media, secrets, says) in [
        ("3", &SECRETS[..1], "the value of REDIS_PASSWORD cannot be had"),
        ("none", &SECRETS[..], "invalid digit"),
        ("0", &SECRETS[..], "error["),
    ] {
        let ended = run(media, &dir, secrets);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains(says), "{media}: {said}");
        assert!(!dir.exists());
    }
}
