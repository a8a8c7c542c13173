//! `docs/plot.md`: the file, field by field, written from its schema.

use std::collections::VecDeque;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The page.
pub(super) fn page(schema: &Value) -> String {
    let mut text = String::from(
        "# The plot\n\n\
         Every field of `stageplot.toml`; JSON and YAML have the same. This page is written from\n\
         [the schema](schema.json). Where a default is given, a field may be left out. `NAME` is a name of\n\
         yours. A service that is alone of its kind may be written as `[edge]`, `[livekit]`, `[redis]`,\n\
         `[postgres]` or `[app]`; any other as `[services.NAME]` with `kind = \"edge\"` and so on.\n\n\
         A secret is `{ env = \"NAME\" }`, asked of the environment and then of `secrets-file`; `{ file =\n\
         \"PATH\" }`, beside the plot; or `{ command = [\"PROGRAM\", …] }`, run without a shell.\n\n\
         With `seals`, sealed renderings and diffs show *that* a secret changed. Who has the seals file\n\
         alone learns which secrets changed, when, and whether one came back to an earlier value; nothing\n\
         of the values, not even that two are equal. Who has the key as well can try guesses against it:\n\
         the key belongs where the secrets are.\n",
    );
    let mut open = VecDeque::from([(String::new(), schema)]);
    let mut seen = Vec::new();
    while let Some((path, table)) = open.pop_front() {
        let Some(properties) = table.get("properties").and_then(Value::as_object) else { continue };
        // A table may be reached in several ways, and a secret is several; the
        // words above tell of those.
        if seen.iter().any(|(known, other)| *other == table || *known == path) || is_secret(properties) {
            continue;
        }
        seen.push((path.clone(), table));
        match path.as_str() {
            "" => text.push_str("\n## At the top\n\n"),
            path => _ = write!(text, "\n## `{path}`\n\n"),
        }
        text.push_str("| field | is | default | |\n|---|---|---|---|\n");
        for (name, field) in properties {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            for (path, table) in tables(schema, field, &inner) {
                open.push_back((path, table));
            }
            let default = field.get("default").filter(|value| !is_empty(value));
            let default = default.map_or(String::new(), |value| format!("`{value}`"));
            let is = kinds(schema, field).join(" or ");
            let about = cell(field.get("description").and_then(Value::as_str).unwrap_or_default());
            let _ = writeln!(text, "| `{name}` | {is} | {default} | {about} |");
        }
    }
    text
}

/// Whether a table says where a secret comes from.
fn is_secret(properties: &Map<String, Value>) -> bool {
    let mut names = properties.keys().map(String::as_str);
    names.all(|name| matches!(name, "env" | "file" | "command"))
}

/// Whether a default says no more than that the field may be left out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        // The fields within have their own.
        Value::Object(_) => true,
        _ => false,
    }
}

/// What a reference stands for.
fn resolved<'a>(schema: &'a Value, field: &'a Value) -> &'a Value {
    let target = field.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    target.and_then(|pointer| schema.pointer(pointer)).unwrap_or(field)
}

/// The schemas that a field's own is made of.
fn parts<'a>(field: &'a Map<String, Value>) -> impl Iterator<Item = &'a Value> + use<'a> {
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| field.get(key)?.as_array());
    lists.flatten()
}

/// The tables that a field leads to, each with its path.
fn tables<'a>(schema: &'a Value, field: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let field = resolved(schema, field);
    let Some(map) = field.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    if map.contains_key("properties") {
        found.push((path.to_owned(), field));
    }
    let patterns = map.get("patternProperties").and_then(Value::as_object);
    let named = map.get("additionalProperties").into_iter().chain(patterns.into_iter().flat_map(Map::values));
    for values in named.filter(|values| values.is_object()) {
        found.extend(tables(schema, values, &format!("{path}.NAME")));
    }
    if let Some(items) = map.get("items") {
        found.extend(tables(schema, items, &format!("{path}[]")));
    }
    for part in parts(map) {
        found.extend(tables(schema, part, path));
    }
    // The kinds of services have sections of their own, in the short form.
    found.retain(|(path, _)| path != "services.NAME");
    found
}

/// What a field may be, in words.
fn kinds(schema: &Value, field: &Value) -> Vec<String> {
    let field = resolved(schema, field);
    let Some(map) = field.as_object() else { return vec!["anything".to_owned()] };
    let mut kinds = Vec::new();
    if let Some(values) = map.get("enum").and_then(Value::as_array) {
        kinds.extend(values.iter().map(|value| format!("`{value}`")));
    } else if let Some(value) = map.get("const") {
        kinds.push(format!("`{value}`"));
    } else if let Some(kind) = map.get("type") {
        let list = kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice);
        let words =
            list.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").map(|kind| match kind {
                "object" => "table",
                "array" => "list",
                "integer" | "number" => "number",
                "boolean" => "true or false",
                _ => "text",
            });
        kinds.extend(words.map(str::to_owned));
    }
    for part in parts(map) {
        kinds.extend(self::kinds(schema, part));
    }
    let mut once = Vec::new();
    for kind in kinds {
        if !once.contains(&kind) {
            once.push(kind);
        }
    }
    once
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "\\<")
}
