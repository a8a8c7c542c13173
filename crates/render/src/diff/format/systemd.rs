//! Units, as systemd.syntax(7) has them.

use std::collections::BTreeMap;

use crate::diff::value::{Item, Value};

pub(super) fn read(text: &str) -> Option<Value> {
    let mut sections: BTreeMap<String, BTreeMap<String, Vec<Item>>> = BTreeMap::new();
    let mut section = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        // A comment between continued lines is none of them.
        while let Some(before) = line.strip_suffix('\\') {
            let more = lines.by_ref().find(|line| !line.trim_start().starts_with(['#', ';']))?;
            line = format!("{} {}", before.trim_end(), more.trim());
        }
        if let Some(name) = line.strip_prefix('[') {
            section = Some(name.strip_suffix(']')?.to_owned());
            continue;
        }
        let (key, value) = line.split_once('=')?;
        let settings = sections.entry(section.clone()?).or_default();
        settings.entry(key.trim().to_owned()).or_default().push(Item::plain(value.trim()));
    }
    let table = |settings: BTreeMap<_, _>| settings.into_iter().map(|(key, values)| (key, setting(values)));
    Some(Value::Table(
        sections
            .into_iter()
            .map(|(name, settings)| (name, Value::Table(table(settings).collect())))
            .collect(),
    ))
}

/// A setting; where it is repeated, all of its values in their order.
fn setting(mut values: Vec<Item>) -> Value {
    match values.len() {
        1 => values.remove(0).value,
        _ => Value::List(values),
    }
}
