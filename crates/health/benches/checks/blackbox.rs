//! blackbox_exporter, asked over connections that are kept.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Instant;

use futures_util::future::try_join_all;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use crate::Took;
use crate::endpoint::{Endpoint, Kind};

/// Has it try all endpoints, many at a time; it knows no STUN, and connects over TCP in
/// its place.
pub(crate) fn ask(at: &str, many: &str, all: &[Endpoint]) -> Result<Took, Box<dyn Error>> {
    let (at, many): (SocketAddr, usize) = (at.parse()?, many.parse()?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let begin = Instant::now();
    let mut left = all.iter();
    let left = std::cell::RefCell::new(&mut left);
    let passed = runtime.block_on(try_join_all((0..many).map(|_| async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(at).await?)).await?;
        tokio::spawn(connection);
        let mut passed = 0;
        loop {
            let Some(endpoint) = left.borrow_mut().next() else { break };
            let asked = Request::get(path(endpoint)).header(HOST, "blackbox").body(Empty::<Bytes>::new())?;
            sender.ready().await?;
            let answer = sender.send_request(asked).await?.into_body().collect().await?.to_bytes();
            let is_up = answer.windows(UP.len()).any(|line| line == UP);
            passed += usize::from(is_up);
        }
        Ok::<_, Box<dyn Error>>(passed)
    })))?;
    Ok(Took { time: begin.elapsed(), passed: passed.into_iter().sum() })
}

const UP: &[u8] = b"\nprobe_success 1\n";

fn path(endpoint: &Endpoint) -> String {
    let kind = if endpoint.kind == Kind::Stun { Kind::Tcp } else { endpoint.kind };
    let target = (endpoint.ip, kind.port());
    let scheme = if kind == Kind::Http { "http://" } else { "" };
    format!("/probe?module={}&target={scheme}{}:{}", kind.name(), target.0, target.1)
}
