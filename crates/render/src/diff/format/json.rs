//! JSON: `serde_json` decides what is JSON; numbers stay as they are written.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::diff::value::Value;

pub(super) fn read(text: &str) -> Option<Value> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Reader { rest: text }.value(0)
}

/// Reads a text that is known to be JSON.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            '{' => {
                let mut fields = BTreeMap::new();
                self.each('}', |reader| {
                    let name = reader.string()?;
                    reader.peek().filter(|c| *c == ':')?;
                    reader.skip(1);
                    fields.insert(name, reader.value(depth + 1)?);
                    Some(())
                })?;
                Some(Value::Table(fields))
            }
            '[' => {
                let mut items = Vec::new();
                self.each(']', |reader| {
                    items.push(reader.value(depth + 1)?);
                    Some(())
                })?;
                Some(Value::list(items))
            }
            '"' => self.string().map(|text| Value::string(&text)),
            _ => {
                let end = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}');
                let word = self.take(self.rest.find(end).unwrap_or(self.rest.len()));
                let is_number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                Some(if is_number { Value::number(word) } else { Value::Text(word.to_owned()) })
            }
        }
    }

    /// Reads what stands between brackets, parted by commas.
    fn each(&mut self, end: char, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.skip(1);
        while self.peek()? != end {
            item(self)?;
            if self.peek()? == ',' {
                self.skip(1);
            }
        }
        self.skip(1);
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        self.peek().filter(|c| *c == '"')?;
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        serde_json::from_str(self.take(end + 2)).ok()
    }

    /// What comes next, after any white space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.chars().next()
    }

    fn skip(&mut self, bytes: usize) {
        self.take(bytes);
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

/// How deep values may stand in each other, as in `serde_json`.
const MAX_DEPTH: usize = 128;
