//! The example on a machine as its README sets it up: real clients and a browser come
//! to it through Caddy, and LiveKit's webhooks do.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stageplot_tests::{
    Client, Engine, Lan, Machine, Process, Program, Scratch, Visitor, render, sign, wait_for, want,
};

const IMAGES: [&str; 3] = ["caddy:2.11-alpine", "redis:7-alpine", "livekit/livekit-server:v1.13.5"];
const SECRET: &str = "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4";
const SECRETS: [(&str, &str); 2] = [("LIVEKIT_API_SECRET", SECRET), ("REDIS_PASSWORD", "a $pass# \"word\"")];
const DOMAIN: &str = "livekit.example.com";
const ADDRESS: &str = "203.0.113.10";

const SOON: Duration = Duration::from_secs(30);

/// What [`Visitor`]'s clients send: four quarters.
const COLOURS: [[i64; 3]; 4] = [[220, 40, 40], [40, 200, 40], [40, 40, 220], [230, 230, 230]];

#[test]
fn people_meet_through_it() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let visitor = want!(Visitor::new(&lan.machine("visitor", &["198.51.100.7/24"]), DOMAIN, ADDRESS));
    let script = want!(Program::named("livekit-js"));
    want!(Program::named("chromium"));
    let front = Machine::new(want!(Engine::start(&node, &IMAGES)), "front");
    let scratch = Scratch::new();
    let mut service = set_up(&front, &visitor, &scratch, &script);
    let site = Site { visitor: &visitor };

    site.refuses_what_makes_no_sense();
    clients(&site, &mut service);
    forged_webhooks(&site, &scratch);
    browsers(&site, &mut service);
    health(&front, &site, &mut service);

    let log = service.output();
    assert!(!log.contains(SECRET) && !log.contains("eyJ"), "a secret or a token in the log");
    assert!(service.stop().success());
}

/// Installs the example's plot, starts everything, and waits until it answers.
fn set_up(front: &Machine, visitor: &Visitor, scratch: &Scratch, script: &Program) -> Process {
    let plot = include_str!("../stageplot.toml");
    let domain = format!("domain = \"{DOMAIN}\"\n");
    assert!(plot.contains(&domain));
    // On a disk of the test's, and with an authority that the test can have.
    let plot = plot.replace(&domain, &format!("{domain}tls = \"internal\"\n"));
    let plot = format!("root = \"{}\"\n{plot}", front.root().display());
    front.bring_up(&render(&plot, &SECRETS));

    let file = scratch.path().join("stageplot.toml");
    fs::write(&file, plot).expect("written");
    let installed = front.root().join("live");
    let mut command = front.command("sh");
    command
        .args(["-c", r#"set -a; . "$0"; exec "$@""#])
        .arg(installed.join("live/rooms/env"))
        .arg(env!("CARGO_BIN_EXE_room-service"))
        .arg("--plot")
        .arg(file)
        .arg("--livekit-client")
        .arg(script.path());
    let service = Process::start("room-service", &mut command);

    let root = installed.join("data/edge/data/caddy/pki/authorities/local/root.crt");
    wait_for("an authority", SOON, || root.exists());
    visitor.trust(&root);
    // LiveKit has to know and trust the edge as well, as it would a public one.
    let docker = |arguments: &[&str]| front.engine().docker(arguments).success();
    let path = root.to_str().expect("a path");
    docker(&["cp", path, "live-livekit-1:/etc/ssl/certs/tests.pem"]);
    let host = format!("echo {ADDRESS} {DOMAIN} >>/etc/hosts");
    docker(&["exec", "--user", "0", "live-livekit-1", "sh", "-c", &host]);

    let page = || visitor.curl(&["-f", &format!("https://{DOMAIN}/")]).succeeded();
    wait_for("the page through the edge", SOON, page);
    service
}

/// The site, to those who visit it.
struct Site<'a> {
    visitor: &'a Visitor,
}

impl Site<'_> {
    /// Posts something, with further options of curl's; the status and the answer.
    fn post(&self, path: &str, body: &str, options: &[&str]) -> (u16, Value) {
        let url = format!("https://{DOMAIN}{path}");
        let post = ["-H", "Content-Type: application/json", "-w", "\n%{http_code}", "-d", body, &url];
        let answer = self.visitor.curl(&[&post, options].concat()).success();
        let (body, status) = answer.rsplit_once('\n').expect("a status");
        (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or_default())
    }

    fn create(&self, room: &str, user: &str) -> Value {
        let body = json!({ "room_name": room, "user_name": user }).to_string();
        let (status, answer) = self.post("/api/rooms", &body, &[]);
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["room_name"], room);
        answer
    }

    fn join(&self, room: &str, user: &str) -> Value {
        let body = json!({ "user_name": user }).to_string();
        let (status, answer) = self.post(&format!("/api/rooms/{room}/join"), &body, &[]);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn leave(&self, room: &str, token: &str) -> u16 {
        let bearer = format!("Authorization: Bearer {token}");
        self.post(&format!("/api/rooms/{room}/leave"), "", &["-H", &bearer]).0
    }

    /// Has somebody with the answer of `create` or `join` do something in the room.
    fn guest(&self, admission: &Value, what: &str) -> Client {
        let text = |key: &str| admission[key].as_str().expect("a text").to_owned();
        self.visitor.guest(&text("token"), &[&text("url"), &text("room_name"), "guest", what])
    }

    fn refuses_what_makes_no_sense(&self) {
        for body in [
            "",
            "{}",
            r#"{"room_name":"a"}"#,
            r#"{"room_name":"a b","user_name":"Ann"}"#,
            r#"{"room_name":"a","user_name":" "}"#,
            r#"{"room_name":"a","user_name":"Ann","admin":true}"#,
        ] {
            let (status, answer) = self.post("/api/rooms", body, &[]);
            assert!([400, 422].contains(&status) && answer["error"].is_string(), "{body}: {status} {answer}");
        }
        let long = format!(r#"{{"room_name":"{}"}}"#, "x".repeat(5000));
        assert_eq!(self.post("/api/rooms", &long, &[]).0, 413);
        let (status, answer) = self.post("/api/rooms/nowhere/join", r#"{"user_name":"Ann"}"#, &[]);
        assert_eq!((status, answer["error"].as_str()), (404, Some("there is no such room")));
        assert_eq!(self.post("/api/rooms/a%2Fb/join", r#"{"user_name":"Ann"}"#, &[]).0, 400);
        // The edge sends nobody there.
        let health = self.visitor.curl(&["-f", &format!("https://{DOMAIN}/health")]);
        assert!(!health.succeeded());
    }
}

/// Two clients with tokens of the service see each other, and one is shown out.
fn clients(site: &Site<'_>, service: &mut Process) {
    let ann = site.create("rehearsal", "Ann");
    let ben = site.join("rehearsal", "Ben");
    for admission in [&ann, &ben] {
        let url = format!("wss://{DOMAIN}");
        assert_eq!((admission["url"].as_str(), admission["server_url"].as_str()), (Some(&*url), Some(&*url)));
    }
    let granted = &claims(&ann)["video"];
    assert_eq!((&granted["room"], &granted["roomJoin"]), (&json!("rehearsal"), &json!(true)));
    for forbidden in ["roomAdmin", "roomCreate", "roomList", "roomRecord"] {
        assert!(granted[forbidden].is_null(), "{granted}");
    }
    assert_ne!(claims(&ann)["sub"], claims(&ben)["sub"]);

    let mut publisher = site.guest(&ann, "publish");
    publisher.wait_for("published", SOON);
    let mut watcher = site.guest(&ben, "watch");
    are_shown(&watcher.wait_for("frame", SOON));
    for (event, admission) in
        [("room_started", None), ("participant_joined", Some(&ann)), ("participant_joined", Some(&ben))]
    {
        told(service, event, admission);
    }

    let token = |admission: &Value| admission["token"].as_str().expect("a token").to_owned();
    assert_eq!(site.leave("rehearsal", "nonsense"), 401);
    assert_eq!(site.leave("elsewhere", &token(&ben)), 401);
    let admin = sign(SECRET, &json!({ "iss": "main", "sub": "x", "video": { "room": "rehearsal" } }));
    assert_eq!(site.leave("rehearsal", &admin), 401);
    assert_eq!(site.leave("rehearsal", &token(&ben)), 204);
    watcher.wait_for("disconnected", SOON);
    told(service, "participant_left", Some(&ben));
    assert!(publisher.event("disconnected").is_none());
    assert_eq!(site.leave("rehearsal", &token(&ben)), 204, "who has left may say so again");
}

/// Webhooks that LiveKit did not send are refused, each for one reason alone.
fn forged_webhooks(site: &Site<'_>, scratch: &Scratch) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let body = r#"{"event":"room_started","id":"EV_forged","room":{"name":"forged"}}"#;
    let good = json!({
        "iss": "main", "nbf": now, "exp": now + 300, "sha256": STANDARD.encode(Sha256::digest(body)),
    });
    let but = |key: &str, value: Value| {
        let mut claims = good.clone();
        claims[key] = value;
        sign(SECRET, &claims)
    };
    let send = |token: &str, body: &str| {
        site.post("/api/webhook", body, &["-H", &format!("Authorization: {token}")])
    };
    let refused = (401, Value::Null);
    assert_eq!(send(&sign("another secret", &good), body), refused);
    assert_eq!(send(&but("iss", json!("other")), body), refused);
    assert_eq!(send(&but("exp", json!(now - 60)), body), refused);
    assert_eq!(send(&but("nbf", json!(now + 60)), body), refused);
    assert_eq!(send(&but("sha256", Value::Null), body), refused);
    assert_eq!(send(&sign(SECRET, &good), &body.replace("forged", "altered")), refused);
    assert_eq!(send("", body), refused);
    assert_eq!(send(&sign(SECRET, &good), body).0, 200);
    assert_eq!(send(&sign(SECRET, &good), body), refused, "a replay");
    let file = scratch.path().join("body");
    fs::write(&file, "x".repeat(300_000)).expect("written");
    assert_eq!(send(&sign(SECRET, &good), &format!("@{}", file.display())).0, 413);
}

/// Two browsers, one in each language, and a client that sends a known picture. With
/// ROOM_SERVICE_PICTURES set to a directory, pictures of the pages are left there.
fn browsers(site: &Site<'_>, service: &mut Process) {
    let pictures = std::env::var("ROOM_SERVICE_PICTURES").unwrap_or_default();
    let picture = |name: &str| match pictures.as_str() {
        "" => String::new(),
        directory => PathBuf::from(directory).join(name).display().to_string(),
    };
    let url = format!("https://{DOMAIN}/");
    let open = |language, room, name, what| {
        site.visitor.browser(language, &[&url, room, name, what, &picture(language)]).expect("found before")
    };
    let mut ann = open("en", "stage", "Ann", "create");
    assert_eq!(ann.wait_for("page", SOON)["title"], "Rooms");
    assert_eq!(ann.wait_for("entered", SOON)["room"], "stage");
    let camera = site.join("stage", "Camera 1");
    let mut publisher = site.guest(&camera, "publish");
    publisher.wait_for("published", SOON);
    let seen = ann.wait_for("video", SOON);
    println!("{seen}");
    assert_eq!(seen["name"], "Camera 1");
    are_shown(&seen);
    publisher.leave();
    told(service, "participant_left", Some(&camera));

    // What the browser's camera sends arrives at others: at a client, at a browser.
    let mut watcher = site.guest(&site.join("stage", "Watcher"), "watch");
    assert!(watcher.wait_for("frame", SOON)["width"].as_u64() > Some(0));
    watcher.leave();
    let mut ben = open("zh-CN", "stage", "小明", "join");
    let page = ben.wait_for("page", SOON);
    assert_eq!((&page["title"], &page["language"]), (&json!("房间"), &json!("zh-Hans")));
    assert_eq!(ben.wait_for("video", SOON)["name"], "Ann");

    // What the page may not do by its own policy is an error as well. Later ones are of
    // LiveKit's connections, which the server closes when it is asked to.
    let wrong = |told: &Value| told["level"] == "error" || told["level"] == "exception";
    for browser in [&ann, &ben] {
        let wrong: Vec<_> = browser.events("console").into_iter().filter(wrong).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    for (mut browser, farewell) in [(ann, "You have left the room."), (ben, "你已离开房间。")] {
        browser.ask_to_leave();
        assert_eq!(browser.wait_for("left", SOON)["status"], farewell);
    }
}

/// It is well while LiveKit is, and says what is not.
fn health(front: &Machine, site: &Site<'_>, service: &mut Process) {
    let ask = || {
        let machine = front.engine().machine();
        machine.run("curl", &["-sS", "-w", " %{http_code}", "http://127.0.0.1:8080/health"]).success()
    };
    assert_eq!(ask(), r#"{"livekit":"ok"} 200"#);
    front.engine().docker(&["stop", "--time", "1", "live-redis-1"]).success();
    let without_redis = ask();
    assert!(without_redis.ends_with(" 503") && !without_redis.contains("ok"), "{without_redis}");
    front.engine().docker(&["start", "live-redis-1"]).success();
    service.wait_for("well again", SOON, || ask().ends_with(" 200"));
    front.engine().docker(&["kill", "live-livekit-1"]).success();
    assert_eq!(ask(), r#"{"livekit":"no server could be reached"} 503"#);
    // The edge has not found out yet, or it has.
    let (status, _) = site.post("/api/rooms", r#"{"room_name":"a","user_name":"Ann"}"#, &[]);
    assert!([502, 503].contains(&status), "{status}");
}

/// What a token says that the service gave.
fn claims(admission: &Value) -> Value {
    let token = admission["token"].as_str().expect("a token");
    let claims = token.split('.').nth(1).expect("claims");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("Base64")).expect("JSON")
}

/// Waits until the service has taken a webhook: about the room of [`clients`], or about
/// a participant.
fn told(service: &mut Process, event: &str, admission: Option<&Value>) {
    let about = match admission {
        Some(admission) => format!("participant={}", claims(admission)["sub"]),
        None => r#"room="rehearsal""#.to_owned(),
    };
    let line = |line: &str| line.contains(&format!("event=\"{event}\"")) && line.contains(&about);
    service.wait_until(event, SOON, |service| service.output().lines().any(line));
}

/// Whether the known picture came, as a codec at its lowest rate leaves it.
fn are_shown(seen: &Value) {
    assert_eq!((&seen["width"], &seen["height"]), (&json!(320), &json!(240)));
    for (seen, sent) in seen["colours"].as_array().expect("colours").iter().zip(COLOURS) {
        for (channel, sent) in seen.as_array().expect("a colour").iter().zip(sent) {
            assert!(channel.as_i64().expect("a number").abs_diff(sent) < 25, "{seen} is not {sent:?}");
        }
    }
}
