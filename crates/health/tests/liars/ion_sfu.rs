//! ion-sfu's signalling: servers that speak something else, or answer otherwise.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use stageplot_health::Cause::*;
use stageplot_health::Trial;
use stageplot_topology::Probe;
use tokio_tungstenite::tungstenite::Message;

use crate::checks::{Checks, Stranger};
use crate::server::{Manner, Server};
use crate::stage::{Case, End, Stage};

fn trial(stage: &Stage, _: &str, at: SocketAddr) -> Trial {
    stage.trial(|probe| matches!(probe, Probe::IonSfuCall), at)
}

/// Whoever listens where ion-sfu should be, and opens no WebSocket.
const STRANGERS: &[Stranger] = &[
    ("mute", Manner::Mute, NoAnswer),
    ("silence after a status line", Manner::Says(b"HTTP/1.1 101 Switching Protocols\r\n"), TooSlow),
    ("drips", Manner::Drips(b"HTTP/1.1 101 Switching Protocols\r\n"), TooSlow),
    ("closes at once", Manner::Breaks(b""), ClosedEarly),
    ("closes in the head", Manner::Breaks(b"HTTP/1.1 101 Switching Protocols\r\nupgrade"), ClosedEarly),
    ("resets", Manner::Resets, ClosedEarly),
    ("no WebSocket", Manner::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"), WrongProtocol),
    ("no such path", Manner::Says(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), WrongProtocol),
    (
        "a WebSocket for somebody else",
        Manner::Says(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        ),
        WrongProtocol,
    ),
    ("SSH", Manner::First(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), WrongProtocol),
    ("Redis", Manner::Says(b"-ERR unknown command 'GET'\r\n"), WrongProtocol),
    ("TLS", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x32"), WrongProtocol),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_no_websocket_is_no_ion_sfu() {
    Checks { kinds: &["call"], trial, strangers: STRANGERS }.hold(&Stage::streaming()).await;
}

/// What ion-sfu 1.11 says.
const REFUSAL: &str = r#"{"id":2,"error":{"code":500,"message":"no rtc transport exists for this Peer","data":null},"jsonrpc":"2.0"}"#;

const ANSWERS: &[(&str, Option<&str>, End)] = &[
    ("honest", Some(REFUSAL), End::Passed),
    (
        "of another call",
        Some(r#"{"id":7,"error":{"code":500,"message":"no rtc transport exists for this Peer"}}"#),
        End::Failed(WrongProtocol),
    ),
    (
        "of another program",
        Some(r#"{"id":2,"error":{"code":-32601,"message":"method not found"}}"#),
        End::Failed(WrongProtocol),
    ),
    ("no refusal", Some(r#"{"id":2,"result":{}}"#), End::Failed(WrongProtocol)),
    ("an echo", Some(r#"{"jsonrpc":"2.0","id":2,"method":"offer"}"#), End::Failed(WrongProtocol)),
    ("no JSON", Some("hello"), End::Failed(WrongProtocol)),
    ("the end", None, End::Failed(ClosedEarly)),
    ("silence", Some(""), End::Failed(TooSlow)),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_refused_as_ion_sfu_does() {
    let stage = &Stage::streaming();
    let cases = ANSWERS.iter().map(|(name, said, end)| async move {
        let server = Server::new(move |line| async move {
            let Ok(mut socket) = tokio_tungstenite::accept_async(line).await else { return };
            if !matches!(socket.next().await, Some(Ok(Message::Text(_)))) {
                return;
            }
            let _ = match said {
                Some("") => Ok(()),
                Some(said) => socket.send(Message::text(*said)).await,
                None => socket.close(None).await,
            };
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        });
        let server = server.await;
        Case::new(*name, trial(stage, "", server.at), *end).by(server)
    });
    stage.hold(cases).await;
}
