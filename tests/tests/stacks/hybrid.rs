//! Live streaming on the rig: a real encoder publishes by RTMP, is asked for its key by a
//! real application, and players get the stream over RTMP and as HLS through the edge;
//! browsers meet at an SFU that the application picks.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use stageplot_tests::{Given, Output, Process, Rig, run, stageplot, topology, wait_for, want};
use stageplot_topology::SecretRef;

const PLOT: &str = include_str!("../../../examples/plots/hybrid/stageplot.toml");
const SITE: &str = "https://live.example.com";

const SOON: Duration = Duration::from_secs(90);
const WELL: Duration = Duration::from_secs(120);

#[test]
fn a_stream_is_asked_for_its_key_and_played_to_everybody() {
    // With a stream for trials, which the test makes once the application is up.
    let text = PLOT.replace(
        "done = \"/api/v1/live/auth/publish_done\" }",
        "done = \"/api/v1/live/auth/publish_done\", trial = { env = \"TRIAL_STREAM\" } }",
    );
    assert_ne!(text, PLOT);
    let rig = want!(Rig::up(&topology(&text), &Given::default(), &mut |_, _| ()));
    is_told_public_names(&rig);
    strangers_are_sent_away(&rig);
    is_published_and_played(&rig);
    meets_at_an_sfu(&rig);
    is_closed(&rig);
    is_verified(&rig, &text);
}

/// What the application hands out: names that the Internet knows.
fn create(rig: &Rig, protocol: &str) -> Value {
    let wanted = json!({ "title": "one", "push_protocol": protocol }).to_string();
    let words = ["-f", "-H", "content-type: application/json", "-d", &wanted];
    let url = format!("{SITE}/api/v1/live/create");
    let answer = rig.outside().curl(&[&words[..], &[&url]].concat()).json();
    assert_eq!(answer["code"], 0, "{answer}");
    answer["data"].clone()
}

fn is_told_public_names(rig: &Rig) {
    let room = create(rig, "rtmp");
    let key = text(&room, "stream_key");
    assert_eq!(room["push_url"], "rtmp://push.example.com/live", "{room}");
    assert_eq!(room["hls_url"], format!("{SITE}/hls/{key}.m3u8"), "{room}");
    assert_eq!(room["rtmp_url"], format!("rtmp://push.example.com/live/{key}"), "{room}");
}

fn strangers_are_sent_away(rig: &Rig) {
    let mut publisher = publish(rig, "rtmp://push.example.com/live", "nobody-gave-this-out");
    let ended = publisher.ended_within(SOON);
    assert!(ended.is_some_and(|status| !status.success()), "{}", publisher.output());
}

fn is_published_and_played(rig: &Rig) {
    let room = create(rig, "rtmp");
    let (key, id) = (text(&room, "stream_key"), text(&room, "room_id"));
    let is_live = || ask(rig, &format!("/api/v1/live/{id}")).json()["data"]["live"] == true;
    assert!(!is_live());
    let publisher = publish(rig, &text(&room, "push_url"), &key);
    wait_for("the application hears of the stream", SOON, is_live);
    let hls = text(&room, "hls_url");
    let playlist = || rig.outside().curl(&["-f", &hls]);
    wait_for("HLS at the edge", SOON, || playlist().stdout.contains(".ts"));
    let headers = rig.outside().curl(&["-f", "-o", "/dev/null", "-D", "-", &hls]).success().to_lowercase();
    for header in [
        "content-type: application/vnd.apple.mpegurl",
        "access-control-allow-origin: *",
        "cache-control: no-cache",
    ] {
        assert!(headers.contains(header), "{headers}");
    }
    // What a player makes of both: a picture of this size, and sound.
    for url in [&hls, &text(&room, "rtmp_url")] {
        let seen = probe(rig, url);
        let streams = seen["streams"].as_array().unwrap_or_else(|| panic!("{url}: {seen}"));
        let kinds: Vec<_> = streams.iter().map(|stream| &stream["codec_name"]).collect();
        assert!(kinds.contains(&&json!("h264")) && kinds.contains(&&json!("aac")), "{url}: {seen}");
        assert!(streams.iter().any(|stream| stream["width"] == 320), "{url}: {seen}");
    }
    is_watched(rig, &id);
    drop(publisher);
    wait_for("the application hears of the end", SOON, || !is_live());
    let recorded = rig.directory("ingest").join("data/streams/recordings");
    let files: Vec<_> = recorded.read_dir().expect("recordings").flatten().collect();
    let sizes = files.iter().map(|file| file.metadata().map_or(0, |file| file.len()));
    assert!(sizes.max().is_some_and(|size| size > 10_000), "{files:?}");
}

/// Chromium on the application's page plays the stream that the edge hands out. With
/// HYBRID_PICTURE set to a file, a picture of the page is left there.
fn is_watched(rig: &Rig, id: &str) {
    let page = format!("{SITE}/api/v1/live/{id}/watch");
    let picture = std::env::var("HYBRID_PICTURE").unwrap_or_default();
    let mut player = want!(rig.outside().player(&page, &picture));
    let seen = player.wait_for("video", SOON);
    assert!(seen["width"] == 320 && seen["height"] == 240, "{seen}");
    assert!(seen["source"].as_str().is_some_and(|url| url.starts_with(&format!("{SITE}/hls/"))), "{seen}");
}

/// Rooms of browsers: the application leads each to one of the SFUs, and media goes there,
/// directly or by the SFU's own relay.
fn meets_at_an_sfu(rig: &Rig) {
    let mut met = BTreeSet::new();
    let secret = rig.vault().value(&SecretRef::env("TURN_SECRET")).to_owned();
    for count in 0.. {
        let room = create(rig, "webrtc");
        let url = format!("wss://live.example.com{}", text(&room, "push_url"));
        let seen = want!(rig.outside().sees_by_ion_sfu(&url, &[]));
        assert!(seen["is_red"] == true && seen["size"] == json!([320, 240]), "{seen}");
        let paths = seen["paths"].as_array().expect("paths");
        // On the rig's one wire, what an SFU sends from its private address arrives as well.
        let public = |path| text(path, "remote").replace("10.0.0.", "203.0.113.");
        let sfus: BTreeSet<_> = paths.iter().map(public).collect();
        let [sfu] = &sfus.into_iter().collect::<Vec<_>>()[..] else {
            panic!("two SFUs for one room: {seen}")
        };
        assert!(["203.0.113.21", "203.0.113.22"].contains(&sfu.as_str()), "{seen}");
        let relay = format!("turn:{sfu}:3478?transport={}", if met.is_empty() { "udp" } else { "tcp" });
        if met.insert(sfu.clone()) {
            let seen = want!(rig.outside().sees_by_ion_sfu(&url, &["--relay", &relay, &secret]));
            let paths = seen["paths"].as_array().expect("paths");
            assert!(seen["is_red"] == true && paths.iter().all(|path| path["local"] == "relay"), "{seen}");
        }
        if met.len() == 2 {
            break;
        }
        assert!(count < 16, "all rooms are at one SFU: {met:?}");
    }
    // What the dashboard asks for is what an SFU shows, to Prometheus' machine.
    let mut curl = rig.command("data", "curl").expect("a machine");
    let shown = run(curl.args(["-fsS", "http://10.0.0.21:8100/metrics"]), SOON).success();
    for name in ["sfu_sessions", "sfu_peers", "sfu_video_tracks", "sfu_audio_tracks"] {
        assert!(shown.lines().any(|line| line.starts_with(name)), "{name}: {shown}");
    }
}

/// What tells of streams, and drops them, is for nginx' own machine.
fn is_closed(rig: &Rig) {
    for path in ["/stat", "/control/drop/publisher", "/hls/../stat", "/dash/"] {
        let status = rig.outside().curl(&[
            "--path-as-is",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            &format!("{SITE}{path}"),
        ]);
        assert!(["404", "400", "200"].contains(&status.stdout.trim()), "{path}: {status:?}");
        let body = rig.outside().curl(&["--path-as-is", &format!("{SITE}{path}")]).stdout;
        assert!(!body.contains("rtmp"), "{path}: {body}");
    }
    for (from, address, port, open) in [
        ("outside", "203.0.113.11", "1935", true),
        ("outside", "203.0.113.11", "8081", false),
        ("front", "10.0.0.12", "8081", true),
        ("data", "10.0.0.12", "8081", false),
        ("front", "10.0.0.12", "8936", false),
        // Whoever reaches its signalling can end it.
        ("front", "10.0.0.21", "7777", true),
        ("data", "10.0.0.21", "7777", false),
        ("outside", "203.0.113.21", "7777", false),
        ("outside", "203.0.113.21", "8100", false),
    ] {
        let mut nc = rig.command(from, "nc").expect("a machine");
        let reached = run(nc.args(["-zw2", address, port]), SOON).succeeded();
        assert_eq!(reached, open, "{from} to {address}:{port}");
    }
}

fn is_verified(rig: &Rig, text: &str) {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(file.path(), text).expect("a plot");
    let trial = self::text(&create(rig, "rtmp"), "stream_key");
    let verify = |place: &str, more: &[&str]| -> Value {
        let program = stageplot();
        let mut command = rig.command(place, program.to_str().expect("a path")).expect("a place");
        command.env("TRIAL_STREAM", &trial);
        match place {
            "outside" => command.args(["verify", "--from", "outside"]),
            node => command.args(["verify", "--node", node]),
        };
        run(command.arg(file.path()).args(["--format", "json"]).args(more), WELL).json()
    };
    for (place, more) in [
        ("front", &[][..]),
        ("ingest", &[]),
        ("data", &[]),
        ("standby", &[]),
        ("media-1", &[]),
        ("media-2", &[]),
        ("outside", &["--deep"]),
    ] {
        let report = verify(place, more);
        let checks = report["checks"].as_array().expect("checks");
        let bad: Vec<_> = checks.iter().filter(|check| check["outcome"] != "passed").collect();
        assert!(bad.is_empty(), "{place}: {bad:#?}");
        let of =
            |word: &str| checks.iter().any(|check| check["id"].as_str().is_some_and(|id| id.contains(word)));
        match place {
            "outside" => assert!(of("turns strangers away") && of("streams.rtmp plays"), "{checks:#?}"),
            "front" => assert!(of("sfu.signal from api"), "{checks:#?}"),
            "ingest" => assert!(of("streams.status streams"), "{checks:#?}"),
            _ => {}
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

fn ask(rig: &Rig, path: &str) -> Output {
    rig.outside().curl(&["-f", &format!("{SITE}{path}")])
}

/// A test picture and a tone, published from the Internet until it is dropped.
fn publish(rig: &Rig, url: &str, key: &str) -> Process {
    let mut command = rig.command("outside", "ffmpeg").expect("a place");
    command.args(["-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15"]);
    command.args(["-f", "lavfi", "-i", "sine", "-c:v", "libx264", "-preset", "ultrafast", "-g", "15"]);
    command.args(["-pix_fmt", "yuv420p", "-c:a", "aac", "-t", "120", "-f", "flv"]);
    Process::start("ffmpeg", command.arg(format!("{url}/{key}")))
}

fn probe(rig: &Rig, url: &str) -> Value {
    let mut command = rig.command("outside", "ffprobe").expect("a place");
    command.args(["-v", "error", "-show_streams", "-of", "json", "-analyzeduration", "3000000"]);
    run(command.arg(url), SOON).json()
}
