//! Names with a `*` for any part of them.

use std::fmt;

use serde::Deserialize;
use stageplot_topology::decode::{self, FromScalar};

/// A name, in which `*` stands for any text, also for none, also over dots and slashes.
///
/// ```
/// use stageplot_render::diff::policy::Pattern;
///
/// assert!(Pattern::new("services/*/redis.conf").matches("services/cache/redis.conf"));
/// assert!(Pattern::new("media-*").matches("media-1"));
/// assert!(!Pattern::new("media").matches("media-1"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it stands for this name.
    pub fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(first) else { return false };
        let mut parts: Vec<_> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        // The earliest place of each part leaves the most for those after it.
        for part in parts {
            let Some(at) = name.find(part) else { return false };
            name = &name[at + part.len()..];
        }
        name.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromScalar for Pattern {
    const EXPECTED: &'static str = "a name, with * for any part of it";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self::new(text)) }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar(deserializer)
    }
}
