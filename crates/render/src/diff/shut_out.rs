//! People who can no longer come in.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::Serialize;
use stageplot_topology::words::listed;

use super::FlowChange;
use super::flows::nets;
use crate::summary::{Flow, Party, Summary};

/// People who can no longer come in: no door of a service is open to them any more.
///
/// ```
/// use stageplot_render::diff::Diff;
///
/// fn warn(diff: &Diff) {
///     for people in &diff.shut_out {
///         println!("who comes from {:?} is shut out of {}", people.from, people.service);
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct ShutOut {
    /// Where they connect from.
    pub from: Party,
    /// The service that they came in through.
    pub service: String,
    /// Where that is so.
    pub nodes: Vec<String>,
    /// From where people still can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Party>,
}

impl std::fmt::Display for ShutOut {
    /// `people who connect from the Internet can no longer get in through edge, unless
    /// from network lan (10.0.0.0/24)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "people who connect from {} can no longer get in through {}", self.from, self.service)?;
        let unless: Vec<_> = self.unless.iter().map(ToString::to_string).collect();
        if unless.is_empty() { Ok(()) } else { write!(f, ", unless from {}", listed(&unless)) }
    }
}

/// The endpoints through which people come in, by the kind of their service.
fn doors(kind: &str) -> &'static [&'static str] {
    match kind {
        "edge" => &["http", "https", "http3"],
        "livekit" => &["media", "ice-tcp", "turn"],
        "ion-sfu" => &["media", "turn", "turn-tcp"],
        "rtmp" => &["rtmp"],
        "ingress" => &["rtmp", "media"],
        "sip" => &["sip", "sip-tcp", "sip-tls", "rtp"],
        _ => &[],
    }
}

/// Finds who is shut out by flows that close, where the service goes on.
pub(super) fn find(closed: &[FlowChange], after: &Summary) -> Vec<ShutOut> {
    let mut found: BTreeMap<(&str, &Party), ShutOut> = BTreeMap::new();
    for flow in closed {
        let (Some(name), Some(endpoint), Some(lost)) = (&flow.service, &flow.endpoint, nets(&flow.from))
        else {
            continue;
        };
        let Some(service) = after.services.get(name).filter(|service| !service.nodes.is_empty()) else {
            continue;
        };
        let doors = doors(&service.kind);
        if !doors.contains(&endpoint.as_str()) {
            continue;
        }
        let is_door = |flow: &&Flow| flow.service == *name && doors.contains(&flow.endpoint.as_str());
        let open = after.flows.iter().filter(is_door).map(|flow| &flow.from);
        // Services are no people.
        let mut open: Vec<_> = open.filter(|from| !matches!(from, Party::Service(_))).collect();
        open.sort();
        open.dedup();
        let all: Vec<IpNet> = open.iter().filter_map(|party| nets(party)).flatten().collect();
        let all = IpNet::aggregate(&all);
        if lost.iter().all(|net| all.iter().any(|open| open.contains(net))) {
            continue;
        }
        let shut_out = found.entry((name, &flow.from)).or_insert_with(|| ShutOut {
            from: flow.from.clone(),
            service: name.clone(),
            nodes: Vec::new(),
            unless: open.into_iter().cloned().collect(),
        });
        shut_out.nodes.extend(flow.nodes.iter().cloned());
        shut_out.nodes.sort();
        shut_out.nodes.dedup();
    }
    found.into_values().collect()
}
