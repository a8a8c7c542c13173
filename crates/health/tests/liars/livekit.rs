//! LiveKit's signalling: a server whose rooms are joined, or not, and what it offers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::http::answer;
use crate::server::{Line, Manner, Server, Wire};

/// `SignalResponse` of `livekit_rtc.proto`, one of whose fields is set.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Said {
    #[prost(message, optional, tag = "1")]
    pub(crate) join: Option<Join>,
    #[prost(message, optional, tag = "3")]
    pub(crate) offer: Option<Description>,
    #[prost(message, optional, tag = "4")]
    pub(crate) trickle: Option<Trickle>,
    #[prost(message, optional, tag = "8")]
    pub(crate) leave: Option<Leave>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Join {
    #[prost(message, repeated, tag = "5")]
    pub(crate) ice_servers: Vec<IceServer>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct IceServer {
    #[prost(string, repeated, tag = "1")]
    pub(crate) urls: Vec<String>,
    #[prost(string, tag = "2")]
    pub(crate) username: String,
    #[prost(string, tag = "3")]
    pub(crate) credential: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Description {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    sdp: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Trickle {
    #[prost(string, tag = "1")]
    candidate: String,
    #[prost(bool, tag = "3")]
    last: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Leave {}

/// The password of the session that is offered.
pub(crate) const ICE_PASSWORD: &str = "ice-password-of-22-chars";

impl Said {
    /// That a room is joined, and which servers there are.
    pub(crate) fn joined(ice_servers: Vec<IceServer>) -> Vec<u8> {
        Self { join: Some(Join { ice_servers }), ..Self::default() }.encode_to_vec()
    }

    /// An offer with some candidates, each as an attribute without `a=`.
    pub(crate) fn offer(candidates: &[String]) -> Vec<u8> {
        let candidates: String = candidates.iter().map(|candidate| format!("a={candidate}\r\n")).collect();
        Self::description(&format!(
            "v=0\r\no=- 7 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
             a=ice-ufrag:abcd\r\na=ice-pwd:{ICE_PASSWORD}\r\n{candidates}"
        ))
    }

    /// Any offer.
    pub(crate) fn description(sdp: &str) -> Vec<u8> {
        let offer = Description { kind: "offer".to_owned(), sdp: sdp.to_owned() };
        Self { offer: Some(offer), ..Self::default() }.encode_to_vec()
    }

    /// One more candidate, in JSON.
    pub(crate) fn trickle(candidate: &str, last: bool) -> Vec<u8> {
        let trickle = Trickle { candidate: candidate.to_owned(), last };
        Self { trickle: Some(trickle), ..Self::default() }.encode_to_vec()
    }

    /// That we are shown out.
    pub(crate) fn leave() -> Vec<u8> {
        Self { leave: Some(Leave {}), ..Self::default() }.encode_to_vec()
    }
}

/// A candidate for media over UDP.
pub(crate) fn candidate(at: SocketAddr) -> String {
    format!("candidate:1 1 udp 2130706431 {} {} typ host", at.ip(), at.port())
}

/// How a server takes whoever joins.
#[derive(Clone)]
pub(crate) enum Reception {
    /// By no WebSocket, but by something else.
    Other(Manner),
    /// By an answer of HTTP.
    Status(u16, &'static str),
    /// By a WebSocket over which these messages come, then nothing.
    Says(Vec<Message>),
    /// … then its end.
    Ends(Vec<Message>),
    /// … then the last of them again and again.
    Repeats(Vec<Message>),
    /// By a WebSocket over which these bytes come, in the place of frames.
    Raw(Manner),
    /// By a WebSocket that belongs to another request.
    Mistaken,
}

impl Reception {
    pub(crate) fn says(messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::Says(messages.into_iter().map(|bytes| Message::Binary(bytes.into())).collect())
    }
}

/// A LiveKit; it counts the rooms that it is told to remove.
#[derive(Clone)]
pub(crate) struct Livekit {
    pub(crate) server: Server,
    removed: Arc<AtomicUsize>,
}

/// What is said of a room that is removed.
pub(crate) const REMOVED: Manner = Manner::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");

/// … and of one that is not.
pub(crate) const KEPT: &[Manner] = &[
    Manner::Mute,
    Manner::Drips(b"HTTP/1.1 200 OK\r\n"),
    Manner::Breaks(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"),
    Manner::Resets,
    Manner::Says(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"),
    Manner::Says(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
    Manner::Says(b"+OK\r\n"),
    Manner::Floods(b"HTTP/1.1 200 OK\r\n\r\n", b"{"),
];

impl Livekit {
    pub(crate) async fn new(reception: Reception) -> Self {
        Self::with(reception, REMOVED).await
    }

    /// … that does so when it is told to remove a room.
    pub(crate) async fn with(reception: Reception, removal: Manner) -> Self {
        let removed = Arc::new(AtomicUsize::new(0));
        let counter = removed.clone();
        let handle = move |line| receive(line, reception.clone(), removal, counter.clone());
        Self { server: Server::new(handle).await, removed }
    }

    /// How many rooms it was told to remove.
    pub(crate) fn removed(&self) -> usize {
        self.removed.load(Ordering::Relaxed)
    }
}

/// Takes whoever comes.
pub(crate) async fn receive<S: Wire>(
    mut line: Line<S>,
    reception: Reception,
    removal: Manner,
    removed: Arc<AtomicUsize>,
) {
    let heard = String::from_utf8_lossy(&line.hear().await).into_owned();
    if heard.starts_with("POST /twirp/livekit.RoomService/DeleteRoom ") {
        removed.fetch_add(1, Ordering::Relaxed);
        return line.act(removal).await;
    }
    let key = heard.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    });
    let key = key.unwrap_or_default();
    let key = if matches!(reception, Reception::Mistaken) { "another".to_owned() } else { key };
    let switch = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    match reception {
        Reception::Other(manner) => line.act(manner).await,
        Reception::Status(status, body) => {
            line.say(answer(status, "", body).as_bytes()).await;
            line.wait().await;
        }
        Reception::Raw(manner) => {
            line.say(switch.as_bytes()).await;
            line.act(manner).await;
        }
        Reception::Mistaken => {
            line.say(switch.as_bytes()).await;
            line.wait().await;
        }
        Reception::Says(messages) => {
            line.say(switch.as_bytes()).await;
            let mut socket = socket(line, messages).await;
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        }
        Reception::Ends(messages) => {
            line.say(switch.as_bytes()).await;
            drop(socket(line, messages).await);
        }
        Reception::Repeats(messages) => {
            line.say(switch.as_bytes()).await;
            let last = messages.last().cloned().expect("a message");
            let mut socket = socket(line, messages).await;
            while socket.send(last.clone()).await.is_ok() {}
        }
    }
}

async fn socket<S: Wire>(line: Line<S>, messages: Vec<Message>) -> WebSocketStream<Line<S>> {
    let mut socket = WebSocketStream::from_raw_socket(line, Role::Server, None).await;
    for message in messages {
        let _ = socket.send(message).await;
    }
    socket
}
