//! What a diff says, in words.

use super::{FieldChange, FileDiff, FlowChange, Impact, Status, Untold};
use crate::summary::Party;

/// `a, b and c`; of many, the first few and how many more.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 4;
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        many if many.len() > SHOWN + 1 => {
            format!("{} and {} more", many[..SHOWN].join(", "), many.len() - SHOWN)
        }
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// A time as an operator writes it: `2h`, `90s`.
pub(super) fn period(seconds: u32) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (hours @ 1.., 0, 0) => format!("{hours}h"),
        (0, minutes @ 1.., 0) => format!("{minutes}m"),
        (hours @ 1.., minutes, 0) => format!("{hours}h {minutes}m"),
        _ => format!("{seconds}s"),
    }
}

/// A file's own name.
pub(super) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What differs in a file: `livekit.yaml: rtc.tcp_port and room.empty_timeout`.
pub(super) fn differs(file: &FileDiff) -> String {
    let name = name(&file.path);
    let fields: Vec<_> = file.fields.iter().chain(&file.about).collect();
    match (file.status, fields.as_slice(), file.lines.len()) {
        (Status::Added, ..) => format!("{name} is new"),
        (Status::Removed, ..) => format!("{name} is gone"),
        (_, [], 0) if file.rewritten => {
            format!("{name} says the same in another way, and its directory is named by its bytes")
        }
        (_, [], 0) => format!("{name} differs"),
        (_, [], 1) => format!("{name}: 1 line"),
        (_, [], lines) => format!("{name}: {lines} lines"),
        (_, fields, _) => format!("{name}: {}", fields_in_words(fields, "")),
    }
}

/// Fields that differ, without what all their paths begin with; of a single one, what it
/// was and is, where that is short.
pub(super) fn fields_in_words(fields: &[&FieldChange], prefix: &str) -> String {
    const SHORT: usize = 48;
    let path = |field: &FieldChange| {
        let path = field.path.strip_prefix(prefix).unwrap_or(&field.path);
        path.trim_end_matches("[]").replace('"', "")
    };
    if let [field @ FieldChange { before: Some(before), after: Some(after), .. }] = fields
        && before.len().max(after.len()) <= SHORT
    {
        return format!("{} {before} → {after}", path(field));
    }
    let mut paths: Vec<_> = fields.iter().map(|field| path(field)).collect();
    paths.dedup();
    listed(&paths)
}

impl Impact {
    /// As people say it: `data at stake`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::DataAtStake => "data at stake",
            other => other.as_str(),
        }
    }
}

impl FileDiff {
    /// Whether it says again, for people to read or to run, what the plot says.
    pub fn is_for_people(&self) -> bool {
        matches!(&*self.path, "README.md" | "install.sh" | "runbook.md" | "diagram.mmd" | "diagram.svg")
    }
}

impl Untold {
    /// As people say it of a secret: `is sealed for the first time; …`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Sealed => "is sealed for the first time; whether it changed cannot be told",
            Self::Unsealed => "is not sealed any more; whether it changed cannot be told",
            Self::OtherKey => "is sealed with another key; whether it changed cannot be told",
        }
    }
}

impl FlowChange {
    /// Says that it opens: `the Internet can now reach 7881/tcp on media-2 (…)`; where it
    /// widens, `22/tcp (ssh) on front: from 198.51.100.0/24 → from anybody`.
    pub fn opens(&self) -> String {
        match self.narrower.as_slice() {
            [] => self.sentence("can now reach"),
            narrower => self.sources(narrower, std::slice::from_ref(&self.from)),
        }
    }

    /// Says that it closes: `rooms no longer reaches 6379/tcp on media-1 (…)`; where it
    /// narrows, `22/tcp (ssh) on front: from anybody → from 198.51.100.0/24`.
    pub fn closes(&self) -> String {
        match self.narrower.as_slice() {
            [] => self.sentence("no longer reaches"),
            narrower => self.sources(std::slice::from_ref(&self.from), narrower),
        }
    }

    fn sources(&self, before: &[Party], after: &[Party]) -> String {
        let from = |parties: &[Party]| {
            let names = parties.iter().map(|party| match party {
                Party::Internet => "anybody".to_owned(),
                party => party.to_string(),
            });
            listed(&names.collect::<Vec<_>>())
        };
        let Self { ports, protocol, nodes, .. } = self;
        let (before, after) = (from(before), from(after));
        format!("{ports}/{protocol} ({}) on {}: from {before} → from {after}", self.why(), listed(nodes))
    }

    fn why(&self) -> String {
        match &self.service {
            Some(service) => format!("{service}: {}", self.reason),
            None => self.reason.clone(),
        }
    }

    fn sentence(&self, verb: &str) -> String {
        let from = match self.from_nodes.as_slice() {
            [] => self.from.to_string(),
            nodes => format!("{} on {}", self.from, listed(nodes)),
        };
        let Self { ports, protocol, nodes, .. } = self;
        format!("{from} {verb} {ports}/{protocol} on {} ({})", listed(nodes), self.why())
    }
}
