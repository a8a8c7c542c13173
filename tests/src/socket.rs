//! Sockets in other network namespaces: who answers there, and who asks.
//!
//! A socket stays in the namespace that it was made in. So one process, this one,
//! has the clients and the servers of all machines and containers, and knows what
//! each of them saw.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// How soon a [`Responder`] notices that it is to end.
const NOTICE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Does something in a network namespace, given as the file that `setns` takes, such
/// as [`Namespace::path`](crate::Namespace::path) or `/proc/PID/ns/net`.
///
/// # Panics
///
/// If there is no such namespace, or what is done panics.
pub fn inside<T: Send>(namespace: &Path, act: impl FnOnce() -> T + Send) -> T {
    let file = File::open(namespace)
        .unwrap_or_else(|error| panic!("failed to open the namespace {}: {error}", namespace.display()));
    // A thread of its own: the namespace is the thread's, and ends with it.
    thread::scope(|scope| {
        let within = scope.spawn(|| {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .unwrap_or_else(|error| panic!("failed to enter {}: {error}", namespace.display()));
            act()
        });
        within.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What travels over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// A connection.
    Tcp,
    /// A datagram there, and one back.
    Udp,
}

/// A socket that a [`Responder`] answers on.
#[derive(Debug)]
pub struct Listening {
    name: String,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Listening {
    /// Listens in the current namespace; the name is what the answers will say. The
    /// unspecified IPv6 address takes IPv4 as well.
    ///
    /// # Panics
    ///
    /// If the address is taken, or none of the machine's.
    pub fn bind(name: &str, transport: Transport, address: SocketAddr) -> Self {
        let socket = match transport {
            Transport::Tcp => TcpListener::bind(address).map(Socket::Tcp),
            Transport::Udp => UdpSocket::bind(address).map(Socket::Udp),
        };
        let socket = socket.unwrap_or_else(|error| panic!("{name} cannot listen on {address}: {error}"));
        match &socket {
            Socket::Tcp(socket) => socket.set_nonblocking(true),
            Socket::Udp(socket) => socket.set_nonblocking(true),
        }
        .unwrap_or_else(|error| panic!("{name} cannot listen without waiting: {error}"));
        Self { name: name.to_owned(), socket }
    }

    /// Answers whoever is waiting.
    fn answer(&self) {
        let text = |peer: SocketAddr| format!("{}\n{}\n", self.name, peer.ip().to_canonical());
        match &self.socket {
            Socket::Tcp(socket) => {
                if let Ok((mut stream, peer)) = socket.accept() {
                    // So little fits into the buffer; a client that is gone needs none.
                    let _ = stream.write_all(text(peer).as_bytes());
                }
            }
            Socket::Udp(socket) => {
                if let Ok((_, peer)) = socket.recv_from(&mut [0; 512]) {
                    let _ = socket.send_to(text(peer).as_bytes(), peer);
                }
            }
        }
    }
}

/// Servers that say who they are and whom they see, for as long as this lives.
#[derive(Debug)]
pub struct Responder {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Starts to answer on the sockets.
    pub fn start(sockets: Vec<Listening>) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let mut waiting: Vec<_> = sockets
                    .iter()
                    .map(|listening| match &listening.socket {
                        Socket::Tcp(socket) => PollFd::new(socket, PollFlags::IN),
                        Socket::Udp(socket) => PollFd::new(socket, PollFlags::IN),
                    })
                    .collect();
                let _ = poll(&mut waiting, Some(&NOTICE));
                let ready: Vec<_> = waiting.iter().map(|fd| !fd.revents().is_empty()).collect();
                sockets.iter().zip(ready).filter(|(_, ready)| *ready).for_each(|(socket, _)| socket.answer());
            }
        });
        Self { end, thread: Some(thread) }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a [`Responder`] said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which server it was.
    pub name: String,
    /// The address that it saw the client come from.
    pub client: IpAddr,
}

/// Asks a [`Responder`] from the current namespace; `None` where nothing answers.
pub fn ask(transport: Transport, server: SocketAddr, deadline: Duration) -> Option<Answer> {
    let mut text = String::new();
    match transport {
        Transport::Tcp => {
            let mut stream = TcpStream::connect_timeout(&server, deadline).ok()?;
            stream.set_read_timeout(Some(deadline)).ok()?;
            match stream.read_to_string(&mut text) {
                // Whoever answers and closes may have it reset behind its words.
                Err(error) if error.kind() != ErrorKind::ConnectionReset => return None,
                _ => {}
            }
        }
        Transport::Udp => {
            let any: IpAddr = match server {
                SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let socket = UdpSocket::bind((any, 0)).ok()?;
            // Connected, so that only the one who was asked can answer.
            socket.connect(server).ok()?;
            socket.set_read_timeout(Some(deadline)).ok()?;
            socket.send(b"?").ok()?;
            let mut buffer = [0; 512];
            let length = socket.recv(&mut buffer).ok()?;
            text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        }
    }
    let (name, client) = text.trim_end().split_once('\n')?;
    Some(Answer { name: name.to_owned(), client: client.parse().ok()? })
}

/// Asks for a container by its service's name, as programs in the current namespace
/// would: from Docker's own name server.
pub fn lookup(name: &str, deadline: Duration) -> Option<IpAddr> {
    const A: u16 = 1;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(127, 0, 0, 11), 53)).ok()?;
    socket.set_read_timeout(Some(deadline)).ok()?;
    // A header (RFC 1035, section 4.1.1): one question, recursion desired.
    let mut query = vec![0x5a, 0x5a, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).ok()?);
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, A as u8, 0, 1]);
    socket.send(&query).ok()?;
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).ok()?;
    let answers = u16::from_be_bytes([buffer[6], buffer[7]]);
    // One answer with one address ends in that address.
    let address: [u8; 4] = buffer.get(length.checked_sub(4)?..length)?.try_into().ok()?;
    (answers == 1).then(|| Ipv4Addr::from(address).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_who_and_whom() {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        for transport in [Transport::Tcp, Transport::Udp] {
            let listening = Listening::bind("it", transport, local);
            let address = match &listening.socket {
                Socket::Tcp(socket) => socket.local_addr(),
                Socket::Udp(socket) => socket.local_addr(),
            };
            let address = address.expect("an address");
            let responder = Responder::start(vec![listening]);
            let answer = ask(transport, address, Duration::from_secs(2)).expect("an answer");
            assert_eq!(answer, Answer { name: "it".to_owned(), client: Ipv4Addr::LOCALHOST.into() });
            drop(responder);
            assert_eq!(ask(transport, address, Duration::from_millis(200)), None);
        }
    }
}
