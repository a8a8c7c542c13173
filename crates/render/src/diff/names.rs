//! What the same machine, or service, is called on both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::side::Side;
use crate::summary::{Node, Service};

/// What machines and services of the first side are called on the second, where that is
/// something else.
#[derive(Debug, Default)]
pub(super) struct Names {
    nodes: BTreeMap<String, String>,
    services: BTreeMap<String, String>,
}

impl Names {
    /// Finds what was renamed. A machine is known by its addresses; a service by its
    /// kind, its nodes and its endpoints: by all of what tells it from others.
    pub(super) fn find(before: &Side, after: &Side) -> Self {
        let (before, after) = (before.summary(), after.summary());
        let addresses = |node: &Node| (node.addresses.clone(), node.public.clone());
        let nodes = renamed(&before.nodes, &after.nodes, |node| {
            Some(addresses(node)).filter(|known| *known != <_>::default())
        });
        let node = |name: &String| nodes.get(name).unwrap_or(name).clone();
        let known = |service: &Service, node: &dyn Fn(&String) -> String| {
            let placed: BTreeSet<_> = service.nodes.iter().map(node).collect();
            let ports: Vec<_> = service
                .endpoints
                .iter()
                .map(|endpoint| (endpoint.name.clone(), endpoint.protocol.clone(), endpoint.ports.clone()))
                .collect();
            // Two that listen nowhere are not told from each other.
            (!ports.is_empty()).then(|| (service.kind.clone(), placed, ports))
        };
        let old = before.services.iter().map(|(name, service)| (name.clone(), known(service, &node)));
        let new = after.services.iter().map(|(name, service)| (name.clone(), known(service, &String::clone)));
        let services = renamed(&old.collect(), &new.collect(), Clone::clone);
        Self { nodes, services }
    }

    /// No renames.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// What a machine of the first side is called on the second.
    pub(super) fn node<'a>(&'a self, name: &'a str) -> &'a str {
        self.nodes.get(name).map_or(name, String::as_str)
    }

    /// The services that are called otherwise, by their old names and their new ones.
    pub(super) fn renamed_services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.services.iter().map(|(old, new)| (old.as_str(), new.as_str()))
    }

    /// What a service of the first side is called on the second.
    pub(super) fn service<'a>(&'a self, name: &'a str) -> &'a str {
        self.services.get(name).map_or(name, String::as_str)
    }
}

/// Pairs what is gone with what has come by what it is known by, where there is one of
/// each.
fn renamed<T, K: Ord>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    known: impl Fn(&T) -> Option<K>,
) -> BTreeMap<String, String> {
    let lone = |these: &BTreeMap<String, T>, those: &BTreeMap<String, T>| {
        let mut lone: BTreeMap<K, Option<String>> = BTreeMap::new();
        for (name, thing) in these.iter().filter(|(name, _)| !those.contains_key(*name)) {
            if let Some(key) = known(thing) {
                lone.entry(key).and_modify(|name| *name = None).or_insert_with(|| Some(name.clone()));
            }
        }
        lone
    };
    let mut come = lone(after, before);
    let gone = lone(before, after).into_iter();
    gone.filter_map(|(key, name)| Some((name?, come.remove(&key)??))).collect()
}
