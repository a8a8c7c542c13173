//! How much of the Internet may connect.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::diff::{FlowChange, flows};
use crate::summary::Party;

/// The flows that come from the Internet: all from addresses of it that reach one port,
/// where they are more than a few taken together.
pub(super) fn from_internet<'f>(flows: &[&'f FlowChange]) -> BTreeSet<&'f FlowChange> {
    let mut by_port: BTreeMap<_, Vec<&FlowChange>> = BTreeMap::new();
    for &flow in flows {
        let port = (&flow.service, &flow.endpoint, &flow.protocol, &flow.ports);
        by_port.entry(port).or_default().push(flow);
    }
    let mut found = BTreeSet::new();
    for flows in by_port.into_values() {
        let all: Vec<IpNet> = flows.iter().flat_map(|flow| nets(&flow.from)).collect();
        if is_wide(&all) {
            found.extend(flows.into_iter().filter(|flow| public(&nets(&flow.from)) != (0, 0)));
        }
    }
    found
}

/// The addresses of a party; none of a service. What cannot be read may be anything.
fn nets(party: &Party) -> Vec<IpNet> {
    match party {
        Party::Service(_) => Vec::new(),
        party => flows::nets(party).unwrap_or_else(|| vec![V4.into(), V6.into()]),
    }
}

/// Whether these are more than a few addresses of the Internet.
fn is_wide(nets: &[IpNet]) -> bool {
    let (v4, v6) = public(nets);
    v4 > FEW_V4 || v6 > FEW_V6
}

/// How many addresses of the Internet are in these networks, each counted once, of IPv4
/// and of IPv6.
fn public(nets: &[IpNet]) -> (u128, u128) {
    let nets: Vec<_> = nets.iter().map(IpNet::trunc).collect();
    IpNet::aggregate(&nets).into_iter().fold((0, 0), |(v4, v6), net| {
        let public = public_of(net);
        match net {
            IpNet::V4(_) => (v4.saturating_add(public), v6),
            IpNet::V6(_) => (v4, v6.saturating_add(public)),
        }
    })
}

fn public_of(net: IpNet) -> u128 {
    let own = PRIVATE.iter().map(|private| IpNet::from(*private));
    let own = own.chain(PRIVATE_V6.iter().map(|private| IpNet::from(*private)));
    let mut inside = 0;
    for private in own {
        if private.contains(&net) {
            return 0;
        }
        if net.contains(&private) {
            inside += size(private);
        }
    }
    size(net).saturating_sub(inside)
}

fn size(net: IpNet) -> u128 {
    let bits = u32::from(net.max_prefix_len() - net.prefix_len());
    1_u128.checked_shl(bits).unwrap_or(u128::MAX)
}

const V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);
const V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0);

/// Networks that are not of the Internet; none is in another.
const PRIVATE: [Ipv4Net; 8] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
];

const PRIVATE_V6: [Ipv6Net; 4] = [
    Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    Ipv6Net::new_assert(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// How many addresses are few: those of a /16 of IPv4, and of a /32 of IPv6.
const FEW_V4: u128 = 1 << 16;
const FEW_V6: u128 = 1 << 96;
