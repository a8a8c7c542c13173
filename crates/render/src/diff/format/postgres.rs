//! `postgresql.conf`, as Postgres' `guc-file.l` reads it.

use std::collections::BTreeMap;

use crate::diff::value::{Item, Value};

/// Settings by name, of each the last. What is included comes first, in the one file that
/// is rendered.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut settings = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let end = line.find(|c: char| c == '=' || c.is_whitespace())?;
        let (name, value) = line.split_at(end);
        let value = value.trim_start_matches(|c: char| c == '=' || c.is_whitespace());
        settings.insert(name.to_ascii_lowercase(), Value::Text(shown(value)?));
    }
    let items = settings.into_iter().map(|(name, value)| Item::named(vec![name], value));
    Some(Value::Block(String::new(), items.collect()))
}

/// A value without its quotes and what is behind it; none where a quote is left open.
fn shown(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('\'') else {
        return Some(value.split(['#', ' ', '\t']).next().unwrap_or_default().to_owned());
    };
    let mut chars = quoted.chars().peekable();
    let mut shown = String::new();
    loop {
        match chars.next()? {
            '\'' if chars.next_if_eq(&'\'').is_none() => return Some(shown),
            // The escape stays as it is written: it means the same on both sides.
            '\\' => shown.extend(['\\', chars.next()?]),
            c => shown.push(c),
        }
    }
}
