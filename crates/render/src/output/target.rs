//! The directory that a run writes, and the lock that keeps other runs away.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::OutputError;
use super::scan::{self, DIRECTORY};

/// An output directory, locked if it exists.
///
/// The lock is on the directory itself. A run also locks the tree that it stages, which takes the
/// directory's place: so at every instant of a run the directory of this name is a locked one.
pub(super) struct Target {
    parent: OwnedFd,
    parent_path: PathBuf,
    name: Vec<u8>,
    path: PathBuf,
    root: Option<Locked>,
}

impl Target {
    pub(super) fn lock(dir: &Path) -> Result<Self, OutputError> {
        let path = real_path(dir)?;
        let (Some(parent_path), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(OutputError::MountPoint { dir: path });
        };
        let parent = rustix::fs::open(parent_path, DIRECTORY, Mode::empty())
            .map_err(|error| OutputError::io("open", parent_path, error))?;
        let mut target = Self {
            parent,
            parent_path: parent_path.to_path_buf(),
            name: name.as_encoded_bytes().to_vec(),
            root: None,
            path: path.clone(),
        };
        for _ in 0..ATTEMPTS {
            let root = match rustix::fs::openat(&target.parent, &target.name, DIRECTORY, Mode::empty()) {
                Ok(root) => root,
                Err(Errno::NOENT) => return Ok(target),
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    return Err(OutputError::NotADirectory { dir: path });
                }
                Err(error) => return Err(OutputError::io("open", path, error)),
            };
            let fail = |error: Errno| OutputError::io("look at", &path, error);
            if scan::stat(&root, b"").map_err(fail)?.mounted {
                return Err(OutputError::MountPoint { dir: path });
            }
            let root = try_lock(root).map_err(|error| OutputError::io("lock", &path, error))?;
            let Some(root) = root else {
                return Err(OutputError::Busy { dir: path });
            };
            // Another run may have exchanged it between the opening and the locking.
            if target.is_named(&target.name, &root) {
                target.root = Some(root);
                return Ok(target);
            }
        }
        Err(OutputError::Busy { dir: path })
    }

    /// The directory, where it exists.
    pub(super) fn root(&self) -> Option<&Locked> {
        self.root.as_ref()
    }

    /// The directory's path, links resolved.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn parent(&self) -> &OwnedFd {
        &self.parent
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The path of a sibling.
    pub(super) fn sibling(&self, name: &[u8]) -> PathBuf {
        scan::join(&self.parent_path, name)
    }

    /// Whether a sibling of this name is this very directory.
    pub(super) fn is_named(&self, name: &[u8], dir: &impl AsFd) -> bool {
        match (scan::stat(&self.parent, name), scan::stat(dir, b"")) {
            (Ok(named), Ok(open)) => (named.inode, named.device) == (open.inode, open.device),
            _ => false,
        }
    }
}

/// A directory that this run alone works on.
///
/// It is unlocked in so many words: a process that another thread of the program
/// has just forked holds the same open file until it executes something, and
/// closing ours alone would leave the lock with it.
pub(super) struct Locked(OwnedFd);

impl AsFd for Locked {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Nothing to do where it fails: the kernel unlocks what is closed.
        let _ = rustix::fs::flock(&self.0, rustix::fs::FlockOperation::Unlock);
    }
}

/// Locks a directory; `None` where another process has.
pub(super) fn try_lock(dir: OwnedFd) -> std::io::Result<Option<Locked>> {
    let file = File::from(dir);
    match file.try_lock() {
        Ok(()) => Ok(Some(Locked(file.into()))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn real_path(dir: &Path) -> Result<PathBuf, OutputError> {
    match std::fs::canonicalize(dir) {
        Ok(path) => return Ok(path),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        Err(error) => return Err(OutputError::io("open", dir, error)),
    }
    if dir.symlink_metadata().is_ok() {
        // A link to nowhere.
        return Err(OutputError::NotADirectory { dir: dir.to_path_buf() });
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let missing = || OutputError::ParentMissing { dir: dir.to_path_buf(), parent: parent.to_path_buf() };
    let name = dir.file_name().ok_or_else(missing)?;
    match std::fs::canonicalize(parent) {
        Ok(parent) if parent.is_dir() => Ok(parent.join(name)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(OutputError::io("open", parent, error))
        }
        _ => Err(missing()),
    }
}

/// How often a directory may be exchanged under our hands before we give way.
const ATTEMPTS: usize = 8;
