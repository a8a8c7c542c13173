//! JSON: `serde_json` decides what is JSON, `jsonc-parser` says where it is.
//!
//! The second reads a superset (it lets pass missing commas and control
//! characters, even when told not to) and gives places; the first is strict
//! and gives none. Checking takes a fraction of the time of reading.

use jsonc_parser::ast;
use jsonc_parser::common::Range as JsonRange;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;

use super::reader::{self, Reader};
use super::value::{Kind, Value};
use crate::Segment;

/// Reads the text, or leaves findings in `reader`.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Value> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(reader.text) {
        let at = reader.offset(error.line(), error.column());
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or("not JSON");
        let (what, help) = in_words(what, reader.text, at);
        reader.syntax(at..at + 1, what, help);
        return None;
    }
    match parse_to_ast(reader.text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => parsed.value.map(|root| value(reader, root, 0)),
        Err(error) => {
            use jsonc_parser::errors::ParseErrorKind;
            let range = range(error.range());
            match error.kind() {
                ParseErrorKind::NestingDepthExceeded => {
                    reader.deeper(reader::DEPTH + 1, range.start..range.start + 1);
                }
                // The one thing that only this parser looks at is whether
                // \u escapes make characters.
                _ => reader.syntax(
                    range,
                    "an escape in a string that stands for no character",
                    "write the character itself, or both halves of a pair such as \\ud83d\\ude00",
                ),
            }
            None
        }
    }
}

/// The parser's message, or a better one, and how to mend what it speaks of,
/// which stands at `at`.
fn in_words<'m>(message: &'m str, text: &str, at: usize) -> (&'m str, &'static str) {
    let rest = text.get(at..).unwrap_or_default();
    let help = match message {
        _ if text.trim().is_empty() => "an empty plot is {} in JSON",
        _ if rest.starts_with(['/', '#']) => {
            return ("a comment", "JSON has no comments; a plot in TOML or YAML may have them");
        }
        _ if rest.starts_with('\'') => "JSON strings stand in double quotes",
        m if m.contains("trailing comma") || (m.contains("key must be") && rest.starts_with('}')) => {
            return ("trailing comma", "take the comma before the closing bracket away");
        }
        m if m.contains("EOF") => {
            "the file ends too soon: every { needs its }, every [ its ], every string its quote"
        }
        m if m.contains("key must be a string") => "put the name in double quotes",
        m if m.contains("expected `,`") => "put a comma between the fields",
        m if m.contains("expected `:`") => "put a colon between name and value",
        m if m.contains("control character") => "write \\n for a line break and \\t for a tab in a string",
        m if m.contains("trailing characters") => "a plot is one JSON object; take away what follows it",
        m if m.contains("escape") => "write \\\\ for a backslash in a string",
        m if m.contains("invalid number") => {
            "numbers have no leading zeros and no plus sign; put text in double quotes"
        }
        _ => "put text in double quotes; JSON's other words are true, false and null",
    };
    (message, help)
}

fn value(reader: &mut Reader<'_>, node: ast::Value<'_>, depth: usize) -> Value {
    match node {
        ast::Value::NullKeyword(null) => reader.value(range(null.range), Kind::Null),
        ast::Value::BooleanLit(lit) => reader.value(range(lit.range), Kind::Bool(lit.value)),
        ast::Value::StringLit(lit) => reader.value(range(lit.range), Kind::String(lit.value.into_owned())),
        ast::Value::NumberLit(lit) => {
            let kind = number(lit.value).unwrap_or_else(|| {
                reader.invalid(range(lit.range), reader::TOO_LARGE_NUMBER, reader::TOO_LARGE_NUMBER_HELP);
                Kind::Null
            });
            reader.value(range(lit.range), kind)
        }
        ast::Value::Array(array) => {
            let range = range(array.range);
            if !reader.deeper(depth + 1, range.start..range.start + 1) {
                return reader.value(range, Kind::Null);
            }
            let items = array.elements.into_iter().enumerate().map(|(index, item)| {
                reader.enter(Segment::Index(index));
                let item = value(reader, item, depth + 1);
                reader.leave();
                item
            });
            let items = items.collect();
            reader.value(range, Kind::List(items))
        }
        ast::Value::Object(object) => {
            let range = range(object.range);
            if !reader.deeper(depth + 1, range.start..range.start + 1) {
                return reader.value(range, Kind::Null);
            }
            let kind = table(reader, object, depth + 1);
            reader.value(range, kind)
        }
    }
}

fn table(reader: &mut Reader<'_>, object: ast::Object<'_>, depth: usize) -> Kind {
    let mut entries = Vec::with_capacity(object.properties.len());
    for property in object.properties {
        let (key, key_range) = match property.name {
            ast::ObjectPropName::String(lit) => (lit.value.into_owned(), lit.range),
            ast::ObjectPropName::Word(word) => (word.value.to_owned(), word.range),
        };
        reader.enter(Segment::Key(key.clone()));
        let item = value(reader, property.value, depth);
        reader.leave();
        entries.push(reader.entry(key, range(key_range), item));
    }
    reader.table(entries)
}

fn number(text: &str) -> Option<Kind> {
    if text.contains(['.', 'e', 'E']) {
        let number: f64 = text.parse().ok()?;
        return number.is_finite().then_some(Kind::Float(number));
    }
    text.parse().ok().map(Kind::Integer)
}

fn range(range: JsonRange) -> std::ops::Range<usize> {
    range.start..range.end
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};
