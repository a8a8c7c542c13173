//! Paths inside an output directory.

use std::borrow::Borrow;
use std::fmt;

use serde::Serialize;

use super::index;

/// A relative path of plain names, such as `media-1/compose.yaml`: never outside its directory.
///
/// ```
/// use stageplot_render::output::OutputPath;
///
/// assert!(OutputPath::parse("media-1/compose.yaml").is_ok());
/// assert!(OutputPath::parse("../compose.yaml").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct OutputPath(String);

impl OutputPath {
    /// Reads a path whose components are separated by `/`.
    ///
    /// # Errors
    ///
    /// See [`PathError`].
    pub fn parse(path: &str) -> Result<Self, PathError> {
        let error = |why| Err(PathError::Path { path: path.to_owned(), why });
        if path.is_empty() {
            return error("it is empty");
        }
        if path.starts_with('/') {
            return error("it is absolute");
        }
        if path.contains('\0') {
            return error("it holds a NUL byte");
        }
        if path.len() > MAX_PATH {
            return error("it is longer than 3,000 bytes");
        }
        for name in path.split('/') {
            match name {
                "" => return error("it has an empty component"),
                "." | ".." => return error("it has a component `.` or `..`"),
                name if name.len() > MAX_NAME => {
                    return error("a component is longer than 255 bytes");
                }
                _ => {}
            }
        }
        if path == index::NAME || path.split('/').next() == Some(index::NAME) {
            return error("the index of the directory has this name");
        }
        Ok(Self(path.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directories above it, the nearest first.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(parent(&self.0), |path| parent(path))
    }
}

impl Borrow<str> for OutputPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OutputPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that cannot be part of an output directory.
///
/// See [`OutputFile`].
///
/// [`OutputFile`]: super::OutputFile
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path is not a relative path of plain names.
    #[error("use {path:?} as a path in the output directory: {why}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The mode is more than permissions.
    #[error("use {mode:#o} as the mode of {path:?}: it has bits beyond 0o777")]
    Mode {
        /// The file.
        path: String,
        /// The mode.
        mode: u32,
    },
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

const MAX_NAME: usize = 255;
// Leaves room for the staging's name within the kernel's 4,096.
const MAX_PATH: usize = 3_000;
