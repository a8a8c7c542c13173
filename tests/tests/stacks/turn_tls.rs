//! TURN over TLS on port 443: at LiveKit itself, and at the edge, which tells it
//! from HTTPS by the name that a client asks for.

use std::time::Duration;

use stageplot_tests::{Certificate, Engine, Image, Lan, Machine, Visitor, render, wait_for, want};

const SECRETS: [(&str, &str); 2] =
    [("LIVEKIT_API_SECRET", "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4"), ("REDIS_PASSWORD", "password")];
const ADDRESS: &str = "203.0.113.10";
const TURN: &str = "turn.example.com";

const SOON: Duration = Duration::from_secs(90);

#[test]
fn turn_shares_the_port_of_the_edge() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let outside = lan.machine("visitor", &["198.51.100.7/24"]);
    let visitor = want!(Visitor::new(&outside, "live.example.com", ADDRESS));
    let engine = want!(Engine::start(&node, &[Image::CADDY_L4, Image::REDIS, Image::LIVEKIT]));
    let front = Machine::new(engine, "front");
    let plot = format!(
        r#"
name = "live"
root = "{}"
[nodes.front]
public = "{ADDRESS}"
roles = ["edge", "livekit", "redis"]
[edge]
domain = "live.example.com"
tls = "internal"
image = "stageplot/caddy-l4:2.11"
layer4 = true
[livekit]
keys = {{ main = {{ env = "LIVEKIT_API_SECRET" }} }}
turn = {{ domain = "{TURN}", tls = "edge" }}
[redis]
password = {{ env = "REDIS_PASSWORD" }}
"#,
        front.root().display()
    );
    front.bring_up(&render(&plot, &SECRETS));
    let root = front.root().join("live/data/edge/data/caddy/pki/authorities/local/root.crt");
    wait_for("an authority", SOON, || root.exists());
    visitor.trust(&root);
    let site = || visitor.curl(&["-f", "https://live.example.com/"]).succeeded();
    wait_for("the site", SOON, site);
    wait_for("TURN by its name", SOON, || visitor.stun_over_tls(ADDRESS, TURN));
    // The site's name leads to HTTPS on the same port, which knows no STUN.
    assert!(!visitor.stun_over_tls(ADDRESS, "live.example.com"));
    assert!(site());
}

#[test]
fn turn_has_the_port_of_a_node_without_an_edge() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("media", &["203.0.113.10/24"]);
    let outside = lan.machine("visitor", &["198.51.100.7/24"]);
    let visitor = want!(Visitor::new(&outside, TURN, ADDRESS));
    let engine = want!(Engine::start(&node, &[Image::REDIS, Image::LIVEKIT]));
    let media = Machine::new(engine, "media");
    let certificate = want!(Certificate::new(&[TURN]));
    let plot = format!(
        r#"
name = "live"
root = "{}"
[nodes.media]
public = "{ADDRESS}"
roles = ["livekit", "redis"]
[livekit]
keys = {{ main = {{ env = "LIVEKIT_API_SECRET" }} }}
turn = {{ domain = "{TURN}", tls = "direct", cert = {{ env = "CERT" }}, key = {{ env = "KEY" }} }}
[redis]
password = {{ env = "REDIS_PASSWORD" }}
"#,
        media.root().display()
    );
    let own = [("CERT", certificate.cert.as_str()), ("KEY", certificate.key.as_str())];
    media.bring_up(&render(&plot, &[SECRETS.as_slice(), &own].concat()));
    let root = media.root().join("root.crt");
    std::fs::write(&root, &certificate.cert).expect("written");
    visitor.trust(&root);
    wait_for("TURN", SOON, || visitor.stun_over_tls(ADDRESS, TURN));
}
