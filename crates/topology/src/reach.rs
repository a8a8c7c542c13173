//! Which addresses lead from one node to another.
//!
//! Nodes of a service that share the same networks are one group, so that what
//! is worked out per pair of nodes is worked out per pair of groups, and a need
//! of everybody for everybody stays linear.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::{Attachment, NetworkId, Node, NodeId, Topology};

/// How many addresses a firewall rule lists before it names the whole network
/// instead: with more, what every node writes about every other would grow with
/// the square of the nodes.
///
/// See [`firewall`].
///
/// [`firewall`]: crate::firewall()
pub const SOURCES_LIMIT: usize = 256;

/// A way from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The address that the far side sees.
    pub(crate) source: IpAddr,
    /// The address to dial.
    pub(crate) target: IpAddr,
}

/// An interface of a node, as far as reaching it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    /// In a private network; `None` is the one that the plot does not name.
    Private(Option<NetworkId>),
    /// On the Internet.
    Public,
}

/// A side in one address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reach {
    side: Side,
    v6: bool,
}

/// A service's nodes, grouped by how they are reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    pub(crate) groups: Vec<Group>,
}

/// Nodes that are reached in the same ways.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    reaches: Vec<Reach>,
    /// Nodes in it, and the addresses they come from, by way.
    pub(crate) members: Vec<NodeId>,
    sources: BTreeMap<Reach, Arc<[IpNet]>>,
}

impl Group {
    /// Every source that `node` may see of these nodes, whichever of its
    /// addresses they dial, a list for each.
    pub(crate) fn anyhow(&self, node: &Node) -> impl Iterator<Item = &Arc<[IpNet]>> {
        let common: BTreeSet<_> = sides(node, true).map(|(reach, _)| reach).collect();
        self.sources.iter().filter(move |(reach, _)| common.contains(reach)).map(|(_, nets)| nets)
    }

    /// How `node` is reached by these nodes, and the sources it then sees.
    pub(crate) fn towards(&self, node: &Node) -> Option<(IpAddr, Arc<[IpNet]>)> {
        let (reach, target) = meet(&self.reaches, node)?;
        let sources = self.sources.get(&reach)?;
        Some((target, Arc::clone(sources)))
    }
}

/// The node's addresses by the side they are on, best first; those of IPv6 only
/// where it is asked for.
fn sides(node: &Node, v6: bool) -> impl Iterator<Item = (Reach, IpAddr)> + '_ {
    let private = [false, true].into_iter().flat_map(move |v6| {
        let family = node.addresses.iter().filter(move |a| a.ip.is_ipv6() == v6);
        family.map(move |a| (Reach { side: Side::Private(a.network), v6 }, a.ip))
    });
    let public = node.public.into_iter().flat_map(|p| p.addresses());
    let public = public.map(|ip| (Reach { side: Side::Public, v6: ip.is_ipv6() }, ip));
    private.chain(public).filter(move |(reach, _)| v6 || !reach.v6)
}

/// The best side that both have, and the target's address on it.
fn meet(from: &[Reach], to: &Node) -> Option<(Reach, IpAddr)> {
    sides(to, true).find(|(reach, _)| from.contains(reach))
}

/// The way from one node to another: over a private network that both are in,
/// else over the Internet; IPv4 before IPv6, which a client may be unable to
/// use.
pub(crate) fn route(from: &Node, v6: bool, to: &Node) -> Option<Route> {
    let reaches: Vec<_> = sides(from, v6).map(|(reach, _)| reach).collect();
    let (reach, target) = meet(&reaches, to)?;
    let (_, source) = sides(from, v6).find(|(own, _)| *own == reach)?;
    Some(Route { source, target })
}

impl Topology {
    /// Whether clients of this attachment can dial another machine over IPv6.
    pub(crate) fn dials_v6(&self, attachment: Attachment) -> bool {
        attachment != Attachment::Bridge || self.plot().bridge.ipv6
    }
}

/// Groups nodes by how they are reached by clients on them.
pub(crate) fn group(topology: &Topology, nodes: impl Iterator<Item = NodeId>, v6: bool) -> Peers {
    let mut groups: BTreeMap<Vec<Reach>, Vec<NodeId>> = BTreeMap::new();
    for id in nodes {
        let mut reaches: Vec<_> = sides(topology.node(id), v6).map(|(reach, _)| reach).collect();
        reaches.sort_unstable();
        reaches.dedup();
        groups.entry(reaches).or_default().push(id);
    }
    let groups = groups.into_iter().map(|(reaches, members)| {
        let sources = reaches.iter().map(|&reach| (reach, sources(topology, reach, &members))).collect();
        Group { reaches, members, sources }
    });
    Peers { groups: groups.collect() }
}

/// The addresses of the members on one side, in as few networks as cover
/// exactly them.
fn sources(topology: &Topology, reach: Reach, members: &[NodeId]) -> Arc<[IpNet]> {
    let own = |id: &NodeId| {
        let node = topology.node(*id);
        sides(node, true).filter(|(own, _)| *own == reach).map(|(_, ip)| IpNet::from(ip)).collect::<Vec<_>>()
    };
    let exact = IpNet::aggregate(&members.iter().flat_map(own).collect());
    match reach.side {
        Side::Private(Some(network)) if exact.len() > SOURCES_LIMIT => topology
            .network(network)
            .cidr
            .iter()
            .filter(|net| matches!(net, IpNet::V6(_)) == reach.v6)
            .copied()
            .collect(),
        _ => exact.into(),
    }
}
