//! Redis: its password, a replica's, and the one that the health check reads.

use std::time::Duration;

use stageplot_render::RenderError;
use stageplot_tests::{Namespace, Program, Running, Station, random, run, want};
use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};

use super::{at_both_ends, broken, node, plot, random_secret, rendered, secret, stage, with_values};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_password_is_read_back() {
    let server = want!(Program::named("redis-server"));
    want!(Namespace::new("probe"));
    let values: Vec<_> = at_both_ends().into_iter().chain(broken()).collect();
    values.iter().for_each(|password| one_takes(&server, password));
    println!("{} passwords", values.len());
}

#[test]
fn random_passwords_are_read_back() {
    let server = want!(Program::named("redis-server"));
    want!(Namespace::new("probe"));
    let tried = random(12, file!()).run(&random_secret(), |password| {
        one_takes(&server, &password);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_replica_logs_in_at_its_primary() {
    let server = want!(Program::named("redis-server"));
    want!(Namespace::new("probe"));
    // The longest are all the others in one.
    let mut values = at_both_ends();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.truncate(3);
    for password in values.into_iter().chain(["a\nb'\" \\".to_owned()]) {
        let two = |address: &str| NodeSpec::private(address.parse().expect("an address")).role("cache");
        let plot = redis().node("one", two("10.0.0.1")).node("two", two("10.0.0.2"));
        let stage = want!(stage(&plot, std::slice::from_ref(&password)));
        let mut primary = want!(stage.station("one").start("cache", &server));
        primary.process.wait_until("ready", SOON, is_ready);
        let mut replica = want!(stage.station("two").start("cache", &server));
        let link = || say(stage.station("two"), &password, &["info", "replication"]);
        replica.process.wait_for("linked", SOON, || link().contains("master_link_status:up"));
        assert!(is_well(stage.station("two"), &replica), "{password:?}");
    }
}

#[test]
fn what_it_cannot_hold_is_refused() {
    let (topology, vault) =
        want!(with_values(&redis().node("one", node("10.0.0.1", &["cache"])), &["a\0b".to_owned()]));
    let error = rendered(&topology, &vault).expect_err("a NUL is not written");
    assert!(matches!(error, RenderError::Template(_) | RenderError::Findings(_)), "{error}");
    assert!(!error.to_string().contains("a\0b"), "{error}");
}

fn redis() -> Plot {
    let cache = Redis {
        password: Some(secret(0)),
        persistence: Persistence::None,
        primary: vec!["one".parse().expect("a name")],
        ..Redis::default()
    };
    plot().service("cache", cache)
}

fn one_takes(server: &Program, password: &str) {
    let plot = redis().node("one", node("10.0.0.1", &["cache"]));
    let stage = want!(stage(&plot, &[password.to_owned()]));
    let station = stage.station("one");
    let mut running = want!(station.start("cache", server));
    running.process.wait_until("ready", SOON, is_ready);
    assert_eq!(say(station, password, &["ping"]), "PONG\n", "{password:?}");
    assert!(say(station, &format!("{password}x"), &["ping"]).contains("NOAUTH"), "{password:?}");
    assert_eq!(say(station, password, &["config", "get", "masterauth"]), format!("masterauth\n{password}\n"));
    assert!(is_well(station, &running), "{password:?}");
}

fn is_ready(redis: &stageplot_tests::Process) -> bool {
    redis.output().contains("Ready to accept")
}

fn say(station: &Station, password: &str, words: &[&str]) -> String {
    let mut command = station.machine().command("redis-cli");
    run(command.args(words).env("REDISCLI_AUTH", password), SOON).stdout
}

/// What the health check of `compose.yaml` says.
fn is_well(station: &Station, running: &Running) -> bool {
    let health = station.installed().container("cache").health.expect("a health check");
    let mut command = running.root.command(station.machine(), "sh");
    run(command.args(["-c", &health]), SOON).succeeded()
}
