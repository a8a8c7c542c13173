//! Joining a room, and meeting its media port.

use stageplot_health::Cause::{self, *};
use stageplot_topology::Probe;
use stun_types::message::{MessageIntegrityCredentials, ShortTermCredentials};
use tokio_tungstenite::tungstenite::Message;

use crate::chain::Authority;
use crate::datagram::{bare, datagrams, mapped, refusal};
use crate::livekit::{ICE_PASSWORD, KEPT, Livekit, REMOVED, Reception, Said, candidate, receive};
use crate::server::{Manner, Server, filled, nobody};
use crate::stage::{Case, End, NAME, Stage};

/// A frame of 4 EiB, as its head says.
const FRAME: &[u8] = b"\x82\x7f\x3f\xff\xff\xff\xff\xff\xff\xff";
const HINT: &[u8] = &filled::<1000>(b"x: ");

fn joins(probe: &Probe) -> bool {
    matches!(probe, Probe::LivekitJoin)
}

fn garbage() -> Message {
    Message::Binary(vec![0xff; 64].into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_joined_by_who_is_told_so() {
    let stage = &Stage::behind_http();
    let says = |messages: Vec<Message>| Reception::Says(messages);
    let binary = |bytes: Vec<u8>| Message::Binary(bytes.into());
    let joined = || binary(Said::joined(Vec::new()));
    let cases: Vec<(&str, Reception, End)> = vec![
        ("honest", says(vec![joined()]), End::Passed),
        (
            "honest, after small talk",
            says(vec![Message::Ping(vec![1].into()), "hi".into(), joined()]),
            End::Passed,
        ),
        ("mute", Reception::Other(Manner::Mute), End::Failed(NoAnswer)),
        (
            "drips",
            Reception::Other(Manner::Drips(b"HTTP/1.1 101 Switching Protocols\r\n")),
            End::Failed(TooSlow),
        ),
        ("closes", Reception::Other(Manner::Breaks(b"")), End::Failed(ClosedEarly)),
        ("resets", Reception::Other(Manner::Resets), End::Failed(ClosedEarly)),
        (
            "closes in the head",
            Reception::Other(Manner::Breaks(b"HTTP/1.1 101 Swi")),
            End::Failed(ClosedEarly),
        ),
        ("SSH", Reception::Other(Manner::Says(b"SSH-2.0-OpenSSH_9.2p1\r\n")), End::Failed(WrongProtocol)),
        ("TLS", Reception::Other(Manner::Says(b"\x15\x03\x03\x00\x02\x02\x32")), End::Failed(WrongProtocol)),
        (
            "headers without end",
            Reception::Other(Manner::Floods(b"HTTP/1.1 101 S\r\n", HINT)),
            End::Failed(TooMuch),
        ),
        ("200", Reception::Status(200, "welcome"), End::Failed(JoinRefused)),
        ("301", Reception::Status(301, ""), End::Failed(JoinRefused)),
        ("401", Reception::Status(401, "invalid token"), End::Failed(JoinRefused)),
        ("404", Reception::Status(404, ""), End::Failed(JoinRefused)),
        ("406", Reception::Status(406, ""), End::Failed(JoinRefused)),
        ("500", Reception::Status(500, ""), End::Failed(JoinRefused)),
        ("503", Reception::Status(503, ""), End::Failed(JoinRefused)),
        ("another request's WebSocket", Reception::Mistaken, End::Failed(WrongProtocol)),
        ("a WebSocket, and nothing", says(vec![]), End::Failed(TooSlow)),
        ("text", says(vec!["joined".into()]), End::Failed(TooSlow)),
        ("something else", says(vec![binary(Said::trickle("{}", false))]), End::Failed(TooSlow)),
        ("an empty message", says(vec![binary(Vec::new())]), End::Failed(TooSlow)),
        ("garbage", says(vec![garbage()]), End::Failed(WrongProtocol)),
        ("half a message", says(vec![binary(vec![0x0a, 0x7f, 1])]), End::Failed(WrongProtocol)),
        ("leaves at once", says(vec![binary(Said::leave())]), End::Failed(JoinRefused)),
        ("closes the WebSocket", says(vec![Message::Close(None)]), End::Failed(ClosedEarly)),
        ("goes away", Reception::Ends(vec![]), End::Failed(ClosedEarly)),
        ("no frames", Reception::Raw(Manner::Says(&[b'h'; 200])), End::Failed(WrongProtocol)),
        ("a frame of 4 EiB", Reception::Raw(Manner::Floods(FRAME, b"y")), End::Failed(TooMuch)),
        (
            "pings without end",
            Reception::Repeats(vec![Message::Ping(vec![0; 125].into())]),
            End::Failed(TooMuch),
        ),
        ("texts without end", Reception::Repeats(vec!["hi".repeat(500).into()]), End::Failed(TooMuch)),
        ("parts without end", Reception::Raw(Manner::Floods(b"\x02\x01y", &PART)), End::Failed(TooMuch)),
    ];
    let cases = cases.into_iter().map(|(name, reception, end)| async move {
        let livekit = Livekit::new(reception).await;
        Case::new(name, stage.trial(joins, livekit.server.at), end).by(livekit.server)
    });
    stage.hold(cases).await;
}

/// A room that cannot be removed is left behind, and told of.
#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_stays_is_told_of() {
    let stage = &Stage::behind_http();
    let cases = KEPT.iter().map(|removal| async move {
        let joined = Reception::says([Said::joined(Vec::new())]);
        let livekit = Livekit::with(joined, *removal).await;
        let end = End::Degraded(RoomLeft);
        Case::new(format!("{removal:?}"), stage.trial(joins, livekit.server.at), end).by(livekit.server)
    });
    stage.hold(cases).await;
}

/// A frame that goes on with a message, and does not end it.
const PART: [u8; 104] = {
    let mut part = [b'y'; 104];
    (part[0], part[1]) = (0, 102);
    part
};

#[tokio::test(flavor = "multi_thread")]
async fn a_room_behind_tls_is_joined_at_who_is_trusted() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let file = known.file();
    let stage = &Stage::behind_https().trusting(file.path());
    let cases = [
        ("honest", known.chain(NAME), End::Passed),
        ("another name", known.chain("other.example.com"), End::Failed(CertificateName)),
        ("ended", known.with_ended_leaf(NAME), End::Failed(CertificateExpired)),
        ("incomplete", known.chain(NAME).alone(), End::Failed(ChainIncomplete)),
        ("untrusted", unknown.chain(NAME), End::Failed(CertificateUntrusted)),
    ];
    let cases = cases.map(|(name, shown, end)| async move {
        let config = shown.config();
        let server = Server::new(move |line| {
            let config = config.clone();
            async move {
                if let Ok(line) = line.secure(config).await {
                    let joined = Reception::says([Said::joined(Vec::new())]);
                    receive(line, joined, REMOVED, std::sync::Arc::default()).await;
                }
            }
        })
        .await;
        Case::new(name, stage.trial(joins, server.at), end)
    });
    stage.hold(cases).await;
}

/// Holds what comes of meeting media against what has to, and that the room is removed.
async fn meets(name: &str, messages: Vec<Vec<u8>>, end: End) {
    let joined = std::iter::once(Said::joined(Vec::new()));
    let livekit = Livekit::new(Reception::says(joined.chain(messages))).await;
    let stage = Stage::bare(livekit.server.at.port());
    let trial = stage.trial(|probe| matches!(probe, Probe::IceBinding), livekit.server.at);
    stage.hold([std::future::ready(Case::new(name, trial, end).by(livekit.server.clone()))]).await;
    assert_eq!(livekit.removed(), 1, "{name}: the room is removed");
}

fn failed(cause: Cause) -> End {
    End::Failed(cause)
}

#[tokio::test(flavor = "multi_thread")]
async fn media_is_met_where_a_client_is_told() {
    let elsewhere = candidate("192.0.2.1:50000".parse().expect("an address"));
    let sibling = candidate("203.0.113.10:50000".parse().expect("an address"));
    let last = || Said::trickle("", true);
    meets("candidates elsewhere", vec![Said::offer(&[elsewhere]), last()], failed(WrongCandidate)).await;
    meets("none", vec![Said::offer(&[]), last()], failed(WrongCandidate)).await;
    meets("none in JSON", vec![Said::offer(&[]), Said::trickle("{", false), last()], failed(WrongCandidate))
        .await;
    let names = ["candidate:1 1 udp 1 a.local 5 typ host".to_owned(), "candidate:".to_owned()];
    meets("names", vec![Said::offer(&names), last()], failed(WrongCandidate)).await;
    meets("no credentials", vec![Said::description("v=0\r\n")], failed(WrongProtocol)).await;
    meets("no description", vec![Said::description("\0\u{1b}[2J")], failed(WrongProtocol)).await;
    // All on the loopback, where nobody listens: no socket for each.
    let many: Vec<_> = (1..=10_000).map(|port| candidate(([127, 0, 0, 1], port).into())).collect();
    meets("very many", vec![Said::offer(&many), last()], failed(Refused)).await;
    meets("leaves", vec![Said::leave()], failed(JoinRefused)).await;
    meets("no offer", vec![], failed(TooSlow)).await;
    // The rooms of other nodes say nothing of this one.
    let livekit =
        Livekit::new(Reception::says([Said::joined(Vec::new()), Said::offer(&[sibling]), last()])).await;
    let stage = Stage::bare(livekit.server.at.port());
    let trial = stage.trial(|probe| matches!(probe, Probe::IceBinding), livekit.server.at);
    stage.hold([std::future::ready(Case::new("a sibling's", trial, End::NotTried(NodeNotMet)))]).await;
    assert!(livekit.removed() > 1, "every room is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_media_port_knows_its_session() {
    let credentials = |password: &str| -> MessageIntegrityCredentials {
        ShortTermCredentials::new(password.to_owned()).into()
    };
    let (own, other) = (credentials(ICE_PASSWORD), credentials("another"));
    let offer = |at| vec![Said::offer(&[candidate(at)]), Said::trickle("", true)];
    let at = datagrams(move |request, from| vec![mapped(request, from, Some(&own))]).await;
    meets("honest", offer(at), End::Passed).await;
    let at = datagrams(move |request, from| vec![mapped(request, from, Some(&other))]).await;
    meets("another password", offer(at), failed(StunError)).await;
    let at = datagrams(|request, from| vec![mapped(request, from, None)]).await;
    meets("no password", offer(at), failed(StunError)).await;
    let at = datagrams(|request, _| vec![bare(request)]).await;
    meets("no address", offer(at), failed(StunError)).await;
    let at = datagrams(|request, _| vec![refusal(request, 401)]).await;
    meets("an error", offer(at), failed(StunError)).await;
    let at = datagrams(|_, _| Vec::new()).await;
    meets("mute", offer(at), failed(Silence)).await;
    meets("nobody", offer(nobody()), failed(Refused)).await;
}
