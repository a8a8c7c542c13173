//! YAML: events of `granit-parser`, the parser beneath `serde-saphyr`.
//!
//! The tree is built with a stack of its own, so depth costs no call stack.
//! Aliases are copied, within a budget: a few lines of aliases of aliases
//! would otherwise grow into gigabytes.

mod mistake;
mod scalar;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag, options};

use super::reader::{self, Reader};
use super::value::{Entry, Kind, Table, Value};
use crate::Segment;

/// Reads the text, or leaves findings in `reader`.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Value> {
    let options = options! {
        emit_comments: false,
        flow_nesting_limit: reader::DEPTH + 1,
        block_nesting_limit: reader::DEPTH + 1,
    };
    let text = reader.text;
    let mut builder =
        Builder { reader, open: Vec::new(), anchors: HashMap::new(), copied: 0, root: None, documents: 0 };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => builder.take(event, &span).ok()?,
            Err(error) => {
                mistake::report(builder.reader, &error);
                return None;
            }
        }
    }
    let root = builder.root.take();
    // An empty file is an empty plot, as it is in TOML.
    let empty = || reader.value(0..text.len(), Kind::Table(Table::default()));
    Some(match root {
        Some(value) if matches!(value.kind(), Kind::Null) && value.span().is_empty() => empty(),
        Some(value) => value,
        None => empty(),
    })
}

/// The finding is in the reader already, and reading on is of no use.
struct Stop;

struct Builder<'r, 't> {
    reader: &'r mut Reader<'t>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    copied: usize,
    root: Option<Value>,
    documents: usize,
}

/// A list or table that is not complete yet.
struct Open {
    start: usize,
    anchor: usize,
    /// Levels of lists and tables below this one.
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Table { entries: Vec<Entry>, key: Option<(String, Range<usize>)> },
}

/// What an alias may stand for.
#[derive(Clone)]
struct Anchored {
    value: Value,
    height: usize,
    size: usize,
}

impl Builder<'_, '_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Stop> {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(
                        range,
                        "a second YAML document in the file",
                        "a plot is one document: take away the `---` or what follows it",
                    );
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(text, style, anchor, tag.as_deref(), range)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.collection_tag(tag, "seq", &range)?;
                self.begin(range, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection_tag(tag, "map", &range)?;
                let (entries, key) = (Vec::new(), None);
                self.begin(range, anchor, Content::Table { entries, key })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range)?,
            Event::Alias(anchor) => self.alias(anchor, range)?,
            _ => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<(), Stop> {
        if self.awaits_key() {
            if text == "<<" && style == ScalarStyle::Plain {
                return self.stop(
                    range,
                    "YAML merge keys are not read",
                    "write the fields out, or use an alias for a whole value",
                );
            }
            self.set_key(text.into_owned(), range);
            return Ok(());
        }
        // The parser shows an absent value as `~` with nothing written.
        let kind = match scalar::resolve(&text, style == ScalarStyle::Plain, tag) {
            Ok(kind) => kind,
            Err(problem) => {
                self.name_place();
                self.reader.invalid(range.clone(), problem.message, problem.help);
                self.reader.leave();
                Kind::Null
            }
        };
        let value = self.reader.value(range, kind);
        self.add(value, anchor, 0)
    }

    fn begin(&mut self, range: Range<usize>, anchor: usize, content: Content) -> Result<(), Stop> {
        if self.awaits_key() {
            return self.stop(
                range,
                "a list or table where a name is expected",
                "names are plain text; put quotes around a name that begins with [ or {",
            );
        }
        if !self.reader.deeper(self.open.len() + 1, range.clone()) {
            return Err(Stop);
        }
        // The place of what is inside, for findings.
        self.name_place();
        self.open.push(Open { start: range.start, anchor, height: 1, content });
        Ok(())
    }

    fn end(&mut self, range: Range<usize>) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let kind = match open.content {
            Content::List(values) => Kind::List(values),
            Content::Table { entries, .. } => self.reader.table(entries),
        };
        self.reader.leave();
        let mut value = self.reader.value(open.start..range.end, kind);
        if range.is_empty() {
            // A block ends in the parser's eyes where the next thing begins;
            // blank lines and comments between are no part of it.
            value.end_with_last();
        }
        self.add(value, open.anchor, open.height)
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Stop> {
        if self.awaits_key() {
            return self.stop(range, "an alias as a name", "write the name out");
        }
        let Some(anchored) = self.anchors.get(&anchor) else {
            return self.stop(range, "an alias inside the very value it stands for", "write the value out");
        };
        self.copied = self.copied.saturating_add(anchored.size);
        if self.copied > COPIED {
            return self.stop(
                range,
                "aliases stand for too much text",
                "write the values out; a plot rarely needs an alias",
            );
        }
        let Anchored { value, height, .. } = anchored.clone();
        if !self.reader.deeper(self.open.len() + height, range.clone()) {
            return Err(Stop);
        }
        // What is wrong with the value is best shown where it is used.
        let value = self.reader.value(range, value.into_kind());
        self.add(value, 0, height)
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, value: Value, anchor: usize, height: usize) -> Result<(), Stop> {
        if anchor != 0 {
            let size = size_of(&value);
            self.copied = self.copied.saturating_add(size);
            if self.copied > COPIED {
                return self.stop(
                    value.span(),
                    "anchors stand for too much text",
                    "take away the anchors that no alias uses",
                );
            }
            let value = value.clone();
            self.anchors.insert(anchor, Anchored { value, height, size });
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        open.height = open.height.max(height + 1);
        match &mut open.content {
            Content::List(values) => values.push(value),
            Content::Table { entries, key } => {
                let (key, key_range) = key.take().unwrap_or_default();
                entries.push(self.reader.entry(key, key_range, value));
            }
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.content, Content::Table { key: None, .. }))
    }

    fn set_key(&mut self, text: String, range: Range<usize>) {
        if let Some(open) = self.open.last_mut()
            && let Content::Table { key, .. } = &mut open.content
        {
            *key = Some((text, range));
        }
    }

    /// Enters the place of the value that comes next.
    fn name_place(&mut self) {
        let segment = match self.open.last().map(|open| &open.content) {
            Some(Content::List(values)) => Segment::Index(values.len()),
            Some(Content::Table { key: Some(key), .. }) => Segment::Key(key.0.clone()),
            // The root has no step of its own, and `leave` of nothing is fine.
            Some(Content::Table { key: None, .. }) | None => return,
        };
        self.reader.enter(segment);
    }

    fn collection_tag(
        &mut self,
        tag: Option<Cow<'_, Tag>>,
        own: &str,
        range: &Range<usize>,
    ) -> Result<(), Stop> {
        match tag {
            Some(tag) if tag.core_suffix() != Some(own) => {
                self.stop(range.clone(), scalar::UNKNOWN_TAG, scalar::UNKNOWN_TAG_HELP)
            }
            _ => Ok(()),
        }
    }

    fn stop(&mut self, range: Range<usize>, message: &str, help: &str) -> Result<(), Stop> {
        self.reader.syntax(range, message, help);
        Err(Stop)
    }
}

/// What a copy costs: its values, and its text in units of values.
fn size_of(value: &Value) -> usize {
    1 + match value.kind() {
        Kind::String(text) => text.len() / 32,
        Kind::List(values) => values.iter().map(size_of).sum(),
        Kind::Table(table) => {
            let entry = |e: &Entry| 1 + e.key.len() / 32 + size_of(&e.value);
            table.entries().iter().map(entry).sum()
        }
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => 0,
    }
}

/// How much aliases and anchors may copy, in values of up to 32 bytes.
const COPIED: usize = 200_000;
