//! The tree that every format is read into.

use std::fmt;
use std::ops::Range;

/// A value of a plot and the bytes it was written as.
///
/// `Debug` shows the shape only: a value may be a secret.
#[derive(Clone, PartialEq)]
pub(crate) struct Value {
    // The size bound of a plot keeps offsets well within 32 bits, and there is
    // one pair of them for every value of a large plot.
    start: u32,
    end: u32,
    kind: Kind,
}

impl Value {
    pub(super) fn new(span: Range<usize>, kind: Kind) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(span.start), end: narrow(span.end), kind }
    }

    /// The bytes of the source that hold the value. For a TOML table with a
    /// header these are the header's.
    pub(crate) fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// What the value is.
    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(super) fn into_kind(self) -> Kind {
        self.kind
    }

    /// Ends the span with that of the last value inside.
    pub(super) fn end_with_last(&mut self) {
        let last = match &self.kind {
            Kind::List(values) => values.last(),
            Kind::Table(table) => table.entries.last().map(|entry| &entry.value),
            _ => None,
        };
        if let Some(last) = last {
            self.end = last.end;
        }
    }

    /// The table, if the value is one.
    pub(crate) fn as_table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if the value is a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

/// What a [`Value`] is, the same for every format.
#[derive(Clone, PartialEq)]
pub(crate) enum Kind {
    /// JSON's and YAML's null; TOML has none.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text; dates and times of TOML are text as well.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// A table: TOML's table, JSON's object, YAML's mapping.
    Table(Table),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_) => f.write_str("bool"),
            Self::Integer(_) => f.write_str("integer"),
            Self::Float(_) => f.write_str("float"),
            Self::String(_) => f.write_str("string"),
            Self::List(values) => f.debug_list().entries(values).finish(),
            Self::Table(table) => {
                f.debug_map().entries(table.entries().iter().map(|e| (&e.key, &e.value))).finish()
            }
        }
    }
}

/// The entries of a table, in the order of the file, each key once.
#[derive(Clone, Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    /// Positions sorted by key; empty for tables small enough to scan.
    sorted: Vec<u32>,
}

impl Table {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut sorted = Vec::new();
        if entries.len() > SCANNED {
            sorted.extend((0u32..).take(entries.len()));
            sorted.sort_unstable_by_key(|at| &entries[*at as usize].key);
        }
        Self { entries, sorted }
    }

    /// The entries in the order of the file.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|entry| entry.key == key);
        }
        let found = self.sorted.binary_search_by_key(&key, |at| &self.entries[*at as usize].key).ok()?;
        self.entries.get(self.sorted[found] as usize)
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

/// A key and its value.
#[derive(Clone, PartialEq)]
pub(crate) struct Entry {
    /// The key, unquoted.
    pub(crate) key: String,
    /// The bytes of the key as written, quotes included.
    pub(crate) key_span: Range<usize>,
    /// The value.
    pub(crate) value: Value,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.key, self.value)
    }
}

/// Tables of at most this many entries have no index: a scan is as fast.
const SCANNED: usize = 8;
