//! Mistakes in the operator's words.

use super::error::{Found, Place, Problem, Shape};
use crate::document::{Kind, Value};
use crate::document::{is_secret_path, is_secret_text};
use crate::words::nearest;
use crate::{Code, Diagnostic, FieldPath, Segment};

/// The finding for a problem; `also` are names that are expected besides those
/// that it knows of.
pub(super) fn diagnostic(problem: &Problem, place: &Place, also: &[&'static str]) -> Diagnostic {
    let found = &place.found;
    let (code, message, help) = match problem {
        Problem::UnknownField { field, expected } => (
            Code::UnknownField,
            format!("unknown field `{}` in {}", shown(field), parent(&place.path)),
            known_fields(field, &[expected, also].concat()),
        ),
        Problem::MissingField(field) => (
            Code::MissingField,
            format!("missing field `{field}` in {}", parent(&place.path)),
            format!("add `{field}`"),
        ),
        Problem::MissingKind(kinds) => (
            Code::MissingField,
            format!("{} does not say of which kind it is", parent(&place.path)),
            missing_kind(&place.path, &[kinds, also].concat()),
        ),
        Problem::NoTable { expected, fields } => (
            Code::WrongType,
            format!("expected a table, found {}", found.words),
            table_such_as(found.shape, &place.path, expected, fields),
        ),
        Problem::WrongType { expected } => {
            let expected = in_words(expected);
            let help = remedy(found.shape, &expected);
            let message = format!("expected {expected}, found {}", found.words);
            (Code::WrongType, message, help)
        }
        Problem::Invalid { expected } => {
            let expected = in_words(expected);
            let message = format!("expected {expected}, found {}", found.words);
            (Code::InvalidValue, message, format!("write {expected}"))
        }
        Problem::UnknownVariant { variant, expected } => {
            let expected = &[expected, also].concat();
            let message = format!("expected {}, found {}", one_of(expected), found.words);
            // A longer word for the same, such as `application`.
            let begun = || expected.iter().copied().find(|name| variant.starts_with(name));
            let help = match nearest(variant, expected.iter().copied()).or_else(begun) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write {}", one_of(expected)),
            };
            (Code::InvalidValue, message, help)
        }
        Problem::Custom(_) if found.secret => (
            Code::InvalidValue,
            "not a valid value".to_owned(),
            "what is wrong is not said, since the value may be a secret; compare it with the \
             documentation of the field"
                .to_owned(),
        ),
        Problem::Custom(text) if is_url_error(text) => (
            Code::InvalidValue,
            format!("{} is not a URL", bare(&found.words)),
            "write one with its scheme, such as https://live.example.com/path".to_owned(),
        ),
        Problem::Custom(text) if address(text).is_some() => {
            let (what, help) = address(text).unwrap_or_default();
            (Code::InvalidValue, format!("{} is not {what}", bare(&found.words)), help.to_owned())
        }
        Problem::Custom(text) => {
            // The error of a type of the model names the value itself, and says
            // how to mend it after a colon.
            let names_itself = text.starts_with(['"', '`']);
            let (why, help) = remedy_of(text).unwrap_or((text, ""));
            let why = shown(why);
            let message = match found.shape {
                _ if names_itself => why,
                Shape::List | Shape::Table => why,
                _ => format!("{} is not valid: {why}", bare(&found.words)),
            };
            (Code::InvalidValue, message, shown(help))
        }
        Problem::Reported => (Code::InvalidValue, String::new(), String::new()),
    };
    Diagnostic::new(code, place.path.clone(), message, help)
}

/// Parts what a type says of a value from how it says to mend it: after
/// [`HELP`], or after a colon where it quotes the value itself.
pub(super) fn remedy_of(text: &str) -> Option<(&str, &str)> {
    let names_itself = text.starts_with(['"', '`']);
    text.split_once(HELP).or_else(|| text.rsplit_once(": ").filter(|_| names_itself))
}

/// The finding for a problem that will be counted and not shown.
pub(super) fn uncounted(place: &Place) -> Diagnostic {
    Diagnostic::new(Code::InvalidValue, place.path.clone(), "", "")
}

/// What a value is, without what may be a secret.
pub(super) fn found(value: &Value, path: &FieldPath) -> Found {
    let secret = is_secret_path(path) || value.as_str().is_some_and(is_secret_text);
    let (shape, words) = match value.kind() {
        Kind::Null => (Shape::Null, "nothing".to_owned()),
        Kind::Bool(_) if secret => (Shape::Bool, "true or false".to_owned()),
        Kind::Bool(truth) => (Shape::Bool, truth.to_string()),
        Kind::Integer(_) | Kind::Float(_) if secret => (Shape::Number, "a number (not shown)".to_owned()),
        Kind::Integer(number) => (Shape::Number, format!("the number {number}")),
        Kind::Float(number) => (Shape::Number, format!("the number {number:?}")),
        Kind::String(text) => {
            let shape = if text.parse::<i64>().is_ok() { Shape::NumberInQuotes } else { Shape::Text };
            let words = if secret {
                "a string (not shown)".to_owned()
            } else {
                format!("a string \"{}\"", shortened(text, SHOWN))
            };
            (shape, words)
        }
        Kind::List(values) => (Shape::List, format!("a list of {}", values.len())),
        Kind::Table(_) => (Shape::Table, "a table".to_owned()),
    };
    Found { words, shape, secret }
}

/// What a name is; names are no secrets.
pub(super) fn found_name(name: &str) -> Found {
    Found { words: format!("the name \"{}\"", shortened(name, SHOWN)), shape: Shape::Text, secret: false }
}

/// A few of the names, in backquotes.
pub(super) fn list(names: &[&str]) -> String {
    // Saying that there is one more takes as much room as its name.
    let shown = if names.len() == LISTED + 1 { names.len() } else { LISTED.min(names.len()) };
    let mut words: Vec<String> = names.iter().take(shown).map(|n| format!("`{n}`")).collect();
    if names.len() > shown {
        words.push(format!("and {} more", names.len() - shown));
    }
    words.join(", ")
}

fn one_of(names: &[&str]) -> String {
    match names {
        [only] => format!("`{only}`"),
        _ => format!("one of {}", list(names)),
    }
}

fn known_fields(field: &str, expected: &[&str]) -> String {
    if expected.is_empty() {
        return "take it away; there are no fields here".to_owned();
    }
    let known = format!("known fields: {}", list(expected));
    match nearest(field, expected.iter().copied()) {
        Some(meant) if expected.len() == 1 => format!("did you mean `{meant}`?"),
        Some(meant) => format!("did you mean `{meant}`? {known}"),
        None => known,
    }
}

/// How to say the kind of a service, which may be in its name already.
fn missing_kind(path: &FieldPath, kinds: &[&str]) -> String {
    let name = path.parent().and_then(|table| table.segments().last().cloned());
    let kind = kinds.iter().find(|kind| name == Some(Segment::Key((**kind).to_owned())));
    match kind {
        Some(kind) => format!("add kind = \"{kind}\""),
        None => format!("add kind = \"…\" with {}", one_of(kinds)),
    }
}

/// How to write a table at `path`: with an example where the type has one,
/// which begins with its brace.
fn table_such_as(found: Shape, path: &FieldPath, example: &str, fields: &[&str]) -> String {
    let key = match path.segments().last() {
        Some(Segment::Key(key)) => key.as_str(),
        _ => "",
    };
    if fields.contains(&key) {
        // `[nodes]` with the fields of a node.
        let parent = parent(path);
        return format!("`{key}` is a field of each: write [{parent}.NAME] above it, with a name of yours");
    }
    if found == Shape::Null {
        return "write {} where nothing is to be set, or take the line away".to_owned();
    }
    let example = match fields {
        [] => "{ NAME = … }",
        _ if example.starts_with('{') => example,
        _ => "{ … }",
    };
    let example = if key.is_empty() { example.to_owned() } else { format!("{} = {example}", shown(key)) };
    match fields {
        [] => format!("write {example}, with a name of yours for each"),
        _ => format!("write {example}; known fields: {}", list(fields)),
    }
}

fn parent(path: &FieldPath) -> String {
    match path.parent() {
        Some(parent) if parent != FieldPath::root() => parent.to_string(),
        _ => "the file".to_owned(),
    }
}

/// How to mend a value of the wrong type.
fn remedy(found: Shape, expected: &str) -> String {
    let wants = |word: &str| expected.contains(word);
    match found {
        Shape::Null => "give it a value, or take the line away".to_owned(),
        Shape::NumberInQuotes if wants("number") => "take the quotes away".to_owned(),
        Shape::Number | Shape::Bool if wants("string") => "put it in quotes".to_owned(),
        Shape::Bool | Shape::Number | Shape::NumberInQuotes | Shape::Text
            if expected.starts_with("a list") =>
        {
            "put it in brackets: [ … ]".to_owned()
        }
        _ => format!("write {expected}"),
    }
}

/// What serde's own types expect, in words that are not Rust's.
fn in_words(expected: &str) -> String {
    let between = |from: i128, to: i128| format!("a whole number between {from} and {to}");
    match expected {
        "u8" => between(0, u8::MAX.into()),
        "u16" => between(0, u16::MAX.into()),
        "u32" => between(0, u32::MAX.into()),
        "i8" => between(i8::MIN.into(), i8::MAX.into()),
        "i16" => between(i16::MIN.into(), i16::MAX.into()),
        "i32" => between(i32::MIN.into(), i32::MAX.into()),
        "u64" | "usize" | "u128" => "a whole number, 0 or more".to_owned(),
        "i64" | "isize" | "i128" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a borrowed string" | "string" | "path string" | "variant identifier" => "a string".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" | "map" => "a table".to_owned(),
        "unit" => "nothing".to_owned(),
        "IPv4 address" => "an IPv4 address".to_owned(),
        "IPv6 address" => "an IPv6 address".to_owned(),
        "IP address" => "an IP address".to_owned(),
        "a nonzero u16" => between(1, u16::MAX.into()),
        _ if expected.starts_with("a nonzero ") => "a whole number, not 0".to_owned(),
        _ if expected.starts_with("struct ") => "a table".to_owned(),
        _ if expected.starts_with("tuple ") => "a list".to_owned(),
        _ => match tuple_length(expected) {
            Some(length) => format!("a list of {length}"),
            None => expected.to_owned(),
        },
    }
}

fn tuple_length(expected: &str) -> Option<usize> {
    let length =
        expected.strip_prefix("a tuple of size ").or_else(|| expected.strip_prefix("an array of length "))?;
    length.parse().ok()
}

/// What should stand where the standard library, or `ipnet`, found no address.
fn address(error: &str) -> Option<(&'static str, &'static str)> {
    match error {
        "invalid IPv4 address syntax" => Some(("an IPv4 address", "write one such as 192.168.1.1")),
        "invalid IPv6 address syntax" => Some(("an IPv6 address", "write one such as fd00::1")),
        "invalid IP address syntax" => Some((
            "an IP address",
            "write one such as 192.168.1.1 or fd00::1; a network with its length, as in 192.168.1.0/24",
        )),
        _ => None,
    }
}

/// Whether the `url` crate found no URL; it quotes the value after the reason.
fn is_url_error(error: &str) -> bool {
    let reason = error.split(": ").next().unwrap_or_default();
    matches!(
        reason,
        "empty host"
            | "invalid international domain name"
            | "invalid port number"
            | "invalid IPv4 address"
            | "invalid IPv6 address"
            | "invalid domain character"
            | "relative URL without a base"
            | "relative URL with a cannot-be-a-base base"
            | "a cannot-be-a-base URL doesn’t have a host to set"
            | "URLs more than 4 GB are not supported"
    )
}

/// `a string "x"` as the subject of a sentence: `"x"`.
fn bare(words: &str) -> &str {
    words.strip_prefix("a string ").filter(|rest| rest.starts_with('"')).unwrap_or(words)
}

fn shown(text: &str) -> String {
    shortened(text, MESSAGE)
}

/// At most `most` characters, those that could steer a terminal escaped.
fn shortened(text: &str, most: usize) -> String {
    let mut short = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == most {
            short.push('…');
            break;
        }
        // Also direction marks, which can make a line read as another one.
        if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            short.extend(c.escape_unicode());
        } else {
            short.push(c);
        }
    }
    short
}

/// What parts a custom message from its help.
pub(super) const HELP: &str = "\nhelp: ";

/// How much of a value is shown, in characters.
const SHOWN: usize = 64;

/// How much of a message that another type wrote is shown, in characters.
const MESSAGE: usize = 300;

/// How many known names are listed.
const LISTED: usize = 16;
