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
    let has_rooms = after.services.values().any(|service| matches!(&*service.kind, "livekit" | "ion-sfu"));
    let mut sentences = Vec::new();
    for (name, ended) in services {
        let nodes: Vec<_> = ended.iter().map(|(node, _)| *node).collect();
        match ended.first().and_then(|(_, effect)| effect.kind.as_deref()) {
            Some("livekit") => {
                let all = after.services.get(name).map_or(&[][..], |service| &service.nodes);
                let is_all = !all.is_empty() && all.iter().all(|node| nodes.contains(&node.as_str()));
                let waiting = ended.iter().filter(|(_, effect)| effect.drain_seconds.is_some());
                let fields: Vec<_> = waiting.flat_map(|(_, effect)| fields_below(effect, "redis.")).collect();
                let has_other_keys =
                    ended.iter().any(|(_, effect)| fields_below(effect, "keys.").next().is_some());
                let redis = match fields.iter().any(|field| !is_login(field)) {
                    _ if fields.is_empty() => None,
                    true => Some("reaches it in another way from now on"),
                    false => Some("gives it another password from now on"),
                };
                match (redis, all.len()) {
                    // Nodes that differ in it have no room in common.
                    (Some(how), 2..) => sentences.push(format!(
                        "{name} keeps its rooms in Redis, and {how}: nodes that differ in it share none, so stop \
                         {name} on every node, bring the change in, and start it again; from the first stop until \
                         then nobody opens or joins a room"
                    )),
                    (Some(how), _) => sentences.push(format!(
                        "{name} keeps its rooms in Redis, and {how}: let it drain before Redis itself is changed, or \
                         the rooms there lose their store"
                    )),
                    (None, 2..) if has_other_keys => sentences.push(format!(
                        "{name} has another key from now on: a node that has not the key by which a token is signed \
                         refuses it, so first add the new key beside the old one on every node, then let the apps \
                         sign with it, and take the old one out at last"
                    )),
                    (None, 1) => {}
                    (None, count) if is_all => sentences.push(format!(
                        "{name} drains on each of its {count} nodes: bring it to one node after the other, or nobody \
                         takes new rooms"
                    )),
                    _ => {}
                }
                if is_all && all.len() == 1 {
                    sentences
                        .push(format!("{name} has no other node: while it drains, nobody takes new rooms"));
                }
            }
            Some("redis") if has_rooms => {
                let primary = after.services.get(name).and_then(|service| service.primary.as_deref());
                let is_dialled = nodes.iter().any(|node| primary.is_none_or(|primary| primary == *node));
                if is_dialled && !ended.iter().any(|(_, effect)| effect.drops_rooms) {
                    sentences.push(format!(
                        "{name} is started anew: rooms go on, and until it is back nobody opens or joins one"
                    ));
                }
            }
            Some("rtmp") => sentences.push(format!(
                "every stream through {name} ends: publishers have to come back, and players after them"
            )),
            Some("ingress") => sentences.push(format!(
                "streams through {name} on {} end once it has waited for them: publishers have to come back",
                listed(&nodes)
            )),
            Some("egress") => sentences.push(format!(
                "recordings by {name} on {} end once it has waited for them, and nobody starts them again",
                listed(&nodes)
            )),
            Some("sip") => sentences.push(format!(
                "calls through {name} on {} end once it has waited for them: whoever speaks calls again",
                listed(&nodes)
            )),
            Some("ion-sfu") => sentences.push(format!(
                "everybody in a room at {name} on {} is thrown out, and joins anew",
                listed(&nodes)
            )),
            Some("app") if has_rooms => {
                let all = after.services.get(name).map_or(&[][..], |service| &service.nodes);
                let migration = ended.iter().find_map(|(_, effect)| effect.migration.as_ref());
                let pause = match migration {
                    Some(migration) => format!("until {migration} has ended well"),
                    None => "for a moment".to_owned(),
                };
                match all.len() {
                    count if count > nodes.len() => {}
                    1 => sentences.push(format!(
                        "{name} is started anew: {pause} it answers nobody, and who needs it to join a room waits"
                    )),
                    count => sentences.push(format!(
                        "{name} is started anew on each of its {count} nodes: bring it to one after the other, or \
                         {pause} it answers nobody"
                    )),
                }
            }
            Some("edge") => {
                let who = if has_rooms { "people in rooms reconnect" } else { "people connect again" };
                sentences.push(format!("{who}: every connection through {name} on {} ends", listed(&nodes)));
            }
            _ => {}
        }
    }
    let edges = moved.iter().filter(|it| it.kind == "edge" && it.status != Status::Added);
    sentences.extend(edges.filter(|it| !it.to.is_empty()).map(|it| {
        format!("{} comes to {}: clients find it there only once DNS has followed", it.name, listed(&it.to))
    }));
    sentences
}

/// Whether a field is what LiveKit logs in to its Redis with.
fn is_login(field: &str) -> bool {
    matches!(field, "password" | "username")
}

/// The fields of LiveKit's configuration that differ, below one of its tables.
fn fields_below<'a>(effect: &'a Effect, table: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = effect.reasons.iter().flat_map(|reason| &reason.fields);
    fields.filter_map(move |field| field.split_once("livekit.yaml: ")?.1.strip_prefix(table))
}
