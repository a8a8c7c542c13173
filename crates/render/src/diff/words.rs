//! What a diff says, in words.

use super::{FileDiff, FlowChange, Status};

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
    let fields: Vec<_> = file.fields.iter().chain(&file.about).map(|field| field.path.as_str()).collect();
    match (file.status, fields.as_slice(), file.lines.len()) {
        (Status::Added, ..) => format!("{name} is new"),
        (Status::Removed, ..) => format!("{name} is gone"),
        (_, [], 0) if file.rewritten => format!("{name} is written in another way, which takes a new mount"),
        (_, [], 0) => format!("{name} differs"),
        (_, [], 1) => format!("{name}: 1 line"),
        (_, [], lines) => format!("{name}: {lines} lines"),
        (_, fields, _) => format!("{name}: {}", listed(&unique(fields))),
    }
}

/// The same without those that follow their like.
pub(super) fn unique<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut unique = names.to_vec();
    unique.dedup();
    unique
}

impl FlowChange {
    /// Says that it opens: `the Internet can now reach 7881/tcp on media-2 (…)`.
    pub fn opens(&self) -> String {
        self.sentence("can now reach")
    }

    /// Says that it closes: `rooms no longer reaches 6379/tcp on media-1 (…)`.
    pub fn closes(&self) -> String {
        self.sentence("no longer reaches")
    }

    fn sentence(&self, verb: &str) -> String {
        let from = match self.from_nodes.as_slice() {
            [] => self.from.to_string(),
            nodes => format!("{} on {}", self.from, listed(nodes)),
        };
        let why = match &self.service {
            Some(service) => format!("{service}: {}", self.reason),
            None => self.reason.clone(),
        };
        format!("{from} {verb} {}/{} on {} ({why})", self.ports, self.protocol, listed(&self.nodes))
    }
}
