//! `redis.conf`, by `redis-server` as the user of its image, which is then asked for
//! what the plot set.

use std::time::Duration;

use stageplot_tests::{Program, Running, Station, run, want};
use stageplot_topology::{Persistence, Redis, ServiceSpec};

use super::{Example, health_tells, want_ok};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn every_redis_runs_as_the_plot_says() {
    let server = want!(Program::named("redis-server"));
    want!(Program::named("redis-cli"));
    let (mut asked, mut linked) = (0, 0);
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for service in example.topology.services() {
            let ServiceSpec::Redis(redis) = &service.kind else { continue };
            let password = redis.password.as_ref().map(|secret| example.vault.value(secret));
            let on_it = stage.stations().filter(|(_, station)| {
                station.services("redis").any(|own| own == service.name.as_str() && redis.external.is_none())
            });
            let mut running: Vec<(&str, &Station, Running)> = on_it
                .map(|(node, station)| {
                    (node, station, want_ok(station.start(service.name.as_str(), &server)))
                })
                .collect();
            for (node, station, running) in &mut running {
                let what = format!("{}, {node}", example.name);
                let ask = Asked { station, redis, password };
                running.process.wait_for("answering", SOON, || ask.say(&["ping"]) == "PONG\n");
                ask.compare(&what);
                let primary = service.primary.map(|id| example.topology.placement(id).node);
                if primary != example.topology.node_named(node).map(|node| node.id) {
                    let up = "master_link_status:up";
                    running
                        .process
                        .wait_for("linked", SOON, || ask.say(&["info", "replication"]).contains(up));
                    linked += 1;
                }
                asked += 1;
            }
            for (node, station, running) in &mut running {
                let what = format!("{}, {node}", example.name);
                health_tells(station, service.name.as_str(), running, "replication", &what);
            }
        }
    }
    assert!(asked > 10 && linked > 2, "{asked} asked, {linked} linked");
    println!("{asked} servers asked, {linked} of them replicas");
}

#[test]
fn a_corrupted_one_is_refused() {
    let server = want!(Program::named("redis-server"));
    let example = want!(Example::all()).into_iter().find(|example| example.name == "redis-on-host");
    let mut example = example.expect("a plot");
    for bundle in &mut example.rendering.bundles {
        for artifact in bundle.artifacts.iter_mut().filter(|artifact| artifact.path.ends_with("redis.conf")) {
            artifact.bytes.extend_from_slice(b"maxmemory-policy noevictions # or so\n");
        }
    }
    let stage = want!(example.stage());
    let mut running = want!(stage.station("data").start("redis", &server));
    let ended = running.process.ended_within(SOON);
    assert!(ended.is_some_and(|status| !status.success()), "{}", running.process.output());
    assert!(running.process.output().contains("maxmemory-policy"), "{}", running.process.output());
}

/// A server, and how to ask it.
struct Asked<'a> {
    station: &'a Station,
    redis: &'a Redis,
    password: Option<&'a str>,
}

impl Asked<'_> {
    fn say(&self, words: &[&str]) -> String {
        let machine = self.station.machine();
        let mut command = machine.command("redis-cli");
        command.args(["-p", &self.redis.port.to_string()]).args(words);
        run(command.envs(self.password.map(|password| ("REDISCLI_AUTH", password))), SOON).stdout
    }

    fn compare(&self, what: &str) {
        let Redis { port, maxmemory, maxmemory_policy, persistence, .. } = self.redis;
        let password = self.password.unwrap_or_default();
        let aof = if *persistence == Persistence::Aof { "yes" } else { "no" };
        let save = if *persistence == Persistence::None { "" } else { "3600 1 300 100 60 10000" };
        for (setting, wanted) in [
            ("port", port.to_string()),
            ("maxmemory", maxmemory.bytes().to_string()),
            ("maxmemory-policy", maxmemory_policy.as_str().to_owned()),
            ("appendonly", aof.to_owned()),
            ("appendfsync", "everysec".to_owned()),
            ("save", save.to_owned()),
            ("dir", "/data".to_owned()),
            ("requirepass", password.to_owned()),
            ("masterauth", password.to_owned()),
        ] {
            let said = self.say(&["config", "get", setting]);
            assert_eq!(said, format!("{setting}\n{wanted}\n"), "{what}");
        }
        if self.password.is_some() {
            let stranger = Asked { password: None, ..*self };
            assert!(stranger.say(&["ping"]).starts_with("NOAUTH"), "{what}");
            let guess = Asked { password: Some("guess"), ..*self };
            assert!(guess.say(&["ping"]).contains("NOAUTH"), "{what}");
        }
    }
}
