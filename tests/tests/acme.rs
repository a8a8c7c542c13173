//! A certificate from an ACME authority of one's own: a Caddy that is one issues it,
//! after it has asked the edge on port 80 or 443.

use std::fs;
use std::time::Duration;

use stageplot_tests::{Engine, Lan, Machine, Process, Program, Scratch, Visitor, render, wait_for, want};

const IMAGES: [&str; 3] = ["caddy:2.11-alpine", "redis:7-alpine", "livekit/livekit-server:v1.13.5"];
const SECRET: &str = "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4";
const DOMAIN: &str = "live.example.com";
const EDGE: &str = "203.0.113.10";
const AUTHORITY: &str = "203.0.113.53";

const SOON: Duration = Duration::from_secs(30);

#[test]
fn another_authority_issues_the_certificate() {
    let caddy = want!(Program::named("caddy"));
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    // The authority knows the domain, and so does who visits it from there.
    let authority = want!(Visitor::new(&lan.machine("ca", &["203.0.113.53/24"]), DOMAIN, EDGE));
    let scratch = Scratch::new();
    let config = scratch.path().join("Caddyfile");
    let site = format!("https://{AUTHORITY} {{\n\ttls internal\n\tacme_server\n}}\n");
    fs::write(&config, format!("{{\n\tadmin off\n}}\n{site}")).expect("written");
    let mut command = authority.command(caddy.path());
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&config);
    command.env("XDG_DATA_HOME", scratch.path()).env("XDG_CONFIG_HOME", scratch.path());
    let mut server = Process::start("authority", &mut command);
    let root = scratch.path().join("caddy/pki/authorities/local/root.crt");
    server.wait_for("a root", SOON, || root.exists());
    let pem = fs::read_to_string(&root).expect("the root");

    let front = Machine::new(want!(Engine::start(&node, &IMAGES)), "front");
    let plot = format!(
        r#"
name = "live"
root = "{}"
[nodes.front]
public = "{EDGE}"
roles = ["edge", "livekit", "redis"]
[edge]
domain = "{DOMAIN}"
tls = {{ ca = "https://{AUTHORITY}/acme/local/directory", ca-root = {{ env = "ROOT" }}, email = "ops@example.com" }}
[livekit]
keys = {{ main = {{ env = "LIVEKIT_API_SECRET" }} }}
[redis]
"#,
        front.root().display()
    );
    front.bring_up(&render(&plot, &[("LIVEKIT_API_SECRET", SECRET), ("ROOT", &pem)]));
    authority.trust(&root);
    let site = format!("https://{DOMAIN}/");
    // By that authority's root alone: no other certificate would be good here.
    wait_for("HTTPS", SOON, || authority.curl(&["-f", &site]).succeeded());
    let redirect = authority.curl(&["-o", "/dev/null", "-w", "%{http_code}", &format!("http://{DOMAIN}/")]);
    assert_eq!(redirect.success().trim(), "308");
    assert!(server.is_running());
}
