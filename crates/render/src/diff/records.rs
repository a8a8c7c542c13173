//! DNS records that have to be set and removed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::side::{File, Side};

/// DNS records that have to be set and removed, all sorted by name.
///
/// ```
/// use stageplot_render::diff::{self, Side};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{Edge, NodeSpec, Plot};
/// # let side = |name: &str| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("edge", Edge::new(name.parse()?))
/// #         .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// let (before, after) = (side("old.example.com")?, side("new.example.com")?);
/// let records = diff::between(&before, &after).records;
/// assert_eq!(records.set[0].to_string(), "new.example.com A 203.0.113.10");
/// assert_eq!(records.remove[0].value, "203.0.113.10");
/// assert!(records.warnings().next().is_some_and(|text| text.contains("old.example.com")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordChanges {
    /// Records that are needed and were not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Record>,
    /// Records that were needed and are not any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Record>,
    /// Names to which nothing answers any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
}

/// A DNS record.
///
/// See [`RecordChanges`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Record {
    /// The name, without the dot at its end.
    pub name: String,
    /// `A` or `AAAA`.
    pub kind: String,
    /// The address.
    pub value: String,
}

/// Compares what both sides say in `dns.txt`; where one has none, nothing is told.
pub(super) fn compare(before: &Side, after: &Side) -> RecordChanges {
    let (Some(old), Some(new)) = (of(before), of(after)) else { return RecordChanges::default() };
    let names: BTreeSet<_> = new.iter().map(|record| &record.name).collect();
    let mut gone: Vec<_> = old.iter().map(|record| record.name.clone()).collect();
    gone.dedup();
    gone.retain(|name| !names.contains(name));
    RecordChanges {
        set: new.difference(&old).cloned().collect(),
        remove: old.difference(&new).cloned().collect(),
        gone,
    }
}

/// The records of a side: `live.example.com. 300 IN A 203.0.113.10`.
fn of(side: &Side) -> Option<BTreeSet<Record>> {
    let text = std::str::from_utf8(side.overview.get("dns.txt").and_then(File::bytes)?).ok()?;
    let record = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [name, _, "IN", kind, value] if !name.starts_with(';') => Some(Record {
            name: name.trim_end_matches('.').to_owned(),
            kind: kind.to_owned(),
            value: value.to_owned(),
        }),
        _ => None,
    };
    Some(text.lines().filter_map(record).collect())
}

impl RecordChanges {
    /// Whether every record stays as it is.
    pub fn is_empty(&self) -> bool {
        let Self { set, remove, gone } = self;
        set.is_empty() && remove.is_empty() && gone.is_empty()
    }

    /// What that means for whoever uses a name that is gone, each in a sentence.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.gone.iter().map(|name| {
            format!("clients that still use {name} can no longer connect: give them the new URL first")
        })
    }
}

impl std::fmt::Display for Record {
    /// `live.example.com A 203.0.113.10`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, kind, value } = self;
        write!(f, "{name} {kind} {value}")
    }
}
