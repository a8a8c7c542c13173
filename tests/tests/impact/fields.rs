//! The fields of a plot, as its JSON schema has them.

use std::collections::BTreeSet;

use serde_json::Value;
use stageplot_topology::Plot;

/// A name of the user's own in a field's path.
const NAME: &str = "NAME";

/// Every field by its path: `edge.tls.cert`, `nodes.NAME.address`. A service stands
/// under its kind; an entry of a table with names of the user's own is a field, and
/// so is a table that may be left out.
pub(crate) fn all() -> BTreeSet<String> {
    let schema = Value::from(schemars::schema_for!(Plot));
    let mut fields = BTreeSet::new();
    Walk { root: &schema, fields: &mut fields }.visit(&schema, &[]);
    assert!(fields.contains("nodes.NAME.roles"), "{fields:?}");
    fields
}

/// The field that a path in a plot names, if it names one.
pub(crate) fn of<'a>(path: &str, fields: &'a BTreeSet<String>) -> Option<&'a str> {
    let like = |field: &&String| {
        let (mut field, mut path) = (field.split('.'), path.split('.'));
        field.by_ref().zip(path.by_ref()).all(|(own, other)| own == other || own == NAME)
            && field.next().is_none()
            && path.next().is_none()
    };
    // A field by its own name comes before one of the user's: `services.NAME.kind` is
    // no entry of a table.
    fields.iter().filter(like).min_by_key(|field| field.matches(NAME).count()).map(String::as_str)
}

struct Walk<'a> {
    root: &'a Value,
    fields: &'a mut BTreeSet<String>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Value, path: &[&str]) {
        if let Some(target) = schema["$ref"].as_str() {
            // Wherever it comes from, a secret is one value.
            if !target.ends_with("/SecretRef") {
                let pointer = target.strip_prefix('#').expect("a place in the schema");
                let target = self.root.pointer(pointer).expect("a definition");
                self.visit(target, path);
            }
        }
        for several in ["allOf", "anyOf", "oneOf"] {
            for one in schema[several].as_array().into_iter().flatten() {
                match one["properties"]["kind"]["const"].as_str() {
                    Some(kind) => {
                        self.fields.insert([path, &["kind"]].concat().join("."));
                        self.visit(one, &[kind]);
                    }
                    None => self.visit(one, path),
                }
            }
        }
        self.visit_if(&schema["items"], path);
        let patterns =
            schema["patternProperties"].as_object().into_iter().flat_map(|patterns| patterns.values());
        for entry in patterns
            .chain([&schema["additionalProperties"]])
            .filter(|entry| **entry != Value::Bool(false) && !entry.is_null())
        {
            let path = [path, &[NAME]].concat();
            self.fields.insert(path.join("."));
            self.visit(entry, &path);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if name == "kind" && property["const"].is_string() {
                continue;
            }
            let path = [path, &[name]].concat();
            if !self.is_table(property) {
                self.fields.insert(path.join("."));
            }
            self.visit(property, &path);
        }
    }

    fn visit_if(&mut self, schema: &Value, path: &[&str]) {
        if schema.is_object() {
            self.visit(schema, path);
        }
    }

    /// Whether it is a table that is always there, and no more than its fields.
    fn is_table(&self, schema: &Value) -> bool {
        let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        match target.and_then(|pointer| self.root.pointer(pointer)) {
            Some(target) => self.is_table(target),
            None => schema["type"] == "object",
        }
    }
}
