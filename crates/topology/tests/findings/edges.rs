//! The edge: its certificates, its ports, and what stands behind it.

use stageplot_topology::{
    Acme, App, Balance, Code, DnsChallenge, Livekit, Plot, Port, PublicAddress, ServiceSpec, Sticky, Tls,
};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::InvalidValue,
            "services.edge.domain",
            |p| edge(p).domain = Some(host("localhost")),
            |p| edge(p).tls = Tls::Internal,
        ),
        case(
            Code::InvalidValue,
            "services.edge.aliases",
            |p| edge(p).aliases = vec![host("live.home.arpa")],
            |p| edge(p).aliases.clear(),
        ),
        case(
            Code::InvalidValue,
            "services.edge.balance.cookie",
            |p| edge(p).balance = Balance::Cookie(Sticky::by("two words")),
            |p| edge(p).balance = Balance::Cookie(Sticky::by("sticky")),
        ),
        case(
            Code::InvalidValue,
            "services.edge.balance.header",
            |p| edge(p).balance = Balance::Header(String::new()),
            |p| edge(p).balance = Balance::Header("X-Room".to_owned()),
        ),
        case(
            Code::IdleEdge,
            "services.second",
            |p| {
                add_second_edge(p);
                app(p).edge = Some(name("edge"));
                livekit(p).edge = Some(name("edge"));
            },
            |p| app(p).edge = Some(name("second")),
        ),
        case(
            Code::RouteConflict,
            "services.zoo.routes[0]",
            |p| {
                add(p, "zoo", App { routes: vec!["/api/*".to_owned()], ..host_app(9000) });
                place(p, "zoo", "front");
            },
            |p| match p.services.get_mut("zoo") {
                Some(ServiceSpec::App(zoo)) => zoo.routes = vec!["/zoo/*".to_owned()],
                _ => unreachable!("the app was added"),
            },
        ),
        case(
            Code::RouteConflict,
            "services.rooms.routes[0]",
            |p| app(p).routes = vec!["/rtc/*".to_owned()],
            |p| app(p).routes = vec!["/*".to_owned()],
        ),
        case(
            Code::RouteConflict,
            "services.edge",
            |p| {
                let other = Livekit { port: Port::fixed(7980), ..livekit(p).clone() };
                add(p, "sfu-b", other);
                node(p, "media-2").roles = vec![name("sfu-b")];
            },
            |p| {
                add_second_edge(p);
                app(p).edge = Some(name("edge"));
                livekit(p).edge = Some(name("edge"));
                livekit_named(p, "sfu-b").edge = Some(name("second"));
            },
        ),
        case(
            Code::PlainHttp,
            "services.edge.tls",
            |p| edge(p).tls = Tls::Off,
            |p| edge(p).tls = Tls::Internal,
        ),
        case(
            Code::PlainHttp,
            "services.edge.domain",
            |p| edge(p).domain = None,
            |p| edge(p).domain = Some(host("live.example.com")),
        ),
        case(
            Code::MissingField,
            "services.edge.domain",
            |p| edge(p).aliases = edge(p).domain.take().into_iter().collect(),
            |p| edge(p).domain = edge(p).aliases.pop(),
        ),
        case(
            Code::EdgeNotPublic,
            "nodes.front.public",
            |p| node(p, "front").public = None,
            |p| node(p, "front").public = Some(PublicAddress { bound: false, ..ip("203.0.113.10").into() }),
        ),
        case(
            Code::EdgeNotPublic,
            "nodes.front.public",
            |p| node(p, "front").public = None,
            |p| {
                p.access.clients = vec![source("lan")];
                edge(p).tls = Tls::Internal;
            },
        ),
        case(
            Code::AcmePort,
            "services.edge.http-port",
            |p| edge(p).http_port = Port::fixed(8080),
            |p| edge(p).http_port = Port::fixed(80),
        ),
        case(
            Code::AcmePort,
            "services.edge.tls",
            |p| p.access.clients = vec![source("192.168.1.0/24")],
            |p| edge(p).tls = Tls::Own { cert: file("live.crt"), key: file("live.key") },
        ),
        case(
            Code::AcmeSeveralEdges,
            "services.edge.tls",
            |p| place(p, "edge", "media-2"),
            |p| edge(p).tls = Tls::Own { cert: file("live.crt"), key: file("live.key") },
        ),
        case(
            Code::ImageLacksModule,
            "services.edge.image",
            |p| edge(p).tls = by_dns("cloudflare"),
            |p| edge(p).image = image("registry.example.com/caddy-cloudflare:2.11"),
        ),
        case(Code::InvalidValue, "services.edge.tls.dns", with_odd_provider, |p| {
            edge(p).tls = by_dns("cloudflare");
        }),
    ]
}

fn with_odd_provider(plot: &mut Plot) {
    edge(plot).image = image("registry.example.com/caddy-cloudflare:2.11");
    edge(plot).tls = by_dns("cloudflare {");
}

fn by_dns(provider: &str) -> Tls {
    let settings = [("api_token".to_owned(), env("DNS_TOKEN"))].into();
    let dns = Some(DnsChallenge { provider: provider.to_owned(), settings });
    Tls::Acme(Acme { dns, ..Acme::default() })
}
