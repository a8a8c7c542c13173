//! Who is asked.

use std::net::{Ipv4Addr, SocketAddr};

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp,
    Http,
    Redis,
    Stun,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Tcp, Self::Http, Self::Redis, Self::Stun];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Redis => "redis",
            Self::Stun => "stun",
        }
    }

    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Tcp => 7001,
            Self::Http => 7002,
            Self::Redis => 7003,
            Self::Stun => 7004,
        }
    }
}

/// Somebody who is there, or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoint {
    pub(crate) kind: Kind,
    pub(crate) ip: Ipv4Addr,
    pub(crate) is_dead: bool,
}

impl Endpoint {
    pub(crate) fn at(self) -> SocketAddr {
        (self.ip, self.kind.port()).into()
    }
}

/// How many addresses of each kind there are.
pub(crate) const ADDRESSES: usize = 10_000;

/// So many endpoints, each with an address of its own; the dead ones are spread evenly
/// among them, in 127.1.0.0/16. Without a kind they take turns.
pub(crate) fn endpoints(kind: Option<Kind>, count: usize, dead: usize) -> Vec<Endpoint> {
    let all = (0..count).map(|index| {
        let is_dead = index * dead / count != (index + 1) * dead / count;
        Endpoint { kind: kind.unwrap_or(Kind::ALL[index % 4]), ip: address(index, is_dead), is_dead }
    });
    all.collect()
}

pub(crate) fn address(index: usize, is_dead: bool) -> Ipv4Addr {
    let index = index % ADDRESSES;
    Ipv4Addr::new(127, u8::from(is_dead), (index / 250) as u8, (1 + index % 250) as u8)
}
