//! LiveKit with its ingress, egress and SIP on the rig. LiveKit is the real one; the three that
//! work for it are stand-ins, which read their files strictly and listen: what is shown is that
//! all ways lead to them, that LiveKit tells publishers addresses that the Internet knows, and
//! that nothing else is open.

use std::time::Duration;

use serde_json::{Value, json};
use stageplot_tests::{Given, Rig, run, stageplot, token, topology, want};
use stageplot_topology::SecretRef;

const PLOT: &str = include_str!("../../../examples/plots/livekit-ingress/stageplot.toml");
const SITE: &str = "https://livekit.example.com";

const SOON: Duration = Duration::from_secs(30);
const WELL: Duration = Duration::from_secs(120);

#[test]
fn livekit_and_those_that_work_for_it_are_found() {
    // The outside of the rig is no provider, and may call.
    let text = PLOT.replace("from    = [\"198.51.100.64/26\", \"lan\"]", "from    = \"any\"");
    assert_ne!(text, PLOT);
    let rig = want!(Rig::up(&topology(&text), &Given::default(), &mut |_, _| ()));
    is_told_public_names(&rig);
    gets_through_the_edge(&rig);
    is_closed(&rig);
    is_verified(&rig, &text);
}

/// Whoever asks the real LiveKit for an ingress is told where to publish.
fn is_told_public_names(rig: &Rig) {
    let secret = rig.vault().value(&SecretRef::env("LIVEKIT_API_SECRET")).to_owned();
    let token = token("main", &secret, &json!({ "ingressAdmin": true }));
    for (kind, url) in
        [("RTMP_INPUT", "rtmp://push.example.com/x"), ("WHIP_INPUT", "https://livekit.example.com/w")]
    {
        let wanted = json!({
            "input_type": kind, "name": "one", "room_name": "one", "participant_identity": "camera",
        });
        let answer = rig.outside().curl(&[
            "-f",
            "-H",
            "content-type: application/json",
            "-H",
            &format!("authorization: Bearer {token}"),
            "-d",
            &wanted.to_string(),
            &format!("{SITE}/twirp/livekit.Ingress/CreateIngress"),
        ]);
        let told = answer.json();
        assert_eq!(told["url"], url, "{told}");
        assert!(told["stream_key"].as_str().is_some_and(|key| !key.is_empty()), "{told}");
    }
}

/// WHIP goes to the ingress, and all else to LiveKit.
fn gets_through_the_edge(rig: &Rig) {
    let status = |method: &str, path: &str| {
        let format = ["-o", "/dev/null", "-w", "%{http_code}", "-X", method];
        let answer = rig.outside().curl(&[&format[..], &[&format!("{SITE}{path}")]].concat());
        answer.stdout.trim().to_owned()
    };
    let body = rig.outside().curl(&["-X", "POST", &format!("{SITE}/w/nobodys-key")]).stdout;
    assert!(body.contains("ingress not found"), "{body}");
    assert_eq!(status("GET", "/rtc/validate"), "401");
}

fn is_closed(rig: &Rig) {
    for (from, address, port, open) in [
        ("outside", "203.0.113.11", "1935", true),
        ("outside", "203.0.113.11", "8080", false),
        ("front", "10.0.0.12", "8080", true),
        ("phones", "10.0.0.12", "8080", false),
        // Health is for checks on the node, the relay for the ingress itself.
        ("front", "10.0.0.12", "8938", false),
        ("front", "10.0.0.12", "8937", false),
        ("front", "10.0.0.12", "8939", false),
        ("front", "10.0.0.12", "7980", false),
        ("media", "10.0.0.12", "8941", true),
        ("media", "10.0.0.12", "8942", true),
        ("front", "10.0.0.12", "8941", false),
        ("outside", "203.0.113.12", "5060", true),
        ("outside", "203.0.113.12", "8940", false),
        ("front", "10.0.0.13", "8940", false),
        ("ingest", "10.0.0.21", "7880", true),
        ("ingest", "10.0.0.21", "6379", true),
        ("front", "10.0.0.21", "6379", false),
    ] {
        let mut nc = rig.command(from, "nc").expect("a machine");
        let reached = run(nc.args(["-zw2", address, port]), SOON).succeeded();
        assert_eq!(reached, open, "{from} to {address}:{port}");
    }
}

fn is_verified(rig: &Rig, text: &str) {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(file.path(), text).expect("a plot");
    for (place, more, named) in [
        ("front", &[][..], &["streams.whip from edge"][..]),
        ("media", &[], &["numbers.http targets"]),
        (
            "ingest",
            &[],
            &[
                "streams.health answer",
                "recorder.health answer",
                "sfu.signal from recorder",
                "cache.primary from streams",
            ],
        ),
        ("phones", &[], &["calls.health answer", "sfu.signal from calls"]),
        ("outside", &["--deep"], &["streams.rtmp from the Internet", "calls.sip from the Internet"]),
    ] {
        let program = stageplot();
        let mut command = rig.command(place, program.to_str().expect("a path")).expect("a place");
        match place {
            "outside" => command.args(["verify", "--from", "outside"]),
            node => command.args(["verify", "--node", node]),
        };
        let report: Value = run(command.arg(file.path()).args(["--format", "json"]).args(more), WELL).json();
        let checks = report["checks"].as_array().expect("checks");
        let bad: Vec<_> = checks.iter().filter(|check| check["outcome"] != "passed").collect();
        assert!(bad.is_empty(), "{place}: {bad:#?}");
        let ids: Vec<_> = checks.iter().filter_map(|check| check["id"].as_str()).collect();
        for name in named {
            assert!(ids.iter().any(|id| id.starts_with(name)), "{place}: {name} is not among {ids:#?}");
        }
    }
}
