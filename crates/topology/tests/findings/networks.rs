//! Addresses, networks and ports.

use stageplot_topology::{
    App, Code, Keep, Metrics, NodeSpec, Port, Protocol, PublicAddress, Redis, Source, Turn,
};

use std::net::Ipv4Addr;

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::InvalidValue,
            "nodes.media-2.address[1]",
            |p| node(p, "media-2").address.push(ip("fe80::1")),
            |p| _ = node(p, "media-2").address.pop(),
        ),
        case(
            Code::DuplicateAddress,
            "nodes.media-2.address[0]",
            |p| node(p, "media-2").address = vec![ip("192.168.1.2")],
            |p| node(p, "media-2").address = vec![ip("192.168.1.3")],
        ),
        case(
            Code::DuplicateAddress,
            "nodes.media-2.public",
            |p| node(p, "media-2").public = Some(PublicAddress::from(ip("192.168.1.3"))),
            |p| node(p, "media-2").public = Some(PublicAddress::from(ip("203.0.113.12"))),
        ),
        case(
            Code::NetworkOverlap,
            "networks.vpn.cidr[0]",
            |p| add_network(p, "vpn", "192.168.0.0/16"),
            |p| add_network(p, "vpn", "10.9.0.0/16"),
        ),
        case(
            Code::BridgeOverlap,
            "bridge",
            |p| p.bridge.v4 = "192.168.1.128/25".parse().expect("a network"),
            |p| p.bridge.v4 = "172.31.0.0/24".parse().expect("a network"),
        ),
        case(
            Code::BridgeOverlap,
            "nodes.media-2.address[1]",
            |p| node(p, "media-2").address.push(ip("fd5a:9e10:7000::9")),
            |p| _ = node(p, "media-2").address.pop(),
        ),
        case(
            Code::BridgeOverlap,
            "bridge.v4",
            |p| p.bridge.v4 = "172.31.0.0/30".parse().expect("a network"),
            |p| p.bridge.v4 = "172.31.0.0/24".parse().expect("a network"),
        ),
        case(
            Code::AddressOutsideNetworks,
            "nodes.media-2.address[1]",
            |p| node(p, "media-2").address.push(ip("10.9.0.3")),
            |p| add_network(p, "vpn", "10.9.0.0/16"),
        ),
        case(
            Code::NoRoute,
            "nodes.store",
            |p| {
                unplace(p, "media-1");
                add_network(p, "dc", "10.9.0.0/16");
                p.nodes.insert(name("store"), NodeSpec::private(ip("10.9.0.5")).role("cache"));
            },
            |p| node(p, "store").address.push(ip("192.168.1.9")),
        ),
        case(
            Code::BridgeNeedsIpv6,
            "nodes.media-1",
            |p| {
                add_network(p, "six", "fd00:6::/64");
                node(p, "media-1").address.push(ip("fd00:6::2"));
                p.nodes.insert(name("far"), NodeSpec::private(ip("fd00:6::9")).role("worker"));
                let image = Some("registry.example.com/worker:1".parse().expect("an image"));
                add(p, "worker", App { image, needs: vec![name("cache")], ..App::default() });
            },
            |p| p.bridge.ipv6 = true,
        ),
        case(
            Code::ClearOverInternet,
            "nodes.media-2.address",
            |p| node(p, "media-2").address.clear(),
            |p| node(p, "media-2").address.push(ip("192.168.1.3")),
        ),
        case(Code::NoRoute, "services.cache", |p| unplace(p, "media-1"), |p| place(p, "cache", "media-2")),
        case(
            Code::NoPublicAddress,
            "nodes.media-2",
            |p| node(p, "media-2").public = None,
            |p| node(p, "media-2").public = Some(ip("203.0.113.12").into()),
        ),
        case(
            Code::NoPublicAddress,
            "nodes.media-2",
            |p| node(p, "media-2").public = None,
            |p| livekit(p).use_external_ip = true,
        ),
        case(
            Code::PublicAddressNotPublic,
            "nodes.media-2.public",
            |p| node(p, "media-2").public = Some(ip("100.64.0.7").into()),
            |p| node(p, "media-2").public = Some(ip("203.0.113.12").into()),
        ),
        case(
            Code::PublicAddressNotPublic,
            "nodes.media-2.public",
            |p| node(p, "media-2").public = Some(ip("fd00::7").into()),
            |p| node(p, "media-2").public = Some(ip("2001:db8::7").into()),
        ),
        case(
            Code::ScatteredPeers,
            "services.mesh",
            |p| {
                add_network(p, "mesh", "10.64.0.0/16");
                add(p, "mesh", App { needs: vec![name("mesh")], ..host_app(9000) });
                for n in 0..257_u32 {
                    // Every other address, so that none are one network.
                    let at = |net: u32| Ipv4Addr::from(net + n * 2 + 1).into();
                    let mesh = NodeSpec::public(at(0x0808_0000)).role("mesh");
                    p.nodes.insert(name(&format!("mesh-{n}")), mesh);
                }
            },
            |p| {
                for (n, node) in
                    p.nodes.iter_mut().filter(|(name, _)| name.as_str().starts_with("mesh-")).enumerate()
                {
                    let n = u32::try_from(n).expect("few");
                    node.1.address.push(Ipv4Addr::from(0x0a40_0001 + n * 2).into());
                }
            },
        ),
        case(
            Code::SourceElsewhere,
            "access.keep[0].from",
            |p| {
                node(p, "front").address.clear();
                p.services.remove("cache");
                p.nodes.remove("media-2");
                unplace(p, "media-1");
                livekit(p).metrics = None;
                let from = vec![source("lan")];
                let port = Port::fixed(9100).into();
                p.access.keep = vec![Keep { port, protocol: Protocol::Tcp, from, why: String::new() }];
            },
            |p| node(p, "front").address.push(ip("192.168.1.1")),
        ),
        case(
            Code::SourceElsewhere,
            "services.sfu.metrics.from",
            |p| {
                add_network(p, "office", "10.9.0.0/24");
                livekit(p).metrics = Some(Metrics { from: vec![source("office")], ..Metrics::default() });
            },
            |p| livekit(p).metrics = Some(Metrics { from: vec![source("lan")], ..Metrics::default() }),
        ),
        // Of a default and what is written, the second is to be changed.
        case(
            Code::PortConflict,
            "services.cache.port",
            |p| redis(p).port = Port::fixed(7880),
            |p| redis(p).port = Port::fixed(6379),
        ),
        case(
            Code::PortConflict,
            "services.sfu.port",
            |p| livekit(p).port = Port::fixed(6379),
            |p| livekit(p).port = Port::fixed(7880),
        ),
        case(
            Code::SshLockout,
            "access.ssh.port",
            |p| p.access.ssh.port = Port::fixed(7880),
            |p| p.access.ssh.port = Port::fixed(22),
        ),
        case(
            Code::InvalidValue,
            "nodes.media-2.address[0]",
            |p| node(p, "media-2").address = vec![ip("192.168.1.255")],
            |p| node(p, "media-2").address = vec![ip("192.168.1.3")],
        ),
        case(
            Code::InvalidValue,
            "nodes.media-2.address[0]",
            |p| node(p, "media-2").address = vec![ip("192.168.1.0")],
            |p| node(p, "media-2").address = vec![ip("192.168.1.3")],
        ),
        case(
            Code::PortConflict,
            "services.rooms.port",
            |p| app(p).port = Port::new(2020),
            |p| app(p).port = Port::new(8080),
        ),
        case(
            Code::PortConflict,
            "services.sfu.udp",
            |p| {
                livekit(p).turn = Some(Turn::default());
                livekit(p).udp = "3000-3500".parse().expect("a range");
            },
            |p| livekit(p).udp = "3600-3700".parse().expect("a range"),
        ),
        case(
            Code::PortConflict,
            "access.keep[0]",
            |p| p.access.keep.push(keep("7800-7900", Protocol::Tcp)),
            |p| p.access.keep[0] = keep("7800-7900", Protocol::Udp),
        ),
    ]
}

/// What follows from one slip is not told beside it.
#[test]
fn an_address_that_nobody_can_dial_is_told_once() {
    let mut plot = plot();
    livekit(&mut plot).metrics = Some(Metrics { from: vec![source("lan")], ..Metrics::default() });
    plot.access.ssh.from = vec![source("lan")];
    node(&mut plot, "media-2").address = vec![ip("127.0.0.1")];
    let codes: Vec<_> = crate::found(&plot).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::InvalidValue]);
}

#[test]
fn of_several_redis_it_is_not_said_that_there_is_none() {
    let mut plot = plot();
    add(&mut plot, "other", Redis { port: Port::fixed(6390), ..Redis::default() });
    place(&mut plot, "other", "media-1");
    let codes: Vec<_> = crate::found(&plot).iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&Code::AmbiguousService), "{codes:?}");
    assert!(!codes.contains(&Code::LivekitNeedsRedis), "{codes:?}");
}

fn keep(port: &str, protocol: Protocol) -> Keep {
    Keep { port: port.parse().expect("a range"), protocol, from: vec![Source::Any], why: String::new() }
}
