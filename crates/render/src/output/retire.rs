//! Removes trees that were exchanged, and what killed runs left.
//!
//! A file goes only if we know it: it is ours, or the new tree has a link to it. What appeared or
//! changed behind our back stays where it is, and is told.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, Mode};
use rustix::io::Errno;

use super::OutputError;
use super::index::{self, Index};
use super::scan::{self, DIRECTORY, Found, Kind, Scan};
use super::stage::{OldTree, UNFINISHED, prefix};
use super::target::{self, Target};

/// Removes the tree that the new one was exchanged for; returns its path if something stays.
pub(super) fn old_tree(target: &Target, old: &OldTree, scan: &Scan) -> Option<PathBuf> {
    // Still open from before the exchange, and locked.
    let root = target.root()?;
    // As it was when we decided, or linked into the new tree.
    let goes = |path: &Vec<u8>, then: &Found| {
        scan::stat(root, path).is_ok_and(|now| now == *then) || same(&old.new, root, path, then)
    };
    remove(target, root, &old.name, scan, goes)
}

/// Removes what killed runs left beside the directory; returns what has to stay.
pub(super) fn stale(target: &Target) -> Result<Vec<PathBuf>, OutputError> {
    let fail = |error: Errno| OutputError::io("read the directory", target.sibling(b""), error);
    let prefix = prefix(target.name());
    let mut names = BTreeSet::new();
    for entry in Dir::read_from(target.parent()).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_bytes();
        let rest = name.strip_prefix(prefix.as_slice());
        if rest.is_some_and(|rest| is_run(rest.strip_suffix(UNFINISHED).unwrap_or(rest))) {
            names.insert(name.to_vec());
        }
    }
    let mut left = Vec::new();
    for name in names {
        let Ok(root) = rustix::fs::openat(target.parent(), &name, DIRECTORY, Mode::empty()) else {
            continue;
        };
        // A live run holds the lock of what it stages.
        let Ok(Some(root)) = target::try_lock(root) else {
            continue;
        };
        if target.is_named(&name, &root) {
            left.extend(stale_tree(target, &root, &name));
        }
    }
    Ok(left)
}

fn stale_tree(target: &Target, root: &impl AsFd, name: &[u8]) -> Option<PathBuf> {
    let path = target.sibling(name);
    let Ok(scan) = Scan::of(root, &path) else {
        return Some(path);
    };
    let index = scan::read(root, index::NAME.as_bytes()).ok().and_then(|bytes| Index::parse(&bytes).ok());
    if name.ends_with(UNFINISHED) {
        return remove(target, root, name, &scan, |_, _| true);
    }
    let goes = |path: &Vec<u8>, found: &Found| {
        let ours = found.kind == Kind::File
            && str::from_utf8(path).is_ok_and(|path| {
                path == index::NAME || index.as_ref().is_some_and(|index| index.digest(path).is_some())
            });
        ours || target.root().is_some_and(|new| same(new, root, path, found))
    };
    remove(target, root, name, &scan, goes)
}

/// Whether the new tree has the same file, or an equal link, at this path.
fn same(new: &impl AsFd, old: &impl AsFd, path: &[u8], then: &Found) -> bool {
    let (Ok(there), Ok(here)) = (scan::stat(new, path), scan::stat(old, path)) else {
        return false;
    };
    if (there.inode, there.device) == (here.inode, here.device) {
        return true;
    }
    let link = |dir: BorrowedFd<'_>| rustix::fs::readlinkat(dir, path, Vec::new()).ok();
    let links = [then.kind, there.kind, here.kind] == [Kind::Link; 3];
    links && link(new.as_fd()) == link(old.as_fd())
}

/// Removes the files of which this holds, and the directories that are empty then.
fn remove(
    target: &Target,
    root: &impl AsFd,
    name: &[u8],
    scan: &Scan,
    goes: impl Fn(&Vec<u8>, &Found) -> bool,
) -> Option<PathBuf> {
    let left = Some(target.sibling(name));
    if scan.entries.values().any(|found| found.mounted) {
        return left;
    }
    for (dir, found) in scan.entries.iter().filter(|(_, found)| found.kind == Kind::Directory) {
        if found.mode & 0o700 != 0o700 {
            // Where it fails, so does the removal below.
            let _ = rustix::fs::chmodat(root, dir, Mode::RWXU, AtFlags::empty());
        }
    }
    let _ = rustix::fs::fchmod(root, Mode::RWXU);
    let index = index::NAME.as_bytes();
    for (path, found) in &scan.entries {
        if found.kind != Kind::Directory && path != index && goes(path, found) {
            let _ = rustix::fs::unlinkat(root, path, AtFlags::empty());
        }
    }
    for (dir, _) in scan.entries.iter().rev().filter(|(_, found)| found.kind == Kind::Directory) {
        let _ = rustix::fs::unlinkat(root, dir, AtFlags::REMOVEDIR);
    }
    // The index goes last: should we be killed before, it tells the next run what is ours.
    let only_index = Dir::read_from(root).is_ok_and(|dir| {
        dir.flatten().all(|entry| [b".".as_slice(), b"..", index].contains(&entry.file_name().to_bytes()))
    });
    if only_index {
        let _ = rustix::fs::unlinkat(root, index, AtFlags::empty());
    }
    match rustix::fs::unlinkat(target.parent(), name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => None,
        Err(_) => left,
    }
}

/// Whether the rest of a sibling's name is `PID-RANDOM`.
fn is_run(rest: &[u8]) -> bool {
    let mut parts = rest.split(|&b| b == b'-');
    let (pid, random) = (parts.next(), parts.next());
    parts.next().is_none()
        && pid.is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit))
        && random.is_some_and(|random| random.len() == 16 && random.iter().all(u8::is_ascii_hexdigit))
}
