//! Services that come, go, are renamed or stand elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::side::Side;
use super::words::period;
use super::{FieldChange, ServiceDiff, Status};
use crate::summary::Service;

/// Compares the services of both sides.
pub(super) fn compare(before: &Side, after: &Side, names: &Names) -> Vec<ServiceDiff> {
    let (old, new) = (&before.summary().services, &after.summary().services);
    let old: BTreeMap<&str, (&str, &Service)> =
        old.iter().map(|(name, service)| (names.service(name), (name.as_str(), service))).collect();
    let all: BTreeSet<&str> = old.keys().copied().chain(new.keys().map(String::as_str)).collect();
    all.into_iter().filter_map(|name| pair(name, old.get(name).copied(), new.get(name), names)).collect()
}

fn pair(
    name: &str,
    old: Option<(&str, &Service)>,
    new: Option<&Service>,
    names: &Names,
) -> Option<ServiceDiff> {
    let nodes_before: BTreeSet<&str> =
        old.iter().flat_map(|(_, old)| &old.nodes).map(|node| names.node(node)).collect();
    let nodes_after: BTreeSet<&str> = new.iter().flat_map(|new| &new.nodes).map(String::as_str).collect();
    let only = |these: &BTreeSet<&str>, those: &BTreeSet<&str>| {
        these.difference(those).map(|node| (*node).to_owned()).collect::<Vec<_>>()
    };
    let (to, from) = (only(&nodes_after, &nodes_before), only(&nodes_before, &nodes_after));
    let fields = match (old, new) {
        (Some((_, old)), Some(new)) => fields(old, new, names),
        _ => Vec::new(),
    };
    let status = match (old, new) {
        (None, _) => Status::Added,
        (_, None) => Status::Removed,
        (Some((was, _)), _) if was != name => Status::Renamed,
        _ if to.is_empty() && from.is_empty() && fields.is_empty() => return None,
        _ => Status::Changed,
    };
    Some(ServiceDiff {
        name: name.to_owned(),
        was: old.map(|(was, _)| was.to_owned()).filter(|_| status == Status::Renamed),
        kind: new.or(old.map(|(_, old)| old))?.kind.clone(),
        status,
        to,
        from,
        fields,
    })
}

fn fields(old: &Service, new: &Service, names: &Names) -> Vec<FieldChange> {
    let primary = old.primary.as_deref().map(|node| names.node(node).to_owned());
    let drain = |service: &Service| service.drain_seconds.map(period);
    let fields = [
        ("drain", drain(old), drain(new)),
        ("kind", Some(old.kind.clone()), Some(new.kind.clone())),
        ("persistence", old.persistence.clone(), new.persistence.clone()),
        ("primary", primary, new.primary.clone()),
    ];
    let differ = fields.into_iter().filter(|(_, before, after)| before != after);
    differ.map(|(name, before, after)| FieldChange::new(name, before, after)).collect()
}
