//! TOML, as the `toml` crate reads it.

use toml::Value as Toml;

use crate::diff::value::Value;

pub(super) fn read(text: &str) -> Option<Value> {
    toml::from_str::<toml::Table>(text).ok().map(|table| value(Toml::Table(table)))
}

fn value(toml: Toml) -> Value {
    match toml {
        Toml::String(text) => Value::string(&text),
        Toml::Integer(number) => Value::Text(number.to_string()),
        Toml::Float(number) => Value::Text(format!("{number:?}")),
        Toml::Boolean(truth) => Value::Text(truth.to_string()),
        // A date is no text that reads like one.
        Toml::Datetime(date) => Value::Text(format!("date {date}")),
        Toml::Array(items) => Value::list(items.into_iter().map(value)),
        Toml::Table(table) => Value::Table(table.into_iter().map(|(name, it)| (name, value(it))).collect()),
    }
}
