//! The SFUs: which of them has a room, and how it is reached.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::relay::LONGEST;

/// What an SFU may be waited for.
const WAIT: Duration = Duration::from_secs(5);

/// Where SFUs listen, each as `host:port`; none where WebRTC is not wanted.
///
/// ion-sfu keeps sessions in its memory, and knows nothing of others: all who are in one
/// room must meet at one SFU, whichever node they came in by. So none takes turns, whatever
/// `SFU_LOAD_BALANCE_METHOD` says.
#[derive(Debug, Default)]
pub(crate) struct Sfus(Vec<String>);

/// Why an address is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SfusError {
    #[error("{0:?} is not http://host:port; there is no TLS between here and the SFU")]
    Url(String),
    #[error("{0:?} is not host:port")]
    Address(String),
}

/// Why an SFU was not reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{0}")]
    Socket(#[from] Box<tungstenite::Error>),
    #[error("it did not answer within {} seconds", WAIT.as_secs())]
    Late(#[from] Elapsed),
}

impl Sfus {
    /// The one that has every room, as `SFU_SERVER_URL` names it.
    ///
    /// # Errors
    ///
    /// Where it is not plain HTTP at a host and a port.
    pub(crate) fn standalone(url: &str) -> Result<Self, SfusError> {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://"));
        let rest = rest.ok_or_else(|| SfusError::Url(url.to_owned()))?.trim_end_matches('/');
        let address = address(rest.strip_suffix("/ws").unwrap_or(rest));
        Ok(Self(vec![address.map_err(|_| SfusError::Url(url.to_owned()))?]))
    }

    /// Those that share the rooms, as `SFU_CLUSTER_NODES` names them, with commas between.
    ///
    /// # Errors
    ///
    /// Where one of them is not a host and a port.
    pub(crate) fn cluster(nodes: &str) -> Result<Self, SfusError> {
        nodes.split(',').map(|node| address(node.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// The SFU of a room, which any node finds alike, in whatever order they have them. Where
    /// one more is there, or one less, no other room than its own moves (rendezvous hashing).
    pub(crate) fn of(&self, room_id: &str) -> Option<&str> {
        let weight = |node: &&String| <[u8; 32]>::from(Sha256::digest(format!("{node}\n{room_id}")));
        self.0.iter().max_by_key(weight).map(String::as_str)
    }
}

/// Opens the WebSocket that ion-sfu's JSON-RPC is spoken on.
///
/// # Errors
///
/// Where nobody answers, or not with a WebSocket.
pub(crate) async fn connect(address: &str) -> Result<WebSocketStream<TcpStream>, ConnectError> {
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let connected = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}/ws");
        tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await
    };
    let (socket, _) = tokio::time::timeout(WAIT, connected).await?.map_err(Box::new)?;
    Ok(socket)
}

fn address(text: &str) -> Result<String, SfusError> {
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']);
    let is_port = |port: &str| port.parse().is_ok_and(|port: u16| port > 0);
    match text.rsplit_once(':') {
        Some((host, port)) if is_host(host) && is_port(port) => Ok(text.to_owned()),
        _ => Err(SfusError::Address(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sfu_has_every_room() {
        for url in ["http://ion-sfu:7000", "http://ion-sfu:7000/", "ws://ion-sfu:7000/ws"] {
            let sfus = Sfus::standalone(url).expect(url);
            assert_eq!((sfus.of("one"), sfus.of("two")), (Some("ion-sfu:7000"), Some("ion-sfu:7000")));
        }
        for url in ["https://ion-sfu:7000", "ion-sfu:7000", "http://ion-sfu", "http://", "http://sfu:7000/x"]
        {
            assert_eq!(Sfus::standalone(url).err(), Some(SfusError::Url(url.to_owned())));
        }
    }

    #[test]
    fn every_node_finds_a_room_at_the_same_sfu() {
        let one = Sfus::cluster("sfu-1:7000,sfu-2:7000,sfu-3:7000").expect("three");
        let two = Sfus::cluster("sfu-3:7000, sfu-1:7000, sfu-2:7000").expect("the same three");
        let fewer = Sfus::cluster("sfu-1:7000,sfu-3:7000").expect("two of them");
        let mut rooms = [0, 0, 0];
        for room in 0..300 {
            let room = format!("room-{room}");
            let sfu = one.of(&room).expect("there are three");
            assert_eq!(two.of(&room), Some(sfu));
            let place = ["sfu-1:7000", "sfu-2:7000", "sfu-3:7000"].iter().position(|name| *name == sfu);
            let place = place.expect("one of them");
            rooms[place] += 1;
            assert!(place == 1 || fewer.of(&room) == Some(sfu), "{room} moved for no reason");
        }
        assert!(rooms.iter().all(|rooms| *rooms > 60), "{rooms:?}");
    }

    #[test]
    fn a_node_has_a_host_and_a_port() {
        for nodes in ["sfu-1", "sfu-1:7000,", "sfu-1:7000,:7000", "sfu-1:0", "http://sfu-1:7000", ""] {
            assert!(Sfus::cluster(nodes).is_err(), "{nodes}");
        }
    }
}
