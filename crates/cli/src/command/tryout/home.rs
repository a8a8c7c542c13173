//! Where a trial's files are kept.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use crate::failure::Failure;

/// A directory of the user's own, which nobody else may enter.
pub(super) struct Home {
    dir: PathBuf,
}

impl Home {
    /// That of a plot: below `$XDG_STATE_HOME`, or `~/.local/state` where that is not set
    /// (XDG Base Directory Specification).
    pub(super) fn of(plot: &str) -> Result<Self, Failure> {
        let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
        let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
        let state = state.ok_or_else(|| {
            Failure::new("nobody says where a trial's files can be kept").help("set HOME, or XDG_STATE_HOME")
        })?;
        Ok(Self { dir: state.join("stageplot/try").join(plot) })
    }

    /// Whether a trial was made here and not taken away.
    pub(super) fn is_made(&self) -> bool {
        self.compose_file().exists()
    }

    pub(super) fn make(&self) -> Result<(), Failure> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|error| Failure::write(&self.dir, &error))
    }

    pub(super) fn remove(&self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.dir).map_err(|error| Failure::write(&self.dir, &error))
    }

    /// The directory of the rendered files.
    pub(super) fn stage(&self) -> PathBuf {
        self.dir.join("stage")
    }

    pub(super) fn compose_file(&self) -> PathBuf {
        self.stage().join("compose.yaml")
    }

    /// The file with secrets that were made up.
    pub(super) fn secrets(&self) -> PathBuf {
        self.dir.join("secrets.env")
    }
}
