//! ICMP echo (RFC 792, RFC 4443): whether there is a machine at an address at all, and
//! whether it has a [witness](crate::Witness).

use std::io;
use std::net::{self, IpAddr};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::witness::{Tag, checksum};

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Echo {
    /// The machine itself answered.
    pub(super) answered: bool,
    /// Its witness did.
    pub(super) witnessed: bool,
}

/// How often it is asked: datagrams get lost.
const TIMES: u16 = 3;

/// How long each waits for answers.
const PATIENCE: Duration = Duration::from_millis(700);

/// Asks, until both have answered or were asked often enough.
///
/// # Errors
///
/// Where this process may not send such a thing, or has no way there.
pub(super) async fn echo(ip: IpAddr, tag: Tag) -> io::Result<Echo> {
    let (socket, raw) = open(ip)?;
    let mut seen = Echo::default();
    for sequence in 1..=TIMES {
        if seen.answered && seen.witnessed {
            break;
        }
        socket.send_to(&request(ip, sequence, tag), (ip, 0)).await?;
        let until = Instant::now() + PATIENCE;
        while !(seen.answered && seen.witnessed) {
            let mut buffer = [0; 256];
            let Ok(received) = timeout_at(until, socket.recv_from(&mut buffer)).await else { break };
            let (length, from) = received?;
            if from.ip() == ip {
                note(&mut seen, body(&buffer[..length], raw && ip.is_ipv4()), tag);
            }
        }
    }
    Ok(seen)
}

/// A socket for echoes: one that the kernel has for everybody, or one that only root may
/// have.
fn open(ip: IpAddr) -> io::Result<(UdpSocket, bool)> {
    let (family, protocol) = match ip {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (socket, raw) = match socket_with(family, SocketType::DGRAM, flags, Some(protocol)) {
        Ok(socket) => (socket, false),
        Err(_) => (socket_with(family, SocketType::RAW, flags, Some(protocol))?, true),
    };
    // It sends and receives as one of UDP does; what is in it is another matter.
    Ok((UdpSocket::from_std(net::UdpSocket::from(socket))?, raw))
}

fn request(ip: IpAddr, sequence: u16, tag: Tag) -> Vec<u8> {
    const ECHO_V4: u8 = 8;
    const ECHO_V6: u8 = 128;
    let kind = if ip.is_ipv4() { ECHO_V4 } else { ECHO_V6 };
    let mut packet = vec![kind, 0, 0, 0, 0x53, 0x50];
    packet.extend(sequence.to_be_bytes());
    packet.extend(tag.question());
    if ip.is_ipv4() {
        // Over IPv6 the kernel fills it in.
        let sum = checksum(&[&packet]);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

/// The body of an echo, behind the headers.
fn body(packet: &[u8], has_ip_header: bool) -> &[u8] {
    let header = match packet.first() {
        Some(first) if has_ip_header => usize::from(first & 0x0f) * 4,
        _ => 0,
    };
    packet.get(header + 8..).unwrap_or_default()
}

fn note(seen: &mut Echo, body: &[u8], tag: Tag) {
    seen.answered |= body == tag.question();
    seen.witnessed |= body == tag.answer();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_believed_by_the_tag_it_was_told() {
        let (tag, other) = (Tag::random().expect("a tag"), Tag::random().expect("a tag"));
        let seen = |body: &[u8]| {
            let mut seen = Echo::default();
            note(&mut seen, body, tag);
            (seen.answered, seen.witnessed)
        };
        assert_eq!(seen(&tag.question()), (true, false), "the kernel says again what it was sent");
        assert_eq!(seen(&tag.answer()), (false, true), "the witness");
        for (name, body) in [
            ("another's tag", &other.answer()[..]),
            ("a question of another's", &other.question()),
            ("half an answer", &tag.answer()[..31]),
            ("more than an answer", &[&tag.answer()[..], b"."].concat()),
            ("garbage", &[0xff; 32]),
            ("nothing", b""),
        ] {
            assert_eq!(seen(body), (false, false), "{name}");
        }
        assert_eq!(body(&[0x4f, 0, 0], true), b"", "a header that is longer than the packet");
    }
}
