//! Certificates from an ACME authority of one's own: a Caddy that is one issues one after
//! it has asked the edge on port 80 or 443, Pebble after it has asked the DNS.

use std::fs;
use std::time::Duration;

use stageplot_tests::{
    Certificate, Engine, Image, Lan, Machine, Missing, Process, Program, Root, Scratch, Stage, Visitor,
    compose_config, render, topology, wait_for, want,
};

const SECRET: &str = "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4";
const DOMAIN: &str = "live.example.com";
const EDGE: &str = "203.0.113.10";
const AUTHORITY: &str = "203.0.113.53";

const SOON: Duration = Duration::from_secs(90);

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
    // This machine goes on trusting whom it trusts.
    fs::write(&config, format!("{{\n\tadmin off\n\tskip_install_trust\n}}\n{site}")).expect("written");
    let mut command = authority.command(caddy.path());
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&config);
    command.env("XDG_DATA_HOME", scratch.path()).env("XDG_CONFIG_HOME", scratch.path());
    let mut server = Process::start("authority", &mut command);
    let root = scratch.path().join("caddy/pki/authorities/local/root.crt");
    server.wait_for("a root", SOON, || root.exists());
    let pem = fs::read_to_string(&root).expect("the root");

    let front = Machine::new(want!(Engine::start(&node, &Image::STACK[..3])), "front");
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

/// Two edges prove the same name by a DNS record that each sets for itself; nobody could
/// prove it to this authority by HTTP.
#[test]
fn certificates_by_dns_for_several_edges() {
    let caddy = want!(Program::named("caddy-dns"));
    let compose = want!(Program::named("compose"));
    let plot = DNS_01.to_owned();
    let topology = topology(&plot);
    let certificate = want!(Certificate::new(&["acme.example.com"]));
    let key = "TWVhc3VyZSB0d2ljZSwgY3V0IG9uY2UuIFRoaXJ0eSE=";
    let secrets = [
        ("LIVEKIT_API_SECRET", SECRET),
        ("ROOT", &*certificate.cert),
        ("DNS_SERVER", "203.0.113.53:53"),
        ("DNS_KEY_NAME", "edges"),
        ("DNS_KEY_ALG", "hmac-sha256"),
        ("DNS_KEY", key),
    ];
    let stage = want!(Stage::new(&topology, &render(&plot, &secrets)));
    let authority = want!(Authority::start(stage.lan(), &certificate, key));

    let mut edges = Vec::new();
    for (_, station) in stage.stations() {
        let root = want!(station.root("edge"));
        root.write("/etc/resolv.conf", format!("nameserver {AUTHORITY}\n"));
        let arguments = ["run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"];
        let mut command = station.command(&root, &caddy, &arguments);
        command.env("XDG_DATA_HOME", "/data").env("XDG_CONFIG_HOME", "/config");
        let config = compose_config(&compose, station.installed()).success();
        let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
        for (name, value) in config["services"]["edge"]["environment"].as_object().expect("variables") {
            command.env(name, value.as_str().expect("a text"));
        }
        edges.push((Process::start("edge", &mut command), root));
    }
    for address in ["203.0.113.10", "203.0.113.11"] {
        wait_for(&format!("a certificate at {address}"), Duration::from_secs(90), || {
            authority.trusts(address)
        });
    }
}

const DNS_01: &str = r#"
name = "live"
[nodes]
one = { public = "203.0.113.10", roles = ["edge", "livekit", "redis"] }
two = { public = "203.0.113.11", roles = ["edge"] }
[edge]
domain = "live.example.com"
image  = "registry.example.com/caddy-dns:2.11"
[edge.tls]
ca      = "https://acme.example.com:14000/dir"
ca-root = { env = "ROOT" }
[edge.tls.dns]
provider = "rfc2136"
[edge.tls.dns.settings]
server   = { env = "DNS_SERVER" }
key      = { env = "DNS_KEY" }
key_name = { env = "DNS_KEY_NAME" }
key_alg  = { env = "DNS_KEY_ALG" }
[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }
[redis]
"#;

/// Pebble, and the name server that it asks, which takes updates signed with a key.
struct Authority {
    // Dropped in this order.
    _servers: [Process; 2],
    _root: Root,
    visitor: Visitor,
    scratch: Scratch,
}

impl Authority {
    fn start(lan: &Lan, certificate: &Certificate, key: &str) -> Result<Self, Missing> {
        let (names, pebble) = (Program::named("knotd")?, Program::named("pebble")?);
        let machine = lan.machine("ca", &[&format!("{AUTHORITY}/24")]);
        let root = Root::new()?;
        root.write("/run/knot/knot.conf", KNOT.replace("KEY", key));
        root.write("/run/knot/example.com.zone", ZONE);
        root.write("/run/knot/database/.keep", "");
        let mut command = root.command(&machine, names.path());
        let mut server = Process::start("names", command.args(["--config", "/run/knot/knot.conf"]));
        server.wait_until("serving", SOON, |server| server.output().contains("server started"));

        root.write("/run/pebble/cert.pem", &certificate.cert);
        root.write("/run/pebble/key.pem", &certificate.key);
        root.write("/run/pebble/config.json", PEBBLE);
        root.bind(pebble.directory(), "/run/program");
        let mut command = root.command(&machine, "/run/program/pebble");
        command.args(["-config", "/run/pebble/config.json", "-dnsserver", &format!("{AUTHORITY}:53")]);
        // It would wait at random before it asks, and refuse now and then.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        let authority = Process::start("authority", &mut command);

        let visitor = Visitor::new(&machine, DOMAIN, EDGE)?;
        let scratch = Scratch::new();
        let roots = format!("https://{AUTHORITY}:15000/roots/0");
        wait_for("a root", SOON, || {
            let asked = visitor.curl(&["--fail", "--insecure", &roots]);
            asked.succeeded() && fs::write(scratch.path().join("root.pem"), asked.stdout).is_ok()
        });
        Ok(Self { _servers: [server, authority], _root: root, visitor, scratch })
    }

    /// Whether an edge has a certificate by this authority's root alone.
    fn trusts(&self, address: &str) -> bool {
        let root = self.scratch.path().join("root.pem");
        let resolve = format!("{DOMAIN}:443:{address}");
        let site = format!("https://{DOMAIN}/");
        let root = root.to_str().expect("a path");
        self.visitor
            .curl(&["--cacert", root, "--resolve", &resolve, "--output", "/dev/null", &site])
            .succeeded()
    }
}

const KNOT: &str = "
server:
  rundir: /run/knot
  listen: 203.0.113.53@53
log:
  - target: stderr
    any: info
key:
  - id: edges
    algorithm: hmac-sha256
    secret: KEY
acl:
  - id: edges
    key: edges
    action: update
database:
  storage: /run/knot/database
zone:
  - domain: example.com
    storage: /run/knot
    file: example.com.zone
    acl: edges
";

const ZONE: &str = "
$ORIGIN example.com.
$TTL 1
@    SOA ns hostmaster 1 3600 600 86400 1
@    NS  ns
ns   A   203.0.113.53
acme A   203.0.113.53
live A   203.0.113.10
live A   203.0.113.11
";

/// Where it would look by HTTP there is nothing.
const PEBBLE: &str = r#"{ "pebble": {
  "listenAddress": "203.0.113.53:14000",
  "managementListenAddress": "203.0.113.53:15000",
  "certificate": "/run/pebble/cert.pem",
  "privateKey": "/run/pebble/key.pem",
  "httpPort": 1,
  "tlsPort": 1
} }"#;
