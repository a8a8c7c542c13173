//! What a change as a whole means for people in rooms, beside what each node tells.

use std::collections::BTreeMap;

use stageplot_topology::words::listed;

use super::{Effect, Impact, NodeDiff, Status};
use crate::summary::Summary;

/// What there is to say, each in a sentence.
pub(super) fn sentences(nodes: &[NodeDiff], after: &Summary) -> Vec<String> {
    let mut services: BTreeMap<&str, Vec<(&str, &Effect)>> = BTreeMap::new();
    // On a node that is gone nothing ends by itself.
    for node in nodes.iter().filter(|node| node.status != Status::Removed) {
        for effect in node.effects.iter().filter(|effect| effect.process >= Impact::Restart) {
            if let Some(service) = &effect.service {
                services.entry(service).or_default().push((&node.name, effect));
            }
        }
    }
    let mut sentences = Vec::new();
    for (name, ended) in services {
        let nodes: Vec<_> = ended.iter().map(|(node, _)| *node).collect();
        match ended.first().and_then(|(_, effect)| effect.kind.as_deref()) {
            Some("livekit") => {
                let all = after.services.get(name).map_or(&[][..], |service| &service.nodes);
                let is_all = !all.is_empty() && all.iter().all(|node| nodes.contains(&node.as_str()));
                match all.len() {
                    1 if is_all => sentences
                        .push(format!("{name} has no other node: while it drains, nobody takes new rooms")),
                    count if is_all => sentences.push(format!(
                        "{name} drains on each of its {count} nodes: bring it to one node after the other, or nobody \
                         takes new rooms"
                    )),
                    _ => {}
                }
                let mut waiting = ended.iter().filter(|(_, effect)| effect.drain_seconds.is_some());
                if waiting.any(|(_, effect)| has_other_store(effect)) {
                    sentences.push(format!(
                        "{name} keeps its rooms in Redis: one that goes, or takes a new password, before a node has \
                         drained cuts the rooms there off from their store"
                    ));
                }
            }
            Some("edge") => sentences.push(format!(
                "people in rooms reconnect: every connection through {name} on {} ends",
                listed(&nodes)
            )),
            _ => {}
        }
    }
    sentences
}

/// Whether LiveKit finds its rooms elsewhere, or by another password.
fn has_other_store(effect: &Effect) -> bool {
    let mut fields = effect.reasons.iter().flat_map(|reason| &reason.fields);
    fields.any(|field| field.contains("livekit.yaml: redis."))
}
