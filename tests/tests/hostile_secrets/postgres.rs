//! Postgres: its password, a replica's, and the one that the health check reads.

use std::time::Duration;

use stageplot_render::RenderError;
use stageplot_tests::{Namespace, Program, Running, Station, random, run, wait_for, want};
use stageplot_topology::{NodeSpec, Plot, Postgres};

use super::{at_both_ends, broken, node, plot, random_secret, rendered, secret, stage, with_values};

const SOON: Duration = Duration::from_secs(30);

/// Each is taken over by one server, as by its start: the statements that set them are read
/// by `psql`, as where there is no data yet.
#[test]
fn every_password_is_read_back() {
    let server = want!(Program::named("postgres"));
    want!(Namespace::new("probe"));
    let values: Vec<_> = at_both_ends().into_iter().chain(broken()).collect();
    let one = One::start(&server, "first");
    values.iter().for_each(|password| one.takes(password));
    println!("{} passwords", values.len());
}

#[test]
fn random_passwords_are_read_back() {
    let server = want!(Program::named("postgres"));
    want!(Namespace::new("probe"));
    let one = One::start(&server, "first");
    let tried = random(24, file!()).run(&random_secret(), |password| {
        one.takes(&password);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

/// The whole way: the first start, another one of the same data, and a replica's.
#[test]
fn a_replica_logs_in_at_its_primary() {
    let server = want!(Program::named("postgres"));
    want!(Namespace::new("probe"));
    // The longest are all the others in one.
    let mut values = at_both_ends();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.truncate(2);
    for password in values.into_iter().chain(["a\nb'\" \\".to_owned(), "\n".to_owned()]) {
        let two = |address: &str| NodeSpec::private(address.parse().expect("an address")).role("db");
        let plot = postgres().node("one", two("10.0.0.1")).node("two", two("10.0.0.2"));
        let stage = want!(stage(&plot, &[password.clone(), format!("{password}2")]));
        let (one, two) = (stage.station("one"), stage.station("two"));
        for _ in 0..2 {
            let mut primary = want!(one.start("db", &server));
            primary.process.wait_for("answering", SOON, || logs_in(one, &password).succeeded());
            assert!(!logs_in(one, &format!("{password}x")).succeeded(), "{password:?}");
            let replica = want!(two.start("db", &server));
            wait_for("linked", SOON, || is_well(two, &replica));
            assert!(is_well(one, &primary), "{password:?}");
            for running in [&primary, &replica] {
                assert!(!running.process.output().contains("PASSWORD E'"), "{}", running.process.output());
            }
        }
    }
}

#[test]
fn what_it_cannot_hold_is_refused() {
    let values = ["a\0b".to_owned(), "replicas".to_owned()];
    let (topology, vault) = want!(with_values(&postgres().node("one", node("10.0.0.1", &["db"])), &values));
    let error = rendered(&topology, &vault).expect_err("a NUL is not written");
    assert!(matches!(error, RenderError::Template(_) | RenderError::Findings(_)), "{error}");
    assert!(!error.to_string().contains("a\0b"), "{error}");
}

fn postgres() -> Plot {
    let db = Postgres {
        password: Some(secret(0)),
        replication_password: Some(secret(1)),
        primary: vec!["one".parse().expect("a name")],
        ..Postgres::default()
    };
    plot().service("db", db)
}

/// A server that runs, and is given one password after another.
struct One {
    stage: stageplot_tests::Stage,
    running: Running,
}

impl One {
    fn start(server: &Program, password: &str) -> Self {
        let stage = Self::stage(password);
        let station = stage.station("one");
        let mut running = station.start("db", server).expect("found before");
        running.process.wait_for("answering", SOON, || logs_in(station, password).succeeded());
        Self { stage, running }
    }

    fn stage(password: &str) -> stageplot_tests::Stage {
        let plot = postgres().node("one", node("10.0.0.1", &["db"]));
        stage(&plot, &[password.to_owned(), "replicas".to_owned()]).expect("found before")
    }

    /// Takes over a password, as another rendering has it.
    fn takes(&self, password: &str) {
        let (topology, vault) = with_values(
            &postgres().node("one", node("10.0.0.1", &["db"])),
            &[password.to_owned(), "replicas".to_owned()],
        )
        .expect("found before");
        let rendering = rendered(&topology, &vault).unwrap_or_else(|error| panic!("{password:?}: {error}"));
        let station = self.stage.station("one");
        let file = |name: &str| {
            let mut files = rendering.bundles[0].artifacts.iter();
            files.find(|file| file.path.ends_with(name)).expect("a file").bytes.clone()
        };
        let sql = "/run/stageplot-tests.sql";
        self.running.root.write(sql, file("roles.sql"));
        let mut psql = self.running.root.command(station.machine(), "psql");
        // As the image's entrypoint does it.
        psql.args(["-X", "-v", "ON_ERROR_STOP=1", "--no-password", "-U", "app", "-d", "app", "-f", sql]);
        run(&mut psql, SOON).success();
        assert!(logs_in(station, password).succeeded(), "{password:?}");
        assert!(!logs_in(station, &format!("{password}x")).succeeded(), "{password:?}");
        // What the health check reads.
        let directory = station.installed().container("db").mounts.remove(0).0;
        let own = directory.join("password");
        std::fs::write(&own, file("/password")).expect("written");
        assert!(is_well(station, &self.running), "{password:?}");
    }
}

fn logs_in(station: &Station, password: &str) -> stageplot_tests::Output {
    let mut command = station.machine().command("psql");
    command.args(["-h", "127.0.0.1", "-U", "app", "-d", "app", "-XAtqwc", "select 1"]);
    run(command.env("PGPASSWORD", password), SOON)
}

/// What the health check of `compose.yaml` says.
fn is_well(station: &Station, running: &Running) -> bool {
    let health = station.installed().container("db").health.expect("a health check");
    let mut command = running.root.command(station.machine(), "sh");
    run(command.args(["-c", &health]), SOON).succeeded()
}
