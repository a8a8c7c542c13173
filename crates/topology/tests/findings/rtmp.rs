//! RTMP: who may publish, where players come in, and that there is one of it.

use stageplot_topology::{App, Code, OnPublish, Period, Plot, Rtmp, ServiceSpec};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::PublishOpen,
            "services.streams.on-publish",
            |p| {
                add_rtmp(p);
                rtmp(p).on_publish = None;
            },
            |p| rtmp(p).from = vec!["198.51.100.0/24".parse().expect("a network")],
        ),
        case(
            Code::UnknownName,
            "services.streams.on-publish.app",
            |p| {
                add_rtmp(p);
                asked(p).app = name("roms");
            },
            |p| asked(p).app = name("rooms"),
        ),
        case(
            Code::WrongKind,
            "services.streams.on-publish.app",
            |p| {
                add_rtmp(p);
                asked(p).app = name("cache");
            },
            |p| asked(p).app = name("rooms"),
        ),
        case(
            Code::MissingField,
            "services.streams.on-publish.app",
            |p| {
                add_rtmp(p);
                add(p, "silent", App::container(image("registry.example.com/silent:1")));
                place(p, "silent", "front");
                asked(p).app = name("silent");
            },
            |p| {
                asked(p).app = name("rooms");
            },
        ),
        case(
            Code::InvalidValue,
            "services.streams.on-publish.path",
            |p| {
                add_rtmp(p);
                asked(p).path = "hooks".to_owned();
            },
            |p| asked(p).path = "/hooks".to_owned(),
        ),
        case(
            Code::InvalidValue,
            "services.streams.on-publish.done",
            |p| {
                add_rtmp(p);
                asked(p).done = Some("done now".to_owned());
            },
            |p| asked(p).done = None,
        ),
        case(
            Code::InvalidValue,
            "services.streams.application",
            |p| {
                add_rtmp(p);
                rtmp(p).application = "live/tv".to_owned();
            },
            |p| rtmp(p).application = "live_tv".to_owned(),
        ),
        case(
            Code::InvalidValue,
            "services.streams.fragment",
            |p| {
                add_rtmp(p);
                rtmp(p).fragment = Period::from_seconds(0);
            },
            |p| rtmp(p).fragment = Period::from_seconds(2),
        ),
        case(
            Code::InvalidValue,
            "services.streams.playlist",
            |p| {
                add_rtmp(p);
                rtmp(p).playlist = Period::from_seconds(5);
            },
            |p| rtmp(p).playlist = Period::from_seconds(6),
        ),
        case(
            Code::ImageLacksModule,
            "services.streams.image",
            |p| {
                add_rtmp(p);
                rtmp(p).flv = true;
            },
            |p| rtmp(p).image = image("registry.example.com/nginx-http-flv:1.2.13"),
        ),
        case(
            Code::NoPublicAddress,
            "nodes.front.public",
            |p| {
                add_rtmp(p);
                node(p, "front").public = None;
                edge(p).domain = None;
                edge(p).tls = stageplot_topology::Tls::Off;
            },
            |p| *p = plot(),
        ),
        case(
            Code::StreamsApart,
            "services.streams",
            |p| {
                add_rtmp(p);
                place(p, "streams", "media-2");
            },
            |p| unplace(p, "media-2"),
        ),
        case(
            Code::RouteConflict,
            "services.streams.edge",
            |p| {
                add_rtmp(p);
                app(p).routes.push("/hls/*".to_owned());
            },
            |p| {
                app(p).routes.pop();
            },
        ),
        case(
            Code::MissingField,
            "services.streams.edge",
            |p| {
                p.services.clear();
                p.nodes.values_mut().for_each(|node| node.roles.clear());
                p.nodes.retain(|name, _| name.as_str() == "front");
                add_rtmp(p);
                rtmp(p).on_publish = None;
                rtmp(p).from = vec!["192.168.1.0/24".parse().expect("a network")];
            },
            |p| rtmp(p).hls = false,
        ),
        case(
            Code::MissingField,
            "services.streams.hls",
            |p| {
                add_rtmp(p);
                rtmp(p).hls = false;
                rtmp(p).edge = Some(name("edge"));
            },
            |p| rtmp(p).hls = true,
        ),
    ]
}

fn add_rtmp(plot: &mut Plot) {
    let asked = OnPublish::ask(name("rooms"), "/hooks/publish");
    add(plot, "streams", Rtmp { on_publish: Some(asked), ..Rtmp::default() });
    place(plot, "streams", "front");
}

fn rtmp(plot: &mut Plot) -> &mut Rtmp {
    match plot.services.get_mut("streams") {
        Some(ServiceSpec::Rtmp(rtmp)) => rtmp,
        other => panic!("no RTMP: {other:?}"),
    }
}

fn asked(plot: &mut Plot) -> &mut OnPublish {
    rtmp(plot).on_publish.as_mut().expect("somebody is asked")
}
