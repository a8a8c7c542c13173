//! Frames, handed on both ways between a visitor and the SFU.

use std::time::Duration;

use axum::extract::ws::{self, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol};

/// The longest frame that is handed on, in bytes. Descriptions of many tracks are some tens
/// of thousands.
pub(crate) const LONGEST: usize = 256 << 10;

/// How long a side may take over its own end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Hands on what either says until one of them ends, then ends the other too. Pings are
/// answered by each side's own socket.
pub(crate) async fn relay(visitor: WebSocket, sfu: WebSocketStream<TcpStream>) {
    let (mut to_visitor, from_visitor) = visitor.split();
    let (mut to_sfu, from_sfu) = sfu.split();
    // Each way goes on while the other waits: a visitor who reads slowly can still speak.
    tokio::select! {
        () = hand_on(from_visitor, &mut to_sfu, up) => {}
        () = hand_on(from_sfu, &mut to_visitor, down) => {}
    }
    let ended = async { tokio::join!(to_visitor.close(), to_sfu.close()) };
    // Whoever does not even take that is let go of.
    let _ = tokio::time::timeout(FAREWELL, ended).await;
}

async fn hand_on<F, E, T>(
    mut from: impl Stream<Item = Result<F, E>> + Unpin,
    to: &mut (impl Sink<T> + Unpin),
    change: fn(F) -> Option<T>,
) {
    while let Some(Ok(frame)) = from.next().await {
        let Some(frame) = change(frame) else { continue };
        if to.send(frame).await.is_err() {
            return;
        }
    }
}

/// What the SFU is told of what a visitor said.
fn up(frame: ws::Message) -> Option<tungstenite::Message> {
    match frame {
        ws::Message::Text(text) => {
            let text = tungstenite::Utf8Bytes::try_from(Bytes::from(text)).ok()?;
            Some(tungstenite::Message::Text(text))
        }
        ws::Message::Binary(bytes) => Some(tungstenite::Message::Binary(bytes)),
        ws::Message::Close(close) => {
            let close = close.map(|close| protocol::CloseFrame {
                code: close.code.into(),
                reason: close.reason.as_str().into(),
            });
            Some(tungstenite::Message::Close(close))
        }
        ws::Message::Ping(_) | ws::Message::Pong(_) => None,
    }
}

/// What a visitor is told of what the SFU said.
fn down(frame: tungstenite::Message) -> Option<ws::Message> {
    match frame {
        tungstenite::Message::Text(text) => {
            let text = ws::Utf8Bytes::try_from(Bytes::from(text)).ok()?;
            Some(ws::Message::Text(text))
        }
        tungstenite::Message::Binary(bytes) => Some(ws::Message::Binary(bytes)),
        tungstenite::Message::Close(close) => {
            let close = close.map(|close| ws::CloseFrame {
                code: close.code.into(),
                reason: close.reason.as_str().into(),
            });
            Some(ws::Message::Close(close))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::WebSocketUpgrade;
    use axum::routing::get;
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;
    use crate::sfu;

    type Socket = WebSocketStream<TcpStream>;

    /// A visitor and an SFU, with a relay between them.
    async fn relayed() -> (Socket, Socket) {
        let sfu = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = sfu.local_addr().expect("an address").to_string();
        let relay = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let entrance = relay.local_addr().expect("an address").to_string();
        let app = Router::new().route(
            "/ws",
            get(async move |upgrade: WebSocketUpgrade| {
                let sfu = sfu::connect(&address).await.expect("an SFU");
                upgrade.max_message_size(LONGEST).on_upgrade(move |visitor| super::relay(visitor, sfu))
            }),
        );
        tokio::spawn(async move { axum::serve(relay, app).await });
        let accepted = async {
            let (stream, _) = sfu.accept().await.expect("the relay");
            tokio_tungstenite::accept_async(stream).await.expect("a WebSocket")
        };
        let (visitor, sfu) = tokio::join!(sfu::connect(&entrance), accepted);
        (visitor.expect("the relay"), sfu)
    }

    async fn next(socket: &mut Socket) -> Option<Message> {
        let next = tokio::time::timeout(Duration::from_secs(20), socket.next()).await;
        next.expect("something, in time").and_then(Result::ok)
    }

    #[tokio::test]
    async fn what_one_says_the_other_hears() {
        let (mut visitor, mut sfu) = relayed().await;
        for message in [Message::text("offer"), Message::binary(vec![0, 159, 146])] {
            visitor.send(message.clone()).await.expect("sent");
            assert_eq!(next(&mut sfu).await, Some(message.clone()));
            sfu.send(message.clone()).await.expect("sent");
            assert_eq!(next(&mut visitor).await, Some(message));
        }
    }

    #[tokio::test]
    async fn whoever_ends_ends_the_other_and_says_why() {
        let close = protocol::CloseFrame { code: CloseCode::Away, reason: "enough".into() };
        let (mut visitor, mut sfu) = relayed().await;
        visitor.close(Some(close.clone())).await.expect("said");
        assert_eq!(next(&mut sfu).await, Some(Message::Close(Some(close.clone()))));
        assert_eq!(next(&mut sfu).await, None);

        let (mut visitor, mut sfu) = relayed().await;
        sfu.close(Some(close.clone())).await.expect("said");
        assert_eq!(next(&mut visitor).await, Some(Message::Close(Some(close))));
        assert_eq!(next(&mut visitor).await, None);

        let (mut visitor, sfu) = relayed().await;
        drop(sfu);
        assert!(matches!(next(&mut visitor).await, Some(Message::Close(None)) | None));
    }

    #[tokio::test]
    async fn what_is_too_long_ends_it() {
        let (mut visitor, mut sfu) = relayed().await;
        visitor.send(Message::text("x".repeat(LONGEST))).await.expect("sent");
        assert!(next(&mut sfu).await.is_some_and(|message| message.len() == LONGEST));
        // It may be gone before all was sent.
        let _ = visitor.send(Message::text("x".repeat(LONGEST + 1))).await;
        assert!(matches!(next(&mut sfu).await, Some(Message::Close(None)) | None));
    }
}
