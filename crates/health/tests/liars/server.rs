//! Servers on this machine that say what a test wants.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How much a check reads, and what the kernel holds on the way, at most: a server that
/// sends without end can get rid of no more than this.
pub(crate) const FLOOD_LIMIT: usize = 16 << 20;

/// A server on a free port, which ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    sent: Arc<AtomicUsize>,
}

/// A server's side of a connection, or of a session over one.
pub(crate) struct Line<S = TcpStream> {
    pub(crate) stream: S,
    sent: Arc<AtomicUsize>,
}

/// What is talked over.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    /// Has the connection end with a reset, once it is dropped.
    fn reset(&self);
}

impl Wire for TcpStream {
    fn reset(&self) {
        let _ = self.set_zero_linger();
    }
}

impl Wire for TlsStream<TcpStream> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }
}

impl Server {
    /// A server that has every connection handled.
    pub(crate) async fn new<F>(handle: impl Fn(Line) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::on(Ipv4Addr::LOCALHOST.into(), handle).await
    }

    /// … by IPv6, where this machine has it.
    pub(crate) async fn v6<F>(handle: impl Fn(Line) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let v6 = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        let ip = if v6 { IpAddr::from(Ipv6Addr::LOCALHOST) } else { Ipv4Addr::LOCALHOST.into() };
        Self::on(ip, handle).await
    }

    async fn on<F>(ip: IpAddr, handle: impl Fn(Line) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((ip, 0)).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = sent.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(Line { stream, sent: counter.clone() }));
            }
        });
        Self { at, sent }
    }

    /// A server that waits for a question and does with its connection as told.
    pub(crate) async fn that(manner: Manner) -> Self {
        Self::new(move |line| line.behave(manner)).await
    }

    /// … inside a TLS session.
    pub(crate) async fn secure(config: Arc<ServerConfig>, manner: Manner) -> Self {
        Self::new(move |line| {
            let config = config.clone();
            async move {
                if let Ok(line) = line.secure(config).await {
                    line.behave(manner).await;
                }
            }
        })
        .await
    }

    /// How many bytes it got rid of.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

/// What a server does with a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Nothing.
    Mute,
    /// Speaks before it is asked, as SSH does, and waits.
    First(&'static [u8]),
    /// Says this before it is asked, and closes.
    Refuses(&'static [u8]),
    /// Says this, and waits.
    Says(&'static [u8]),
    /// Says this, and closes.
    Breaks(&'static [u8]),
    /// Says this a byte at a time, slower than anybody waits, and again.
    Drips(&'static [u8]),
    /// Says one thing, then the other without end.
    Floods(&'static [u8], &'static [u8]),
    /// Closes with a reset.
    Resets,
}

impl Line {
    /// Has a TLS session with the other side.
    pub(crate) async fn secure(self, config: Arc<ServerConfig>) -> io::Result<Line<TlsStream<TcpStream>>> {
        let stream = TlsAcceptor::from(config).accept(self.stream).await?;
        Ok(Line { stream, sent: self.sent })
    }
}

impl<S: Wire> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: Wire> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(length)) = &written {
            self.sent.fetch_add(*length, Ordering::Relaxed);
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

impl<S: Wire> Line<S> {
    /// Waits for something to be asked; what it was.
    pub(crate) async fn hear(&mut self) -> Vec<u8> {
        let mut heard = vec![0; 65536];
        let length = self.stream.read(&mut heard).await.unwrap_or_default();
        heard.truncate(length);
        heard
    }

    /// Sends something; `false` where nobody takes it any more.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> bool {
        self.write_all(bytes).await.is_ok() && self.flush().await.is_ok()
    }

    /// Keeps the connection until the other side goes.
    pub(crate) async fn wait(mut self) {
        let mut heard = [0; 4096];
        while self.stream.read(&mut heard).await.is_ok_and(|length| length > 0) {}
    }

    /// Does as told, once it is asked where it waits for that.
    pub(crate) async fn behave(mut self, manner: Manner) {
        if !matches!(manner, Manner::First(_) | Manner::Refuses(_)) {
            self.hear().await;
        }
        self.act(manner).await;
    }

    /// Does as told at once.
    pub(crate) async fn act(mut self, manner: Manner) {
        match manner {
            Manner::Mute => self.wait().await,
            Manner::First(text) | Manner::Says(text) => {
                self.say(text).await;
                self.wait().await;
            }
            Manner::Refuses(text) | Manner::Breaks(text) => {
                self.say(text).await;
            }
            Manner::Drips(text) => {
                for byte in text.iter().cycle() {
                    if !self.say(&[*byte]).await {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            }
            Manner::Floods(head, text) => {
                let text = text.repeat((64 << 10) / text.len().max(1));
                let mut goes_on = self.say(head).await;
                while goes_on {
                    goes_on = self.say(&text).await;
                }
            }
            Manner::Resets => {
                self.stream.reset();
            }
        }
    }
}

/// A text that begins like this, ends with a line's end, and is long between: a flood of
/// long pieces costs a test less than one of short ones.
pub(crate) const fn filled<const N: usize>(head: &[u8]) -> [u8; N] {
    let mut text = [b'y'; N];
    let mut at = 0;
    while at < head.len() {
        text[at] = head[at];
        at += 1;
    }
    text[N - 2] = b'\r';
    text[N - 1] = b'\n';
    text
}

/// A port at which nobody listens. It stays taken, so that no other test's server gets it.
pub(crate) fn nobody() -> SocketAddr {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let at = socket.local_addr().expect("an address");
    std::mem::forget(socket);
    at
}

/// A port whose queue is full: whoever connects hears nothing at all, as behind a
/// firewall that drops. It lasts as long as what is returned.
pub(crate) async fn silence() -> (SocketAddr, Vec<TcpStream>, TcpListener) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let listener = socket.listen(1).expect("a listener");
    let at = listener.local_addr().expect("an address");
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(at)).await
    {
        queued.push(stream);
        assert!(queued.len() < 64, "the queue has no end");
    }
    (at, queued, listener)
}
