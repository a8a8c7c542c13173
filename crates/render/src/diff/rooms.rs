//! What a change as a whole means for people in rooms, beside what each node tells.

use std::collections::BTreeMap;

use stageplot_topology::words::listed;

use super::{Effect, Impact, NodeDiff, ServiceDiff, Status};
use crate::summary::Summary;

/// What there is to say, each in a sentence.
pub(super) fn sentences(nodes: &[NodeDiff], moved: &[ServiceDiff], after: &Summary) -> Vec<String> {
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
                let waiting = ended.iter().filter(|(_, effect)| effect.drain_seconds.is_some());
                let fields: Vec<_> = waiting.flat_map(|(_, effect)| redis_fields(effect)).collect();
                let is_login = |field: &&str| matches!(*field, "password" | "username");
                if fields.iter().any(|field| !is_login(field)) {
                    sentences.push(format!(
                        "{name} keeps its rooms in Redis, and reaches it in another way from now on: keep the way that \
                         it has until each node has drained, or the rooms there lose their store"
                    ));
                }
                if fields.iter().any(is_login) {
                    sentences.push(format!(
                        "{name} keeps its rooms in Redis, which takes a new password: give it that once each node has \
                         drained, or the rooms there lose their store"
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
    let edges = moved.iter().filter(|it| it.kind == "edge" && it.status != Status::Added);
    sentences.extend(edges.filter(|it| !it.to.is_empty()).map(|it| {
        format!("{} comes to {}: clients find it there only once DNS has followed", it.name, listed(&it.to))
    }));
    sentences
}

/// The fields that differ of how LiveKit reaches its Redis.
fn redis_fields(effect: &Effect) -> impl Iterator<Item = &str> {
    let fields = effect.reasons.iter().flat_map(|reason| &reason.fields);
    fields.filter_map(|field| Some(field.split_once("livekit.yaml: redis.")?.1))
}
