//! What no flow allows does not answer.

mod echo;
#[cfg(test)]
mod liars;
mod pace;
mod routed;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use stageplot_topology::{Name, NodeId, Protocol};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use self::pace::Pace;
pub(super) use self::routed::containers;
use super::Attempt;
use crate::closed::{LetIn, Source, written};
use crate::run::Scene;
use crate::trial::Target;
use crate::witness::Tag;
use crate::{Cause, Problem};

/// How long a port that says nothing is given: a second try of the kernel's own goes out
/// after one second (RFC 6298).
const PATIENCE: Duration = Duration::from_secs(2);

/// So many ports that refuse are not a rule that is too wide: there are no rules.
const UNFILTERED: usize = 1000;

/// How often those few UDP ports are asked anew that should let datagrams in, and did not.
const AGAIN: usize = 3;

/// How many UDP ports are asked before they are asked again.
const LOT: usize = 2048;

/// What a port said to who asked for a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Yes.
    Accepted,
    /// No: nobody listens, and nothing keeps anybody from asking.
    Refused,
    /// Nothing.
    Silent,
}

/// No TCP port of a node answers but those that the plot allows.
pub(super) async fn tcp(attempt: &mut Attempt<'_>, node: NodeId) -> Result<(), Problem> {
    let ip = attempt.ip()?;
    let let_in = attempt.let_in(ip, node, Protocol::Tcp).await?;
    let (mut accepted, mut refused, mut heard) = (Vec::new(), Vec::new(), false);
    let mut tried = 0_usize;
    let until = attempt.until();
    let scene = attempt.scene;
    let mut knocks = stream::iter(1..=u16::MAX)
        .map(|port| async move { (port, knock(scene, SocketAddr::new(ip, port), None).await) })
        .buffer_unordered(scene.options.knocks.max(1));
    while let Ok(Some((port, answer))) = timeout_at(until, knocks.next()).await {
        tried += 1;
        let answer = answer.map_err(|error| attempt.cannot(ip, &error))?;
        heard |= answer != Answer::Silent;
        match answer {
            _ if let_in.allows(port) => {}
            Answer::Accepted => accepted.push(port),
            Answer::Refused => refused.push(port),
            Answer::Silent => {}
        }
    }
    drop(knocks);
    attempt.evidence.note("ports", tried);
    let name = &attempt.scene.topology.node(node).name;
    let from = attempt.trial.place.name(&attempt.scene.topology);
    accepted.sort_unstable();
    refused.sort_unstable();
    let filtered = refused.len() < UNFILTERED;
    if !accepted.is_empty() && filtered {
        let ports = written(&accepted);
        let message = format!("{ports}/tcp of {name} accept connections, and no flow lets {from} in there");
        return Err(Problem::failed(Cause::PortOpen, message));
    }
    if !refused.is_empty() {
        let ports = written(&refused);
        let mut message =
            format!("{ports}/tcp of {name} refuse connections from {from} instead of dropping them");
        if !accepted.is_empty() {
            let _ = write!(message, ", and {} accept them", written(&accepted));
        }
        return Err(Problem::failed(Cause::NotFiltered, message));
    }
    if tried < usize::from(u16::MAX) {
        return Err(unfinished(tried, u16::MAX.into()));
    }
    // Silence proves something only of somebody who is there.
    if heard || attempt.echo(ip, attempt.tag()?).await?.answered { Ok(()) } else { Err(absent(ip)) }
}

/// No UDP port of a node lets anything in but those that the plot allows, and those do.
pub(super) async fn udp(attempt: &mut Attempt<'_>, node: NodeId) -> Result<(), Problem> {
    let ip = attempt.ip()?;
    let let_in = attempt.let_in(ip, node, Protocol::Udp).await?;
    let tag = attempt.tag()?;
    let echo = attempt.echo(ip, tag).await?;
    let name = attempt.scene.topology.node(node).name.clone();
    if !echo.answered {
        return Err(absent(ip));
    }
    if !echo.witnessed {
        return Err(unwitnessed(&name));
    }
    let all: Vec<u16> = (1..=u16::MAX).collect();
    let mut passed = attempt.datagrams_that_pass(ip, tag, &all).await?;
    let blocked = |passed: &BTreeSet<u16>| -> Vec<u16> {
        all.iter().copied().filter(|port| let_in.reaches_node(*port) && !passed.contains(port)).collect()
    };
    // Whoever is busy loses many at a time, both of a port among them; a wall loses all.
    for _ in 0..AGAIN {
        let lost = blocked(&passed);
        if lost.is_empty() || lost.len() > LOT {
            break;
        }
        passed.extend(attempt.datagrams_that_pass(ip, tag, &lost).await?);
    }
    attempt.evidence.note("passed", passed.len());
    let from = attempt.trial.place.name(&attempt.scene.topology);
    let open: Vec<u16> = passed.iter().copied().filter(|&port| !let_in.allows(port)).collect();
    if !open.is_empty() {
        let ports = written(&open);
        let message = format!("{ports}/udp of {name} let datagrams in, and no flow lets {from} in there");
        return Err(Problem::failed(Cause::PortOpen, message));
    }
    let blocked = blocked(&passed);
    if !blocked.is_empty() {
        // What a witness who left did not hear was perhaps there.
        if !attempt.echo(ip, tag).await?.witnessed {
            return Err(unwitnessed(&name));
        }
        let ports = written(&blocked);
        let message = format!("datagrams from {from} to {ports}/udp of {name} do not get there");
        return Err(Problem::failed(Cause::Silence, message));
    }
    if attempt.echo(ip, tag).await?.witnessed { Ok(()) } else { Err(unwitnessed(&name)) }
}

impl Attempt<'_> {
    /// The address that is looked at.
    fn ip(&self) -> Result<IpAddr, Problem> {
        match self.trial.target {
            Target::Address(ip) => Ok(ip),
            ref other => Err(Problem::not_tried(Cause::NotPermitted, format!("{other} has no one address"))),
        }
    }

    /// When enough time was spent: a little before others say so.
    fn until(&self) -> Instant {
        self.began + self.deadline().mul_f64(0.95)
    }

    fn tag(&self) -> Result<Tag, Problem> {
        Tag::random().map_err(|error| {
            Problem::not_tried(Cause::NotPermitted, format!("this machine has no randomness: {error}"))
        })
    }

    async fn echo(&self, ip: IpAddr, tag: Tag) -> Result<echo::Echo, Problem> {
        echo::echo(ip, tag).await.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let message = format!("whether {ip} is there cannot be asked: {error}");
                Problem::not_tried(Cause::NotPermitted, message).help("run this as root")
            }
            _ => self.cannot(ip, &error),
        })
    }

    /// That something of this machine, or of its network, keeps us from looking.
    fn cannot(&self, ip: IpAddr, error: &io::Error) -> Problem {
        let message = format!("this machine cannot look at {ip}: {error}");
        match error.kind() {
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
                Problem::not_tried(Cause::NoRoute, message)
            }
            _ => Problem::not_tried(Cause::NotPermitted, message),
        }
    }

    /// What the plot lets in at a node from here.
    async fn let_in(&mut self, ip: IpAddr, node: NodeId, protocol: Protocol) -> Result<LetIn, Problem> {
        let source = source(ip).await.map_err(|error| self.cannot(ip, &error))?;
        match source {
            Source::Seen(own) => self.evidence.note("from", own),
            Source::Translated => self.evidence.note("from", "an address that others give us"),
        }
        Ok(LetIn::new(&self.scene.topology, node, protocol, source))
    }

    /// Those of some UDP ports from which the node's witness sent something back.
    async fn datagrams_that_pass(
        &self,
        ip: IpAddr,
        tag: Tag,
        ports: &[u16],
    ) -> Result<BTreeSet<u16>, Problem> {
        let cannot = |error: io::Error| self.cannot(ip, &error);
        let socket = UdpSocket::bind(any(ip)).await.map_err(cannot)?;
        let mut passed = BTreeSet::new();
        let until = self.until();
        for (index, lot) in ports.chunks(LOT).enumerate() {
            if Instant::now() >= until {
                return Err(unfinished(index * LOT, ports.len()));
            }
            // Datagrams get lost: each is sent twice, a moment apart.
            for _ in 0..2 {
                for &port in lot {
                    self.scene.pace().step().await;
                    match socket.send_to(&tag.question(), (ip, port)).await {
                        Ok(_) => {}
                        // What the kernel was told of a port before.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                        Err(error) => return Err(cannot(error)),
                    }
                    hear(&socket, ip, tag, &mut passed);
                }
            }
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && timeout_at(end, socket.readable()).await.is_ok() {
            hear(&socket, ip, tag, &mut passed);
        }
        Ok(passed)
    }
}

/// Notes down the ports of the answers that wait; of very many, of some.
fn hear(socket: &UdpSocket, ip: IpAddr, tag: Tag, passed: &mut BTreeSet<u16>) {
    let mut buffer = [0; 64];
    for _ in 0..LOT {
        match socket.try_recv_from(&mut buffer) {
            Ok((length, from)) if from.ip() == ip && buffer[..length] == tag.answer() => {
                passed.insert(from.port());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // Somebody else's, or what the kernel was told of a port before.
            _ => {}
        }
    }
}

/// Asks for a connection as soon as the pace allows, and drops it again.
async fn knock(scene: &Scene, address: SocketAddr, mark: Option<u32>) -> io::Result<Answer> {
    // Nobody closes it.
    let _permit = scene.knocks.acquire().await.map_err(io::Error::other)?;
    scene.pace().step().await;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(mark) = mark {
        socket2::SockRef::from(&socket).set_mark(mark)?;
    }
    Ok(match timeout(PATIENCE, socket.connect(address)).await {
        Ok(Ok(stream)) => dropped(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Answer::Refused,
        // Somebody on the way says that there is nobody, or that we may not: no answer.
        Ok(Err(error))
            if matches!(
                error.kind(),
                io::ErrorKind::HostUnreachable
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::TimedOut
            ) =>
        {
            Answer::Silent
        }
        Ok(Err(error)) => return Err(error),
        Err(_) => Answer::Silent,
    })
}

/// Ends a connection at once, so that nobody waits for what is asked.
fn dropped(stream: TcpStream) -> Answer {
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    Answer::Accepted
}

/// Which address a machine sees us by: our own, unless ours is private and theirs is not.
async fn source(ip: IpAddr) -> io::Result<Source> {
    let socket = UdpSocket::bind(any(ip)).await?;
    socket.connect((ip, 9)).await?;
    let own = socket.local_addr()?.ip();
    Ok(if is_private(own) && !is_private(ip) { Source::Translated } else { Source::Seen(own) })
}

/// Any port of this machine, in the family of an address.
fn any(ip: IpAddr) -> SocketAddr {
    if ip.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() }
}

/// Whether an address is one that others see only where it was translated (RFC 1918,
/// RFC 6598, RFC 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        IpAddr::V6(v6) => v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}

fn unwitnessed(name: &Name) -> Problem {
    let message = format!("nobody on {name} tells which datagrams come through, and silence proves nothing");
    let help = format!("run `stageplot witness` on {name} for as long as this takes");
    Problem::not_tried(Cause::WitnessAbsent, message).help(help)
}

fn absent(ip: IpAddr) -> Problem {
    let message =
        format!("nothing at {ip} answers, ICMP neither, so the silence of its ports proves nothing");
    Problem::not_tried(Cause::Unreachable, message)
}

fn unfinished(tried: usize, all: usize) -> Problem {
    let message = format!("time was up after {tried} of {all} ports");
    Problem::not_tried(Cause::TooSlow, message).help(LONGER)
}

/// That the deadline passed: whoever is not done knows nothing.
pub(super) fn late() -> Problem {
    Problem::not_tried(Cause::TooSlow, "time was up before all ports were asked").help(LONGER)
}

const LONGER: &str = "give it a longer --deadline";
