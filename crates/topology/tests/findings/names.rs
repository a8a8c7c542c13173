//! Values, names, and what they name.

use stageplot_topology::{App, Code, Level, NetworkSpec};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(Code::InvalidValue, "root", |p| p.root = "opt/../live".into(), |p| p.root = "/opt/live".into()),
        case(
            Code::InvalidValue,
            "severity.port-conflict",
            |p| _ = p.severity.insert(Code::PortConflict, Level::Allow),
            |p| _ = p.severity.remove(&Code::PortConflict),
        ),
        case(
            Code::MissingField,
            "nodes",
            |p| {
                p.nodes.clear();
                p.severity.insert(Code::UnplacedService, Level::Allow);
            },
            |p| p.nodes = plot().nodes,
        ),
        case(
            Code::MissingField,
            "nodes.media-2",
            |p| (node(p, "media-2").address, node(p, "media-2").public) = (Vec::new(), None),
            |p| p.nodes = plot().nodes,
        ),
        case(
            Code::MissingField,
            "networks.vpn.cidr",
            |p| drop(p.networks.insert(name("vpn"), NetworkSpec::default())),
            |p| add_network(p, "vpn", "10.9.0.0/16"),
        ),
        case(
            Code::FloatingImage,
            "services.cache.image",
            |p| redis(p).image = image("redis:latest"),
            |p| redis(p).image = image("redis:7.4-alpine"),
        ),
        case(
            Code::UnknownName,
            "nodes.media-2.roles[1]",
            |p| place(p, "caches", "media-2"),
            |p| unplace(p, "media-2"),
        ),
        case(
            Code::UnknownName,
            "access.ssh.from[1]",
            |p| p.access.ssh.from = vec![source("lan"), source("vpn")],
            |p| p.access.ssh.from = vec![source("lan")],
        ),
        case(
            Code::UnknownName,
            "services.cache.primary",
            |p| redis(p).primary = vec![name("media-9")],
            |p| redis(p).primary = vec![name("media-1")],
        ),
        case(
            Code::WrongKind,
            "services.sfu.redis",
            |p| livekit(p).redis = Some(name("edge")),
            |p| livekit(p).redis = Some(name("cache")),
        ),
        case(Code::AmbiguousService, "services.sfu.edge", add_second_edge, |p| {
            app(p).edge = Some(name("edge"));
            livekit(p).edge = Some(name("second"));
        }),
        case(
            Code::DuplicateRole,
            "nodes.media-2.roles[1]",
            |p| place(p, "sfu", "media-2"),
            |p| unplace(p, "media-2"),
        ),
        case(
            Code::UnplacedService,
            "services.spare",
            |p| add(p, "spare", App { port: None, ..host_app(9000) }),
            |p| place(p, "spare", "front"),
        ),
    ]
}
