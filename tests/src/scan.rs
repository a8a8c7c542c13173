//! A scanner of ports, fast enough for all of them.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many connections are tried at a time, where we may have as many files open.
const AT_A_TIME: u64 = 8192;

/// All TCP ports of an address on which something comes back to the current
/// namespace: a connection, or its refusal, which says that no firewall stands
/// before the port.
///
/// # Panics
///
/// If no connection can be tried.
pub fn scan(address: IpAddr, patience: Duration) -> BTreeSet<u16> {
    let limit = getrlimit(Resource::Nofile);
    // The soft limit is low for the sake of programs that use `select`.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(AT_A_TIME * 8);
    let at_a_time = (files / 5).clamp(64, AT_A_TIME);
    let ports: Vec<u16> = (1..=u16::MAX).collect();
    let chunks = ports.chunks(usize::try_from(at_a_time).unwrap_or(64));
    chunks.flat_map(|ports| knock(address, ports, patience)).collect()
}

/// Those of the ports on which something comes back; they are asked all at a time.
///
/// # Panics
///
/// If a socket cannot be made, or there is no way to the address.
pub fn knock(address: IpAddr, ports: &[u16], patience: Duration) -> Vec<u16> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let mut open = Vec::new();
    let mut waiting: Vec<(u16, OwnedFd)> = Vec::new();
    for &port in ports {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, None)
            .unwrap_or_else(|error| panic!("failed to make a socket: {error}"));
        match connect(&socket, &SocketAddr::from((address, port))) {
            Ok(()) | Err(Errno::CONNREFUSED) => open.push(port),
            Err(Errno::INPROGRESS) => waiting.push((port, socket)),
            Err(error) => panic!("failed to dial {address} port {port}: {error}"),
        }
    }
    let end = Instant::now() + patience;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || waiting.is_empty() {
            return open;
        }
        let mut fds: Vec<_> = waiting.iter().map(|(_, socket)| PollFd::new(socket, PollFlags::OUT)).collect();
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        let _ = poll(&mut fds, Some(&timeout));
        let ready: Vec<_> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        waiting.retain(|(port, socket)| {
            let ready = ready.next().unwrap_or(false);
            // Nobody at that address is another matter than a firewall before it.
            if ready && matches!(sockopt::socket_error(socket), Ok(Ok(()) | Err(Errno::CONNREFUSED))) {
                open.push(*port);
            }
            !ready
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn what_is_not_filtered_comes_back() {
        let ports: Vec<u16> = (1..200).collect();
        assert_eq!(knock(Ipv4Addr::LOCALHOST.into(), &ports, Duration::from_secs(2)), ports);
    }
}
