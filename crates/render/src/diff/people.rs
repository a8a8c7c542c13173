//! What people in a room will notice.

use std::collections::BTreeMap;

use super::words::period;
use super::{Diff, Effect, NodeDiff, Status};

/// What people in the rooms of one service will notice, on the machines where they
/// notice the same.
///
/// ```
/// use stageplot_render::diff::{self, Side};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{Livekit, LogLevel, NodeSpec, Plot, SecretRef};
/// # let side = |log_level: LogLevel| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("sfu", Livekit { keys, log_level, ..Livekit::default() })
/// #         .node("front", NodeSpec::public("203.0.113.10".parse()?).role("sfu"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// let (before, after) = (side(LogLevel::Info)?, side(LogLevel::Debug)?);
/// for people in diff::between(&before, &after).people() {
///     assert_eq!((people.service, people.nodes[0]), ("sfu", "front"));
///     assert_eq!(people.text, "waits for its rooms up to 2h, then people are thrown out");
/// }
/// // Had every secret changed of which that cannot be told, nobody would notice more.
/// assert!(diff::between(&before, &after).untold_people().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// nobody waits for them. On a machine that is gone that is so once somebody takes
    /// down what is there.
    pub fn people(&self) -> Vec<People<'_>> {
        people(self.effects())
    }

    /// What they would notice beside that, had every secret changed of which that cannot
    /// be told.
    pub fn untold_people(&self) -> Vec<People<'_>> {
        people(self.untold_effects())
    }
}

fn people<'a>(effects: impl Iterator<Item = (&'a NodeDiff, &'a Effect)>) -> Vec<People<'a>> {
    let mut waits: BTreeMap<(bool, bool, Option<u32>, &str), Vec<&str>> = BTreeMap::new();
    for (node, effect) in effects {
        if let (Some(service), true) = (&effect.service, effect.drops_rooms || effect.drain_seconds.is_some())
        {
            let runs_on = node.status == Status::Removed;
            let key = (runs_on, !effect.drops_rooms, effect.drain_seconds, service.as_str());
            waits.entry(key).or_default().push(&node.name);
        }
    }
    let people = waits.into_iter().map(|((runs_on, stays, seconds, service), nodes)| {
        let text = match (stays, seconds.map(period)) {
            (false, Some(wait)) => {
                format!("waits for its rooms up to {wait}, then people are thrown out")
            }
            (false, None) => "people in a room may be thrown out".to_owned(),
            (true, wait) => format!("waits for its rooms up to {}", wait.unwrap_or_default()),
        };
        let text = match runs_on {
            true => format!("runs on until somebody takes it down, then {text}"),
            false => text,
        };
        People { service, nodes, text }
    });
    people.collect()
}
