//! What is in a directory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::OutputError;
use super::target::Target;

/// All that a directory holds, by relative path in bytes; a directory comes before what is in it.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) entries: BTreeMap<Vec<u8>, Found>,
    /// The directory itself.
    pub(super) root: Option<Found>,
}

/// One thing in a directory.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) inode: u64,
    pub(super) device: (u32, u32),
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) size: u64,
    pub(super) modified: (i64, u32),
    pub(super) mounted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Directory,
    File,
    Link,
    /// A socket, pipe or device.
    Other(&'static str),
}

impl Scan {
    /// Reads the whole directory without following links; `at` is its path, for errors.
    pub(super) fn of(root: &impl AsFd, at: &Path) -> Result<Self, OutputError> {
        let stat = stat(root, b"").map_err(|error| OutputError::io("look at", at, error))?;
        let mut scan = Self { entries: BTreeMap::new(), root: Some(stat) };
        let mut open = vec![Vec::new()];
        while let Some(dir) = open.pop() {
            let fail = |error: Errno| OutputError::io("read the directory", join(at, &dir), error);
            let here = if dir.is_empty() { b".".as_slice() } else { &dir };
            let fd = rustix::fs::openat(root, here, DIRECTORY, Mode::empty()).map_err(fail)?;
            for entry in Dir::read_from(&fd).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                let found = self::stat(&fd, name).map_err(fail)?;
                let mut path = dir.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                // What is mounted is not looked into: it stops the run, or stays as it is.
                if found.kind == Kind::Directory && !found.mounted {
                    open.push(path.clone());
                }
                scan.entries.insert(path, found);
            }
        }
        Ok(scan)
    }

    pub(super) fn get(&self, path: &str) -> Option<&Found> {
        self.entries.get(path.as_bytes())
    }

    /// What is below a directory.
    pub(super) fn below(&self, dir: &[u8]) -> impl Iterator<Item = (&Vec<u8>, &Found)> {
        let prefix = [dir, b"/"].concat();
        let from = prefix.clone();
        self.entries.range(from..).take_while(move |(path, _)| path.starts_with(&prefix))
    }
}

/// Looks at one thing without following links; an empty path is the directory itself.
pub(super) fn stat(dir: impl AsFd, path: &[u8]) -> Result<Found, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::EMPTY_PATH;
    rustix::fs::statx(dir, path, flags, StatxFlags::BASIC_STATS).map(Found::from)
}

/// Reads a file without following links.
pub(super) fn read(root: impl AsFd, path: &[u8]) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(root, path, flags, Mode::empty())?;
    let mut bytes = Vec::with_capacity(4096);
    std::fs::File::from(fd).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file that was found in the target.
pub(super) fn read_in(target: &Target, path: &str) -> Result<Vec<u8>, OutputError> {
    let root = target.root().expect("what was found in it is in a directory");
    read(root, path.as_bytes()).map_err(|error| OutputError::io("read", target.path().join(path), error))
}

/// A relative path, for people.
pub(super) fn join(at: &Path, path: &[u8]) -> PathBuf {
    if path.is_empty() { at.to_path_buf() } else { at.join(OsStr::from_bytes(path)) }
}

/// The directories above a path, the nearest first.
pub(super) fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let parent = |path: &&[u8]| path.iter().rposition(|&b| b == b'/');
    std::iter::successors(Some(path), move |path| parent(path).map(|at| &path[..at])).skip(1)
}

impl From<Statx> for Found {
    fn from(stat: Statx) -> Self {
        let kind = match FileType::from_raw_mode(stat.stx_mode.into()) {
            FileType::Directory => Kind::Directory,
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            FileType::Socket => Kind::Other("it is a socket"),
            FileType::Fifo => Kind::Other("it is a named pipe"),
            _ => Kind::Other("it is a device"),
        };
        Self {
            kind,
            inode: stat.stx_ino,
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            mode: u32::from(stat.stx_mode) & 0o7777,
            owner: (stat.stx_uid, stat.stx_gid),
            size: stat.stx_size,
            modified: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            mounted: stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        }
    }
}

pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
