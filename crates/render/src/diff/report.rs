//! What a diff says.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stageplot_topology::words::natural;

use super::{Effect, Impact, RecordChanges, SecretDiff, ShutOut, Untold};
use crate::summary::Summary;

mod file;
mod finding;
mod flow;

pub use file::{FieldChange, FileDiff, LineChange, Move};
pub use finding::NewFinding;
pub use flow::FlowChange;

/// What changes between two sides, and what that does.
///
/// Serialises as the JSON of `stageplot diff --format json`. Lists are sorted by
/// name, numbers in it by what they count, or by path; what is empty is left out.
///
/// ```
/// use stageplot_render::diff::{self, Diff, Side};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// # let before = side(Redis::default())?;
/// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// let diff = diff::between(&before, &after);
/// assert_eq!(diff.version, Diff::VERSION);
/// assert!(!diff.is_empty() && diff.closings().next().is_none());
/// for (file, nodes) in diff.files() {
///     println!("{} differs on {}", file.path, nodes.join(", "));
/// }
/// // For a reader who wants to know what happens, and not in which file.
/// let json = serde_json::to_value(diff.without_files())?;
/// assert_eq!(json["impact"], "data-at-stake");
/// assert!(json["nodes"][0].get("files").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The version of this format: [`Diff::VERSION`].
    pub version: u32,
    /// The stack's name, on the second side.
    pub name: String,
    /// The worst that happens anywhere.
    pub impact: Impact,
    /// The stack's own fields, such as its name, that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<FieldChange>,
    /// Machines that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeDiff>,
    /// Services that come, go, are renamed or stand elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceDiff>,
    /// Flows that open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<FlowChange>,
    /// Flows that close.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<FlowChange>,
    /// What that means for people in rooms as a whole, each in a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<String>,
    /// People who can no longer join a room.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shut_out: Vec<ShutOut>,
    /// DNS records to set and to remove.
    #[serde(skip_serializing_if = "RecordChanges::is_empty")]
    pub records: RecordChanges,
    /// What is found in the second side's plot and was not in the first's, where both
    /// are plots.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<NewFinding>,
    /// Files about the whole that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overview: Vec<FileDiff>,
    /// Secrets that changed, and those of which it cannot be told whether they did: what
    /// reads the latter is compared as if they had not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretDiff>,
    /// What may happen beside all that, where something cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
    /// What a rule can name.
    #[serde(skip)]
    pub(super) known: Known,
}

/// The names of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) nodes: BTreeSet<String>,
    /// The services, each with its kinds.
    pub(super) services: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    pub(super) fn of(sides: [&Summary; 2]) -> Self {
        let mut known = Self::default();
        for side in sides {
            known.nodes.extend(side.nodes.keys().cloned());
            for (name, service) in &side.services {
                known.services.entry(name.clone()).or_default().insert(service.kind.clone());
            }
        }
        known
    }
}

impl Default for Diff {
    /// No difference.
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            name: String::new(),
            impact: Impact::None,
            stack: Vec::new(),
            nodes: Vec::new(),
            services: Vec::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            rooms: Vec::new(),
            shut_out: Vec::new(),
            records: RecordChanges::default(),
            findings: Vec::new(),
            overview: Vec::new(),
            secrets: Vec::new(),
            untold: None,
            known: Known::default(),
        }
    }
}

impl Diff {
    /// The version of the format that it serialises to.
    pub const VERSION: u32 = 1;

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        let Self {
            version: _,
            name: _,
            impact: _,
            stack,
            nodes,
            services,
            opened,
            closed,
            rooms,
            shut_out,
            records,
            findings,
            overview,
            secrets,
            untold,
            known: _,
        } = self;
        stack.is_empty()
            && nodes.is_empty()
            && services.is_empty()
            && opened.is_empty()
            && closed.is_empty()
            && rooms.is_empty()
            && shut_out.is_empty()
            && records.is_empty()
            && findings.is_empty()
            && overview.is_empty()
            && secrets.is_empty()
            && untold.is_none()
    }

    /// The same without what differs in each file.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        let untold = self.untold.iter_mut().flat_map(|untold| &mut untold.nodes);
        self.nodes.iter_mut().chain(untold).for_each(|node| node.files.clear());
        self.overview.clear();
        self
    }

    /// Flows that close, each in a sentence. On a node that is gone nothing closes by
    /// itself, and nothing is said of it.
    pub fn closings(&self) -> impl Iterator<Item = String> {
        let gone = |name: &String| {
            self.nodes.iter().any(|node| node.status == Status::Removed && node.name == *name)
        };
        self.closed.iter().filter_map(move |flow| {
            let nodes: Vec<_> = flow.nodes.iter().filter(|name| !gone(name)).cloned().collect();
            let stays = FlowChange { nodes, ..flow.clone() };
            (!stays.nodes.is_empty()).then(|| stays.closes())
        })
    }

    /// Files that differ, by path and machine, each with the machines on which it differs
    /// alike; those about the whole with none. What a machine has that is new or gone is not
    /// among them.
    pub fn files(&self) -> Vec<(&FileDiff, Vec<&str>)> {
        let mut alike: BTreeMap<&FileDiff, Vec<&str>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| matches!(node.status, Status::Changed | Status::Renamed))
        {
            for file in &node.files {
                alike.entry(file).or_default().push(&node.name);
            }
        }
        let overview = self.overview.iter().map(|file| (file, Vec::new()));
        let mut files: Vec<_> = alike.into_iter().chain(overview).collect();
        files.sort_by(|(file, nodes), (other, others)| {
            file.path.cmp(&other.path).then_with(|| in_order(nodes, others))
        });
        files
    }

    /// What happens, each with the machine it happens on.
    pub fn effects(&self) -> impl Iterator<Item = (&NodeDiff, &Effect)> {
        effects(&self.nodes)
    }

    /// What may happen and cannot be told, each with the machine it would happen on.
    pub fn untold_effects(&self) -> impl Iterator<Item = (&NodeDiff, &Effect)> {
        self.untold.iter().flat_map(|untold| effects(&untold.nodes))
    }

    /// The names of the secrets that changed.
    pub fn changed_secrets(&self) -> impl Iterator<Item = &str> {
        let changed = self.secrets.iter().filter(|secret| !secret.status.is_untold());
        changed.map(|secret| secret.name.as_str())
    }

    /// The secrets of which it cannot be told whether they changed.
    pub fn untold_secrets(&self) -> impl Iterator<Item = &SecretDiff> {
        self.secrets.iter().filter(|secret| secret.status.is_untold())
    }
}

/// Which of two lists of machines comes first.
pub(super) fn in_order(nodes: &[&str], others: &[&str]) -> Ordering {
    let pairs = nodes.iter().zip(others).map(|(a, b)| natural(a, b));
    pairs.fold(Ordering::Equal, Ordering::then).then(nodes.len().cmp(&others.len()))
}

fn effects(nodes: &[NodeDiff]) -> impl Iterator<Item = (&NodeDiff, &Effect)> {
    nodes.iter().flat_map(|node| node.effects.iter().map(move |effect| (node, effect)))
}

/// Whether something is new, gone, or other than it was; with two sides there is no more.
///
/// See [`NodeDiff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Only the second side has it.
    Added,
    /// Only the first side has it.
    Removed,
    /// Both have it under different names; there may be other changes too.
    Renamed,
    /// Both have it.
    Changed,
}

/// One of the two sides; there is no third.
///
/// See [`LineChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The first.
    Before,
    /// The second.
    After,
}

/// A machine that differs.
///
/// ```
/// use stageplot_render::diff::{self, Impact, Side, Status};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// # let before = side(Redis::default())?;
/// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// let diff = diff::between(&before, &after);
/// let front = &diff.nodes[0];
/// assert_eq!((front.name.as_str(), front.status, front.impact), ("front", Status::Changed, Impact::DataAtStake));
/// assert_eq!(front.was, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeDiff {
    /// Its name; where it is gone, the one it had.
    pub name: String,
    /// The name that it had, where it is renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Whether it is new, gone, renamed or changed.
    pub status: Status,
    /// The worst that happens there.
    pub impact: Impact,
    /// What happens to its services and to the machine itself, the worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Its files that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileDiff>,
}

/// A service that comes, goes, is renamed or stands elsewhere.
///
/// ```
/// use stageplot_render::diff::{self, Side, Status};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Plot, Redis};
/// # let side = |node: &str| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let (front, back) = (NodeSpec::private("10.0.0.1".parse()?), NodeSpec::private("10.0.0.2".parse()?));
/// #     let mut plot = Plot::new("live".parse()?)
/// #         .service("cache", Redis::default())
/// #         .node("front", front)
/// #         .node("back", back);
/// #     plot.nodes.get_mut(node).ok_or("a node")?.roles.push("cache".parse()?);
/// #     let topology = plot.build()?.topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// let diff = diff::between(&side("front")?, &side("back")?);
/// let cache = &diff.services[0];
/// assert_eq!((cache.name.as_str(), cache.status), ("cache", Status::Changed));
/// assert_eq!((cache.from[0].as_str(), cache.to[0].as_str()), ("front", "back"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceDiff {
    /// Its name; where it is gone, the one it had.
    pub name: String,
    /// The name that it had, where it is renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Its kind: `edge`, `livekit`, `redis`, `postgres`, `app`.
    pub kind: String,
    /// Whether it is new, gone, renamed or changed.
    pub status: Status,
    /// Nodes where it stands now and did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Nodes where it stood and does not any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Fields of its own that differ, such as its kind or its primary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}
