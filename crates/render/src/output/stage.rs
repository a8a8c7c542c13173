//! The new tree, beside the old one until it takes its place.

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::index::{self, Index};
use super::plan::{Plan, Step};
use super::scan::{self, DIRECTORY, Found, Kind, Scan};
use super::target::{self, Target};
use super::{OutputError, OutputFile};

/// A tree that is being built; gone on drop, unless it took its place.
pub(super) struct Staging<'t> {
    target: &'t Target,
    name: Vec<u8>,
    root: target::Locked,
    path: PathBuf,
    exchanged: bool,
}

/// The tree that the new one was exchanged for.
pub(super) struct OldTree {
    pub(super) name: Vec<u8>,
    /// The new tree: locked, while this is open, until the old one is gone.
    pub(super) new: OwnedFd,
}

impl<'t> Staging<'t> {
    pub(super) fn new(target: &'t Target) -> Result<Self, OutputError> {
        for _ in 0..ATTEMPTS {
            let random = RandomState::new().build_hasher().finish();
            let mut name = prefix(target.name());
            name.extend_from_slice(format!("{}-{random:016x}", std::process::id()).as_bytes());
            let path = target.sibling(&name);
            let fail = |error: std::io::Error| OutputError::io("create", &path, error);
            match rustix::fs::mkdirat(target.parent(), &name, Mode::RWXU) {
                Err(Errno::EXIST) => continue,
                done => done.map_err(|error| fail(error.into()))?,
            }
            // Until it is locked another run may take it for a dead one's, and remove it.
            let root = match rustix::fs::openat(target.parent(), &name, DIRECTORY, Mode::empty()) {
                Err(Errno::NOENT) => continue,
                opened => opened.map_err(|error| fail(error.into()))?,
            };
            match target::try_lock(root).map_err(fail)? {
                Some(root) if target.is_named(&name, &root) => {
                    return Ok(Self { target, name, root, path, exchanged: false });
                }
                _ => continue,
            }
        }
        Err(OutputError::Busy { dir: target.path().to_path_buf() })
    }

    /// Builds the whole tree.
    pub(super) fn fill(
        &self,
        plan: &Plan,
        scan: &Scan,
        files: &[&OutputFile<'_>],
        index: &Index,
    ) -> Result<(), OutputError> {
        // First of all: it tells a later run what of a dead run's staging may go.
        self.create(index::NAME.as_bytes(), &index.to_bytes(), 0o644)?;
        for dir in &plan.directories {
            rustix::fs::mkdirat(&self.root, dir, Mode::RWXU)
                .map_err(|error| OutputError::io("create the directory", self.at(dir), error))?;
        }
        for (file, step) in files.iter().zip(&plan.steps) {
            let path = file.path.as_str().as_bytes();
            if *step != Step::Keep || !self.link(path)? {
                self.create(path, file.bytes, file.mode)?;
            }
        }
        for path in &plan.carried {
            self.carry(path, &scan.entries[path])?;
        }
        // Modes at last: a directory without write permission can be filled until then.
        let guarded = guarded(files);
        for dir in plan.directories.iter().rev() {
            let mode = if guarded.contains(dir.as_slice()) { 0o700 } else { 0o755 };
            self.finish_directory(dir, scan.entries.get(dir), mode)?;
        }
        self.finish_directory(b".", scan.root.as_ref(), 0o755)
    }

    /// Puts the tree in its place, and returns the one that stood there.
    pub(super) fn exchange(mut self) -> Result<Option<OldTree>, OutputError> {
        let (parent, name) = (self.target.parent(), self.target.name());
        let existed = self.target.root().is_some();
        let flags = if existed { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        let dir = || self.target.path().to_path_buf();
        match rustix::fs::renameat_with(parent, &self.name, parent, name, flags) {
            Ok(()) => {}
            // Where it was not there before, and the file system does not know the flag.
            Err(Errno::INVAL | Errno::NOSYS) if !existed => {
                rustix::fs::renameat(parent, &self.name, parent, name)
                    .map_err(|error| OutputError::io("rename the new tree to", dir(), error))?;
            }
            Err(Errno::EXIST) => return Err(OutputError::Busy { dir: dir() }),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                return Err(OutputError::ExchangeUnsupported { dir: dir() });
            }
            Err(Errno::BUSY) => return Err(OutputError::MountPoint { dir: dir() }),
            Err(error) => return Err(OutputError::io("exchange the new tree for", dir(), error)),
        }
        self.exchanged = true;
        if !existed {
            return Ok(None);
        }
        let new =
            self.root.as_fd().try_clone_to_owned().map_err(|error| OutputError::io("hold", dir(), error))?;
        Ok(Some(OldTree { name: std::mem::take(&mut self.name), new }))
    }

    fn create(&self, path: &[u8], bytes: &[u8], mode: u32) -> Result<(), OutputError> {
        let fail = |error: std::io::Error| OutputError::io("write", self.at(path), error);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Never wider than asked, not for an instant: the rest comes once the bytes are there.
        let narrow = Mode::from_raw_mode(mode & 0o600);
        let fd = rustix::fs::openat(&self.root, path, flags, narrow).map_err(|error| fail(error.into()))?;
        let mut file = File::from(fd);
        file.write_all(bytes).map_err(fail)?;
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode)).map_err(|error| fail(error.into()))
    }

    /// Links a file of the old tree; false where the file system does not let us.
    fn link(&self, path: &[u8]) -> Result<bool, OutputError> {
        let Some(old) = self.target.root() else {
            return Ok(false);
        };
        match rustix::fs::linkat(old, path, &self.root, path, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP | Errno::XDEV | Errno::NOENT) => Ok(false),
            Err(error) => Err(OutputError::io("link", self.at(path), error)),
        }
    }

    fn carry(&self, path: &[u8], found: &Found) -> Result<(), OutputError> {
        if self.link(path)? {
            return Ok(());
        }
        let cannot = |why: &str| OutputError::CannotCarry {
            path: scan::join(self.target.path(), path),
            why: why.into(),
        };
        let (Kind::Link, Some(old)) = (found.kind, self.target.root()) else {
            return Err(cannot("the file system does not let us link it"));
        };
        rustix::fs::readlinkat(old, path, Vec::new())
            .and_then(|to| rustix::fs::symlinkat(to, &self.root, path))
            .map_err(|error| cannot(&error.to_string()))
    }

    fn finish_directory(&self, dir: &[u8], old: Option<&Found>, mode: u32) -> Result<(), OutputError> {
        let fail = |error: Errno| OutputError::io("set the mode of", self.at(dir), error);
        if let Some(old) = old.filter(|old| old.kind == Kind::Directory) {
            let new = scan::stat(&self.root, dir).map_err(fail)?;
            if new.owner != old.owner {
                let (uid, gid) = (Uid::from_raw(old.owner.0), Gid::from_raw(old.owner.1));
                rustix::fs::chownat(&self.root, dir, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|error| OutputError::CannotCarry {
                        path: scan::join(self.target.path(), dir),
                        why: format!("its owner cannot be kept: {error}"),
                    })?;
            }
            return rustix::fs::chmodat(&self.root, dir, Mode::from_raw_mode(old.mode), AtFlags::empty())
                .map_err(fail);
        }
        rustix::fs::chmodat(&self.root, dir, Mode::from_raw_mode(mode), AtFlags::empty()).map_err(fail)
    }

    /// A path of the new tree as it will be called.
    fn at(&self, path: &[u8]) -> PathBuf {
        scan::join(self.target.path(), path)
    }
}

/// The directories at the top of the tree that hold a file which others may not
/// read. Their names within can tell of its content, so nobody else looks in.
fn guarded<'a>(files: &[&'a OutputFile<'_>]) -> BTreeSet<&'a [u8]> {
    let private = files.iter().filter(|file| file.mode & 0o077 == 0);
    private.filter_map(|file| Some(file.path.as_str().split_once('/')?.0.as_bytes())).collect()
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.exchanged {
            // What it holds are our files and links to others'. If this fails the next run does it.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// How the names of staged trees begin.
pub(super) fn prefix(name: &[u8]) -> Vec<u8> {
    [b".", name, b".stageplot-"].concat()
}

const ATTEMPTS: usize = 16;
