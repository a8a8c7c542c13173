//! What a diff says, in words.

use stageplot_topology::words::listed;

use super::{
    Diff, Effect, FieldChange, FileDiff, FlowChange, Impact, NodeDiff, SecretStatus, Status, Which, secret,
};
use crate::summary::Party;

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
    if let Some(secrets) = secrets(file) {
        return format!("{name}: {} changed", listed(&secrets));
    }
    match (fields.as_slice(), file.lines.len()) {
        _ if !file.is_detailed() => {
            let why = if file.rewritten { ", and its directory is named by its bytes" } else { "" };
            format!("{name} {}{why}", file.as_a_whole())
        }
        ([], 1) => format!("{name}: 1 line"),
        ([], lines) => format!("{name}: {lines} lines"),
        (fields, _) => format!("{name}: {}", fields_in_words(fields, "")),
    }
}

/// The secrets that changed in a file, where nothing else did.
fn secrets(file: &FileDiff) -> Option<Vec<&str>> {
    let of = |side| file.lines.iter().filter(move |line| line.side == side).map(|line| Some(&*line.text));
    let lines = of(Which::Before).zip(of(Which::After));
    let fields = file.fields.iter().chain(&file.about);
    let pairs = fields.map(|field| (field.before.as_deref(), field.after.as_deref())).chain(lines);
    let mut all = Vec::new();
    for (before, after) in pairs {
        all.extend(secret::changed(before?, after?)?);
    }
    all.dedup();
    let is_paired = of(Which::Before).count() == of(Which::After).count();
    (is_paired && !all.is_empty()).then_some(all)
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
        && let Some(secrets) = secret::changed(before, after)
    {
        return format!("{}: {} changed", path(field), listed(&secrets));
    }
    if let [field @ FieldChange { before: Some(before), after: Some(after), .. }] = fields
        && before != after
        && before.len().max(after.len()) <= SHORT
    {
        return format!("{} {before} → {after}", path(field));
    }
    if let [field] = fields
        && let Some(moves) = field.moves().filter(|moves| moves.len() <= SHORT)
    {
        return format!("{} {moves}", path(field));
    }
    let mut paths: Vec<_> = fields.iter().map(|field| path(field)).collect();
    paths.dedup();
    let moved = if fields.iter().all(|field| field.moved.is_some()) { " moved" } else { "" };
    listed(&paths) + moved
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

impl Diff {
    /// What the worst happens to, with names as `name` writes them:
    /// `cache on media-1; the machine on front`; empty where it is nowhere.
    ///
    /// ```
    /// use stageplot_render::diff::Diff;
    ///
    /// fn headline(diff: &Diff) -> String {
    ///     let plain = |name: &str| name.to_owned();
    ///     format!("{}; perhaps {}", diff.worst(plain), diff.untold_worst(plain))
    /// }
    /// ```
    pub fn worst(&self, name: impl Fn(&str) -> String) -> String {
        places(self.effects(), self.impact, name)
    }

    /// How much opens to anybody: `1 port opens to the Internet`; empty where nothing does.
    ///
    /// ```
    /// use stageplot_render::diff::Diff;
    ///
    /// assert_eq!(Diff::default().exposed(), "");
    /// ```
    pub fn exposed(&self) -> String {
        let opened = self.opened.iter().filter(|flow| flow.from == Party::Internet);
        let opened: Vec<_> = opened.collect();
        let has_range = opened.iter().any(|flow| flow.ports.contains('-'));
        match (opened.len(), has_range) {
            (0, _) => String::new(),
            (1, false) => "1 port opens to the Internet".to_owned(),
            (1, true) => "1 range of ports opens to the Internet".to_owned(),
            (count, false) => format!("{count} ports open to the Internet"),
            (count, true) => format!("{count} ports and ranges open to the Internet"),
        }
    }

    /// The same of what may happen and cannot be told.
    pub fn untold_worst(&self, name: impl Fn(&str) -> String) -> String {
        let impact = self.untold.as_ref().map_or(Impact::None, |untold| untold.impact);
        places(self.untold_effects(), impact, name)
    }
}

/// What an impact happens to, each with all of its machines.
fn places<'a>(
    effects: impl Iterator<Item = (&'a NodeDiff, &'a Effect)>,
    impact: Impact,
    name: impl Fn(&str) -> String,
) -> String {
    const SHOWN: usize = 3;
    let mut places: Vec<(Option<&str>, String, Vec<String>)> = Vec::new();
    for (node, effect) in effects.filter(|(_, effect)| effect.impact == impact) {
        let service = effect.service.as_deref();
        let at = places.iter().position(|(known, ..)| *known == service).unwrap_or_else(|| {
            places.push((service, effect.subject(&name), Vec::new()));
            places.len() - 1
        });
        places[at].2.push(name(&node.name));
    }
    let more = places.len().saturating_sub(SHOWN);
    let shown = places.into_iter().take(SHOWN);
    let mut shown: Vec<_> =
        shown.map(|(_, subject, nodes)| format!("{subject} on {}", listed(&nodes))).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join("; ")
}

impl Effect {
    /// What happens, with what becomes of its process where that is not what is worst of
    /// it and the text does not tell it.
    pub fn in_words(&self) -> String {
        match self.process {
            process if process == self.impact => self.text.clone(),
            Impact::Recreate => format!("it is recreated; {}", self.text),
            Impact::Reload => format!("it reads its configuration again; {}", self.text),
            _ => self.text.clone(),
        }
    }

    /// What it happens to: the service, called as `name` writes it, or the machine.
    pub fn subject(&self, name: impl FnOnce(&str) -> String) -> String {
        self.service.as_deref().map_or_else(|| "the machine".to_owned(), name)
    }
}

impl FileDiff {
    /// Whether it says again, for people to read or to run, what the plot says.
    pub fn is_for_people(&self) -> bool {
        matches!(&*self.path, "README.md" | "install.sh" | "runbook.md" | "diagram.mmd" | "diagram.svg")
    }

    /// What there is to say of it beside its fields and lines: `is new`, `edited by hand
    /// on the first side`; empty where that is nothing.
    pub fn in_words(&self) -> String {
        let whole = if self.is_detailed() && !self.rewritten { "" } else { self.as_a_whole() };
        let edited = match self.edited.as_slice() {
            [] => "",
            [Which::Before] => "edited by hand on the first side",
            [Which::After] => "edited by hand on the second side",
            _ => "edited by hand on both sides",
        };
        let parts: Vec<_> = [whole, edited].into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }

    /// Whether there is something to say of its parts.
    fn is_detailed(&self) -> bool {
        let is_changed = !matches!(self.status, Status::Added | Status::Removed);
        is_changed && !(self.fields.is_empty() && self.about.is_empty() && self.lines.is_empty())
    }

    fn as_a_whole(&self) -> &'static str {
        match self.status {
            Status::Added => "is new",
            Status::Removed => "is gone",
            _ if self.rewritten => "says the same in another way",
            _ => "differs",
        }
    }
}

impl SecretStatus {
    /// As people say it of a secret: `changed`, `is sealed for the first time; …`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Changed => "changed",
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
        let Self { ports, protocol, .. } = self;
        let (before, after) = (from(before), from(after));
        format!("{ports}/{protocol} ({}) on {}: from {before} → from {after}", self.why(), self.at())
    }

    /// Where it arrives; of somebody else's servers the hosts, since the port is told already.
    fn at(&self) -> String {
        let port = format!(":{}", self.ports);
        let nodes = self.nodes.iter().map(|node| node.strip_suffix(&port).unwrap_or(node));
        listed(&nodes.collect::<Vec<_>>())
    }

    fn why(&self) -> String {
        match (&self.service, &self.endpoint) {
            (Some(service), Some(endpoint)) => format!("{service} {endpoint}: {}", self.reason),
            (Some(service), None) => format!("{service}: {}", self.reason),
            (None, _) => self.reason.clone(),
        }
    }

    fn sentence(&self, verb: &str) -> String {
        let from = match self.from_nodes.as_slice() {
            [] => self.from.to_string(),
            nodes => format!("{} on {}", self.from, listed(nodes)),
        };
        let Self { ports, protocol, .. } = self;
        format!("{from} {verb} {ports}/{protocol} on {} ({})", self.at(), self.why())
    }
}
