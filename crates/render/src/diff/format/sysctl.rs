//! Kernel settings, as sysctl.d(5) has them.

use std::collections::BTreeMap;

use crate::diff::value::Value;

pub(super) fn read(text: &str) -> Option<Value> {
    let mut settings = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (name, value) = line.split_once('=')?;
        settings.insert(name.trim().to_owned(), Value::Text(value.trim().to_owned()));
    }
    Some(Value::Table(settings))
}
