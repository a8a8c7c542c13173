//! TLS: chains that are no proof, and servers that do not get so far.

use std::net::SocketAddr;
use std::time::Duration;

use stageplot_health::Cause::*;
use stageplot_health::{Trial, What};
use stageplot_topology::Probe;

use crate::chain::{Authority, Shown};
use crate::checks::{Checks, Stranger};
use crate::server::{Manner, Server, filled};
use crate::stage::{Case, End, NAME, Stage, TURN_NAME};

/// The check of an edge, which is asked for its page too; of TURN; of a Redis inside TLS.
const KINDS: [&str; 3] = ["edge", "turn", "redis"];

fn trial(stage: &Stage, kind: &str, at: SocketAddr) -> Trial {
    let of = |wanted: &str| {
        stage.trial(|probe| matches!(probe, Probe::TlsSession { name } if name.as_str() == wanted), at)
    };
    match kind {
        "edge" => of(NAME),
        "turn" => of(TURN_NAME),
        _ => {
            let mut trial = stage.trial(|probe| matches!(probe, Probe::RedisPing { .. }), at);
            trial.what = What::Probe(Probe::RedisPing { password: true, tls: true });
            trial
        }
    }
}

/// A record that is a whole handshake message of no known kind.
const NONSENSE: &[u8] = b"\x16\x03\x03\x00\x08\xfe\x00\x00\x04abcd";
const TICKETS: &[u8] = &filled::<1000>(b"\x17\x03\x03\x03\xe3");

/// Whoever listens where TLS should be, and does not get as far as a session.
const STRANGERS: &[Stranger] = &[
    ("mute", Manner::Mute, NoAnswer),
    ("silence in a record", Manner::Says(b"\x16\x03\x03\x00\x7a\x02"), TooSlow),
    ("drips", Manner::Drips(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"), TooSlow),
    ("closes at once", Manner::Breaks(b""), ClosedEarly),
    ("closes in a record", Manner::Breaks(b"\x16\x03\x03\x00\x7a\x02"), ClosedEarly),
    ("resets", Manner::Resets, ClosedEarly),
    ("HTTP", Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), WrongProtocol),
    ("SSH", Manner::First(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), WrongProtocol),
    ("Redis", Manner::Says(b"-ERR Protocol error: unauthenticated multibulk length\r\n"), WrongProtocol),
    ("no handshake", Manner::Says(NONSENSE), WrongProtocol),
    ("refuses the name", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x70"), TlsRefused),
    ("refuses the versions", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x46"), TlsRefused),
    ("zeros without end", Manner::Floods(b"", b"\0"), WrongProtocol),
    ("a record without end", Manner::Floods(b"\x16\x03\x03", b"\xff"), WrongProtocol),
    (
        "a message without end",
        Manner::Floods(b"\x16\x03\x03\x03\xe3\x02\xff\xff\xff", TICKETS),
        WrongProtocol,
    ),
    ("warnings without end", Manner::Floods(b"", b"\x15\x03\x03\x00\x02\x01\x00"), TlsRefused),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_session_passes_no_check_of_it() {
    Checks { kinds: &KINDS, trial, strangers: STRANGERS }.hold(&Stage::behind_https()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_looked_at_whole() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let file = known.file();
    let stage = &Stage::behind_https().trusting(file.path());
    let other = known.chain("other.example.com");
    let cases: Vec<(&str, Shown, End)> = vec![
        ("honest", known.chain(NAME), End::Passed),
        ("of the root itself", known.direct(NAME), End::Passed),
        ("made for hours", known.for_hours(NAME), End::Passed),
        ("ended", known.with_ended_leaf(NAME), End::Failed(CertificateExpired)),
        (
            "an intermediate that has ended",
            known.with_ended_intermediate(NAME),
            End::Failed(CertificateExpired),
        ),
        ("not valid yet", known.too_early(NAME), End::Failed(CertificateExpired)),
        ("ends in an hour", known.with_ending_leaf(NAME), End::Degraded(CertificateExpires)),
        (
            "an intermediate that ends in an hour",
            known.with_ending_intermediate(NAME),
            End::Degraded(CertificateExpires),
        ),
        ("another name", other.clone(), End::Failed(CertificateName)),
        ("a name that begins so", known.chain("live.example.com.evil.example"), End::Failed(CertificateName)),
        ("a name under it", known.chain("a.live.example.com"), End::Failed(CertificateName)),
        ("a wildcard one level off", known.chain("*.live.example.com"), End::Failed(CertificateName)),
        ("a wildcard that holds", known.chain("*.example.com"), End::Passed),
        ("an unknown issuer", unknown.chain(NAME), End::Failed(CertificateUntrusted)),
        ("self-signed", Shown::self_signed(NAME), End::Failed(CertificateUntrusted)),
        ("no intermediate", known.chain(NAME).alone(), End::Failed(ChainIncomplete)),
        (
            "the intermediate of another",
            known.chain(NAME).with_intermediate_of(&other),
            End::Failed(CertificateUntrusted),
        ),
        (
            "the intermediate of a stranger",
            known.chain(NAME).with_intermediate_of(&unknown.chain(NAME)),
            End::Failed(CertificateUntrusted),
        ),
        ("somebody else's certificate", known.chain(NAME).with_key_of(&other), End::Failed(TlsRefused)),
    ];
    stage
        .hold(cases.into_iter().map(|(name, shown, end)| async move {
            let server =
                Server::secure(shown.config(), Manner::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))
                    .await;
            Case::new(name, trial(stage, "edge", server.at), end).by(server)
        }))
        .await;
}

/// What is said inside a session that is had: the kind of check, the manner, the end.
const INSIDE: &[(&str, Manner, End)] = &[
    ("edge", Manner::Says(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), End::Passed),
    ("edge", Manner::Says(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"), End::Failed(HttpStatus)),
    ("edge", Manner::Mute, End::Failed(NoAnswer)),
    ("edge", Manner::Drips(b"HTTP/1.1 200 OK\r\n"), End::Failed(TooSlow)),
    ("edge", Manner::Breaks(b""), End::Failed(ClosedEarly)),
    ("edge", Manner::Breaks(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"), End::Failed(ClosedEarly)),
    ("edge", Manner::Says(b"+PONG\r\n"), End::Failed(WrongProtocol)),
    ("edge", Manner::Floods(b"HTTP/1.1 200 OK\r\n\r\n", b"y"), End::Failed(TooMuch)),
    ("turn", Manner::Mute, End::Passed),
    ("redis", Manner::Mute, End::Failed(NoAnswer)),
    ("redis", Manner::Drips(b"+OOOOOOOOOO"), End::Failed(TooSlow)),
    ("redis", Manner::Breaks(b""), End::Failed(ClosedEarly)),
    ("redis", Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), End::Failed(WrongProtocol)),
    ("redis", Manner::Says(b"-WRONGPASS no\r\n"), End::Failed(PasswordRejected)),
    ("redis", Manner::Floods(b"+", b"y"), End::Failed(TooMuch)),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_inside_a_session_counts() {
    let known = &Authority::new("known");
    let file = known.file();
    let stage = &Stage::behind_https().trusting(file.path());
    stage
        .hold(INSIDE.iter().map(|(kind, manner, end)| async move {
            let name = match *kind {
                "edge" => NAME,
                "turn" => TURN_NAME,
                _ => "127.0.0.1",
            };
            let server = Server::secure(known.chain(name).config(), *manner).await;
            Case::new(format!("{kind}, {manner:?}"), trial(stage, kind, server.at), *end).by(server)
        }))
        .await;
}

/// Nothing is asked of whom nobody trusts.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_goes_to_nobody_who_is_not_trusted() {
    let stage = Stage::behind_https();
    let (heard, mut told) = tokio::sync::mpsc::channel::<Vec<u8>>(8);
    let config = Authority::new("unknown").chain("127.0.0.1").config();
    let server = Server::new(move |line| {
        let (heard, config) = (heard.clone(), config.clone());
        async move {
            if let Ok(mut line) = line.secure(config).await {
                let _ = heard.send(line.hear().await).await;
            }
        }
    })
    .await;
    let end = End::Failed(CertificateUntrusted);
    let case = Case::new("untrusted", trial(&stage, "redis", server.at), end);
    stage.hold([std::future::ready(case)]).await;
    let told = tokio::time::timeout(Duration::from_secs(5), told.recv()).await;
    assert_eq!(told.expect("an end of the session"), Some(Vec::new()));
}
