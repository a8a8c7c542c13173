//! What the readers of the three formats share: limits, places, findings.

use std::collections::HashMap;
use std::ops::Range;

use super::lines::Lines;
use super::value::{Entry, Kind, Table, Value};
use crate::{Code, Diagnostic, FieldPath, Findings, Segment};

/// The state of reading one text.
pub(super) struct Reader<'t> {
    /// The source without its byte order mark.
    pub(super) text: &'t str,
    whole: &'t str,
    lines: &'t Lines,
    /// Where the value being read stands.
    path: Vec<Segment>,
    findings: Findings,
    too_deep: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(whole: &'t str, lines: &'t Lines) -> Self {
        Self {
            text: whole.strip_prefix('\u{feff}').unwrap_or(whole),
            whole,
            lines,
            path: Vec::new(),
            findings: Findings::new(),
            too_deep: false,
        }
    }

    pub(super) fn into_findings(self) -> Findings {
        self.findings
    }

    /// A finding about the bytes of `range` in [`Reader::text`].
    pub(super) fn syntax(&mut self, range: Range<usize>, message: &str, help: &str) {
        self.report(Code::Syntax, FieldPath::root(), range, message, help);
    }

    /// A finding about the bytes of `range`, which hold the value being read.
    pub(super) fn invalid(&mut self, range: Range<usize>, message: &str, help: &str) {
        let path = self.here();
        self.report(Code::InvalidValue, path, range, message, help);
    }

    pub(super) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    pub(super) fn enter(&mut self, segment: Segment) {
        self.path.push(segment);
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Refuses to go deeper than [`DEPTH`], once for the whole text.
    pub(super) fn deeper(&mut self, depth: usize, range: Range<usize>) -> bool {
        if depth <= DEPTH {
            return true;
        }
        if !self.too_deep {
            self.too_deep = true;
            self.syntax(range, &too_deep(), TOO_DEEP_HELP);
        }
        false
    }

    /// A value of the bytes of `range` in [`Reader::text`].
    pub(super) fn value(&self, range: Range<usize>, kind: Kind) -> Value {
        Value::new(self.shifted(range), kind)
    }

    pub(super) fn entry(&self, key: String, key_range: Range<usize>, value: Value) -> Entry {
        Entry { key, key_span: self.shifted(key_range), value }
    }

    /// A table of `entries`; a key that comes again is a finding and the
    /// first one stays.
    pub(super) fn table(&mut self, entries: Vec<Entry>) -> Kind {
        let mut first: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        let mut again = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(earlier) = first.get(entry.key.as_str()) {
                again.push((at, *earlier));
            } else {
                first.insert(&entry.key, at);
            }
        }
        if again.is_empty() {
            return Kind::Table(Table::new(entries));
        }
        // More are not kept, and a text may consist of nothing else.
        for (at, earlier) in again.iter().take(Findings::LIMIT) {
            let line = self.lines.line_of(entries[*earlier].key_span.start) + 1;
            let path = self.here().key(&entries[*at].key);
            let message = format!("`{path}` is given twice");
            self.report_at(
                Code::Syntax,
                path,
                entries[*at].key_span.clone(),
                message,
                format!("keep one of the two; the first is on line {line}"),
            );
        }
        let mut dropped = again.into_iter().map(|(at, _)| at).peekable();
        let kept = entries
            .into_iter()
            .enumerate()
            .filter_map(|(at, entry)| if dropped.next_if_eq(&at).is_some() { None } else { Some(entry) });
        Kind::Table(Table::new(kept.collect()))
    }

    /// The offset in [`Reader::text`] of a line and a byte column, both from 1.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.lines.start_of(line.saturating_sub(1));
        let start = start.unwrap_or(self.whole.len());
        let start = start.saturating_sub(self.shift());
        (start + column.saturating_sub(1)).min(self.text.len())
    }

    fn here(&self) -> FieldPath {
        self.path.iter().fold(FieldPath::root(), |path, segment| match segment {
            Segment::Key(key) => path.key(key),
            Segment::Index(index) => path.index(*index),
        })
    }

    fn report(&mut self, code: Code, path: FieldPath, range: Range<usize>, message: &str, help: &str) {
        let range = self.shifted(range);
        self.report_at(code, path, range, message.to_owned(), help.to_owned());
    }

    fn report_at(&mut self, code: Code, path: FieldPath, range: Range<usize>, message: String, help: String) {
        let mut diagnostic = Diagnostic::new(code, path, message, help);
        diagnostic.location.span = Some(self.lines.first_line_span(self.whole, range));
        self.findings.push(diagnostic);
    }

    fn shifted(&self, range: Range<usize>) -> Range<usize> {
        range.start + self.shift()..range.end + self.shift()
    }

    fn shift(&self) -> usize {
        self.whole.len() - self.text.len()
    }
}

/// What is said about a text nested deeper than [`DEPTH`].
pub(super) fn too_deep() -> String {
    format!("tables and lists are nested more than {DEPTH} deep")
}

pub(super) const TOO_DEEP_HELP: &str = "a plot needs no more than ten; look for a bracket too many";

pub(super) const TOO_LARGE_NUMBER: &str = "the number is too large";
pub(super) const TOO_LARGE_NUMBER_HELP: &str =
    "whole numbers reach from -9223372036854775808 to 9223372036854775807; put text in quotes";

/// How deep tables and lists may nest; a plot needs about six.
pub(super) const DEPTH: usize = 64;
