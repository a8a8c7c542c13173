//! What people in a room will notice.

use std::collections::BTreeMap;

use super::Diff;
use super::words::period;

/// What people in the rooms of one service will notice, on the machines where they
/// notice the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct People<'a> {
    /// The service.
    pub service: &'a str,
    /// The machines.
    pub nodes: Vec<&'a str>,
    /// In words: `waits for its rooms up to 2h, then people are thrown out`.
    pub text: String,
}

impl Diff {
    /// What people in a room will notice, the worst first; empty where they stay and
    /// nobody waits for them.
    pub fn people(&self) -> Vec<People<'_>> {
        let mut waits: BTreeMap<(bool, Option<u32>, &str), Vec<&str>> = BTreeMap::new();
        for (node, effect) in self.effects() {
            if let (Some(service), true) =
                (&effect.service, effect.drops_rooms || effect.drain_seconds.is_some())
            {
                let key = (!effect.drops_rooms, effect.drain_seconds, service.as_str());
                waits.entry(key).or_default().push(&node.name);
            }
        }
        let people = waits.into_iter().map(|((stays, seconds, service), nodes)| {
            let text = match (stays, seconds.map(period)) {
                (false, Some(wait)) => {
                    format!("waits for its rooms up to {wait}, then people are thrown out")
                }
                (false, None) => "people in a room may be thrown out".to_owned(),
                (true, wait) => format!("waits for its rooms up to {}", wait.unwrap_or_default()),
            };
            People { service, nodes, text }
        });
        people.collect()
    }
}
