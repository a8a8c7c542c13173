//! ion-sfu: what it would not start with, and what it would silently not do.

use stageplot_topology::{Code, ContainerNetwork, IonSfu, IonTurn, Level, Plot, ServiceSpec};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::Unmaintained,
            "services.ion",
            |p| {
                add_sfu(p);
                p.severity.remove(&Code::Unmaintained);
            },
            allow,
        ),
        case(
            Code::MacosPort,
            "services.ion.port",
            |p| {
                add_sfu(p);
                sfu(p).port = "7000".parse().expect("a port");
            },
            |p| sfu(p).port = "7777".parse().expect("a port"),
        ),
        case(
            Code::InvalidValue,
            "services.ion.udp",
            |p| {
                add_sfu(p);
                sfu(p).udp = "5000-5099".parse().expect("a range");
            },
            |p| sfu(p).udp = "5000-5100".parse().expect("a range"),
        ),
        case(
            Code::InvalidValue,
            "services.ion.stun[0]",
            |p| {
                add_sfu(p);
                sfu(p).stun = vec!["stun.example.com".to_owned()];
            },
            |p| sfu(p).stun = vec!["stun:stun.example.com:3478".to_owned()],
        ),
        case(
            Code::MissingField,
            "services.ion.turn.users",
            |p| {
                add_sfu(p);
                turn(p).users.clear();
            },
            |p| turn(p).secret = Some(env("TURN_SECRET")),
        ),
        case(
            Code::InvalidValue,
            "services.ion.turn.users",
            |p| {
                add_sfu(p);
                turn(p).users.insert("guest.one".to_owned(), env("TURN_PASSWORD"));
            },
            |p| drop(turn(p).users.remove("guest.one")),
        ),
        case(
            Code::InvalidValue,
            "services.ion.turn.secret",
            |p| {
                add_sfu(p);
                turn(p).secret = Some(env("TURN_SECRET"));
            },
            |p| turn(p).users.clear(),
        ),
        case(
            Code::InvalidValue,
            "services.ion.turn.realm",
            |p| {
                add_sfu(p);
                turn(p).realm.clear();
            },
            |p| turn(p).realm = "live".to_owned(),
        ),
        case(
            Code::InvalidValue,
            "services.ion.turn",
            |p| {
                add_sfu(p);
                sfu(p).network = ContainerNetwork::Bridge;
            },
            |p| sfu(p).network = ContainerNetwork::Host,
        ),
        case(
            Code::NoPublicAddress,
            "nodes.media-2",
            |p| {
                add_sfu(p);
                node(p, "media-2").public = None;
                livekit(p).use_external_ip = true;
            },
            |p| sfu(p).stun = vec!["stun:stun.example.com".to_owned()],
        ),
    ]
}

fn add_sfu(plot: &mut Plot) {
    add(plot, "ion", IonSfu { image: image("pionwebrtc/ion-sfu:v1.11.0-jsonrpc"), ..IonSfu::default() });
    place(plot, "ion", "media-2");
    allow(plot);
    let users = [("guest".to_owned(), env("TURN_PASSWORD"))].into();
    sfu(plot).turn = Some(IonTurn { users, ..IonTurn::default() });
}

fn allow(plot: &mut Plot) {
    plot.severity.insert(Code::Unmaintained, Level::Allow);
}

fn sfu(plot: &mut Plot) -> &mut IonSfu {
    match plot.services.get_mut("ion") {
        Some(ServiceSpec::IonSfu(sfu)) => sfu,
        other => panic!("no ion-sfu: {other:?}"),
    }
}

fn turn(plot: &mut Plot) -> &mut IonTurn {
    sfu(plot).turn.as_mut().expect("a relay")
}
