//! LiveKit: the names and secrets of its keys, and the password of its Redis.

use std::time::Duration;

use serde_json::json;
use stageplot_tests::{Program, Running, Stage, Station, random, run, token, want};
use stageplot_topology::{Livekit, LivekitVersion, Persistence, Plot, Redis};

use super::{broken, hostile, node, plot, random_secret, secret, stage};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_key_signs() {
    let texts: Vec<_> = hostile().into_iter().chain(broken()).collect();
    for version in LivekitVersion::SUPPORTED {
        keys_sign(*version, &texts);
    }
    println!("{} keys of {} versions", texts.len(), LivekitVersion::SUPPORTED.len());
}

#[test]
fn random_keys_sign() {
    want!(Program::named("livekit-server"));
    let texts = proptest::collection::vec(random_secret(), 40);
    let tried = random(4, file!()).run(&texts, |texts| {
        keys_sign(LivekitVersion::LATEST, &texts);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

/// Each text is the name of a key and, made long enough, its secret; the longest of all
/// is the password of the Redis beside it.
fn keys_sign(version: LivekitVersion, texts: &[String]) {
    let redis = want!(Program::named("redis-server"));
    let server = want!(Program::versioned("livekit-server", &version.to_string()));
    want!(Program::named("curl"));
    // LiveKit asks for 32 characters; what matters is at both ends.
    let mut values: Vec<_> =
        texts.iter().map(|text| format!("{text}{}{text}", "0123456789abcdef".repeat(2))).collect();
    let password = texts.iter().max_by_key(|text| text.len()).cloned().unwrap_or_default();
    values.push(password);
    let stage = want!(stage(&signing(version, texts), &values));
    let station = stage.station("one");
    let cache = want!(start(&stage, "cache", &redis));
    let mut running = want!(station.start("sfu", &server));
    running.process.wait_for("well", SOON, || statuses(station, &[None]) == ["200"]);

    let list = json!({ "roomList": true });
    let (mut tokens, mut wanted) = (Vec::new(), Vec::new());
    for (name, value) in texts.iter().zip(&values) {
        tokens.extend([Some(token(name, value, &list)), Some(token(name, &format!("{value} "), &list))]);
        wanted.extend(["200", "401"]);
    }
    let said = statuses(station, &tokens);
    let wrong = said.iter().zip(&wanted).enumerate().filter(|(_, (said, wanted))| said != *wanted);
    let wrong: Vec<_> = wrong.map(|(at, (said, _))| (&texts[at / 2], at % 2 == 0, said)).collect();
    assert!(wrong.is_empty() && said.len() == wanted.len(), "{version}: {wrong:?}");
    running.process.kill();
    drop(cache);
}

fn signing(version: LivekitVersion, names: &[String]) -> Plot {
    let keys = names.iter().enumerate().map(|(number, name)| (name.clone(), secret(number))).collect();
    let cache =
        Redis { password: Some(secret(names.len())), persistence: Persistence::None, ..Redis::default() };
    plot()
        .service("sfu", Livekit { version, keys, ..Livekit::default() })
        .service("cache", cache)
        .node("one", node("10.0.0.1", &["sfu", "cache"]))
}

fn start(stage: &Stage, service: &str, program: &Program) -> Result<Running, stageplot_tests::Missing> {
    let mut running = stage.station("one").start(service, program)?;
    running.process.wait_until("ready", SOON, |process| process.output().contains("Ready to accept"));
    Ok(running)
}

/// What the server says to each token, or to none; one program asks for all.
fn statuses(station: &Station, tokens: &[Option<String>]) -> Vec<String> {
    let mut curl = station.machine().command("curl");
    curl.args(["--silent", "--max-time", "15"]);
    for (number, token) in tokens.iter().enumerate() {
        if number > 0 {
            curl.arg("--next").arg("--silent");
        }
        curl.args(["--output", "/dev/null", "--write-out", "%{http_code}\n"]);
        let path = match token {
            Some(token) => {
                curl.args(["--header", &format!("Authorization: Bearer {token}")]);
                curl.args(["--header", "Content-Type: application/json", "--data", "{}"]);
                "twirp/livekit.RoomService/ListRooms"
            }
            None => "",
        };
        curl.arg(format!("http://127.0.0.1:7880/{path}"));
    }
    run(&mut curl, SOON).stdout.lines().map(str::to_owned).collect()
}
