//! The `env_file` of Docker Compose, as compose-go's `dotenv` reads it.

use std::collections::BTreeMap;

use crate::diff::value::Value;

pub(super) fn read(text: &str) -> Option<Value> {
    let mut variables = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest.split('\n').next().unwrap_or(rest);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            rest = rest.get(line.len() + 1..).unwrap_or_default();
            continue;
        }
        let (name, _) = line.split_once('=')?;
        let value = rest.get(name.len() + 1..)?.trim_start_matches([' ', '\t']);
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let end = closing(&value[1..], quote)? + 1;
                let after = value.get(end + 1..)?;
                (unquoted(&value[1..end], &value[..=end]), after)
            }
            _ => {
                let line = value.split('\n').next().unwrap_or(value);
                (line.trim().to_owned(), value.get(line.len()..)?)
            }
        };
        let left = after.split('\n').next().unwrap_or(after);
        if !left.trim().is_empty() && !left.trim_start().starts_with('#') {
            return None;
        }
        variables.insert(name.trim().to_owned(), Value::Text(value));
        rest = after.get(left.len() + 1..).unwrap_or_default();
    }
    Some(Value::Table(variables))
}

/// Where the quote is that is not escaped.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// What stands in quotes, where it would mean the same without them; else with them.
fn unquoted(inside: &str, whole: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '\\' | '$' | '#' | '"' | '\'');
    if !inside.is_empty() && inside.chars().all(plain) { inside.to_owned() } else { whole.to_owned() }
}
