//! TOML: the `toml` crate's spanned tree, in the order of the file.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::reader::{self, Reader};
use super::value::{Kind, Value};
use crate::Segment;

/// Reads the text, or leaves findings in `reader`.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Value> {
    match DeTable::parse(reader.text) {
        Ok(root) => {
            let kind = table(reader, root.into_inner(), 0);
            Some(reader.value(0..reader.text.len(), kind))
        }
        Err(first) => {
            report(reader, first);
            None
        }
    }
}

/// Reports the first mistake of each line. What follows a mistake on its own
/// line is nearly always its echo.
fn report(reader: &mut Reader<'_>, first: toml::de::Error) {
    // Every mistake takes memory, and a text may consist of nothing else.
    let mut errors =
        if reader.text.len() <= RECOVERED { DeTable::parse_recoverable(reader.text).1 } else { Vec::new() };
    if errors.is_empty() {
        errors.push(first);
    }
    let at = |error: &toml::de::Error| error.span().unwrap_or_default();
    errors.sort_by_key(|error| at(error).start);
    let mut reported_to = None;
    // What a table has that is given twice is there twice as well.
    let mut twice_until = 0;
    for error in errors.iter() {
        let range = at(error);
        let is_twice = error.message().contains("duplicate key");
        if is_twice && range.start < twice_until {
            continue;
        }
        if reported_to.is_some_and(|end| range.start <= end) {
            continue;
        }
        let (before, rest) = reader.text.split_at_checked(range.start).unwrap_or_default();
        let line_end = rest.find('\n').unwrap_or(rest.len());
        reported_to = Some(range.start + line_end);
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        // A bracket that is missing shows on the next line, and on all that follow.
        let in_list = error.message().contains("in array") || error.message().contains("array elements");
        if in_list && line.trim().is_empty() && !before.trim_end().is_empty() {
            let end = before.trim_end().len();
            let start = before[..end].rfind('\n').map_or(0, |at| at + 1);
            reader.syntax(
                start..end,
                "a list goes on after this line",
                "close it with ], or put a comma before its next value",
            );
            return;
        }
        if let Some(open) = open_table(before).filter(|open| before[*open..].contains('\n'))
            && line.trim().is_empty()
        {
            let first = open - before[..open].rfind('\n').map_or(open, |at| open - at - 1);
            let end = first + before[first..].find('\n').unwrap_or(before.len() - first);
            // One that is meant to have several lines lacks a comma where it goes on.
            let range = match before[..end].trim_end().ends_with('{') {
                true => {
                    let end = before.trim_end().len();
                    before[..end].rfind('\n').map_or(0, |at| at + 1)..end
                }
                false => first..before[..end].trim_end().len(),
            };
            let help = "close it with }, or put a comma before its next field";
            reader.syntax(range, "a table in braces goes on after this line", help);
            return;
        }
        if is_twice {
            let name = reader.text.get(range.clone()).unwrap_or_default();
            let is_header = line.trim_start().starts_with('[');
            if is_header {
                twice_until = rest.find("\n[").map_or(reader.text.len(), |at| range.start + at);
            }
            let earlier = first_of(before, name, is_header.then(|| line_at(reader.text, range.start)));
            let help = match earlier {
                Some(line) => {
                    format!("the first is on line {line}: keep one of the two, or put all under the first")
                }
                None => "keep one of the two, or put both tables' fields under one header".to_owned(),
            };
            reader.syntax(range, "this name is given twice", &help);
            continue;
        }
        let (message, help) = in_words(error.message(), line, rest);
        reader.syntax(range, &message, help);
    }
}

/// The parser's message and how to mend what it speaks of, which is where
/// `rest` begins, after `before` on its line.
fn in_words(message: &str, before: &str, rest: &str) -> (String, &'static str) {
    let word = &rest[..rest.find(['\n', ',', '}', ']', '#']).unwrap_or(rest.len())];
    let (what, help) = match message {
        _ if rest.starts_with(['“', '”', '„', '‘', '’', '«', '»']) => {
            ("these are typographic quotes".to_owned(), "write straight ones: \"…\"")
        }
        m if m.contains("invalid float") || m.contains("must be quoted") && word.contains(" =") => {
            let what = match word.contains(" =") {
                true => "two fields without a comma between them",
                false => "a text without quotes",
            };
            let help =
                "put a comma between the fields of one line, and addresses and other texts in double quotes";
            (what.to_owned(), help)
        }
        m if m.contains("missing comma") && before.ends_with('"') => {
            (m.to_owned(), "put a comma before the next value; a double quote inside a text is written \\\"")
        }
        m if m.contains("recursion") => (reader::too_deep(), reader::TOO_DEEP_HELP),
        m if m.contains("must be quoted") => {
            ("a string without quotes".to_owned(), "put text in double quotes: name = \"value\"")
        }
        m if m.contains("unquoted key") && rest.starts_with(':') => (
            "a `:` after the name of a field".to_owned(),
            "write name = value in TOML; a plot in YAML ends in .yaml",
        ),
        m if m.contains("key with no value") => ("a field without a value".to_owned(), "write name = value"),
        m if m.contains("leading zero") => (
            "a number with a leading zero".to_owned(),
            "write 0o for octal (0o600), take the zero away, or put text in quotes",
        ),
        m if m.contains("basic string") || m.contains("literal string") => (
            m.to_owned(),
            "close the string with the quote that opens it; in double quotes write \\\\ for a backslash",
        ),
        m if m.contains("unclosed") || m.contains("missing comma") || m.contains("in array") => {
            (m.to_owned(), "every [ needs its ], every { its }, and commas stand between values")
        }
        m if m.contains("unquoted key") || m.contains("expected key") => {
            (m.to_owned(), "a name is letters, digits, - and _; put others in double quotes")
        }
        m if m.contains("newline") => (m.to_owned(), "write each field on a line of its own"),
        m => (m.to_owned(), "see https://toml.io for how TOML is written; a plot in YAML ends in .yaml"),
    };
    (what, help)
}

/// Where the outermost brace opens that nothing in the text closes.
fn open_table(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at + c.len_utf8()..];
        // What stands in strings and comments opens nothing.
        let inside = match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => string_end(c, rest),
            '{' => {
                open.push(at);
                0
            }
            '}' => {
                open.pop();
                0
            }
            _ => 0,
        };
        at += c.len_utf8() + inside;
    }
    open.first().copied()
}

/// The end of a string after the quote that opens it; of one that nothing closes
/// on its line, the end of that.
fn string_end(quote: char, rest: &str) -> usize {
    let triple = [quote; 2].iter().collect::<String>();
    if let Some(inside) = rest.strip_prefix(triple.as_str()) {
        let close = [quote; 3].iter().collect::<String>();
        return inside.find(&close).map_or(rest.len(), |at| 2 + at + 3);
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = quote == '"',
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// The line, from 1, that has a name before it comes again: the same header, or a
/// field of the same table.
fn first_of(before: &str, name: &str, header: Option<&str>) -> Option<usize> {
    let plain = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let is_field = |line: &str| line.split_once('=').is_some_and(|(field, _)| field.trim() == name);
    let mut lines: Vec<_> = before.lines().enumerate().collect();
    if header.is_none() {
        let start = lines.iter().rposition(|(_, line)| line.starts_with('[')).map_or(0, |at| at + 1);
        lines.drain(..start);
    }
    let found = lines.into_iter().find(|(_, line)| match header {
        Some(header) => plain(line) == plain(header),
        None => is_field(line),
    });
    found.map(|(index, _)| index + 1)
}

/// The line that a byte is on.
fn line_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    text[start..].lines().next().unwrap_or_default()
}

fn value(reader: &mut Reader<'_>, spanned: Spanned<DeValue<'_>>, depth: usize) -> Value {
    let range = spanned.span();
    let kind = match spanned.into_inner() {
        DeValue::String(text) => Kind::String(text.into_owned()),
        DeValue::Integer(number) => integer(&number).unwrap_or_else(|| {
            reader.invalid(range.clone(), reader::TOO_LARGE_NUMBER, reader::TOO_LARGE_NUMBER_HELP);
            Kind::Null
        }),
        DeValue::Float(number) => float(number.as_str()).unwrap_or_else(|| {
            reader.invalid(range.clone(), reader::TOO_LARGE_NUMBER, reader::TOO_LARGE_NUMBER_HELP);
            Kind::Null
        }),
        DeValue::Boolean(truth) => Kind::Bool(truth),
        DeValue::Datetime(time) => Kind::String(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) if !reader.deeper(depth + 1, range.clone()) => Kind::Null,
        DeValue::Array(items) => {
            let items = items.into_iter().enumerate().map(|(index, item)| {
                reader.enter(Segment::Index(index));
                let item = value(reader, item, depth + 1);
                reader.leave();
                item
            });
            Kind::List(items.collect())
        }
        DeValue::Table(entries) => table(reader, entries, depth + 1),
    };
    reader.value(range, kind)
}

fn table(reader: &mut Reader<'_>, table: DeTable<'_>, depth: usize) -> Kind {
    // The parser's map is sorted by name; findings want the file's order.
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut read = Vec::with_capacity(entries.len());
    for (key, item) in entries {
        let key_range = key.span();
        let key = key.into_inner().into_owned();
        reader.enter(Segment::Key(key.clone()));
        let item = value(reader, item, depth);
        reader.leave();
        read.push(reader.entry(key, key_range, item));
    }
    Kind::Table(super::value::Table::new(read))
}

fn integer(number: &DeInteger<'_>) -> Option<Kind> {
    let parsed = i64::from_str_radix(number.as_str(), number.radix());
    parsed.ok().map(Kind::Integer)
}

fn float(text: &str) -> Option<Kind> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() || text.contains("inf") || text.contains("nan")).then_some(Kind::Float(number))
}

/// Texts of up to this many bytes are searched for every mistake, longer ones
/// for the first.
const RECOVERED: usize = 256 * 1024;
