//! What a diff says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stageplot_topology::{Code, Diagnostic, Severity};

use super::contents::Contents;
use super::{Effect, Impact};
use crate::Change;
use crate::summary::Summary;

/// What changes between two sides, and what that does.
///
/// Serialises as the JSON of `stageplot diff --format json`. Lists are sorted by
/// name, or by path; what is empty is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The version of this format: [`Diff::VERSION`].
    pub version: u32,
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
    /// Secrets of which it cannot be told whether they changed: what reads them is
    /// compared as if they had not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretDiff>,
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
            impact: Impact::None,
            stack: Vec::new(),
            nodes: Vec::new(),
            services: Vec::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            rooms: Vec::new(),
            records: RecordChanges::default(),
            findings: Vec::new(),
            overview: Vec::new(),
            secrets: Vec::new(),
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
            impact: _,
            stack,
            nodes,
            services,
            opened,
            closed,
            rooms,
            records,
            findings,
            overview,
            secrets,
            known: _,
        } = self;
        stack.is_empty()
            && nodes.is_empty()
            && services.is_empty()
            && opened.is_empty()
            && closed.is_empty()
            && rooms.is_empty()
            && records.is_empty()
            && findings.is_empty()
            && overview.is_empty()
            && secrets.is_empty()
    }

    /// The same without what differs in each file.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        self.nodes.iter_mut().for_each(|node| node.files.clear());
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

    /// What happens, each with the machine it happens on.
    pub fn effects(&self) -> impl Iterator<Item = (&NodeDiff, &Effect)> {
        self.nodes.iter().flat_map(|node| node.effects.iter().map(move |effect| (node, effect)))
    }
}

/// Whether something is new, gone, or other than it was.
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

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The first.
    Before,
    /// The second.
    After,
}

/// A machine that differs.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceDiff {
    /// Its name; where it is gone, the one it had.
    pub name: String,
    /// The name that it had, where it is renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Its kind: `edge`, `livekit`, `redis`, `app`.
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

/// A secret of which it cannot be told whether it changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct SecretDiff {
    /// Its name, as seals have it.
    pub name: String,
    /// Why it cannot be told.
    pub why: Untold,
}

/// Why it cannot be told whether a secret changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Untold {
    /// Only the second side has a seal of it.
    Sealed,
    /// Only the first side has one.
    Unsealed,
    /// The seals were made with two keys.
    OtherKey,
}

/// A flow that opens or closes: who may connect to what.
///
/// [`opens`](Self::opens) and [`closes`](Self::closes) say it in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FlowChange {
    /// Who connects.
    pub from: crate::summary::Party,
    /// Where a service connects from: the nodes for which this is new, or past;
    /// empty for all of its nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_nodes: Vec<String>,
    /// The service that is connected to; none for an opening of the machine's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What the service calls the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// `443` or `50000-60000`.
    pub ports: String,
    /// Where: nodes, or the addresses of somebody else's servers; sorted.
    pub nodes: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who could already connect, or still can, where `from` takes them in: the sources
    /// of the flow widen or narrow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub narrower: Vec<crate::summary::Party>,
}

impl FlowChange {
    /// Whether anybody may connect.
    pub fn is_from_internet(&self) -> bool {
        self.from.is_anybody()
    }
}

/// DNS records that have to be set and removed, all sorted by name.
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

/// A finding about the second side's plot that the first's had not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NewFinding {
    /// Its code, which `stageplot explain` documents.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The field of the plot that it is about.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
}

impl NewFinding {
    pub(super) fn of(finding: &Diagnostic) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity,
            path: finding.location.path.to_string(),
            message: finding.message.clone(),
            help: finding.help.clone(),
        }
    }
}

impl std::fmt::Display for NewFinding {
    /// `warning tight-ports: services.sfu.rtc: … (…)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}: {}", self.severity, self.code, self.path, self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

/// A DNS record.
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

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileDiff {
    /// Its path in the bundle, without the directory that is named by content:
    /// `services/sfu/livekit.yaml`.
    pub path: String,
    /// Whether it is new, gone or changed.
    pub status: Status,
    /// The service that reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How a change of it takes effect; none for files about the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// What differs in what the manifest says of it: `mode`, `owner`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<FieldChange>,
    /// Fields that differ, where its format has fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Lines that differ, where its format has none, or it cannot be read as such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineChange>,
    /// Its bytes differ and its fields do not, and that alone takes effect: its
    /// directory is named by its bytes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rewritten: bool,
    /// The sides on which it is not as it was rendered: somebody has edited it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<Which>,
}

impl FileDiff {
    pub(super) fn new(path: &str, status: Status, contents: Contents) -> Self {
        Self {
            path: path.to_owned(),
            status,
            service: None,
            change: None,
            about: Vec::new(),
            fields: contents.fields,
            lines: contents.lines,
            rewritten: false,
            edited: Vec::new(),
        }
    }
}

/// A field with its value on both sides. A secret's value is its mark,
/// `sealed:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FieldChange {
    /// Where it stands in its file, parts joined with dots: `rtc.tcp_port`.
    pub path: String,
    /// What the first side says; none where it has no such field.
    pub before: Option<String>,
    /// What the second side says; none where it has no such field.
    pub after: Option<String>,
}

impl FieldChange {
    /// A field with what both sides say of it.
    pub(crate) fn new(path: impl Into<String>, before: Option<String>, after: Option<String>) -> Self {
        Self { path: path.into(), before, after }
    }
}

/// A line that one side has and the other has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LineChange {
    /// The side that has it.
    pub side: Which,
    /// Its number there, from 1 on.
    pub number: usize,
    /// What it says, without its end.
    pub text: String,
}
