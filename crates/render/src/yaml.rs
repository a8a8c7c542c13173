//! YAML, written by one library in one way.

use serde::Serialize;

use crate::RenderError;

/// A value as a YAML document that ends in a newline.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, RenderError> {
    let mut text = serde_saphyr::to_string(value).map_err(|error| RenderError::Format(error.to_string()))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// A struct as a tree, to lay settings over it.
pub(crate) fn value(value: &impl Serialize) -> Result<serde_json::Value, RenderError> {
    serde_json::to_value(value).map_err(|error| RenderError::Format(error.to_string()))
}
