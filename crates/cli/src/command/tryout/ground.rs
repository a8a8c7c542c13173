//! What of this machine is free for a trial.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use ipnet::Ipv4Net;
use stageplot_topology::Port;

use super::docker;
use crate::failure::Failure;

/// Ports of the loopback, each given once.
#[derive(Default)]
pub(super) struct Ports {
    given: BTreeSet<Port>,
}

impl Ports {
    /// The port that is wanted, or the next one above that nobody has; one that a user may
    /// take who is not root.
    pub(super) fn free(&mut self, wanted: Port) -> Option<Port> {
        let first = match wanted.number() {
            low if low < 1024 => low + 8000,
            high => high,
        };
        let mut ports = (first..=u16::MAX).chain(1024..first).filter_map(Port::new);
        let found = ports.find(|port| !self.given.contains(port) && is_free(*port))?;
        self.given.insert(found);
        Some(found)
    }
}

/// Whether nobody listens there, over TCP and UDP.
fn is_free(port: Port) -> bool {
    let at = (Ipv4Addr::LOCALHOST, port.number());
    TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
}

/// A network that no other one of Docker's overlaps; for one plot the same, where it is
/// free.
pub(super) fn subnet(plot: &str) -> Result<Ipv4Net, Failure> {
    let taken = docker::networks()?;
    let first = plot.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    let mut all = (0..=u8::MAX)
        .map(|step| Ipv4Net::new_assert(Ipv4Addr::new(10, 221, first.wrapping_add(step), 0), 24));
    let overlaps = |net: &Ipv4Net, other: &Ipv4Net| net.contains(other) || other.contains(net);
    let found = all.find(|net| !taken.iter().any(|other| overlaps(net, other)));
    found.ok_or_else(|| {
        Failure::new("Docker's networks leave none for a trial")
            .help("remove those that nobody needs: docker network prune")
    })
}
