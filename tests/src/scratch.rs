//! Temporary directories of programs that mount things in them.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{UnmountFlags, unmount};
use tempfile::TempDir;

use crate::sweep::{Owned, sweep_once};

/// A temporary directory that is unmounted and removed on drop.
///
/// Its name is short, since sockets go in it, and carries our process id, so that a
/// later run finds what a killed one left.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// Makes an empty directory that only its owner can look into.
    ///
    /// # Panics
    ///
    /// If the temporary directory of the system cannot be written.
    pub fn new() -> Self {
        sweep_once();
        let directory = tempfile::Builder::new()
            .prefix(&Owned::prefix())
            .rand_bytes(6)
            .tempdir()
            .unwrap_or_else(|error| panic!("failed to make a temporary directory: {error}"));
        Self { directory }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The directory's own name, which no other one has.
    pub fn name(&self) -> String {
        self.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        unmount_below(self.path());
    }
}

/// Takes away every mount below a directory, the last made first.
pub(crate) fn unmount_below(directory: &Path) {
    for mount in mounts_below("self", directory).iter().rev() {
        if let Err(error) = unmount(mount, UnmountFlags::DETACH) {
            eprintln!("failed to unmount {}: {error}", mount.display());
        }
    }
}

/// The mounts below a directory that a process sees, by its number or as `self`, in the
/// order in which they were made.
pub(crate) fn mounts_below(process: &str, directory: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(PathBuf::from)
        .filter(|mount| mount.starts_with(directory))
        .collect()
}
