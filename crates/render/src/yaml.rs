//! YAML, written by one library in one way.

use serde::{Serialize, Serializer};

use crate::RenderError;

/// A value as a YAML document that ends in a newline.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, RenderError> {
    let mut text = serde_saphyr::to_string(value).map_err(|error| RenderError::Format(error.to_string()))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// A word that stands behind its key, however long it is: people and tools look for
/// it there, and the library would put it on a line of its own.
pub(crate) fn beside_its_key<S: Serializer>(word: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match word.len() > FOLDED {
        true => serde_saphyr::DoubleQuoted(word).serialize(serializer),
        false => serializer.serialize_str(word),
    }
}

/// How many characters the library folds beyond.
const FOLDED: usize = 80;

/// A struct as a tree, to lay settings over it.
pub(crate) fn value(value: &impl Serialize) -> Result<serde_json::Value, RenderError> {
    serde_json::to_value(value).map_err(|error| RenderError::Format(error.to_string()))
}
