//! YAML, as `granit-parser` reads it, the parser beneath `serde-saphyr`: numbers stay as
//! they are written, and tags are told.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use granit_parser::{Event, Parser, ScalarStyle, Tag, options};

use crate::diff::value::Value;

pub(super) fn read(text: &str) -> Option<Value> {
    let options = options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(text, options) {
        builder.take(next.ok()?.0)?;
    }
    Some(builder.root.unwrap_or_else(|| Value::Text(NULL.to_owned())))
}

/// Puts values together, with a stack of its own.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    /// How much aliases have copied, in values.
    copied: usize,
    root: Option<Value>,
    documents: usize,
}

/// A list or table that is not complete yet.
struct Open {
    anchor: usize,
    tag: Option<String>,
    content: Content,
    /// How many values it holds.
    size: usize,
}

enum Content {
    List(Vec<Value>),
    Table { fields: BTreeMap<String, Value>, merged: Vec<Value>, key: Option<Key> },
}

enum Key {
    Name(String),
    /// `<<`, whose fields stand for those that are not there.
    Merge,
}

impl Builder {
    /// Takes an event; none where the text is not to be read as fields.
    fn take(&mut self, event: Event<'_>) -> Option<()> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                (self.documents == 1).then_some(())
            }
            Event::Scalar(text, style, anchor, tag) => match self.awaits_key() {
                true => self.key(&text, style),
                false => self.add(scalar(&text, style, tag.as_deref()), anchor, 1),
            },
            Event::SequenceStart(_, anchor, tag) => self.begin(anchor, tag, "seq", Content::List(Vec::new())),
            Event::MappingStart(_, anchor, tag) => {
                let (fields, merged) = (BTreeMap::new(), Vec::new());
                self.begin(anchor, tag, "map", Content::Table { fields, merged, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { anchor, tag, content, size } = self.open.pop()?;
                let value = content.complete();
                let value = match tag {
                    Some(tag) => Value::Table([(tag, value)].into()),
                    None => value,
                };
                self.add(value, anchor, size)
            }
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).filter(|_| !self.awaits_key())?.clone();
                self.copy(size)?;
                self.add(value, 0, size)
            }
            _ => Some(()),
        }
    }

    fn begin(&mut self, anchor: usize, tag: Option<Cow<'_, Tag>>, own: &str, content: Content) -> Option<()> {
        if self.awaits_key() {
            return None;
        }
        let tag = tag.filter(|tag| tag.core_suffix() != Some(own)).map(|tag| shown(&tag));
        self.open.push(Open { anchor, tag, content, size: 1 });
        Some(())
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, value: Value, anchor: usize, size: usize) -> Option<()> {
        if anchor != 0 {
            self.copy(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Some(());
        };
        open.size += size;
        match &mut open.content {
            Content::List(items) => items.push(value),
            Content::Table { fields, merged, key } => match key.take()? {
                Key::Merge => merged.push(value),
                // A name that is there twice is for nobody to choose from.
                Key::Name(name) => return fields.insert(name, value).is_none().then_some(()),
            },
        }
        Some(())
    }

    fn copy(&mut self, size: usize) -> Option<()> {
        self.copied = self.copied.saturating_add(size);
        (self.copied <= MOST_COPIED).then_some(())
    }

    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.content, Content::Table { key: None, .. }))
    }

    fn key(&mut self, text: &str, style: ScalarStyle) -> Option<()> {
        let Content::Table { key, .. } = &mut self.open.last_mut()?.content else { return None };
        *key = Some(match (text, style) {
            ("<<", ScalarStyle::Plain) => Key::Merge,
            (name, _) => Key::Name(name.to_owned()),
        });
        Some(())
    }
}

impl Content {
    fn complete(self) -> Value {
        let (mut fields, merged) = match self {
            Self::List(items) => return Value::list(items),
            Self::Table { fields, merged, .. } => (fields, merged),
        };
        let tables = merged.into_iter().flat_map(|value| match value {
            Value::List(items) => items.into_iter().map(|item| item.value).collect(),
            value => vec![value],
        });
        for table in tables {
            let Value::Table(table) = table else { continue };
            for (name, value) in table {
                fields.entry(name).or_insert(value);
            }
        }
        Value::Table(fields)
    }
}

/// What a scalar says, by the core schema of YAML 1.2.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    match tag {
        None if style == ScalarStyle::Plain => plain(text),
        None => Value::string(text),
        Some(tag) if tag.handle().is_empty() && tag.suffix() == "!" => Value::string(text),
        Some(tag) => match tag.core_suffix() {
            Some("str") => Value::string(text),
            Some("null" | "bool" | "int" | "float") => plain(text),
            _ => Value::Text(format!("{} {text}", shown(tag))),
        },
    }
}

fn plain(text: &str) -> Value {
    let word = |word: &str| Value::Text(word.to_owned());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return word(NULL),
        "true" | "True" | "TRUE" => return word("true"),
        "false" | "False" | "FALSE" => return word("false"),
        _ => {}
    }
    let radix = [("0x", 16), ("0o", 8)];
    let mut in_radix = radix.iter().filter_map(|(start, radix)| {
        let digits = text.strip_prefix(start)?;
        let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(*radix));
        u128::from_str_radix(digits, *radix).ok().filter(|_| is_number)
    });
    if let Some(number) = in_radix.next() {
        return Value::Text(number.to_string());
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Value::Text(text.trim_start_matches('+').to_ascii_lowercase());
    }
    match is_number(unsigned) {
        // To some readers it is octal, and decimal to others.
        true if unsigned.len() > 1
            && unsigned.bytes().all(|b| b.is_ascii_digit())
            && unsigned.starts_with('0') =>
        {
            word(text)
        }
        true => Value::number(text),
        false => Value::string(text),
    }
}

/// `1`, `1.`, `.5`, `1.5`, each with or without an exponent.
fn is_number(unsigned: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    is_mantissa && exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

fn shown(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

const NULL: &str = "null";

/// How deep values may stand in each other.
const MAX_DEPTH: usize = 128;

/// How many values aliases may copy.
const MOST_COPIED: usize = 200_000;
