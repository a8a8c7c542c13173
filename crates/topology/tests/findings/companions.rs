//! LiveKit's ingress, egress and SIP: whom they work for, who reaches them, and where what they
//! make goes.

use stageplot_topology::{
    Code, Edge, Egress, EgressCost, Ingress, IngressCost, Livekit, Metrics, Plot, Port, PortRange,
    RedisRemote, S3, ServiceSpec, Sip, SipTls,
};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [of_all(), of_ingress(), of_egress(), of_sip()].into_iter().flatten().collect()
}

fn of_all() -> Vec<Case> {
    vec![
        case(
            Code::MissingField,
            "services.recorder.livekit",
            |p| {
                add_egress(p);
                p.services.retain(|_, service| !matches!(service, ServiceSpec::Livekit(_)));
                unplace_all(p, "sfu");
            },
            |p| {
                let keys = [("main".to_owned(), env("LIVEKIT_API_SECRET"))].into();
                add(p, "sfu", Livekit { keys, ..Livekit::default() });
                place(p, "sfu", "media-1");
            },
        ),
        case(
            Code::AmbiguousService,
            "services.recorder.livekit",
            |p| {
                add_egress(p);
                add_second_livekit(p);
            },
            |p| egress(p).livekit = Some(name("sfu")),
        ),
        case(
            Code::UnknownName,
            "services.recorder.livekit",
            |p| {
                add_egress(p);
                egress(p).livekit = Some(name("sfus"));
            },
            |p| egress(p).livekit = Some(name("sfu")),
        ),
        case(
            Code::WrongKind,
            "services.calls.livekit",
            |p| {
                add_sip(p);
                sip(p).livekit = Some(name("cache"));
            },
            |p| sip(p).livekit = None,
        ),
        // One LiveKit alone does without.
        case(
            Code::LivekitNeedsRedis,
            "services.streams.livekit",
            |p| {
                add_ingress(p);
                p.services.remove(&name("cache"));
                unplace_all(p, "cache");
                unplace_from(p, "sfu", "media-2");
            },
            |p| {
                add(p, "cache", stageplot_topology::Redis { external: Some(remote()), ..Default::default() });
            },
        ),
        case(
            Code::MissingField,
            "services.recorder.key",
            |p| {
                add_egress(p);
                livekit(p).keys.insert("other".to_owned(), env("OTHER_API_SECRET"));
            },
            |p| egress(p).key = Some("other".to_owned()),
        ),
        case(
            Code::UnknownName,
            "services.recorder.key",
            |p| {
                add_egress(p);
                egress(p).key = Some("mian".to_owned());
            },
            |p| egress(p).key = Some("main".to_owned()),
        ),
        case(
            Code::FloatingImage,
            "services.recorder.image",
            |p| {
                add_egress(p);
                egress(p).image = image("livekit/egress:latest");
            },
            |p| egress(p).image = image("livekit/egress:v1.14.1"),
        ),
    ]
}

fn of_ingress() -> Vec<Case> {
    vec![
        case(
            Code::MissingField,
            "services.streams.edge",
            |p| {
                add_ingress(p);
                p.services.remove(&name("edge"));
                unplace_all(p, "edge");
                app(p).routes.clear();
            },
            |p| {
                add(p, "edge", Edge::new(host("live.example.com")));
                place(p, "edge", "front");
                app(p).routes.push("/api/*".to_owned());
            },
        ),
        case(
            Code::NoPublicAddress,
            "nodes.media-2",
            |p| {
                add_ingress(p);
                hide(p);
            },
            |p| ingress(p).use_external_ip = true,
        ),
        case(
            Code::NoPublicAddress,
            "nodes.media-2.public",
            |p| {
                add_ingress(p);
                hide(p);
                ingress(p).use_external_ip = true;
                ingress(p).domain = None;
            },
            |p| ingress(p).domain = Some(host("publish.example.com")),
        ),
        case(
            Code::OneOfSeveral,
            "services.streams.domain",
            |p| {
                add_ingress(p);
                place(p, "streams", "media-1");
                ingress(p).domain = None;
            },
            |p| ingress(p).domain = Some(host("publish.example.com")),
        ),
        case(
            Code::SourceElsewhere,
            "services.streams.from",
            |p| {
                add_ingress(p);
                add_network(p, "studio", "10.9.0.0/24");
                ingress(p).from = vec![source("studio")];
            },
            |p| ingress(p).from = vec![source("lan")],
        ),
        case(
            Code::PortConflict,
            "services.recorder.metrics",
            |p| {
                add_ingress(p);
                place(p, "recorder", "media-2");
                add(
                    p,
                    "recorder",
                    Egress { metrics: Some(Port::new(1935).expect("a port")), ..host_egress() },
                );
            },
            |p| ingress(p).rtmp_port = Port::new(1936),
        ),
        case(
            Code::RouteConflict,
            "services.streams.edge",
            |p| {
                add_ingress(p);
                app(p).routes.push("/w/*".to_owned());
            },
            |p| {
                app(p).routes.pop();
            },
        ),
        case(
            Code::InvalidValue,
            "services.streams.cost.rtmp",
            |p| {
                add_ingress(p);
                ingress(p).cost = IngressCost { rtmp: Some(-1.0), ..IngressCost::default() };
            },
            |p| ingress(p).cost.rtmp = Some(1.0),
        ),
        case(
            Code::InvalidValue,
            "services.streams.cost.min-idle",
            |p| {
                add_ingress(p);
                ingress(p).cost = IngressCost { min_idle: Some(f64::NAN), ..IngressCost::default() };
            },
            |p| ingress(p).cost.min_idle = Some(0.3),
        ),
    ]
}

fn of_egress() -> Vec<Case> {
    vec![
        case(
            Code::EgressNowhere,
            "services.recorder.directory",
            |p| {
                add_egress(p);
                egress(p).directory = false;
            },
            |p| egress(p).s3 = Some(S3::new("recordings")),
        ),
        case(
            Code::MissingField,
            "services.recorder.s3.secret-key",
            |p| {
                add_egress(p);
                egress(p).s3 = Some(S3 { access_key: Some(env("S3_ACCESS_KEY")), ..S3::new("recordings") });
            },
            |p| egress(p).s3.as_mut().expect("a bucket").secret_key = Some(env("S3_SECRET_KEY")),
        ),
        case(
            Code::InvalidValue,
            "services.recorder.s3.bucket",
            |p| {
                add_egress(p);
                egress(p).s3 = Some(S3::new(""));
            },
            |p| egress(p).s3 = Some(S3::new("recordings")),
        ),
        case(
            Code::InvalidValue,
            "services.recorder.cost.max-cpu",
            |p| {
                add_egress(p);
                egress(p).cost = EgressCost { max_cpu: Some(80.0), ..EgressCost::default() };
            },
            |p| egress(p).cost.max_cpu = Some(0.8),
        ),
        case(
            Code::WrongKind,
            "services.rooms.needs[0]",
            |p| {
                add_egress(p);
                app(p).needs.push(name("recorder"));
            },
            |p| app(p).needs = vec![name("sfu")],
        ),
        // What is shown to a Prometheus needs one; the plot says nothing of it.
        case(
            Code::NothingToScrape,
            "services.numbers",
            |p| {
                add(p, "numbers", stageplot_topology::Prometheus::default());
                place(p, "numbers", "front");
            },
            |p| {
                add_egress(p);
                egress(p).metrics = Port::new(8942);
            },
        ),
    ]
}

fn of_sip() -> Vec<Case> {
    vec![
        case(
            Code::NoPublicAddress,
            "nodes.media-2",
            |p| {
                add_sip(p);
                hide(p);
            },
            |p| sip(p).from = vec![source("lan")],
        ),
        case(
            Code::PortConflict,
            "services.sfu.udp",
            |p| {
                add_sip(p);
                livekit(p).udp = "19000-29000".parse::<PortRange>().expect("a range");
            },
            |p| sip(p).rtp = "10000-18000".parse().expect("a range"),
        ),
        case(
            Code::InvalidValue,
            "services.calls.rtp",
            |p| {
                add_sip(p);
                sip(p).rtp = "10000".parse().expect("a port");
            },
            |p| sip(p).rtp = "10000-10100".parse().expect("a range"),
        ),
        case(
            Code::InvalidValue,
            "services.calls.max-cpu",
            |p| {
                add_sip(p);
                sip(p).max_cpu = Some(0.0);
            },
            |p| sip(p).max_cpu = None,
        ),
        case(
            Code::InvalidValue,
            "nodes.media-2.address",
            |p| {
                add_sip(p);
                sip(p).from = vec![source("2001:db8::/32")];
                p.networks
                    .get_mut(&name("lan"))
                    .expect("a network")
                    .cidr
                    .push("fd00::/64".parse().expect("one"));
                for (on, address) in [("front", "fd00::1"), ("media-1", "fd00::2")] {
                    node(p, on).address.push(ip(address));
                }
                let six = "2001:db8::3".parse().expect("an address");
                let public = stageplot_topology::PublicAddress { v4: None, v6: Some(six), bound: true };
                let lone = node(p, "media-2");
                (lone.address, lone.public) = (vec![ip("fd00::3")], Some(public));
            },
            |p| node(p, "media-2").address.push(ip("192.168.1.3")),
        ),
        case(
            Code::SourceElsewhere,
            "services.calls.from",
            |p| {
                add_sip(p);
                add_network(p, "office", "10.9.0.0/24");
                sip(p).from = vec![source("office")];
                sip(p).tls = Some(SipTls::new(file("sip.crt"), file("sip.key")));
            },
            |p| sip(p).from = vec![source("lan")],
        ),
    ]
}

fn add_ingress(plot: &mut Plot) {
    add(plot, "streams", Ingress { domain: Some(host("publish.example.com")), ..Ingress::default() });
    place(plot, "streams", "media-2");
}

fn add_egress(plot: &mut Plot) {
    add(plot, "recorder", Egress::default());
    place(plot, "recorder", "media-2");
}

fn host_egress() -> Egress {
    Egress { network: stageplot_topology::ContainerNetwork::Host, ..Egress::default() }
}

fn add_sip(plot: &mut Plot) {
    add(plot, "calls", Sip::default());
    place(plot, "calls", "media-2");
}

/// Another LiveKit, with an edge and a Redis of its own.
fn add_second_livekit(plot: &mut Plot) {
    add_second_edge(plot);
    add(plot, "store", stageplot_topology::Redis { external: Some(elsewhere()), ..Default::default() });
    livekit(plot).edge = Some(name("edge"));
    livekit(plot).redis = Some(name("cache"));
    app(plot).edge = Some(name("edge"));
    let keys = [("main".to_owned(), env("OTHER_API_SECRET"))].into();
    let second = Livekit {
        keys,
        edge: Some(name("second")),
        redis: Some(name("store")),
        metrics: None::<Metrics>,
        ..Livekit::default()
    };
    add(plot, "other", second);
    place(plot, "other", "front");
}

fn elsewhere() -> RedisRemote {
    RedisRemote { address: "redis.example.net:6379".parse().ok(), ..RedisRemote::default() }
}

/// Takes a node's public address, and has LiveKit find it out by itself.
fn hide(plot: &mut Plot) {
    node(plot, "media-2").public = None;
    livekit(plot).use_external_ip = true;
}

fn unplace_all(plot: &mut Plot, service: &str) {
    let names: Vec<_> = plot.nodes.keys().cloned().collect();
    for on in names {
        unplace_from(plot, service, on.as_str());
    }
}

fn unplace_from(plot: &mut Plot, service: &str, on: &str) {
    node(plot, on).roles.retain(|role| role.as_str() != service);
}

fn ingress(plot: &mut Plot) -> &mut Ingress {
    match plot.services.get_mut("streams") {
        Some(ServiceSpec::Ingress(ingress)) => ingress,
        other => panic!("no ingress: {other:?}"),
    }
}

fn egress(plot: &mut Plot) -> &mut Egress {
    match plot.services.get_mut("recorder") {
        Some(ServiceSpec::Egress(egress)) => egress,
        other => panic!("no egress: {other:?}"),
    }
}

fn sip(plot: &mut Plot) -> &mut Sip {
    match plot.services.get_mut("calls") {
        Some(ServiceSpec::Sip(sip)) => sip,
        other => panic!("no SIP: {other:?}"),
    }
}
