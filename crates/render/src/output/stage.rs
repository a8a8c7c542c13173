//! The new tree, beside the old one until it takes its place.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::OutputError;
use super::index::{self, Digest, Index};
use super::plan::Plan;
use super::scan::{self, DIRECTORY, Found, Kind, Scan};
use super::target::{self, Target};

/// A tree that is being built; gone on drop, unless it took its place.
pub(super) struct Staging {
    name: Vec<u8>,
    root: target::Locked,
    /// The permissions that what is made in it has from the beginning, where they are asked for:
    /// others are set once it is there.
    kept: Mode,
    /// Where it stands.
    path: PathBuf,
    /// Where it will stand.
    place: PathBuf,
    exchanged: bool,
}

/// The tree that the new one was exchanged for.
pub(super) struct OldTree {
    pub(super) name: Vec<u8>,
    /// The new tree: locked, while this is open, until the old one is gone.
    pub(super) new: OwnedFd,
}

impl Staging {
    pub(super) fn new(target: &Target) -> Result<Self, OutputError> {
        for _ in 0..ATTEMPTS {
            let random = RandomState::new().build_hasher().finish();
            let mut name = prefix(target.name());
            name.extend_from_slice(format!("{}-{random:016x}", std::process::id()).as_bytes());
            name.extend_from_slice(UNFINISHED);
            let path = target.sibling(&name);
            // Named as the user has: nobody knows of the new tree beside it.
            let fail = |error: std::io::Error| OutputError::io("create", target.path(), error);
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
                    let kept = kept(&root).map_err(|error| fail(error.into()))?;
                    let place = target.path().to_owned();
                    return Ok(Self { name, root, kept, path, place, exchanged: false });
                }
                _ => continue,
            }
        }
        Err(OutputError::Busy { dir: target.path().to_path_buf() })
    }

    /// Makes a directory. One at the top of the tree gets its mode at last, once it is known what
    /// is in it.
    pub(super) fn make_directory(&self, dir: &[u8]) -> Result<(), OutputError> {
        let fail = |error: Errno| OutputError::io("create the directory", self.at(dir), error);
        let mode = if dir.contains(&b'/') { INNER } else { Mode::RWXU };
        match rustix::fs::mkdirat(&self.root, dir, mode) {
            // By another thread.
            Err(Errno::EXIST) => return Ok(()),
            made => made.map_err(fail)?,
        }
        if self.kept.contains(mode) { Ok(()) } else { self.set_mode(dir, mode) }
    }

    /// Writes a file.
    pub(super) fn create(&self, path: &[u8], bytes: &[u8], mode: u32) -> Result<(), OutputError> {
        let fail = |error: std::io::Error| OutputError::io("write", self.at(path), error);
        // Never wider than asked, not for an instant.
        let mode = Mode::from_raw_mode(mode);
        let open = || rustix::fs::openat(&self.root, path, NEW_FILE, mode);
        let fd = match open() {
            // Another thread is about to make a directory above it.
            Err(Errno::NOENT) => {
                let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
                ends.map(|(end, _)| &path[..end]).try_for_each(|dir| self.make_directory(dir))?;
                open()
            }
            opened => opened,
        };
        let mut file = File::from(fd.map_err(|error| fail(error.into()))?);
        file.write_all(bytes).map_err(fail)?;
        if self.kept.contains(mode) {
            return Ok(());
        }
        rustix::fs::fchmod(file.as_fd(), mode).map_err(|error| fail(error.into()))
    }

    /// Adds all that is not there yet, once the rendered files are.
    pub(super) fn complete(
        &self,
        target: &Target,
        plan: &Plan,
        scan: &Scan,
        index: &Index,
    ) -> Result<(), OutputError> {
        for (dir, made) in &plan.directories {
            if !made {
                self.make_directory(dir)?;
            }
        }
        for path in &plan.written.unchanged {
            self.keep(target, path, index, scan)?;
        }
        for path in &plan.carried {
            self.carry(target, path, &scan.entries[path])?;
        }
        self.create(index::NAME.as_bytes(), &index.to_bytes(), 0o644)?;
        // Modes at last: a directory without write permission can be filled until then.
        for dir in plan.directories.keys().rev() {
            match scan.entries.get(dir).filter(|old| old.kind == Kind::Directory) {
                Some(old) => self.restore_directory(target, dir, old)?,
                // It has been guarded from the beginning.
                None if str::from_utf8(dir).is_ok_and(|dir| plan.guarded.contains(dir)) => {}
                None if dir.contains(&b'/') => {}
                None => self.set_mode(dir, INNER)?,
            }
        }
        match &scan.root {
            Some(old) => self.restore_directory(target, b".", old),
            None => self.set_mode(b".", INNER),
        }
    }

    /// Puts the tree in its place, and returns the one that stood there.
    pub(super) fn exchange(mut self, target: &Target) -> Result<Option<OldTree>, OutputError> {
        let parent = target.parent();
        let dir = || target.path().to_path_buf();
        // From here on it has its index, as the tree has that it is exchanged for and that gets
        // this name.
        let name = self.name.strip_suffix(UNFINISHED).unwrap_or(&self.name).to_vec();
        rustix::fs::renameat(parent, &self.name, parent, &name)
            .map_err(|error| OutputError::io("rename", &self.path, error))?;
        self.path = target.sibling(&name);
        self.name = name;

        let existed = target.root().is_some();
        let flags = if existed { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        match rustix::fs::renameat_with(parent, &self.name, parent, target.name(), flags) {
            Ok(()) => {}
            // Where it was not there before, and the file system does not know the flag.
            Err(Errno::INVAL | Errno::NOSYS) if !existed => {
                rustix::fs::renameat(parent, &self.name, parent, target.name())
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

    /// Links a file of the old tree; false where the file system does not let us.
    fn link(&self, target: &Target, path: &[u8]) -> Result<bool, OutputError> {
        let Some(old) = target.root() else {
            return Ok(false);
        };
        match rustix::fs::linkat(old, path, &self.root, path, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP | Errno::XDEV | Errno::NOENT) => Ok(false),
            Err(error) => Err(OutputError::io("link", self.at(path), error)),
        }
    }

    /// Takes a rendered file of the old tree over.
    fn keep(&self, target: &Target, path: &str, index: &Index, scan: &Scan) -> Result<(), OutputError> {
        if self.link(target, path.as_bytes())? {
            return Ok(());
        }
        let bytes = scan::read_in(target, path)?;
        if Some(Digest::of(&bytes)) != index.digest(path) {
            let (dir, edited) = (target.path().to_path_buf(), vec![path.into()]);
            return Err(OutputError::Conflict { dir, foreign: Vec::new(), edited });
        }
        let mode = scan.get(path).map_or(0o600, |found| found.mode);
        self.create(path.as_bytes(), &bytes, mode)
    }

    /// Takes what is not ours over.
    fn carry(&self, target: &Target, path: &[u8], found: &Found) -> Result<(), OutputError> {
        if self.link(target, path)? {
            return Ok(());
        }
        let cannot =
            |why: &str| OutputError::CannotCarry { path: scan::join(target.path(), path), why: why.into() };
        let (Kind::Link, Some(old)) = (found.kind, target.root()) else {
            return Err(cannot("the file system does not let us link it"));
        };
        rustix::fs::readlinkat(old, path, Vec::new())
            .and_then(|to| rustix::fs::symlinkat(to, &self.root, path))
            .map_err(|error| cannot(&error.to_string()))
    }

    /// Gives a directory the owner and mode that it had.
    fn restore_directory(&self, target: &Target, dir: &[u8], old: &Found) -> Result<(), OutputError> {
        let new =
            scan::stat(&self.root, dir).map_err(|error| OutputError::io("look at", self.at(dir), error))?;
        if new.owner != old.owner {
            let (uid, gid) = (Uid::from_raw(old.owner.0), Gid::from_raw(old.owner.1));
            rustix::fs::chownat(&self.root, dir, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(
                |error| OutputError::CannotCarry {
                    path: scan::join(target.path(), dir),
                    why: format!("its owner cannot be kept: {error}"),
                },
            )?;
        }
        self.set_mode(dir, Mode::from_raw_mode(old.mode))
    }

    fn set_mode(&self, dir: &[u8], mode: Mode) -> Result<(), OutputError> {
        rustix::fs::chmodat(&self.root, dir, mode, AtFlags::empty())
            .map_err(|error| OutputError::io("set the mode of", self.at(dir), error))
    }

    /// A path of the new tree as it will be called.
    fn at(&self, path: &[u8]) -> PathBuf {
        scan::join(&self.place, path)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.exchanged {
            // What it holds are our files and links to others'. If this fails the next run does it.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// What umask and default ACL leave of the permissions that files and directories are made with in
/// this directory, which was made for its owner alone. Nothing where the file system, or the group
/// that goes with a directory, has made it, or a file, into more than was asked for.
fn kept(dir: &impl AsFd) -> Result<Mode, Errno> {
    let mode_of = |made: &dyn AsFd| Ok(Mode::from_raw_mode(rustix::fs::fstat(made)?.st_mode));
    let made = |mode| {
        let file = rustix::fs::openat(dir, PROBE, NEW_FILE, mode)?;
        rustix::fs::unlinkat(dir, PROBE, AtFlags::empty())?;
        mode_of(&file)
    };
    let exact = mode_of(dir)? == Mode::RWXU && made(Mode::empty())?.is_empty();
    if exact { made(Mode::RWXU | Mode::RWXG | Mode::RWXO) } else { Ok(Mode::empty()) }
}

/// How the names of staged trees begin.
pub(super) fn prefix(name: &[u8]) -> Vec<u8> {
    [b".", name, b".stageplot-"].concat()
}

/// How the name of a staged tree ends until it has all its files and their index. All that is in
/// one is ours, or a link to what the directory holds.
pub(super) const UNFINISHED: &[u8] = b".part";

/// The mode of directories that hold nothing to be kept from others.
const INNER: Mode = Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

/// For writing, and nothing that is there already.
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A file that is gone before anything else is there.
const PROBE: &str = "permissions";

const ATTEMPTS: usize = 16;
