//! One process that serves all kinds, as fast as is simple.

use std::error::Error;
use std::io::{Read as _, stdin};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::endpoint::{ADDRESSES, Kind, address};

/// How many connections wait to be taken: one that finds no room waits for a second.
const QUEUE: u32 = 1 << 16;

/// Serves until the input ends. Says so once all is there.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    thread::spawn(|| {
        let _ = stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut servers = JoinSet::new();
        for kind in [Kind::Tcp, Kind::Http, Kind::Redis] {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind((Ipv4Addr::UNSPECIFIED, kind.port()).into())?;
            let listener = socket.listen(QUEUE)?;
            servers.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(converse(kind, stream));
                }
            });
        }
        // An answer comes from the address that was asked only where that is the socket's own.
        for index in 0..ADDRESSES {
            let socket = UdpSocket::bind((address(index, false), Kind::Stun.port())).await?;
            servers.spawn(bindings(socket));
        }
        println!("ready");
        servers.join_all().await;
        Ok(())
    })
}

/// Answers whatever comes, until the other side goes.
async fn converse(kind: Kind, mut stream: TcpStream) {
    let answer: &[u8] = match kind {
        Kind::Http => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK",
        Kind::Redis => b"+PONG\r\n",
        Kind::Tcp | Kind::Stun => b"",
    };
    let mut heard = [0; 1024];
    while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Answers Binding requests (RFC 8489).
async fn bindings(socket: UdpSocket) {
    let mut heard = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut heard).await {
        if let Some(answer) = heard.get(..length.min(20)).and_then(|head| binding(head, from)) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// A success with XOR-MAPPED-ADDRESS (section 14.2).
fn binding(head: &[u8], from: SocketAddr) -> Option<[u8; 32]> {
    let SocketAddr::V4(from) = from else { return None };
    let mut answer = [0; 32];
    answer[..4].copy_from_slice(&[0x01, 0x01, 0, 12]);
    answer[4..20].copy_from_slice(head.get(4..20)?);
    answer[20..26].copy_from_slice(&[0x00, 0x20, 0, 8, 0, 1]);
    answer[26..28].copy_from_slice(&(from.port() ^ 0x2112).to_be_bytes());
    answer[28..].copy_from_slice(&(from.ip().to_bits() ^ 0x2112_a442).to_be_bytes());
    Some(answer)
}
