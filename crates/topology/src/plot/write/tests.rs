//! Plots as text.

use super::*;
use crate::{
    Acme, DnsChallenge, Drain, EnvValue, Keep, Level, NetworkSpec, NodeSpec, Protocol, PublicAddress, Room,
    SecretRef, Source, Tls, Webhook,
};

fn secret(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

#[test]
fn all_tables_come_in_an_operators_order() -> Result<(), Box<dyn std::error::Error>> {
    let settings =
        serde_json::json!({ "rtc": { "stun_servers": ["stun.example.com:3478"], "use_mdns": true } });
    let dns =
        DnsChallenge { provider: "acme-dns".into(), settings: [("api key".into(), secret("DNS"))].into() };
    let acme = Acme { email: Some("a@example.com".into()), dns: Some(dns), ..Acme::default() };
    let hooks = (1..4).map(|n| format!("https://hooks-{n}.example.com/livekit").parse());
    let mut plot = Plot::new("live".parse()?)
        .network("lan", NetworkSpec::new(["192.168.1.0/24".parse()?]))
        .node("b", NodeSpec::private("192.168.1.2".parse()?).address("fd00::2".parse()?).role("sfu"))
        .node(
            "a",
            NodeSpec {
                public: Some(PublicAddress {
                    bound: false,
                    ..PublicAddress::from("203.0.113.1".parse::<std::net::IpAddr>()?)
                }),
                ..NodeSpec::default()
            },
        )
        .service("redis", Redis { primary: vec!["b".parse()?], ..Redis::default() })
        .service(
            "other",
            Redis {
                external: Some(RedisRemote {
                    address: Some("r.example.com:6379".parse()?),
                    ..RedisRemote::default()
                }),
                ..Redis::default()
            },
        )
        .service("edge", Edge { tls: Tls::Acme(acme), ..Edge::default() })
        .service(
            "sfu",
            Livekit {
                keys: [("a b".into(), secret("S"))].into(),
                tcp_port: None,
                turn: Some(Turn::default()),
                drain: Drain { max: "1h".parse()? },
                room: Room::default(),
                webhook: Some(Webhook { key: None, urls: hooks.collect::<Result<_, _>>()? }),
                settings: settings.as_object().cloned().unwrap_or_default(),
                ..Livekit::default()
            },
        )
        .service(
            "rooms",
            App {
                env: [
                    ("literal".into(), EnvValue::Text("\"\\\n\u{1}密".into())),
                    ("S".into(), EnvValue::Secret(secret("S"))),
                ]
                .into(),
                ..App::default()
            },
        );
    plot.access.keep.push(Keep {
        port: "9100".parse()?,
        protocol: Protocol::Tcp,
        from: vec![Source::Network("lan".parse()?)],
        why: "node exporter".into(),
    });
    plot.severity.insert(crate::Code::NoPassword, Level::Warning);
    let expected = r#"name = "live"

[access]
keep = [{ port = 9100, protocol = "tcp", from = ["lan"], why = "node exporter" }]

[networks.lan]
cidr = "192.168.1.0/24"

[nodes.a]
public = { v4 = "203.0.113.1", bound = false }

[nodes.b]
address = ["192.168.1.2", "fd00::2"]
roles = ["sfu"]

[edge.tls]
email = "a@example.com"
dns = { provider = "acme-dns", settings = { "api key" = { env = "DNS" } } }

[services.other]
kind = "redis"
external = { address = "r.example.com:6379" }

[services.redis]
kind = "redis"
primary = "b"

[services.rooms]
kind = "app"
env = { S = { env = "S" }, literal = "\"\\\n\u0001密" }

[services.sfu]
kind = "livekit"
keys = { "a b" = { env = "S" } }
tcp-port = 0
turn = {}
drain = { max = "1h" }
settings = { rtc = { stun_servers = ["stun.example.com:3478"], use_mdns = true } }

[services.sfu.webhook]
urls = [
  "https://hooks-1.example.com/livekit",
  "https://hooks-2.example.com/livekit",
  "https://hooks-3.example.com/livekit",
]

[severity]
no-password = "warning"
"#;
    assert_eq!(plot.to_toml()?, expected);
    Ok(())
}

#[test]
fn what_toml_can_not_hold_is_refused() {
    let mut livekit = Livekit::default();
    livekit.settings.insert("region".to_owned(), Value::Null);
    let plot = Plot::new("live".parse().expect("a name")).service("livekit", livekit);
    assert!(matches!(plot.to_toml(), Err(UnwritablePlot::Null(_))));
    let key = SecretRef::Literal(crate::Literal::new("hunter2"));
    let livekit = Livekit { keys: [("literal".to_owned(), key)].into(), ..Livekit::default() };
    let plot = Plot::new("live".parse().expect("a name")).service("livekit", livekit);
    assert!(matches!(plot.to_toml(), Err(UnwritablePlot::Literal(_))));
}
