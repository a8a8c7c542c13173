//! Tables and values as TOML.

use serde_json::{Map, Value};

use super::UnwritablePlot;
use crate::{FieldPath, Segment};

/// The widest line with a table or a list on it.
const WIDTH: usize = 100;

/// Text that is written line by line.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) text: String,
}

impl Writer {
    /// Writes a table under a header: what fits a line first, what does not as
    /// tables of their own after it.
    pub(super) fn table(
        &mut self,
        header: &[&str],
        value: &Value,
        path: &FieldPath,
    ) -> Result<(), UnwritablePlot> {
        let Value::Object(entries) = value else { return Ok(()) };
        let mut wide = Vec::new();
        let mut narrow = Vec::new();
        for (key, value) in entries {
            let path = path.key(key);
            let line = format!("{} = {}", quoted_key(key), inline(value, &path)?);
            let is_wide =
                line.chars().count() > WIDTH && value.as_object().is_some_and(|map| !map.is_empty());
            if is_wide { wide.push((key, value, path)) } else { narrow.push((key, value, path)) }
        }
        // A header with nothing under it but other headers says nothing.
        if !narrow.is_empty() || wide.is_empty() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(&format!("[{}]\n", header.join(".")));
        }
        for (key, value, path) in narrow {
            self.pair(key, value, &path)?;
        }
        for (key, value, path) in wide {
            let key = quoted_key(key);
            let header: Vec<_> = header.iter().copied().chain([key.as_str()]).collect();
            self.table(&header, value, &path)?;
        }
        Ok(())
    }

    /// Writes a key and its value.
    pub(super) fn pair(&mut self, key: &str, value: &Value, path: &FieldPath) -> Result<(), UnwritablePlot> {
        let key = quoted_key(key);
        let line = format!("{key} = {}", inline(as_single(&key, value), path)?);
        match value {
            Value::Array(list) if line.chars().count() > WIDTH => {
                self.text.push_str(&format!("{key} = [\n"));
                for (index, item) in list.iter().enumerate() {
                    self.text.push_str(&format!("  {},\n", inline(item, &path.index(index))?));
                }
                self.text.push_str("]\n");
            }
            _ => self.text.push_str(&format!("{line}\n")),
        }
        Ok(())
    }
}

/// Lists that are mostly of one are written as that one.
fn as_single<'a>(key: &str, value: &'a Value) -> &'a Value {
    match value {
        Value::Array(list) if matches!(key, "address" | "cidr" | "primary") => match list.as_slice() {
            [only] => only,
            _ => value,
        },
        _ => value,
    }
}

/// A value on one line.
fn inline(value: &Value, path: &FieldPath) -> Result<String, UnwritablePlot> {
    Ok(match value {
        Value::Null => return Err(UnwritablePlot::Null(path.clone())),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(list) => {
            let items = list.iter().enumerate().map(|(index, item)| inline(item, &path.index(index)));
            format!("[{}]", items.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            if is_literal(map) && !is_users_own(path) {
                return Err(UnwritablePlot::Literal(path.clone()));
            }
            let pairs = map.iter().map(|(key, value)| {
                let path = path.key(key);
                Ok(format!("{} = {}", quoted_key(key), inline(as_single(key, value), &path)?))
            });
            format!("{{ {} }}", pairs.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
    })
}

/// Whether this is what a literal secret serialises to.
fn is_literal(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.get("literal").is_some_and(Value::is_string)
}

/// Whether a table's keys are the user's and not the model's: a variable or a
/// setting may well be called `literal`.
fn is_users_own(path: &FieldPath) -> bool {
    let [Segment::Key(services), _, Segment::Key(field), inner @ ..] = path.segments() else { return false };
    services == "services"
        && match field.as_str() {
            "env" => inner.is_empty(),
            "settings" => true,
            _ => false,
        }
}

/// A key, bare where TOML takes it so.
pub(super) fn quoted_key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { key.to_owned() } else { quoted(key) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
