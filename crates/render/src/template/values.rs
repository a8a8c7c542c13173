//! What is given to a template, before the engine sees it.

use tera::Value;

use super::marks;

pub(super) fn has_none(value: &Value) -> bool {
    value.is_none()
        || value.as_map().is_some_and(|map| map.values().any(has_none))
        || value.as_array().is_some_and(|array| array.iter().any(has_none))
}

/// Leaves out what is null, for the engine would write it as nothing: `requirepass` and a blank.
/// Left out, it is undefined: false in an `if`, and an error where it is written.
pub(super) fn without_none(value: &Value) -> Value {
    if let Some(map) = value.as_map() {
        let kept = map.iter().filter(|(_, value)| !value.is_none());
        return kept.map(|(key, value)| (key.clone(), without_none(value))).collect::<tera::Map>().into();
    }
    if let Some(array) = value.as_array() {
        return array.iter().map(without_none).collect::<Vec<_>>().into();
    }
    if value.is_none() { Value::undefined() } else { value.clone() }
}

/// Whether this holds of any string, or key.
pub(super) fn holds(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(test)
        || value.as_map().is_some_and(|map| {
            map.iter().any(|(key, value)| key.as_str().is_some_and(test) || holds(value, test))
        })
        || value.as_array().is_some_and(|array| array.iter().any(|value| holds(value, test)))
}

/// The path of the first string, or key, of which this holds.
pub(super) fn find(value: &Value, path: &mut String, holds: &dyn Fn(&str) -> bool) -> Option<String> {
    if value.as_str().is_some_and(holds) {
        return Some(path.clone());
    }
    let length = path.len();
    if let Some(map) = value.as_map() {
        for (key, value) in map {
            let key = key.to_string();
            if marks::holds_mark(&key) && holds(&key) {
                return Some(format!("a key of {path}"));
            }
            path.push_str(if length == 0 { "" } else { "." });
            path.push_str(&key);
            if let Some(found) = find(value, path, holds) {
                return Some(found);
            }
            path.truncate(length);
        }
    }
    for (at, value) in value.as_array().into_iter().flatten().enumerate() {
        path.push_str(&format!("[{at}]"));
        if let Some(found) = find(value, path, holds) {
            return Some(found);
        }
        path.truncate(length);
    }
    None
}
