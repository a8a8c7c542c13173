//! Sees which datagrams the firewall of this machine lets in.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use rustix::net::{bind, recvfrom, sendto, socket_with};
use stageplot_topology::{NodeId, Topology};

/// Tells who asks which datagrams the firewall of this machine lets in.
///
/// A UDP port that says nothing may be closed, or have nobody listening who answers. A
/// witness sees every datagram that passed the firewall, whatever its port, and sends
/// those of [`closed`](crate::closed) trials back from where they arrived. It binds no
/// port, answers nothing else, and sends no more bytes than it got.
///
/// It takes root, or `CAP_NET_RAW`.
///
/// ```no_run
/// use std::time::{Duration, Instant};
///
/// use stageplot_health::Witness;
/// # use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let node = topology.node_named("front").ok_or("a node")?.id;
/// Witness::new(&topology, node)?.run(Instant::now() + Duration::from_secs(1800))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Witness(Vec<Ear>);

/// Why there is no witness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// A socket that sees every datagram was refused.
    #[error("datagrams to {ip} cannot be watched: {source}")]
    Socket {
        /// The address.
        ip: IpAddr,
        /// What the kernel says.
        source: io::Error,
    },
    /// The plot names no address that this machine has itself.
    #[error("this machine has no address of {0}")]
    Elsewhere(String),
}

/// A socket that sees all of one protocol that comes to one address.
#[derive(Debug)]
struct Ear {
    socket: OwnedFd,
    ip: IpAddr,
    icmp: bool,
}

impl Witness {
    /// A witness for a node, on that node.
    ///
    /// # Errors
    ///
    /// Where this process may not, or this machine is not the node.
    pub fn new(topology: &Topology, node: NodeId) -> Result<Self, WitnessError> {
        let node = topology.node(node);
        let public = node.public.iter().flat_map(|public| public.addresses());
        let all = node.addresses.iter().map(|address| address.ip).chain(public);
        let mut ears = Vec::new();
        for ip in all.filter(|ip| !ip.is_loopback()) {
            for icmp in [false, true] {
                match ear(ip, icmp) {
                    Ok(socket) => ears.push(Ear { socket, ip, icmp }),
                    // Somebody before this machine has that address.
                    Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
                    Err(source) => return Err(WitnessError::Socket { ip, source }),
                }
            }
        }
        match ears.is_empty() {
            true => Err(WitnessError::Elsewhere(node.name.to_string())),
            false => Ok(Self(ears)),
        }
    }

    /// Answers until a moment, or until a socket fails.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn run(&self, until: Instant) -> io::Result<()> {
        let mut buffer = [0; 2048];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let left = left.min(Duration::from_secs(3600));
            let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            let mut polled: Vec<_> =
                self.0.iter().map(|ear| PollFd::new(&ear.socket, PollFlags::IN)).collect();
            match poll(&mut polled, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ready: Vec<_> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
            for (ear, _) in self.0.iter().zip(ready).filter(|(_, ready)| *ready) {
                while ear.answer(&mut buffer)? {}
            }
        }
    }
}

fn ear(ip: IpAddr, icmp: bool) -> io::Result<OwnedFd> {
    let (family, protocol): (_, Protocol) = match (ip, icmp) {
        (IpAddr::V4(_), false) => (AddressFamily::INET, ipproto::UDP),
        (IpAddr::V4(_), true) => (AddressFamily::INET, ipproto::ICMP),
        (IpAddr::V6(_), false) => (AddressFamily::INET6, ipproto::UDP),
        (IpAddr::V6(_), true) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::RAW, flags, Some(protocol))?;
    bind(&socket, &SocketAddr::new(ip, 0))?;
    Ok(socket)
}

impl Ear {
    /// Takes one packet, and answers it where it is a question; whether there was one.
    fn answer(&self, buffer: &mut [u8]) -> io::Result<bool> {
        let (length, from) = match recvfrom(&self.socket, &mut *buffer, RecvFlags::empty()) {
            Ok((length, _, from)) => (length, from),
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(false),
            // Errors of what was sent before come back here.
            Err(_) => return Ok(true),
        };
        let Some(Ok(from)) = from.map(SocketAddr::try_from) else { return Ok(true) };
        // Over IPv4 the header comes along (raw(7)); over IPv6 it does not.
        let packet = &buffer[..length];
        let header = match (self.ip, packet.first()) {
            (IpAddr::V4(_), Some(first)) => usize::from(first & 0x0f) * 4,
            _ => 0,
        };
        let packet = packet.get(header..).unwrap_or_default();
        let answer = if self.icmp { self.echo(packet) } else { self.datagram(packet, from.ip()) };
        if let Some(answer) = answer {
            // One that gets lost is asked for again.
            let _ = sendto(&self.socket, &answer, SendFlags::empty(), &SocketAddr::new(from.ip(), 0));
        }
        Ok(true)
    }

    /// The answer to an echo request (RFC 792, RFC 4443) beside the kernel's own.
    fn echo(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let (request, reply) = if self.ip.is_ipv4() { (8, 0) } else { (128, 129) };
        let (head, body) = packet.split_at_checked(8)?;
        let tag = Tag::of_question(body)?;
        if head[0] != request {
            return None;
        }
        let mut answer = vec![reply, 0, 0, 0];
        answer.extend(&head[4..8]);
        answer.extend(tag.answer());
        if self.ip.is_ipv4() {
            // Over IPv6 the kernel fills it in.
            let sum = checksum(&[&answer]);
            answer[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        Some(answer)
    }

    /// The answer to a datagram (RFC 768), from the port where it arrived.
    fn datagram(&self, packet: &[u8], from: IpAddr) -> Option<Vec<u8>> {
        let (head, body) = packet.split_at_checked(8)?;
        let body = Tag::of_question(body)?.answer();
        let length = u16::try_from(8 + body.len()).ok()?.to_be_bytes();
        let mut answer = Vec::with_capacity(8 + body.len());
        answer.extend(&head[2..4]);
        answer.extend(&head[..2]);
        answer.extend(length);
        answer.extend([0, 0]);
        answer.extend(body);
        if let (IpAddr::V6(own), IpAddr::V6(from)) = (self.ip, from) {
            let sum = checksum(&[&pseudo_header(own, from, length), &answer]);
            // None is written as all ones, for zero says that there is none (RFC 768).
            let sum = if sum == 0 { 0xffff } else { sum };
            answer[6..8].copy_from_slice(&sum.to_be_bytes());
        }
        Some(answer)
    }
}

/// What a checksum of UDP over IPv6 holds beside the datagram (RFC 8200, section 8.1).
fn pseudo_header(from: Ipv6Addr, to: Ipv6Addr, length: [u8; 2]) -> Vec<u8> {
    const UDP: u8 = 17;
    [&from.octets()[..], &to.octets(), &[0, 0], &length, &[0, 0, 0, UDP]].concat()
}

/// The Internet's checksum (RFC 1071). All parts but the last have an even length.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 = words.map(|word| u64::from(word[0]) << 8 | word.get(1).map_or(0, |&low| low.into())).sum();
    let mut folded = sum;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !(folded as u16)
}

/// What marks the questions of one trial, and the answers to them.
///
/// The first byte is one that no protocol of a media port begins with (RFC 7983, section
/// 7), and no QUIC packet either: whoever gets it drops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag([u8; 16]);

const QUESTION: [u8; 16] = *b"\x0fstageplot asks.";
const ANSWER: [u8; 16] = *b"\x0fstageplot heard";

impl Tag {
    /// One that nobody guesses.
    pub(crate) fn random() -> io::Result<Self> {
        let mut tag = [0; 16];
        getrandom::fill(&mut tag).map_err(io::Error::other)?;
        Ok(Self(tag))
    }

    fn of_question(body: &[u8]) -> Option<Self> {
        let tag = body.strip_prefix(&QUESTION)?;
        Some(Self(tag.try_into().ok()?))
    }

    pub(crate) fn question(self) -> [u8; 32] {
        self.marked(QUESTION)
    }

    pub(crate) fn answer(self) -> [u8; 32] {
        self.marked(ANSWER)
    }

    fn marked(self, mark: [u8; 16]) -> [u8; 32] {
        let mut all = [0; 32];
        all[..16].copy_from_slice(&mark);
        all[16..].copy_from_slice(&self.0);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_rfc_1071() {
        // The example of its section 3, whose sum is ddf2.
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(checksum(&[&[0x00, 0x01], &[0xf2]]), !0xf201);
    }

    #[test]
    fn only_questions_have_an_answer_and_it_is_no_longer() {
        let tag = Tag([7; 16]);
        assert_eq!(Tag::of_question(&tag.question()), Some(tag));
        assert_eq!(Tag::of_question(&tag.answer()), None, "no two witnesses talk for ever");
        assert_eq!(Tag::of_question(&tag.question()[..31]), None);
        assert_eq!(tag.question().len(), tag.answer().len());
        assert!((4..16).contains(&tag.question()[0]), "dropped by RFC 7983");
    }
}
