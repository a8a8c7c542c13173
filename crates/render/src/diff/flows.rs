//! Flows that open and close.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::FlowChange;
use super::names::Names;
use super::side::Side;
use crate::summary::Party;

/// What a flow is known by, wherever it arrives and whatever it is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    from: Party,
    service: Option<String>,
    endpoint: Option<String>,
    protocol: String,
    ports: String,
}

/// From where a flow comes, and where it arrives. Both are groups: no pair of nodes is
/// ever listed.
#[derive(Default)]
struct Way {
    /// The nodes of the service that connects; none for other parties.
    from: BTreeSet<String>,
    to: BTreeSet<String>,
    reason: String,
}

/// The flows that open, and those that close. Where sources widen, that is an opening;
/// where they narrow, a closing.
pub(super) fn compare(before: &Side, after: &Side, names: &Names) -> (Vec<FlowChange>, Vec<FlowChange>) {
    let (old, new) = (of(before, names), of(after, &Names::none()));
    let (opened, closed) = (opened(&old, &new), opened(&new, &old));
    (widened(&opened, &closed), widened(&closed, &opened))
}

/// Flows of one direction, without those that a wider flow of the other takes in; those
/// that take in others name them.
fn widened(these: &[FlowChange], others: &[FlowChange]) -> Vec<FlowChange> {
    let mut by_target: BTreeMap<_, Vec<&FlowChange>> = BTreeMap::new();
    for flow in others {
        by_target.entry(target(flow)).or_default().push(flow);
    }
    let mut flows = Vec::with_capacity(these.len());
    for flow in these {
        let others = by_target.get(&target(flow)).map_or(&[][..], Vec::as_slice);
        if others.iter().any(|other| takes_in(&other.from, &flow.from)) {
            continue;
        }
        let narrower = others.iter().filter(|other| takes_in(&flow.from, &other.from));
        let narrower: Vec<_> = narrower.map(|other| other.from.clone()).collect();
        let from = match &flow.from {
            Party::Nets(nets) if narrower.is_empty() => Party::Nets(apart(nets, others)),
            party => party.clone(),
        };
        flows.push(FlowChange { narrower, from, ..flow.clone() });
    }
    flows
}

/// Where a flow arrives.
fn target(flow: &FlowChange) -> impl Ord + use<> {
    let FlowChange { service, endpoint, protocol, ports, nodes, .. } = flow.clone();
    (service, endpoint, protocol, ports, nodes)
}

/// Whether all that one party's addresses are among the other's, and not the other way
/// round.
fn takes_in(wide: &Party, narrow: &Party) -> bool {
    covers(wide, narrow) && !covers(narrow, wide)
}

fn covers(wide: &Party, narrow: &Party) -> bool {
    let (Some(wide), Some(narrow)) = (nets(wide), nets(narrow)) else { return false };
    narrow.iter().all(|narrow| wide.iter().any(|wide| wide.contains(narrow)))
}

/// The networks of the list that none of the other parties has as they are; all, where
/// nothing would be left.
fn apart(list: &[String], others: &[&FlowChange]) -> Vec<String> {
    let known = |net: &String| {
        others.iter().any(|other| matches!(&other.from, Party::Nets(nets) if nets.contains(net)))
    };
    let apart: Vec<_> = list.iter().filter(|net| !known(net)).cloned().collect();
    if apart.is_empty() { list.to_vec() } else { apart }
}

/// The addresses of a party; none for a service, and where they cannot be read.
pub(super) fn nets(party: &Party) -> Option<Vec<IpNet>> {
    match party {
        Party::Internet => {
            let all =
                [IpNet::new(Ipv4Addr::UNSPECIFIED.into(), 0), IpNet::new(Ipv6Addr::UNSPECIFIED.into(), 0)];
            all.into_iter().collect::<Result<_, _>>().ok()
        }
        Party::Network { nets, .. } | Party::Nets(nets) => nets.iter().map(|net| net.parse().ok()).collect(),
        Party::Service(_) => None,
    }
}

/// The flows that the second side has and the first has not.
fn opened(before: &BTreeMap<Key, Way>, after: &BTreeMap<Key, Way>) -> Vec<FlowChange> {
    let nothing = Way::default();
    let changes = after.iter().flat_map(|(key, now)| {
        let was = before.get(key).unwrap_or(&nothing);
        let ports = if before.contains_key(key) { vec![key.ports.clone()] } else { beyond(key, now, before) };
        let change = |from: Vec<String>, to: Vec<String>| FlowChange {
            from: key.from.clone(),
            from_nodes: from,
            service: key.service.clone(),
            endpoint: key.endpoint.clone(),
            protocol: key.protocol.clone(),
            ports: String::new(),
            nodes: to,
            reason: now.reason.clone(),
            narrower: Vec::new(),
        };
        let new_to: Vec<_> = now.to.difference(&was.to).cloned().collect();
        let new_from: Vec<_> = now.from.difference(&was.from).cloned().collect();
        let old_to: Vec<_> = now.to.intersection(&was.to).cloned().collect();
        [change(Vec::new(), new_to), change(new_from.clone(), old_to)]
            .into_iter()
            .enumerate()
            .filter(move |(index, change)| !change.nodes.is_empty() && (*index == 0 || !new_from.is_empty()))
            .flat_map(move |(_, change)| {
                let of = move |ports: &String| FlowChange { ports: ports.clone(), ..change.clone() };
                ports.iter().map(of).collect::<Vec<_>>()
            })
    });
    changes.collect()
}

/// The ports of a flow that were not open by the same way before, when it had others.
fn beyond(key: &Key, now: &Way, before: &BTreeMap<Key, Way>) -> Vec<String> {
    let Some(ports) = range(&key.ports) else { return vec![key.ports.clone()] };
    let of = |key: &Key| Key { ports: String::new(), ..key.clone() };
    let others = before.range(of(key)..).take_while(|(other, _)| of(other) == of(key));
    let covering = others.filter(|(_, was)| now.from.is_subset(&was.from) && now.to.is_subset(&was.to));
    let left =
        covering.filter_map(|(other, _)| range(&other.ports)).fold(vec![ports], |left, (first, last)| {
            let without =
                |(from, to): (u32, u32)| [(from, to.min(first.saturating_sub(1))), (from.max(last + 1), to)];
            left.into_iter().flat_map(without).filter(|(from, to)| from <= to).collect()
        });
    let shown = |(from, to): (u32, u32)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    left.into_iter().map(shown).collect()
}

/// The first and the last of `443` or `50000-60000`.
fn range(ports: &str) -> Option<(u32, u32)> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((first.parse::<u16>().ok()?.into(), last.parse::<u16>().ok()?.into()))
}

/// All flows of a side, and what the operator keeps open.
fn of(side: &Side, names: &Names) -> BTreeMap<Key, Way> {
    let summary = side.summary();
    let node = |name: &String| names.node(name).to_owned();
    let mut all: BTreeMap<Key, Way> = BTreeMap::new();
    let mut add = |key: Key, from: BTreeSet<String>, to: BTreeSet<String>, reason: &str| {
        let way = all.entry(key).or_default();
        way.from.extend(from);
        way.to.extend(to);
        if way.reason.is_empty() {
            reason.clone_into(&mut way.reason);
        }
    };
    for flow in &summary.flows {
        let Some(service) = summary.services.get(&flow.service) else { continue };
        let Some(endpoint) = service.endpoints.iter().find(|endpoint| endpoint.name == flow.endpoint) else {
            continue;
        };
        let (from, clients) = match &flow.from {
            Party::Service(name) => {
                let clients = summary.services.get(name).map_or(&[][..], |client| &client.nodes);
                (Party::Service(names.service(name).to_owned()), clients)
            }
            other => (other.clone(), &[][..]),
        };
        let key = Key {
            from,
            service: Some(names.service(&flow.service).to_owned()),
            endpoint: Some(flow.endpoint.clone()),
            protocol: endpoint.protocol.clone(),
            ports: endpoint.ports.clone(),
        };
        let to = match endpoint.elsewhere.as_slice() {
            [] => flow.nodes.as_ref().or(endpoint.nodes.as_ref()).unwrap_or(&service.nodes),
            elsewhere => elsewhere,
        };
        add(key, clients.iter().map(node).collect(), to.iter().map(node).collect(), &flow.reason);
    }
    for opening in &summary.access {
        let key = Key {
            from: opening.from.clone(),
            service: None,
            endpoint: None,
            protocol: opening.protocol.clone(),
            ports: opening.ports.clone(),
        };
        add(key, BTreeSet::new(), summary.nodes.keys().map(node).collect(), &opening.reason);
    }
    all
}
