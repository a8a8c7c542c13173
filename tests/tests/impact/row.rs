//! What is tried: a plot, and changes of one field each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A change of one field.
pub(crate) struct Row {
    /// The field's path in the plot, and what it is set to; others that it takes.
    sets: Vec<(String, Value)>,
    /// What the plot says besides, before and after.
    given: Vec<(String, Value)>,
}

/// Sets a field; null takes it out.
pub(crate) fn row(path: &str, value: impl Into<Value>) -> Row {
    Row { sets: vec![(path.to_owned(), value.into())], given: Vec::new() }
}

impl Row {
    /// Sets one that has to be set with it.
    pub(crate) fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.sets.push((path.to_owned(), value.into()));
        self
    }

    /// Sets one before and after.
    pub(crate) fn given(mut self, path: &str, value: impl Into<Value>) -> Self {
        self.given.push((path.to_owned(), value.into()));
        self
    }

    /// The field.
    pub(crate) fn path(&self) -> &str {
        &self.sets[0].0
    }

    /// What it is set to.
    pub(crate) fn value(&self) -> &Value {
        &self.sets[0].1
    }

    /// The plot before and after.
    pub(crate) fn plots(&self, base: &Value) -> [Value; 2] {
        let mut before = base.clone();
        self.given.iter().for_each(|(path, value)| set(&mut before, path, value));
        let mut after = before.clone();
        self.sets.iter().for_each(|(path, value)| set(&mut after, path, value));
        [before, after]
    }
}

/// Several of which the plot says the same before and after.
pub(crate) fn all_given<const N: usize>(path: &str, value: &Value, mut rows: [Row; N]) -> Vec<Row> {
    rows.iter_mut().for_each(|row| row.given.insert(0, (path.to_owned(), value.clone())));
    rows.into()
}

/// Sets a value in a plot, in tables that are made where they are missing.
fn set(plot: &mut Value, path: &str, value: &Value) {
    let (table, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = plot;
    for name in table.split('.').filter(|name| !name.is_empty()) {
        if !at[name].is_object() {
            at[name] = json!({});
        }
        at = &mut at[name];
    }
    let table = at.as_object_mut().expect("a table");
    match value {
        Value::Null => drop(table.remove(name)),
        value => drop(table.insert(name.to_owned(), value.clone())),
    }
}

/// A secret from the environment.
pub(crate) fn secret(name: &str) -> Value {
    json!({ "env": name })
}

/// What the templates of a plot that names some are.
pub(crate) fn templates(plot: &Value) -> BTreeMap<String, String> {
    let redis = include_str!("../../../crates/render/templates/redis.conf");
    let templates =
        plot["templates"].is_string().then(|| ("redis.conf", format!("{redis}\ntcp-keepalive 200\n")));
    templates.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}
