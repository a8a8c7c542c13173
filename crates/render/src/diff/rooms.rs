//! What a change as a whole means for people in rooms, beside what each node tells.

use super::words::listed;
use super::{Effect, Impact, NodeDiff};
use crate::summary::Summary;

/// What there is to say, each in a sentence.
pub(super) fn sentences(nodes: &[NodeDiff], after: &Summary) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, service) in &after.services {
        let ended = |node: &&NodeDiff| {
            let of_service = |effect: &&Effect| effect.service.as_ref() == Some(name);
            node.effects.iter().filter(of_service).any(|effect| effect.process >= Impact::Restart)
        };
        let ended: Vec<_> = nodes.iter().filter(ended).collect();
        match service.kind.as_str() {
            "livekit" => {
                let all = !ended.is_empty()
                    && service.nodes.iter().all(|name| ended.iter().any(|node| node.name == *name));
                if all && service.nodes.len() > 1 {
                    sentences.push(format!(
                        "{name} drains on each of its {} nodes: bring it to one node after the other, or nobody \
                         takes new rooms",
                        service.nodes.len()
                    ));
                } else if all {
                    sentences
                        .push(format!("{name} has no other node: while it drains, nobody takes new rooms"));
                }
                let effects = ended.iter().flat_map(|node| &node.effects);
                let mut waiting = effects.filter(|effect| effect.drain_seconds.is_some());
                if waiting.any(|effect| effect.service.as_ref() == Some(name) && has_other_store(effect)) {
                    sentences.push(format!(
                        "{name} keeps its rooms in Redis: one that goes, or takes a new password, before a node has \
                         drained cuts the rooms there off from their store"
                    ));
                }
            }
            "edge" if !ended.is_empty() => {
                let nodes: Vec<_> = ended.iter().map(|node| &node.name).collect();
                sentences.push(format!(
                    "people in rooms reconnect: every connection through {name} on {} ends",
                    listed(&nodes)
                ));
            }
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
