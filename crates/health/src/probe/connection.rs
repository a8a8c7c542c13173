//! Connections: to exactly one address, and never without an end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

use super::{Attempt, Progress, Step};
use crate::{Cause, Problem};

/// How much one check reads, at most. The largest honest answers are lists of rooms.
const ENOUGH: usize = 1 << 20;

impl Attempt<'_> {
    /// Connects over TCP. A connection that is accepted is progress.
    pub(crate) async fn connect(&mut self) -> Result<Bounded<Stream>, Problem> {
        let address = self.address().await?;
        self.connect_to(address).await
    }

    /// Connects over TCP to another address than the trial's own.
    pub(crate) async fn connect_to(&mut self, address: SocketAddr) -> Result<Bounded<Stream>, Problem> {
        if let Some(ssh) = self.scene.options.via.clone() {
            self.evidence.note("via", &ssh.destination);
            let stream = ssh.connect(address, self.progress).await;
            let stream = stream.map_err(|refusal| refusal.problem(&ssh, address))?;
            self.progress.reached(Step::Connected);
            return Ok(Bounded::new(Box::new(stream), self.progress));
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                self.progress.reached(Step::Connected);
                // What is asked is asked at once.
                let _ = stream.set_nodelay(true);
                if let Ok(own) = stream.local_addr() {
                    self.evidence.note("from", own.ip());
                }
                Ok(Bounded::new(Box::new(stream), self.progress))
            }
            Err(error) => Err(self.refused(address, &error)),
        }
    }

    /// What it means that a connection, or a datagram, was turned away.
    pub(crate) fn refused(&self, address: SocketAddr, error: &io::Error) -> Problem {
        if error.kind() == io::ErrorKind::ConnectionRefused && self.listens_on_loopback_alone(address) {
            let (port, ip) = (address.port(), address.ip());
            let what = format!("something listens on port {port} of 127.0.0.1 alone, and not on {ip}");
            return Problem::failed(Cause::LoopbackOnly, what);
        }
        turned_away(address, error)
    }

    /// Whether a port of this very machine is taken on the loopback and nowhere else.
    /// The kernel tells of this thread's own namespace.
    fn listens_on_loopback_alone(&self, address: SocketAddr) -> bool {
        let is_here = |ip: IpAddr| std::net::UdpSocket::bind((ip, 0)).is_ok();
        if address.ip().is_loopback() || !is_here(address.ip()) {
            return false;
        }
        let listeners = crate::sockets::listening(address.port());
        !listeners.is_empty() && listeners.iter().all(IpAddr::is_loopback)
    }
}

/// What it means, seen from the machine that connects.
pub(crate) fn turned_away(address: SocketAddr, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Problem::failed(Cause::Refused, format!("{address} refuses: nobody listens there"))
        }
        io::ErrorKind::ConnectionReset => {
            Problem::failed(Cause::ClosedEarly, format!("{address} broke the connection off at once"))
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
            let what = format!("this machine has no way to {}: {error}", address.ip());
            Problem::not_tried(Cause::NoRoute, what)
        }
        io::ErrorKind::TimedOut => {
            Problem::failed(Cause::Silence, format!("nothing came back from {address}"))
        }
        _ => Problem::failed(Cause::Unreachable, format!("{address} cannot be reached: {error}")),
    }
}

/// A connection of our own, or one that another machine opened for us.
pub(crate) type Stream = Box<dyn Wire>;

/// What is read from and written to.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

/// A stream that ends with an error after so many bytes: some servers send for ever.
/// What comes is progress.
pub(crate) struct Bounded<S> {
    stream: S,
    left: usize,
    progress: Option<Progress>,
}

impl<S> Bounded<S> {
    /// Bounds another stream, such as a connection, or a TLS session over one.
    pub(crate) fn new(stream: S, progress: &Progress) -> Self {
        Self { stream, left: ENOUGH, progress: Some(progress.clone()) }
    }

    /// From here on what comes is no progress by itself, but what is made of it.
    pub(crate) fn inner(&mut self) {
        self.progress = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::FileTooLarge, TooMuch)));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len() - before;
        self.left = self.left.saturating_sub(came);
        if let Some(progress) = self.progress.as_ref().filter(|_| came > 0) {
            progress.reached(Step::Answering);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A stream that shows nothing before something was said into it. A server that sends its
/// refusal unasked, as Redis does with too many clients, is heard by whoever asks then:
/// a library throws away what answers no question.
pub(crate) struct Asked<S> {
    stream: S,
    reader: Reader,
}

/// Whoever reads from a stream that was not yet written to, or was.
enum Reader {
    Waits(Option<Waker>),
    Reads,
}

impl<S> Asked<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, reader: Reader::Waits(None) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Asked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.reader {
            Reader::Reads => Pin::new(&mut self.stream).poll_read(context, buffer),
            Reader::Waits(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Asked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready()
            && let Reader::Waits(Some(waker)) = std::mem::replace(&mut self.reader, Reader::Reads)
        {
            waker.wake();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// More came than any honest answer has.
#[derive(Debug, thiserror::Error)]
#[error("more than {ENOUGH} bytes came")]
struct TooMuch;

/// What it means that a conversation broke off.
pub(crate) fn broken(error: &(dyn std::error::Error + 'static), what: &str) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match ended(error) {
            Some(Cause::TooMuch) => {
                return Problem::failed(Cause::TooMuch, format!("{what} sends without end: {error}"));
            }
            Some(ended) => return Problem::failed(ended, format!("{what} broke off: {error}")),
            None => cause = source(error),
        }
    }
    Problem::failed(Cause::WrongProtocol, format!("{what} speaks another language: {error}"))
}

/// Why a conversation ended where it should not have, by what a library says of it.
fn ended(error: &(dyn std::error::Error + 'static)) -> Option<Cause> {
    use tungstenite::error::{Error as Socket, ProtocolError};
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match error.kind() {
            _ if error.get_ref().is_some_and(|inner| inner.is::<TooMuch>()) => Some(Cause::TooMuch),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Some(Cause::ClosedEarly)
            }
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return match error {
            _ if error.is_incomplete_message() => Some(Cause::ClosedEarly),
            _ if error.is_parse_too_large() => Some(Cause::TooMuch),
            _ => None,
        };
    }
    match error.downcast_ref::<Socket>()? {
        Socket::ConnectionClosed
        | Socket::AlreadyClosed
        | Socket::Protocol(
            ProtocolError::HandshakeIncomplete | ProtocolError::ResetWithoutClosingHandshake,
        ) => Some(Cause::ClosedEarly),
        Socket::Capacity(_) | Socket::AttackAttempt => Some(Cause::TooMuch),
        _ => None,
    }
}

/// What lies behind an error. A shared one says what lies behind its content, and not
/// what that is.
fn source<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>() {
        Some(shared) => Some(shared.as_ref()),
        None => error.source(),
    }
}
