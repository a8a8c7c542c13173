//! Who listens on this machine, as the kernel tells in `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stageplot_topology::Protocol;

/// A socket that others can send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) protocol: Protocol,
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    inode: u64,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// The name of its program, cut by the kernel to 15 characters.
    pub(crate) name: String,
    /// The control groups that it is in, a line for each hierarchy.
    pub(crate) cgroups: String,
}

/// The addresses on which a TCP port is listened to, in this thread's own network
/// namespace; empty where the kernel does not tell.
pub(crate) fn listening(port: u16) -> Vec<IpAddr> {
    let all = listeners().into_iter();
    all.filter(|socket| socket.protocol == Protocol::Tcp && socket.port == port)
        .map(|socket| socket.ip)
        .collect()
}

/// All of them, in this thread's own network namespace.
pub(crate) fn listeners() -> Vec<Listener> {
    let tables =
        [("tcp", Protocol::Tcp), ("tcp6", Protocol::Tcp), ("udp", Protocol::Udp), ("udp6", Protocol::Udp)];
    let mut all = Vec::new();
    for (table, protocol) in tables {
        let text = fs::read_to_string(format!("/proc/thread-self/net/{table}")).unwrap_or_default();
        all.extend(text.lines().skip(1).filter_map(|line| listener(line, protocol)));
    }
    all
}

/// The processes that hold these sockets; of those that may not be looked at, none.
pub(crate) fn holders(listeners: &[Listener]) -> BTreeMap<u64, Vec<Process>> {
    let wanted: BTreeSet<u64> = listeners.iter().map(|socket| socket.inode).collect();
    let mut holders: BTreeMap<u64, Vec<Process>> = BTreeMap::new();
    let Ok(all) = fs::read_dir("/proc") else { return holders };
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        let held: BTreeSet<u64> = files
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
            .filter(|inode| wanted.contains(inode))
            .collect();
        if held.is_empty() {
            continue;
        }
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let process = Process { pid, name: read("comm").trim().to_owned(), cgroups: read("cgroup") };
        for inode in held {
            holders.entry(inode).or_default().push(process.clone());
        }
    }
    holders
}

impl Listener {
    /// The processes among `holders` that hold it.
    pub(crate) fn held_by<'a>(&self, holders: &'a BTreeMap<u64, Vec<Process>>) -> &'a [Process] {
        holders.get(&self.inode).map_or(&[], Vec::as_slice)
    }
}

/// The socket of a line of a table, where it waits for whoever comes
/// (`Documentation/networking/proc_net_tcp.rst` of the kernel): one of TCP listens, one of
/// UDP is connected to nobody.
fn listener(line: &str, protocol: Protocol) -> Option<Listener> {
    const LISTEN: &str = "0A";
    const CLOSE: &str = "07";
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let (local, state, inode) = (*fields.get(1)?, *fields.get(3)?, fields.get(9)?.parse().ok()?);
    if state != if protocol == Protocol::Tcp { LISTEN } else { CLOSE } {
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
    Some(Listener { protocol, ip, port, inode })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

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

    #[test]
    fn who_holds_a_socket_is_known() {
        let own = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = own.local_addr().expect("an address").port();
        let mut all = listeners();
        all.retain(|socket| (socket.protocol, socket.port) == (Protocol::Udp, port));
        let holders = holders(&all);
        let held: Vec<_> =
            all.iter().flat_map(|socket| socket.held_by(&holders)).map(|held| held.pid).collect();
        assert_eq!(held, [std::process::id()]);
    }
}
