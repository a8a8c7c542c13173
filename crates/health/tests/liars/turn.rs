//! TURN over UDP and over TLS: allocations that are none, and servers that know nobody.

use std::net::SocketAddr;

use stageplot_health::Cause::*;
use stageplot_topology::Probe;
use stun_types::attribute::{ErrorCode, Nonce, Realm};
use stun_types::message::{
    LongTermKeyCredentials, Message, MessageIntegrityCredentials, MessageWrite as _, MessageWriteExt as _,
    MessageWriteVec,
};
use tokio::io::AsyncReadExt as _;
use turn_types::attribute::XorRelayedAddress;
use turn_types::message::ALLOCATE;

use crate::chain::{Authority, Shown};
use crate::datagram::{bare, datagrams, mapped, refusal, sign};
use crate::livekit::{IceServer, Livekit, Reception, Said};
use crate::server::{Manner, Server};
use crate::stage::{Case, End, Stage, TURN_NAME};

const USER: &str = "user";
const PASSWORD: &str = "turn-password";
const REALM: &str = "realm.example.com";

/// What a client is told of servers at a URL.
fn told(url: &str) -> Vec<IceServer> {
    vec![IceServer { urls: vec![url.to_owned()], username: USER.into(), credential: PASSWORD.into() }]
}

fn key(password: &str) -> MessageIntegrityCredentials {
    LongTermKeyCredentials::new(USER.into(), password.into(), REALM.into()).into()
}

/// In what a server is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    /// It allocates for whoever asks.
    AsksNobody,
    /// It rejects everybody.
    Rejects,
    /// It says yes, and does not know the password.
    Unsigned,
    OtherPassword,
    /// It says yes, and not where.
    Nowhere,
    /// It does not take the allocation back.
    Keeps,
    Garbage,
    Mute,
    /// It answers the first question alone.
    FallsMute,
}

fn answer(lie: Lie, bytes: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let request = Message::from_bytes(bytes).expect("a request");
    let is_signed = request.validate_integrity(&key(PASSWORD)).is_ok();
    match lie {
        Lie::Mute => return None,
        Lie::FallsMute if is_signed => return None,
        Lie::Garbage => return Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Lie::AsksNobody => return Some(mapped(bytes, from, None)),
        _ => {}
    }
    if !is_signed || lie == Lie::Rejects {
        let mut challenge = Message::builder_error(&request, MessageWriteVec::new());
        challenge.add_attribute(&ErrorCode::new(401, "Who?").expect("an error")).expect("room");
        challenge.add_attribute(&Realm::new(REALM).expect("a realm")).expect("room");
        challenge.add_attribute(&Nonce::new("nonce").expect("a nonce")).expect("room");
        return Some(challenge.finish());
    }
    if request.has_method(ALLOCATE) {
        let mut success = Message::builder_success(&request, MessageWriteVec::new());
        if lie != Lie::Nowhere {
            let relayed = XorRelayedAddress::new(from, request.transaction_id());
            success.add_attribute(&relayed).expect("room");
        }
        match lie {
            Lie::Unsigned => {}
            Lie::OtherPassword => sign(&mut success, Some(&key("another"))),
            _ => sign(&mut success, Some(&key(PASSWORD))),
        }
        return Some(success.finish());
    }
    Some(if lie == Lie::Keeps { refusal(bytes, 437) } else { bare(bytes) })
}

/// What both transports make of each lie, but for the time that the last three take.
const LIES: &[(Lie, End)] = &[
    (Lie::None, End::Passed),
    (Lie::AsksNobody, End::Failed(TurnRejected)),
    (Lie::Rejects, End::Failed(TurnRejected)),
    (Lie::Unsigned, End::Failed(TurnRejected)),
    (Lie::OtherPassword, End::Failed(TurnRejected)),
    (Lie::Nowhere, End::Failed(TurnRejected)),
    (Lie::Keeps, End::Degraded(TurnRejected)),
    (Lie::Garbage, End::Failed(WrongProtocol)),
];

/// Holds an allocation against what has to come of it, and that the room is removed.
async fn allocates(
    name: &str,
    stage: impl Fn(u16) -> Stage,
    servers: Vec<IceServer>,
    at: SocketAddr,
    end: End,
) {
    let livekit = Livekit::new(Reception::says([Said::joined(servers)])).await;
    let stage = stage(livekit.server.at.port());
    let tls = name.starts_with("tls");
    let trial = stage.trial(
        |probe| match probe {
            Probe::TurnAllocate => !tls,
            Probe::TurnTlsAllocate { .. } => tls,
            _ => false,
        },
        at,
    );
    stage.hold([std::future::ready(Case::new(name, trial, end).late_unless_passed())]).await;
    assert_eq!(livekit.removed(), 1, "{name}: the room is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_over_udp_is_one() {
    let url = "turn:203.0.113.11:3478?transport=udp";
    let late = [(Lie::Mute, End::Failed(Silence)), (Lie::FallsMute, End::Failed(Silence))];
    for (lie, end) in LIES.iter().chain(&late) {
        let lie = *lie;
        let at = datagrams(move |request, from| answer(lie, request, from).into_iter().collect()).await;
        allocates(&format!("udp, {lie:?}"), Stage::bare, told(url), at, *end).await;
    }
    let at = datagrams(|request, from| answer(Lie::None, request, from).into_iter().collect()).await;
    allocates("udp, told of none", Stage::bare, Vec::new(), at, End::Failed(TurnRejected)).await;
    allocates(
        "udp, told of STUN",
        Stage::bare,
        told("stun:203.0.113.11:3478"),
        at,
        End::Failed(TurnRejected),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_over_tls_is_one() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let file = known.file();
    let stage = |port| Stage::bare(port).trusting(file.path());
    let url = format!("turns:{TURN_NAME}:443?transport=tcp");
    let late = [(Lie::Mute, End::Failed(NoAnswer)), (Lie::FallsMute, End::Failed(TooSlow))];
    for (lie, end) in LIES.iter().chain(&late) {
        let at = turn(&known.chain(TURN_NAME), *lie).await;
        allocates(&format!("tls, {lie:?}"), stage, told(&url), at, *end).await;
    }
    let chains = [
        (known.chain("live.example.com"), CertificateName),
        (known.with_ended_intermediate(TURN_NAME), CertificateExpired),
        (unknown.chain(TURN_NAME), CertificateUntrusted),
        (known.chain(TURN_NAME).alone(), ChainIncomplete),
    ];
    for (shown, cause) in chains {
        let at = turn(&shown, Lie::None).await;
        allocates(&format!("tls, {cause}"), stage, told(&url), at, End::Failed(cause)).await;
    }
    let manners = [
        (Manner::Breaks(b""), ClosedEarly),
        (Manner::Breaks(b"\x01\x13\x00\x24\x21\x12\xa4\x42"), ClosedEarly),
        (Manner::Drips(b"\x01"), TooSlow),
        (Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), WrongProtocol),
        (Manner::Floods(b"", b"\0"), WrongProtocol),
    ];
    for (manner, cause) in manners {
        let at = Server::secure(known.chain(TURN_NAME).config(), manner).await.at;
        allocates(&format!("tls, {manner:?}"), stage, told(&url), at, End::Failed(cause)).await;
    }
    let at = turn(&known.chain(TURN_NAME), Lie::None).await;
    for elsewhere in
        ["turns:turn.example.com:4433", "turns:turn.example.com:5349", "turns:turn.example.org:443"]
    {
        allocates(&format!("tls, {elsewhere}"), stage, told(elsewhere), at, End::Failed(TurnRejected)).await;
    }
}

/// TURN over TLS.
async fn turn(shown: &Shown, lie: Lie) -> SocketAddr {
    let config = shown.config();
    let server = Server::new(move |line| {
        let config = config.clone();
        async move {
            let Ok(mut line) = line.secure(config).await else { return };
            loop {
                let mut request = vec![0; 20];
                if line.stream.read_exact(&mut request).await.is_err() {
                    return;
                }
                let length = usize::from(u16::from_be_bytes([request[2], request[3]]));
                request.resize(20 + length, 0);
                if line.stream.read_exact(&mut request[20..]).await.is_err() {
                    return;
                }
                let from = ([127, 0, 0, 1], 30000).into();
                if let Some(answer) = answer(lie, &request, from) {
                    line.say(&answer).await;
                }
            }
        }
    });
    server.await.at
}
