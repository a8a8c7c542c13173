//! TURN: where it listens, what it is called, who ends its TLS.

use stageplot_topology::{Code, Plot, Port, Turn, TurnTls};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::TurnOff,
            "services.sfu.turn",
            |p| livekit(p).turn = Some(Turn { udp_port: None, ..Turn::default() }),
            |p| livekit(p).turn = Some(Turn::default()),
        ),
        case(
            Code::TurnDomain,
            "services.sfu.turn.domain",
            |p| livekit(p).turn = Some(Turn { domain: Some(host("live.example.com")), ..Turn::default() }),
            |p| turn(p).domain = Some(host("turn.example.com")),
        ),
        case(
            Code::TurnDomain,
            "services.sfu.turn.domain",
            |p| {
                direct(p);
                turn(p).domain = None;
            },
            |p| turn(p).domain = Some(host("turn.example.com")),
        ),
        case(
            Code::TurnCertificate,
            "services.sfu.turn.tls",
            |p| {
                direct(p);
                (turn(p).cert, turn(p).key) = (None, None);
            },
            direct,
        ),
        case(
            Code::TurnCertificate,
            "services.sfu.turn.tls",
            |p| {
                shared(p);
                edge(p).image = image("registry.example.com/caddy-l4:2.11");
                edge(p).layer4 = true;
                edge(p).https_port = Port::fixed(8443);
            },
            |p| edge(p).https_port = Port::fixed(443),
        ),
        case(Code::ImageLacksModule, "services.edge.layer4", shared, |p| {
            edge(p).image = image("registry.example.com/caddy-l4:2.11");
            edge(p).layer4 = true;
        }),
        case(
            Code::ImageLacksModule,
            "services.edge.image",
            |p| {
                shared(p);
                edge(p).image = image("docker.io/library/caddy:2.10-alpine");
                edge(p).layer4 = true;
            },
            |p| edge(p).image = image("registry.example.com/caddy-l4:2.11"),
        ),
        case(
            Code::PortConflict,
            "services.sfu.turn.tls",
            |p| {
                direct(p);
                place(p, "sfu", "front");
            },
            |p| unplace(p, "front"),
        ),
        case(
            Code::TurnRelayOpen,
            "services.sfu.use-external-ip",
            |p| {
                livekit(p).turn = Some(Turn::default());
                livekit(p).use_external_ip = true;
                node(p, "media-2").public = None;
            },
            |p| node(p, "media-2").public = Some(ip("203.0.113.12").into()),
        ),
    ]
}

/// TURN over TLS that LiveKit ends itself.
fn direct(plot: &mut Plot) {
    livekit(plot).turn = Some(Turn {
        domain: Some(host("turn.example.com")),
        tls: TurnTls::Direct,
        cert: Some(file("turn.crt")),
        key: Some(file("turn.key")),
        ..Turn::default()
    });
}

/// TURN over TLS on the edge's own port.
fn shared(plot: &mut Plot) {
    let domain = Some(host("turn.example.com"));
    livekit(plot).turn = Some(Turn { domain, tls: TurnTls::Edge, ..Turn::default() });
}
