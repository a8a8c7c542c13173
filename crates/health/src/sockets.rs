//! Who listens on this machine, as the kernel tells in `/proc/net`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses on which a TCP port is listened to, in this thread's own network
/// namespace; empty where the kernel does not tell.
pub(crate) fn listening(port: u16) -> Vec<IpAddr> {
    ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"]
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(listener).collect::<Vec<_>>())
        .filter(|(_, listened)| *listened == port)
        .map(|(ip, _)| ip)
        .collect()
}

/// The address of a line of the table that is a listening socket's
/// (`Documentation/networking/proc_net_tcp.rst` of the kernel).
fn listener(line: &str) -> Option<(IpAddr, u16)> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    if state != LISTEN {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Words of 32 bits, each in the machine's own order.
    let words = (0..ip.len() / 8).map(|word| {
        let digits = ip.get(word * 8..word * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    });
    let words: Vec<[u8; 4]> = words.collect::<Option<_>>()?;
    let ip = match words.as_slice() {
        [v4] => IpAddr::V4(Ipv4Addr::from(*v4)),
        [..] => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)).to_canonical(),
    };
    Some((ip, port))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_of_our_own_is_found_by_its_address() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"] {
            let Ok(own) = TcpListener::bind(address) else {
                println!("skipped: this machine has no {address}");
                continue;
            };
            let own = own.local_addr().map(|own| (own, listening(own.port()))).expect("an address");
            assert_eq!(own.1, [own.0.ip()], "{address}");
        }
    }
}
