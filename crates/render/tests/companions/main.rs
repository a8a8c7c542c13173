//! What is rendered for LiveKit's ingress, egress and SIP is held against the source of the
//! programs, which nobody could run here: each key is one that they know, and its value of the
//! type that they decode it into. They pass over a key that they do not know, so that a slip
//! would have no effect, and no message either.

mod keys;

use std::net::IpAddr;

use keys::{EGRESS, INGRESS, Keys, SIP, Shape};
use serde_json::Value;
use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_topology::{Document, Format, Plot};

/// Two machines: one with the clients' way in, one with all of LiveKit.
fn plot(redis: &str, companions: &str) -> String {
    format!(
        "name = 'live'\n[networks.lan]\ncidr = '10.0.0.0/24'\n\
         [nodes.front]\naddress = '10.0.0.1'\npublic = '203.0.113.10'\nroles = ['edge', 'sfu']\n\
         [nodes.work]\naddress = '10.0.0.2'\npublic = {{ v4 = '203.0.113.11', v6 = '2001:db8::11' }}\n\
         roles = ['ingress', 'egress', 'sip']\n\
         [edge]\ndomain = 'live.example.com'\n\
         [services.sfu]\nkind = 'livekit'\nkeys = {{ main = {{ env = 'API_SECRET' }}, other = {{ env = 'OTHER' }} }}\n\
         redis = 'cache'\n[services.cache]\nkind = 'redis'\npassword = {{ env = 'REDIS_PASSWORD' }}\n{redis}\n\
         {companions}"
    )
}

/// As little as can be said, and all that can be.
const LITTLE: &str = "[ingress]\nkey = 'main'\n[egress]\nkey = 'main'\n[sip]\nkey = 'other'\n";
const MUCH: &str = "
[ingress]
livekit = 'sfu'
key = 'other'
rtmp-port = 1936
from = '198.51.100.0/24'
domain = 'push.example.com'
whip-port = 8085
edge = 'edge'
udp = '7900-7950'
use-external-ip = true
health-port = 8938
metrics = 8941
cost = { rtmp = 1.5, whip = 2, whip-bypass = 0.1, url = 1.5, min-idle = 0.3 }
log-level = 'warn'
drain = { max = '10m' }
network = 'bridge'
[egress]
key = 'main'
s3 = { bucket = 'all', region = 'eu', endpoint = 'https://s3.example.com', access-key = { env = 'ID' }, secret-key = { env = 'WORD' }, path-style = true, prefix = 'live/' }
cost = { max-cpu = 0.7, max-memory = '6gb', memory = '512mb', room-composite = 3.0, audio-room-composite = 1, web = 3, audio-web = 1, participant = 2, track-composite = 1, track = 0.5 }
metrics = 8942
network = 'host'
[sip]
key = 'main'
port = 5070
tls = { port = 5071, cert = 'sip.crt', key = 'sip.key' }
rtp = '10000-12000'
domain = 'sip.example.com'
use-external-ip = true
max-calls = 20
max-cpu = 0.8
metrics = 8943
";
/// Nothing but streams that it fetches, and requests that bring a storage of their own.
const APART: &str = "[ingress]\nkey = 'main'\nrtmp-port = 0\nwhip-port = 0\n[egress]\nkey = 'main'\ndirectory = false\n\
                     [sip]\nkey = 'main'\n[severity]\negress-nowhere = 'allow'\n";

const REDIS: &[&str] = &[
    "",
    "external = { address = 'redis.example.com:6380', username = 'live', db = 3, tls = { ca = 'ca.pem', server-name = 'redis' } }",
    "external = { sentinels = ['a.example.com:26379'], sentinel-master = 'live', sentinel-password = { env = 'S' } }",
    "external = { cluster = ['a.example.com:7000', 'b.example.com:7000'] }",
];

fn rendered(redis: &str, companions: &str) -> Rendering {
    let text = plot(redis, companions);
    // One of the plot's own stands beside LiveKit.
    let text = if redis.is_empty() { text.replace("'edge', 'sfu'", "'edge', 'sfu', 'cache'") } else { text };
    let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("a document");
    let topology = Plot::read(&document).unwrap_or_else(|findings| panic!("{findings}")).topology;
    render(&topology, Secrets::SEALED, &Custom::default()).expect("a rendering")
}

fn file(rendering: &Rendering, service: &str, name: &str) -> Value {
    let is_it =
        |path: &str| path.starts_with(&format!("services/{service}/")) && path.ends_with(&format!("/{name}"));
    let mut files = rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
    let file = files.find(|file| is_it(&file.path)).unwrap_or_else(|| panic!("no {name} of {service}"));
    serde_saphyr::from_str(std::str::from_utf8(&file.bytes).expect("text")).expect("YAML")
}

const FILES: [(&str, &str, Keys); 3] =
    [("ingress", "ingress.yaml", INGRESS), ("egress", "egress.yaml", EGRESS), ("sip", "config.yaml", SIP)];

#[test]
fn every_key_is_known_and_of_its_type() {
    let mut seen = std::collections::BTreeSet::new();
    for (redis, companions) in REDIS.iter().flat_map(|redis| [LITTLE, MUCH, APART].map(|all| (redis, all))) {
        let rendering = rendered(redis, companions);
        for (service, name, keys) in FILES {
            let wrong = wrong(Shape::Struct(keys), &file(&rendering, service, name), name, &mut seen);
            assert!(wrong.is_empty(), "{redis}{companions}: {wrong:#?}");
        }
    }
    // What the fields of a plot are for is written.
    for path in [
        "ingress.yaml.rtc_config.udp_port",
        "ingress.yaml.rtc_config.port_range_end",
        "ingress.yaml.cpu_cost.min_idle_ratio",
        "ingress.yaml.redis.tls.ca_cert_file",
        "egress.yaml.redis.sentinel_addresses",
        "egress.yaml.storage.s3.secret",
        "egress.yaml.backup.prefix",
        "egress.yaml.cpu_cost.max_memory",
        "egress.yaml.disallow_local_storage",
        "config.yaml.redis.cluster_addresses",
        "config.yaml.tls.certs.cert_file",
        "config.yaml.max_cpu_utilization",
    ] {
        assert!(seen.contains(path), "{path} is never written: {seen:#?}");
    }
}

/// What is done to a file.
type Spoil = fn(&mut Value);

#[test]
fn a_slip_is_seen() {
    let rendering = rendered(REDIS[1], MUCH);
    let spoilt: [(&str, &str, Keys, Spoil); 8] = [
        ("ingress", "ingress.yaml", INGRESS, |file| file["rtmp_prot"] = 1935.into()),
        ("ingress", "ingress.yaml", INGRESS, |file| file["whip_port"] = "8080".into()),
        ("ingress", "ingress.yaml", INGRESS, |file| {
            file["rtc_config"]["node_ip"] = "live.example.com".into()
        }),
        ("egress", "egress.yaml", EGRESS, |file| file["storage"]["s3"]["secret_key"] = "x".into()),
        ("egress", "egress.yaml", EGRESS, |file| file["redis"]["db"] = "three".into()),
        ("sip", "config.yaml", SIP, |file| file["rtp_port"] = "20000-10000".into()),
        ("sip", "config.yaml", SIP, |file| file["tls"]["certs"] = "sip.crt".into()),
        ("sip", "config.yaml", SIP, |file| file["max_cpu_utilization"] = "80%".into()),
    ];
    for (service, name, keys, spoil) in spoilt {
        let mut file = file(&rendering, service, name);
        spoil(&mut file);
        let wrong = wrong(Shape::Struct(keys), &file, name, &mut Default::default());
        assert_eq!(wrong.len(), 1, "{file:#}");
    }
}

#[test]
fn livekit_tells_publishers_what_the_internet_knows() {
    let told = |companions: &str| file(&rendered("", companions), "sfu", "livekit.yaml")["ingress"].clone();
    // Of one that has no name of its own, its node's address.
    let address = told(LITTLE);
    assert_eq!(address["rtmp_base_url"], "rtmp://203.0.113.11/x");
    assert_eq!(address["whip_base_url"], "https://live.example.com/w");
    let name = told(MUCH);
    assert_eq!(name["rtmp_base_url"], "rtmp://push.example.com:1936/x");
    assert_eq!(told(APART), Value::Null);
}

#[test]
fn all_of_them_are_told_the_same_redis_and_a_livekit() {
    for redis in REDIS {
        let rendering = rendered(redis, LITTLE);
        let mut of_livekit = file(&rendering, "sfu", "livekit.yaml")["redis"].clone();
        for (service, name, _) in FILES {
            let own = file(&rendering, service, name);
            assert_eq!(own["ws_url"].as_str(), Some("ws://10.0.0.1:7880"), "{own}");
            let key = if service == "sip" { "other" } else { "main" };
            assert_eq!(own["api_key"], key);
            let mut section = own["redis"].clone();
            for place in [&mut section, &mut of_livekit] {
                // Each finds it by the way that leads there from its own node, and has the
                // authority's certificate in a directory of its own.
                place.as_object_mut().expect("a table").remove("tls");
                if redis.is_empty() {
                    place.as_object_mut().expect("a table").remove("address");
                }
            }
            assert_eq!(section, of_livekit, "{service}, {redis}");
        }
    }
}

/// What is wrong with a value; `seen` is told of all keys.
fn wrong(
    shape: Shape,
    value: &Value,
    path: &str,
    seen: &mut std::collections::BTreeSet<String>,
) -> Vec<String> {
    seen.insert(path.to_owned());
    let mut all = Vec::new();
    let fits = match (shape, value) {
        (Shape::Struct(keys), Value::Object(table)) => {
            for (name, value) in table {
                let path = format!("{path}.{name}");
                match keys.iter().find(|(known, _)| known == name) {
                    Some((_, shape)) => all.extend(wrong(*shape, value, &path, seen)),
                    None => all.push(format!("{path} is unknown")),
                }
            }
            true
        }
        (Shape::Map(inner), Value::Object(table)) => {
            table.values().for_each(|value| all.extend(wrong(*inner, value, path, seen)));
            true
        }
        (Shape::List(inner), Value::Array(list)) => {
            list.iter().for_each(|value| all.extend(wrong(*inner, value, path, seen)));
            true
        }
        (Shape::Text, Value::String(_)) | (Shape::Bool, Value::Bool(_)) => true,
        (Shape::Int, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (Shape::Float, Value::Number(_)) => true,
        (Shape::Ports, Value::Number(number)) => number.as_u64().is_some_and(|port| port < 65536),
        (Shape::Ports, Value::String(text)) => text.split_once('-').is_some_and(|(first, last)| {
            let port = |text: &str| text.parse::<u16>().ok();
            port(first).zip(port(last)).is_some_and(|(first, last)| first < last)
        }),
        (Shape::NodeIp, Value::String(text)) => text.split(',').all(|ip| ip.parse::<IpAddr>().is_ok()),
        (Shape::Duration, Value::String(text)) => text.ends_with(['s', 'm', 'h']),
        _ => false,
    };
    if !fits {
        all.push(format!("{path} is no {shape:?}: {value}"));
    }
    all
}
