//! How two files differ.

use super::format::Format;
use super::value::Value;
use super::{FieldChange, LineChange, Which, sequence};

/// What differs in the contents of a file.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) fields: Vec<FieldChange>,
    pub(super) lines: Vec<LineChange>,
    /// Whether it differs at all, in more than how it is written.
    pub(super) differ: bool,
}

impl Contents {
    /// They differ, and there is no more to say of it.
    pub(super) fn other() -> Self {
        Self { differ: true, ..Self::default() }
    }

    /// What a file holds that one side has alone: its fields, or its lines where its format
    /// has none.
    pub(super) fn only(path: &str, bytes: &[u8], side: Which) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else { return Self::other() };
        if let Some(value) = Format::of(path).and_then(|format| format.read(text)) {
            return Self { differ: true, fields: value.alone(side), lines: Vec::new() };
        }
        let lines = if path.ends_with(".svg") { "" } else { text }.lines().enumerate();
        let line = |(at, text): (usize, &str)| LineChange { side, number: at + 1, text: text.to_owned() };
        Self { differ: true, fields: Vec::new(), lines: lines.map(line).collect() }
    }

    /// Compares what two files of one path hold: fields where both have them, else
    /// lines; nothing in detail where it is no text, or a picture.
    pub(super) fn compare(path: &str, before: &[u8], after: &[u8]) -> Self {
        if before == after {
            return Self::default();
        }
        let (Ok(before), Ok(after)) = (std::str::from_utf8(before), std::str::from_utf8(after)) else {
            return Self::other();
        };
        if let Some(format) = Format::of(path)
            && let (Some(before), Some(after)) = (format.read(before), format.read(after))
        {
            let fields = Value::compare(&before, &after);
            return Self { differ: !fields.is_empty(), fields, lines: Vec::new() };
        }
        let lines = if path.ends_with(".svg") { Vec::new() } else { lines(before, after) };
        Self { differ: true, fields: Vec::new(), lines }
    }
}

/// The lines that one side has and the other has not: what goes before what comes.
fn lines(before: &str, after: &str) -> Vec<LineChange> {
    // With their ends, so that a missing one shows.
    let (before, after): (Vec<_>, Vec<_>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let (gone, come) = sequence::differing(&before, &after);
    let line = |side, lines: &[&str], at: usize| LineChange {
        side,
        number: at + 1,
        text: match lines[at].strip_suffix('\n') {
            Some(line) => line.to_owned(),
            None => format!("{} (no newline at the end)", lines[at]),
        },
    };
    let mut changes = Vec::with_capacity(gone.len() + come.len());
    let (mut old, mut new) = (0, 0);
    let (mut gone, mut come) = (gone.into_iter().peekable(), come.into_iter().peekable());
    // Between two changes both sides have the same lines.
    while gone.peek().is_some() || come.peek().is_some() {
        let same = [gone.peek().map(|at| at - old), come.peek().map(|at| at.saturating_sub(new))];
        let same = same.into_iter().flatten().min().unwrap_or(0);
        (old, new) = (old + same, new + same);
        while let Some(at) = gone.next_if_eq(&old) {
            changes.push(line(Which::Before, &before, at));
            old += 1;
        }
        while let Some(at) = come.next_if_eq(&new) {
            changes.push(line(Which::After, &after, at));
            new += 1;
        }
    }
    changes
}
