//! LiveKit: its keys, its Redis, its settings and its webhook.

use stageplot_topology::{
    Acme, Code, Edge, LivekitVersion, Plot, Port, Redis, Region, Selector, Tls, Webhook,
};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::NoWayIn,
            "services.sfu.edge",
            |p| {
                p.services.remove("edge");
                p.services.remove("rooms");
                node(p, "front").roles.clear();
                place(p, "sfu", "front");
            },
            |p| {
                add(p, "edge", Edge::new(host("live.example.com")));
                place(p, "edge", "front");
            },
        ),
        case(
            Code::WebhookNoRoute,
            "services.sfu.webhook.urls[0]",
            |p| {
                let url = "https://live.example.com/hook".parse().expect("a URL");
                livekit(p).webhook = Some(Webhook { urls: vec![url], ..Webhook::default() });
            },
            |p| app(p).routes.push("/hook".to_owned()),
        ),
        case(
            Code::WebhookUntrusted,
            "services.sfu.webhook.urls[0]",
            |p| {
                let url = "https://live.example.com/api/hook".parse().expect("a URL");
                livekit(p).webhook = Some(Webhook { urls: vec![url], ..Webhook::default() });
                edge(p).tls = Tls::Internal;
            },
            |p| livekit(p).image = Some("registry.example.com/livekit:1".parse().expect("an image")),
        ),
        case(
            Code::WebhookUntrusted,
            "services.sfu.webhook.urls[0]",
            |p| {
                let url = "https://live.example.com/api/hook".parse().expect("a URL");
                livekit(p).webhook = Some(Webhook { urls: vec![url], ..Webhook::default() });
                edge(p).tls = Tls::Acme(Acme { ca_root: Some(env("ROOT")), ..Acme::default() });
            },
            |p| edge(p).tls = Tls::default(),
        ),
        case(
            Code::LivekitNoKeys,
            "services.sfu.keys",
            |p| livekit(p).keys.clear(),
            |p| drop(livekit(p).keys.insert("main".to_owned(), env("LIVEKIT_API_SECRET"))),
        ),
        case(
            Code::LivekitNeedsRedis,
            "services.sfu.redis",
            |p| {
                unplace(p, "media-1");
                p.services.remove("cache");
            },
            |p| add(p, "cache", Redis { external: Some(remote()), ..Redis::default() }),
        ),
        case(
            Code::LivekitUnknownSetting,
            "services.sfu.settings.turn.external_tls_port",
            |p| set(p, "turn", r#"{ "external_tls_port": 443 }"#),
            |p| livekit(p).settings.clear(),
        ),
        case(
            Code::LivekitUnknownSetting,
            "services.sfu.settings.turn.ttl_seconds",
            |p| {
                livekit(p).version = LivekitVersion::new(1, 11, 0);
                set(p, "turn", r#"{ "ttl_seconds": 600 }"#);
            },
            |p| livekit(p).version = LivekitVersion::LATEST,
        ),
        case(
            Code::LivekitSettingHasField,
            "services.sfu.settings.rtc.tcp_port",
            |p| set(p, "rtc", r#"{ "tcp_port": 7882 }"#),
            |p| {
                livekit(p).settings.clear();
                livekit(p).tcp_port = Port::new(7882);
            },
        ),
        case(
            Code::LivekitSettingHasField,
            "services.sfu.settings.redis.address",
            |p| set(p, "redis", r#"{ "address": "192.168.1.2:6379" }"#),
            |p| livekit(p).settings.clear(),
        ),
        case(
            Code::WrongType,
            "services.sfu.settings.rtc.turn_servers[1].port",
            |p| set(p, "rtc", r#"{ "turn_servers": [{ "port": 3478 }, { "port": "3478" }] }"#),
            |p| set(p, "rtc", r#"{ "turn_servers": [{ "port": 3478 }, { "port": 3478 }] }"#),
        ),
        case(
            Code::LiteralSecret,
            "services.sfu.settings.rtc.turn_servers[0].secret",
            |p| set(p, "rtc", r#"{ "turn_servers": [{ "secret": "hunter2" }] }"#),
            |p| set(p, "rtc", r#"{ "turn_servers": [{ "secret_file": "/etc/turn-secret" }] }"#),
        ),
        case(
            Code::InvalidValue,
            "services.sfu.routes",
            |p| livekit(p).routes = vec!["rtc {".to_owned()],
            |p| livekit(p).routes = vec!["/rtc/*".to_owned()],
        ),
        case(
            Code::WebhookKey,
            "services.sfu.webhook.key",
            |p| livekit(p).webhook = Some(webhook("mian")),
            |p| livekit(p).webhook = Some(webhook("main")),
        ),
        case(
            Code::WebhookKey,
            "services.sfu.webhook.key",
            |p| {
                livekit(p).keys.insert("second".to_owned(), env("SECOND_SECRET"));
                livekit(p).webhook = Some(Webhook { key: None, ..webhook("main") });
            },
            |p| livekit(p).webhook = Some(webhook("second")),
        ),
        case(
            Code::MissingField,
            "services.sfu.webhook.urls",
            |p| livekit(p).webhook = Some(Webhook { urls: Vec::new(), ..webhook("main") }),
            |p| livekit(p).webhook = None,
        ),
        case(
            Code::LivekitRegion,
            "nodes.media-2.region",
            |p| {
                by_region(p);
                node(p, "media-2").region = None;
            },
            |p| node(p, "media-2").region = Some(name("ashburn")),
        ),
        case(
            Code::LivekitRegion,
            "nodes.media-1.region",
            |p| {
                by_region(p);
                node(p, "media-1").region = Some(name("franfurt"));
            },
            |p| node(p, "media-1").region = Some(name("frankfurt")),
        ),
        case(
            Code::LivekitRegion,
            "services.sfu.regions",
            |p| {
                by_region(p);
                livekit(p).regions.clear();
            },
            by_region,
        ),
        case(
            Code::LivekitRegion,
            "services.sfu.regions",
            |p| {
                by_region(p);
                livekit(p).selector = Selector::CpuLoad;
            },
            |p| livekit(p).selector = Selector::RegionAware,
        ),
        case(
            Code::LivekitRegion,
            "services.sfu.regions.ashburn",
            |p| {
                by_region(p);
                livekit(p).regions.insert(name("ashburn"), Region { lat: 39.0, lon: f64::NAN });
            },
            by_region,
        ),
    ]
}

fn set(plot: &mut Plot, section: &str, json: &str) {
    let value = serde_json::from_str(json).expect("JSON");
    livekit(plot).settings.insert(section.to_owned(), value);
}

fn webhook(key: &str) -> Webhook {
    let urls = vec!["https://hooks.example.com/livekit".parse().expect("an address")];
    Webhook { key: Some(key.to_owned()), urls }
}

/// Two nodes in two regions, between which LiveKit chooses.
fn by_region(plot: &mut Plot) {
    for (on, region, lat, lon) in [("media-1", "frankfurt", 50.1, 8.7), ("media-2", "ashburn", 39.0, -77.5)] {
        node(plot, on).region = Some(name(region));
        livekit(plot).regions.insert(name(region), Region { lat, lon });
    }
    livekit(plot).selector = Selector::RegionAware;
}
