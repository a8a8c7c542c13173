//! `postgresql.conf`, `pg_hba.conf`, `roles.sql` and the script that starts it all, by
//! Postgres as the user of its image, which is then asked for what the plot set.

use std::time::Duration;

use stageplot_tests::{Program, Running, Station, run, want};
use stageplot_topology::{Postgres, ServiceSpec};

use super::{Example, health_tells, want_ok};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn every_postgres_runs_as_the_plot_says() {
    let server = want!(Program::named("postgres"));
    let (mut asked, mut linked) = (0, 0);
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for service in example.topology.services() {
            let ServiceSpec::Postgres(postgres) = &service.kind else { continue };
            let password = postgres.password.as_ref().map(|secret| example.vault.value(secret));
            let on_it = stage
                .stations()
                .filter(|(_, station)| station.services("postgres").any(|own| own == service.name.as_str()));
            let mut running: Vec<(&str, &Station, Running)> = on_it
                .map(|(node, station)| {
                    (node, station, want_ok(station.start(service.name.as_str(), &server)))
                })
                .collect();
            for (node, station, running) in &mut running {
                let what = format!("{}, {node}", example.name);
                let ask = Asked { station, postgres, password };
                running.process.wait_for("answering", SOON, || ask.say("select 1") == "1\n");
                ask.compare(&what);
                let primary = service.primary.map(|id| example.topology.placement(id).node);
                let is_primary = primary == example.topology.node_named(node).map(|node| node.id);
                assert_eq!(ask.say("select pg_is_in_recovery()") == "f\n", is_primary, "{what}");
                if !is_primary {
                    let link = "select status from pg_stat_wal_receiver";
                    running.process.wait_for("linked", SOON, || ask.say(link) == "streaming\n");
                    linked += 1;
                }
                asked += 1;
            }
            for (node, station, running) in &mut running {
                let what = format!("{}, {node}", example.name);
                health_tells(station, service.name.as_str(), running, "wal_receiver", &what);
            }
        }
    }
    assert!(asked > 3 && linked > 1, "{asked} asked, {linked} linked");
    println!("{asked} servers asked, {linked} of them replicas");
}

#[test]
fn a_corrupted_one_is_refused() {
    let server = want!(Program::named("postgres"));
    for (file, line, said) in [
        ("postgresql.conf", "max_conections = 1\n", "max_conections"),
        ("postgresql.conf", "port = 'a\n", "syntax error"),
        ("pg_hba.conf", "host all all 10.0.0.0 scram-sha-256\n", "pg_hba.conf"),
        ("roles.sql", "ALTER ROLE nobody PASSWORD 'x';\n", "role \"nobody\" does not exist"),
    ] {
        let example = want!(Example::all()).into_iter().find(|example| example.name == "fluxcode");
        let mut example = example.expect("a plot");
        for bundle in &mut example.rendering.bundles {
            for artifact in bundle.artifacts.iter_mut().filter(|artifact| artifact.path.ends_with(file)) {
                artifact.bytes.extend_from_slice(line.as_bytes());
            }
        }
        let stage = want!(example.stage());
        let mut running = want!(stage.station("infra").start("db", &server));
        let ended = running.process.ended_within(SOON);
        assert!(ended.is_some_and(|status| !status.success()), "{file}: {}", running.process.output());
        assert!(running.process.output().contains(said), "{file}: {}", running.process.output());
    }
}

/// A server, and how to ask it.
struct Asked<'a> {
    station: &'a Station,
    postgres: &'a Postgres,
    password: Option<&'a str>,
}

impl Asked<'_> {
    fn say(&self, sql: &str) -> String {
        let Postgres { port, user, database, .. } = self.postgres;
        let machine = self.station.machine();
        let mut command = machine.command("psql");
        command.args([
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-U",
            user.as_str(),
            "-d",
            database.as_str(),
        ]);
        command.args(["-XAtqwc", sql]);
        let said = run(command.envs(self.password.map(|password| ("PGPASSWORD", password))), SOON);
        said.stdout + &said.stderr
    }

    fn compare(&self, what: &str) {
        let Postgres { port, max_connections, shared_buffers, .. } = self.postgres;
        for (setting, wanted) in [
            ("port", port.to_string()),
            ("max_connections", max_connections.to_string()),
            ("shared_buffers", format!("{}MB", shared_buffers.bytes() >> 20)),
            ("hba_file", "/etc/postgresql/pg_hba.conf".to_owned()),
            ("password_encryption", "scram-sha-256".to_owned()),
        ] {
            assert_eq!(self.say(&format!("show {setting}")), format!("{wanted}\n"), "{what}");
        }
        let errors = "select error from pg_file_settings where error is not null union \
                      select error from pg_hba_file_rules where error is not null";
        assert_eq!(self.say(errors), "", "{what}");
        let methods =
            "select string_agg(distinct auth_method, ',') from pg_hba_file_rules where type = 'host'";
        let wanted = if self.password.is_some() { "scram-sha-256" } else { "trust" };
        assert_eq!(self.say(methods), format!("{wanted}\n"), "{what}");
        if self.password.is_some() {
            let stranger = Asked { password: None, ..*self };
            assert!(stranger.say("select 1").contains("no password supplied"), "{what}");
            let guess = Asked { password: Some("guess"), ..*self };
            assert!(guess.say("select 1").contains("password authentication failed"), "{what}");
        }
    }
}
