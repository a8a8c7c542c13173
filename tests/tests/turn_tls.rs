//! TURN over TLS on port 443: at LiveKit itself, and at the edge, which tells it
//! from HTTPS by the name that a client asks for.

use std::path::Path;
use std::time::Duration;

use stageplot_tests::{
    Certificate, Engine, Image, Lan, Machine, Output, Visitor, render, run, wait_for, want,
};

const SECRETS: [(&str, &str); 2] =
    [("LIVEKIT_API_SECRET", "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4"), ("REDIS_PASSWORD", "password")];
const ADDRESS: &str = "203.0.113.10";
const TURN: &str = "turn.example.com";

const SOON: Duration = Duration::from_secs(30);

/// Sends a STUN Binding request (RFC 8489 § 5) in a TLS session whose certificate
/// has to be good for the name, and prints the type of what comes back.
const ASK: &str = r#"
import os, socket, ssl, sys
root, address, name = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
with context.wrap_socket(socket.create_connection((address, 443), 5), server_hostname=name) as session:
    session.settimeout(5)
    transaction = os.urandom(12)
    session.sendall(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + transaction)
    answer = session.recv(2048)
    assert answer[8:20] == transaction, answer
    print(answer[:2].hex())
"#;

/// The type of a Binding success response.
const SUCCESS: &str = "0101";

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
    wait_for("TURN by its name", SOON, || ask(&visitor, &root, TURN).stdout.trim() == SUCCESS);
    // The site's name leads to HTTPS on the same port, which knows no STUN.
    assert_ne!(ask(&visitor, &root, "live.example.com").stdout.trim(), SUCCESS);
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
    wait_for("TURN", SOON, || ask(&visitor, &root, TURN).stdout.trim() == SUCCESS);
}

/// Asks for a binding at port 443 under a name.
fn ask(visitor: &Visitor, root: &Path, name: &str) -> Output {
    let mut command = visitor.command("python3");
    run(command.args(["-c", ASK]).arg(root).args([ADDRESS, name]), Duration::from_secs(15))
}
