//! Postgres: the login, the role, replication, connections.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use stageplot_health::Cause::*;
use stageplot_health::{Trial, What};
use stageplot_topology::Probe;

use crate::chain::{Authority, Shown};
use crate::checks::{Checks, Stranger};
use crate::server::{Line, Manner, Server, Wire, filled};
use crate::stage::{Case, End, PASSWORD, Stage};

const KINDS: [&str; 4] = ["login", "primary", "replica", "connections"];

fn trial(stage: &Stage, kind: &str, at: SocketAddr) -> Trial {
    let is = |probe: &Probe| match kind {
        "login" => matches!(probe, Probe::PostgresLogin { .. }),
        "primary" => matches!(probe, Probe::PostgresPrimary { .. }),
        "replica" => matches!(probe, Probe::PostgresReplication),
        _ => matches!(probe, Probe::PostgresConnections { .. }),
    };
    stage.trial(is, at)
}

/// A message of 1 KiB that means nothing to anybody: a notice.
const NOTICE: &[u8] = &filled::<1025>(b"N\x00\x00\x04\x00");

/// Whoever listens where Postgres should be, and does not speak its protocol to the end.
const STRANGERS: &[Stranger] = &[
    ("mute", Manner::Mute, NoAnswer),
    ("silence in a head", Manner::Says(b"R\x00"), TooSlow),
    ("silence in a message", Manner::Says(b"R\x00\x00\x00\x08\x00"), TooSlow),
    ("drips", Manner::Drips(b"R\x00\x00\x10\x00"), TooSlow),
    ("closes at once", Manner::Breaks(b""), ClosedEarly),
    ("closes in a head", Manner::Breaks(b"R\x00\x00"), ClosedEarly),
    ("closes in a message", Manner::Breaks(b"R\x00\x00\x00\x08\x00\x00"), ClosedEarly),
    ("closes when asked how", Manner::Breaks(OK), ClosedEarly),
    ("resets", Manner::Resets, ClosedEarly),
    ("SSH", Manner::First(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), WrongProtocol),
    ("HTTP", Manner::Says(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), WrongProtocol),
    ("TLS", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x32"), WrongProtocol),
    ("Redis", Manner::Says(b"-ERR unknown command\r\n"), WrongProtocol),
    ("a message of no length", Manner::Says(b"R\x00\x00\x00\x00\x00\x00\x00\x00"), WrongProtocol),
    ("a message of two gigabytes", Manner::Says(b"R\x7f\xff\xff\xff"), TooMuch),
    ("a message without end", Manner::Floods(b"R\x7f\xff\xff\xff", b"y"), TooMuch),
    ("notices without end", Manner::Floods(b"", NOTICE), WrongProtocol),
    ("notices without end once in", Manner::Floods(OK, NOTICE), WrongProtocol),
    ("an answer before the question", Manner::Says(b"Z\x00\x00\x00\x05I"), WrongProtocol),
    ("another way to log in", Manner::Says(b"R\x00\x00\x00\x08\x00\x00\x00\x63"), WrongProtocol),
    ("the password itself is wanted", Manner::Says(b"R\x00\x00\x00\x08\x00\x00\x00\x03"), PasswordRejected),
    ("MD5 is wanted", Manner::Says(b"R\x00\x00\x00\x0c\x00\x00\x00\x05salt"), PasswordRejected),
    (
        "an unknown SASL is wanted",
        Manner::Says(b"R\x00\x00\x00\x0d\x00\x00\x00\x0aNEW\x00\x00"),
        PasswordRejected,
    ),
    ("a refusal of nothing", Manner::Says(b"E\x00\x00\x00\x05\x00"), WrongProtocol),
    ("a wrong password", Manner::Says(&error(b"28P01")), PasswordRejected),
    ("not from here", Manner::Says(&error(b"28000")), PasswordRejected),
    ("no such database", Manner::Says(&error(b"3D000")), DatabaseMissing),
    ("no more clients", Manner::Says(&error(b"53300")), TooManyClients),
    ("being stopped", Manner::Says(&error(b"57P01")), ClosedEarly),
    ("something else", Manner::Says(&error(b"XX000")), WrongProtocol),
];

/// Whoever logs in is in.
const OK: &[u8] = b"R\x00\x00\x00\x08\x00\x00\x00\x00";

/// A refusal with a code.
const fn error(code: &[u8; 5]) -> [u8; 22] {
    let mut message = *b"E\x00\x00\x00\x15C.....\x00Msays no\x00";
    let mut at = 0;
    while at < code.len() {
        message[6 + at] = code[at];
        at += 1;
    }
    // The last field ends, and so does the message.
    let mut whole = [0; 22];
    at = 0;
    while at < message.len() && at < whole.len() {
        whole[at] = message[at];
        at += 1;
    }
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_postgres_passes_no_check_of_it() {
    Checks { kinds: &KINDS, trial, strangers: STRANGERS }.hold(&Stage::behind_https()).await;
}

/// What is asked of a server, by a word of it, and what an honest primary or replica says:
/// rows of columns.
const HONEST: &[(&str, &str, &str)] = &[
    ("SELECT 1", "1", "1"),
    ("is_in_recovery", "f", "t"),
    ("pg_stat_replication", "media|streaming|120", ""),
    ("pg_stat_wal_receiver", "", "streaming|0"),
    ("max_connections", "100|7", "100|7"),
];

/// Servers that know the password: the kind of check, whose answer is another one, what it
/// is, the end.
const SPEAKERS: &[(&str, &str, &str, End)] = &[
    ("login", "", "", End::Passed),
    ("login", "SELECT 1", "", End::Failed(WrongProtocol)),
    ("login", "SELECT 1", "2", End::Failed(WrongProtocol)),
    ("login", "SELECT 1", "1|1", End::Failed(WrongProtocol)),
    ("primary", "", "", End::Passed),
    ("primary", "is_in_recovery", "t", End::Failed(WrongRole)),
    ("primary", "is_in_recovery", "", End::Failed(WrongRole)),
    ("primary", "pg_stat_replication", "", End::Degraded(ReplicaLink)),
    ("primary", "pg_stat_replication", "media|catchup|120", End::Degraded(ReplicaLag)),
    ("primary", "pg_stat_replication", "media|streaming|99999999999", End::Degraded(ReplicaLag)),
    ("primary", "pg_stat_replication", "media|streaming|", End::Degraded(ReplicaLag)),
    ("primary", "pg_stat_replication", "media|streaming|NaN", End::Degraded(ReplicaLag)),
    ("primary", "pg_stat_replication", "media|streaming", End::Failed(WrongProtocol)),
    ("primary", "pg_stat_replication", "a|streaming|1/b|startup|1", End::Degraded(ReplicaLag)),
    ("replica", "", "", End::Passed),
    ("replica", "is_in_recovery", "f", End::Failed(WrongRole)),
    ("replica", "pg_stat_wal_receiver", "", End::Failed(ReplicaLink)),
    ("replica", "pg_stat_wal_receiver", "waiting|0", End::Failed(ReplicaLink)),
    ("replica", "pg_stat_wal_receiver", "streaming|99999999", End::Degraded(ReplicaLag)),
    ("replica", "pg_stat_wal_receiver", "streaming|", End::Degraded(ReplicaLag)),
    ("replica", "pg_stat_wal_receiver", "streaming", End::Failed(WrongProtocol)),
    ("connections", "", "", End::Passed),
    ("connections", "max_connections", "99|7", End::Degraded(OtherSetting)),
    ("connections", "max_connections", "100|88", End::Degraded(TooManyClients)),
    ("connections", "max_connections", "100|87", End::Passed),
    ("connections", "max_connections", "100|18446744073709551615", End::Degraded(TooManyClients)),
    ("connections", "max_connections", "100", End::Failed(WrongProtocol)),
    ("connections", "max_connections", "", End::Failed(WrongProtocol)),
];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logs_in_is_told_from_who_is_as_the_plot_says() {
    let stage = &Stage::behind_https();
    stage
        .hold(SPEAKERS.iter().map(|(kind, question, answer, end)| async move {
            let server = Server::new(move |line| serve(line, Honesty::All, kind, question, answer)).await;
            Case::new(format!("{kind}, {question} {answer:?}"), trial(stage, kind, server.at), *end)
                .by(server)
        }))
        .await;
}

/// Who logs in is let in by whoever knows the password, and by nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_proved_by_both_sides() {
    let stage = &Stage::behind_https();
    let cases = [
        ("honest", Honesty::All, End::Passed),
        ("lets everybody in", Honesty::Open, End::Failed(PasswordIgnored)),
        ("knows another password", Honesty::Other, End::Failed(PasswordRejected)),
        ("takes every proof, and has none", Honesty::Unproved, End::Failed(PasswordRejected)),
        ("of no proof", Honesty::Silent, End::Failed(WrongProtocol)),
    ];
    stage
        .hold(cases.map(|(name, honesty, end)| async move {
            let server = Server::new(move |line| serve(line, honesty, "login", "", "")).await;
            Case::new(name, trial(stage, "login", server.at), end).by(server)
        }))
        .await;
}

/// One that somebody else runs, who wants TLS: it is asked for first, and nothing is told to
/// whoever has none, or shows a certificate that nobody trusts.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_inside_tls_is_told_nowhere_else() {
    let (authority, stranger) = (Authority::new("one that is trusted"), Authority::new("a stranger"));
    let trusted = authority.file();
    let stage = &Stage::behind_https().trusting(trusted.path());
    let secure = |at| {
        let mut trial = trial(stage, "login", at);
        trial.what = What::Probe(Probe::PostgresLogin { password: true, tls: true });
        trial
    };
    let strangers = [
        ("no TLS", Manner::Says(b"N"), TlsRefused),
        ("another word", Manner::Says(b"E"), WrongProtocol),
        ("mute", Manner::Mute, NoAnswer),
        ("mute once asked", Manner::Says(b"S"), TooSlow),
        ("closes once asked", Manner::Breaks(b"S"), ClosedEarly),
        ("no TLS in spite of it", Manner::Says(b"SR\x00\x00\x00\x08\x00\x00\x00\x00"), WrongProtocol),
    ];
    stage
        .hold(strangers.map(|(name, manner, cause)| async move {
            let server = Server::that(manner).await;
            Case::new(name, secure(server.at), End::Failed(cause)).by(server)
        }))
        .await;
    let shown = [
        ("honest", authority.chain("127.0.0.1"), End::Passed),
        ("another name", authority.chain("127.0.0.2"), End::Failed(CertificateName)),
        ("a stranger", stranger.chain("127.0.0.1"), End::Failed(CertificateUntrusted)),
    ];
    stage
        .hold(shown.map(|(name, shown, end)| async move {
            let server = Server::new(move |line| serve_inside(line, shown.clone())).await;
            Case::new(name, secure(server.at), end).by(server)
        }))
        .await;
}

/// A server of Postgres' protocol that is asked for TLS first.
async fn serve_inside(mut line: Line, shown: Shown) {
    if line.hear().await == b"\x00\x00\x00\x08\x04\xd2\x16\x2f" {
        line.say(b"S").await;
        if let Ok(line) = line.secure(shown.config()).await {
            serve(line, Honesty::All, "login", "", "").await;
        }
    }
}

/// How far a server is to be believed.
#[derive(Clone, Copy, PartialEq)]
enum Honesty {
    All,
    /// It asks for no password.
    Open,
    Other,
    Unproved,
    Silent,
}

/// A server of Postgres' protocol.
async fn serve<S: Wire>(mut line: Line<S>, honesty: Honesty, kind: &str, question: &str, other: &str) {
    let started = line.hear().await;
    if started.len() < 8 {
        return;
    }
    if honesty != Honesty::Open && !log_in(&mut line, honesty).await {
        return;
    }
    line.say(OK).await;
    line.say(&message(b'S', b"server_version\x0016.4\x00")).await;
    line.say(&message(b'Z', b"I")).await;
    loop {
        let asked = line.hear().await;
        if asked.first() != Some(&b'Q') {
            return;
        }
        let asked = String::from_utf8_lossy(&asked).into_owned();
        let (_, primary, replica) =
            HONEST.iter().find(|(word, ..)| asked.contains(word)).expect("a question that is known");
        let honest = if kind == "replica" { replica } else { primary };
        let rows = if !question.is_empty() && asked.contains(question) { other } else { honest };
        line.say(&message(b'T', &[0, 0])).await;
        for row in rows.split('/').filter(|row| !row.is_empty()) {
            let columns: Vec<_> = row.split('|').collect();
            let mut body = u16::try_from(columns.len()).expect("few").to_be_bytes().to_vec();
            for column in columns {
                body.extend(u32::try_from(column.len()).expect("short").to_be_bytes());
                body.extend(column.as_bytes());
            }
            line.say(&message(b'D', &body)).await;
        }
        line.say(&message(b'C', b"SELECT 1\x00")).await;
        line.say(&message(b'Z', b"I")).await;
    }
}

/// Proves with the other side that both know the password (RFC 5802), and says whether the
/// other side is in.
async fn log_in<S: Wire>(line: &mut Line<S>, honesty: Honesty) -> bool {
    line.say(&message(b'R', b"\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00")).await;
    let first = String::from_utf8_lossy(&line.hear().await).into_owned();
    let Some((_, first)) = first.split_once("n,,") else {
        // Whoever takes leave does not want to be in.
        return false;
    };
    let nonce = first.split_once("r=").expect("a nonce").1;
    let said = format!("r={nonce}server,s={},i=4096", BASE64.encode(b"salt"));
    line.say(&message(b'R', &[b"\x00\x00\x00\x0b", said.as_bytes()].concat())).await;
    let proof = String::from_utf8_lossy(&line.hear().await).into_owned();
    let proof = &proof[proof.find("c=").expect("a proof")..];
    let (unproved, proof) = proof.split_once(",p=").expect("a proof");
    let whole = format!("{first},{said},{unproved}");
    let password = if honesty == Honesty::Other { "other" } else { PASSWORD };
    let salted = salted(password.as_bytes());
    let client_key = mac(&salted, b"Client Key");
    let signature = mac(&Sha256::digest(client_key), whole.as_bytes());
    let wanted: Vec<u8> = client_key.iter().zip(signature).map(|(key, byte)| key ^ byte).collect();
    let is_right = BASE64.decode(proof).is_ok_and(|proof| proof == wanted);
    if !is_right {
        line.say(&error(b"28P01")).await;
        return false;
    }
    let key = if honesty == Honesty::Unproved { [0; 32] } else { mac(&salted, b"Server Key") };
    let said = format!("v={}", BASE64.encode(mac(&key, whole.as_bytes())));
    if honesty != Honesty::Silent {
        line.say(&message(b'R', &[b"\x00\x00\x00\x0c", said.as_bytes()].concat())).await;
    }
    true
}

fn salted(password: &[u8]) -> [u8; 32] {
    let mut block = mac(password, b"salt\x00\x00\x00\x01");
    let mut salted = block;
    for _ in 1..4096 {
        block = mac(password, &block);
        salted.iter_mut().zip(block).for_each(|(byte, other)| *byte ^= other);
    }
    salted
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn message(letter: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [&[letter], &length[..], body].concat()
}
