//! `livekit.yaml`, by `livekit-server` in every version that is supported: it starts
//! beside a real Redis, is well, and takes tokens that are signed with its keys alone.

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::json;
use stageplot_tests::{Missing, Program, Running, Stage, Station, inside, run, token, want};
use stageplot_topology::{Livekit, LivekitVersion, ServiceId, ServiceSpec, Topology};

use super::Example;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_livekit_of_1_13() {
    every_one_takes_its_tokens("1.13.5");
}

#[test]
fn every_livekit_of_1_11() {
    every_one_takes_its_tokens("1.11.0");
}

#[test]
fn every_livekit_of_1_9() {
    every_one_takes_its_tokens("1.9.12");
}

#[test]
fn no_version_is_left_out() {
    let supported: Vec<_> = LivekitVersion::SUPPORTED.iter().map(ToString::to_string).collect();
    assert_eq!(supported, ["1.9.12", "1.11.0", "1.13.5"], "each has a test here");
}

fn every_one_takes_its_tokens(version: &str) {
    let redis = want!(Program::named("redis-server"));
    let server = want!(Program::versioned("livekit-server", version));
    want!(Program::named("curl"));
    let version = version.parse().expect("a supported version");
    let mut started = 0;
    for example in want!(Example::all()) {
        let example = want!(of_version(&example, version));
        let stage = want!(example.stage());
        let _caches = want!(start_redis(&stage, &redis));
        for (service, livekit) in servers(&example.topology) {
            let mut running = Vec::new();
            for (node, station) in stage.stations() {
                if station.services("livekit").any(|own| own == service) {
                    running.push((node, station, want!(station.start(service, &server))));
                }
            }
            for (node, station, running) in &mut running {
                let asked = Asked { station, livekit, what: format!("{}, {node}", example.name) };
                asked.starts(running);
                for (key, secret) in &livekit.keys {
                    asked.takes(key, example.vault.value(secret));
                }
                started += 1;
            }
            // Told to end within a second of its start, it drains forever.
            for (.., running) in &mut running {
                running.process.kill();
            }
        }
    }
    assert!(started > 10, "{started}");
    println!("{started} servers");
}

#[test]
fn a_key_that_it_does_not_know_is_refused() {
    let example = want!(Example::all()).into_iter().find(|example| example.name == "settings");
    for version in LivekitVersion::SUPPORTED {
        let server = want!(Program::versioned("livekit-server", &version.to_string()));
        let mut example = want!(of_version(example.as_ref().expect("a plot"), *version));
        for bundle in &mut example.rendering.bundles {
            for file in bundle.artifacts.iter_mut().filter(|file| file.path.ends_with("livekit.yaml")) {
                file.bytes.extend_from_slice(b"region_of_mine: here\n");
            }
        }
        let stage = want!(example.stage());
        let mut running = want!(stage.station("media").start("sfu", &server));
        // It says so and exits 0.
        assert!(running.process.ended_within(SOON).is_some());
        assert!(running.process.output().contains("region_of_mine"), "{}", running.process.output());
    }
}

/// Clients are told of a relay at each address of a node that is rendered, from 1.11 on an
/// IPv6 one too. It answers there although it binds `0.0.0.0` where nothing else is said:
/// to it that is every address of both families. (To answer is not to relay: to who logs
/// in over IPv6 such a node answers 508, since its relays are of IPv4 alone.)
#[test]
fn a_relay_answers_in_both_families() {
    let example = want!(Example::all()).into_iter().find(|example| example.name == "settings");
    let redis = want!(Program::named("redis-server"));
    for version in LivekitVersion::SUPPORTED {
        let server = want!(Program::versioned("livekit-server", &version.to_string()));
        let example = want!(of_version(example.as_ref().expect("a plot"), *version));
        let stage = want!(example.stage());
        let _caches = want!(start_redis(&stage, &redis));
        let station = stage.station("media");
        let mut running = want!(station.start("sfu", &server));
        let livekit = all_servers(&example.topology).next().expect("a LiveKit").1;
        Asked { station, livekit, what: version.to_string() }.starts(&mut running);
        let both = *version >= LivekitVersion::TAKES_TWO_FAMILIES;
        let addresses = ["203.0.113.11:3479", "[2001:db8::11]:3479"];
        for address in &addresses[..if both { 2 } else { 1 }] {
            let allocate = ask_relay(stage.station("front"), address, 0x0003);
            // It wants to know who asks (RFC 8656, section 7.2).
            assert_eq!(allocate, Some(0x0113), "{version} at {address}");
            assert_eq!(
                ask_relay(stage.station("front"), address, 0x0001),
                Some(0x0101),
                "{version} at {address}"
            );
        }
        running.process.kill();
    }
}

/// Sends a STUN request (RFC 8489, section 5) without any attributes, and returns the
/// type of what comes back.
fn ask_relay(from: &Station, address: &str, method: u16) -> Option<u16> {
    let transaction = *b"stageplot-ok";
    let request = [&method.to_be_bytes()[..], &[0, 0, 0x21, 0x12, 0xa4, 0x42], &transaction].concat();
    inside(&from.machine().path(), || {
        let any = if address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(any).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        socket.send_to(&request, address).ok()?;
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer).ok()?;
        let own = answer.get(8..20) == Some(&transaction[..]) && length >= 20;
        own.then(|| u16::from_be_bytes([answer[0], answer[1]]))
    })
}

/// The same plot with another version of LiveKit, rendered.
pub(super) fn of_version(example: &Example, version: LivekitVersion) -> Result<Example, Missing> {
    let mut plot = example.topology.plot().clone();
    for service in plot.services.values_mut() {
        if let ServiceSpec::Livekit(livekit) = service {
            livekit.version = version;
        }
    }
    let built = plot.build().unwrap_or_else(|findings| panic!("{}: {findings}", example.name));
    Example::new(&example.name, built.topology)
}

/// The LiveKit services that use a Redis of the plot's.
fn servers(topology: &Topology) -> impl Iterator<Item = (&str, &Livekit)> {
    all_servers(topology).filter(|(name, _)| {
        let service = topology.service_named(name).expect("a service");
        !uses_another_redis(topology, service.id)
    })
}

pub(super) fn all_servers(topology: &Topology) -> impl Iterator<Item = (&str, &Livekit)> {
    topology.services().iter().filter_map(|service| match &service.kind {
        ServiceSpec::Livekit(livekit) => Some((service.name.as_str(), &**livekit)),
        _ => None,
    })
}

fn uses_another_redis(topology: &Topology, livekit: ServiceId) -> bool {
    let redis = topology.redis_of(livekit).map(|redis| &topology.service(redis).kind);
    matches!(redis, Some(ServiceSpec::Redis(redis)) if redis.external.is_some())
}

/// Starts every Redis of a stage, and waits until each is ready.
fn start_redis(stage: &Stage, server: &Program) -> Result<Vec<Running>, Missing> {
    let mut all = Vec::new();
    for (_, station) in stage.stations() {
        for service in station.services("redis") {
            let mut running = station.start(service, server)?;
            running.process.wait_until("ready", SOON, |redis| redis.output().contains("eady to accept"));
            all.push(running);
        }
    }
    Ok(all)
}

/// A server, and how to ask it.
pub(super) struct Asked<'a> {
    pub(super) station: &'a Station,
    pub(super) livekit: &'a Livekit,
    pub(super) what: String,
}

impl Asked<'_> {
    pub(super) fn starts(&self, running: &mut Running) {
        running.process.wait_for("well", SOON, || self.status("/", None) == "200");
    }

    /// It takes what is signed with the secret of a key, and nothing else.
    pub(super) fn takes(&self, key: &str, secret: &str) {
        let list = json!({ "roomList": true });
        for (token, wanted) in [
            (token(key, secret, &list), "200"),
            (token(key, secret, &json!({})), "401"),
            (token(key, &format!("{secret}x"), &list), "401"),
            (token("another", secret, &list), "401"),
        ] {
            let status = self.status("/twirp/livekit.RoomService/ListRooms", Some(&token));
            assert_eq!(status, wanted, "{} with {key}", self.what);
        }
    }

    /// What a method of the room service answers to who may do anything with rooms.
    pub(super) fn rooms(&self, method: &str, body: &str, key: &str, secret: &str) -> String {
        let token = token(key, secret, &json!({ "roomCreate": true, "roomList": true }));
        let mut curl = self.station.machine().command("curl");
        curl.args(["--silent", "--fail", "--max-time", "5", "--header", "Content-Type: application/json"]);
        curl.args(["--header", &format!("Authorization: Bearer {token}"), "--data", body]);
        curl.arg(format!("http://127.0.0.1:{}/twirp/livekit.RoomService/{method}", self.livekit.port));
        run(&mut curl, SOON).stdout
    }

    fn status(&self, path: &str, token: Option<&str>) -> String {
        let mut curl = self.station.machine().command("curl");
        curl.args(["--silent", "--max-time", "5", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        if let Some(token) = token {
            curl.args(["--header", &format!("Authorization: Bearer {token}")]);
            curl.args(["--header", "Content-Type: application/json", "--data", "{}"]);
        }
        curl.arg(format!("http://127.0.0.1:{}{path}", self.livekit.port));
        run(&mut curl, SOON).stdout
    }
}
