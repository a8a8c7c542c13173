//! Writes a rendered tree to disk, whole or not at all, and reads it back.
//!
//! The new tree is built beside the old one, in a hidden sibling `.NAME.stageplot-PID-RANDOM`, and
//! one `renameat2(RENAME_EXCHANGE)` puts it in its place. So whatever kills the process, the
//! directory holds the old output whole or the new output whole.
//!
//! Nothing is synced to the disk. A loss of power can cost the bytes of what was rendered last,
//! which the plot gives again (with [`Options::overwrite`], as torn files look edited). What is not
//! ours it cannot cost: that is linked, never written, and a journalling file system keeps links and
//! exchanges in their order. Syncing would cost more than all else together.
//!
//! The tree carries an index, `.stageplot.json`, of the files that were rendered and their SHA-256.
//! What it does not name is not ours: it is carried over (as hard links), never deleted, and never
//! overwritten unless [`Options::overwrite`] asks for it. The same holds for rendered files that
//! somebody has edited since.
//!
//! The exchange gives the directory a new inode. A shell that stands in it, or a container that
//! mounts the directory itself, stays with the old one.
//!
//! ```
//! use stageplot_render::output::{self, Options, OutputFile};
//!
//! # let parent = tempfile::tempdir().unwrap();
//! let dir = parent.path().join("out");
//! let files = [
//!     OutputFile::new("media-1/compose.yaml", b"services: {}\n", 0o644)?,
//!     OutputFile::new("media-1/redis.env", b"PASSWORD=x\n", 0o600)?,
//! ];
//! let written = output::write(&dir, &files, Options::default()).unwrap();
//! assert_eq!(written.created.len(), 2);
//!
//! let again = output::write(&dir, &files, Options::default()).unwrap();
//! assert!(again.is_noop());
//! # Ok::<(), output::PathError>(())
//! ```

use std::path::{Path, PathBuf};

use crate::Artifact;

mod error;
mod index;
mod path;
mod plan;
mod retire;
mod scan;
mod stage;
mod target;
#[cfg(test)]
mod tests;
mod tree;
mod writer;

/// The name of a tree's index.
///
/// See [`is_tree`].
pub const INDEX: &str = index::NAME;

pub use error::OutputError;
pub use path::{OutputPath, PathError};
pub use tree::{TreeFile, is_tree, read};
pub use writer::Writer;

/// One file of the tree.
///
/// ```
/// use stageplot_render::output::{OutputFile, PathError};
///
/// let script = OutputFile::new("front/install.sh", b"#!/bin/sh\n", 0o755)?;
/// assert!(matches!(OutputFile::new("../.profile", b"", 0o644), Err(PathError::Path { .. })));
/// assert!(matches!(OutputFile::new("front/su", b"", 0o4755), Err(PathError::Mode { mode: 0o4755, .. })));
/// # Ok::<(), PathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile<'a> {
    path: OutputPath,
    bytes: &'a [u8],
    mode: u32,
}

impl<'a> OutputFile<'a> {
    /// A file at this path, with these bytes and exactly these permission bits, whatever the umask.
    ///
    /// # Errors
    ///
    /// The path leaves the directory or could not be a file in it, or the mode has bits beyond
    /// `0o777`.
    pub fn new(path: &str, bytes: &'a [u8], mode: u32) -> Result<Self, PathError> {
        let path = OutputPath::parse(path)?;
        if mode > 0o777 {
            return Err(PathError::Mode { path: path.to_string(), mode });
        }
        Ok(Self { path, bytes, mode })
    }

    /// A rendered file at this path. Its owner may write it, whatever mode it is to have on
    /// its machine: whoever copies trees around without being root could not copy a second
    /// one over the first, and would install the first again.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn of(path: &str, artifact: &'a Artifact) -> Result<Self, PathError> {
        Self::new(path, &artifact.bytes, artifact.mode | 0o200)
    }
}

/// What the caller allows.
///
/// ```
/// use stageplot_render::output::{self, Options, OutputFile};
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("out");
/// let both = [OutputFile::new("front/a", b"1", 0o644)?, OutputFile::new("media/a", b"1", 0o644)?];
/// output::write(&dir, &both, Options::default())?;
/// std::fs::write(dir.join("front/a"), "edited")?;
///
/// // One machine's directory alone, whatever somebody has edited there.
/// let anew = [OutputFile::new("front/a", b"2", 0o644)?];
/// let written = output::write(&dir, &anew, Options::default().within("front").overwrite(true))?;
/// assert_eq!(written.changed, ["front/a"]);
/// assert!(dir.join("media/a").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Replace files that are not ours where they occupy our paths, and ours that were edited.
    pub overwrite: bool,
    /// Render this one directory of the tree anew, and leave what an earlier render wrote elsewhere.
    pub within: Option<&'a str>,
}

impl<'a> Options<'a> {
    /// The same, with this answer to whether files may be overwritten.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// The same, for one directory of the tree: all files are in it, and what an earlier render
    /// wrote elsewhere stays, and stays known as rendered.
    #[must_use]
    pub fn within(mut self, directory: &'a str) -> Self {
        self.within = Some(directory);
        self
    }
}

/// What was done to a directory, each list sorted.
///
/// See [`write`].
///
/// [`write`]: write()
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that were not there.
    pub created: Vec<String>,
    /// Files with other bytes, or another mode, than before.
    pub changed: Vec<String>,
    /// Files that stayed as they were, with inode and times.
    pub unchanged: Vec<String>,
    /// Files of an earlier render that are no longer rendered.
    pub removed: Vec<String>,
    /// Hidden siblings that hold files which appeared or changed while a run, this or a killed one,
    /// was exchanging the trees: kept, for a person to look at.
    pub left_behind: Vec<PathBuf>,
}

impl Written {
    /// Whether the directory was already as asked.
    pub fn is_noop(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Makes `dir` hold these files, beside what is in it and not ours: a [`Writer`] that is given
/// all of them.
///
/// ```
/// use stageplot_render::output::{self, Options, OutputError, OutputFile};
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("out");
/// let written = output::write(&dir, &[OutputFile::new("front/a", b"1", 0o644)?], Options::default())?;
/// assert_eq!(written.created, ["front/a"]);
///
/// // What somebody has edited is not lost.
/// std::fs::write(dir.join("front/a"), "edited")?;
/// let anew = [OutputFile::new("front/a", b"2", 0o644)?];
/// let error = output::write(&dir, &anew, Options::default()).expect_err("an edit");
/// assert!(matches!(error, OutputError::Conflict { .. }));
/// assert_eq!(std::fs::read(dir.join("front/a"))?, b"edited");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As for [`Writer::finish`].
pub fn write(dir: &Path, files: &[OutputFile<'_>], options: Options<'_>) -> Result<Written, OutputError> {
    let writer = Writer::open(dir, options)?;
    for file in files {
        writer.put(file)?;
    }
    writer.finish()
}
