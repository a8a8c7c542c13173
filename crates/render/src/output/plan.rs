//! What to do with each file, decided before anything is touched.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::index::{self, Digest, Index};
use super::scan::{self, Found, Kind, Scan, parents};
use super::target::Target;
use super::{OutputError, OutputFile, Written};

/// What becomes of the files that are rendered, and of what the directory holds.
pub(super) struct Plan {
    /// For each rendered file.
    pub(super) steps: Vec<Step>,
    /// Files of an earlier render that go.
    pub(super) removed: BTreeSet<Vec<u8>>,
    /// What is not ours and stays, directories apart.
    pub(super) carried: BTreeSet<Vec<u8>>,
    /// The directories of the new tree.
    pub(super) directories: BTreeSet<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Create,
    Change,
    Keep,
}

impl Plan {
    pub(super) fn new(
        target: &Target,
        scan: &Scan,
        old: Option<&Index>,
        files: &[&OutputFile<'_>],
        digests: &[Digest],
        overwrite: bool,
    ) -> Result<Self, OutputError> {
        let mut draft = Draft { target, scan, old, foreign: BTreeSet::new(), edited: BTreeSet::new() };
        let mut steps = Vec::with_capacity(files.len());
        for (file, digest) in files.iter().zip(digests) {
            steps.push(draft.step(file, *digest)?);
        }
        let ours: BTreeSet<&[u8]> = files.iter().map(|file| file.path.as_str().as_bytes()).collect();
        let removed = draft.removed(&ours)?;
        let lossless = draft.foreign.is_empty() && draft.edited.is_empty();
        if !lossless && !overwrite {
            let list = |paths: BTreeSet<Vec<u8>>| -> Vec<PathBuf> {
                paths.iter().map(|path| scan::join(std::path::Path::new(""), path)).collect()
            };
            return Err(OutputError::Conflict {
                dir: target.path().to_path_buf(),
                foreign: list(draft.foreign),
                edited: list(draft.edited),
            });
        }

        let carried: BTreeSet<_> = scan
            .entries
            .iter()
            .filter(|(path, found)| {
                found.kind != Kind::Directory
                    && path.as_slice() != index::NAME.as_bytes()
                    && !ours.contains(path.as_slice())
                    && !removed.contains(*path)
                    // A file where the new tree needs a directory was overwritten.
                    && !draft.foreign.contains(*path)
            })
            .map(|(path, _)| path.clone())
            .collect();
        let directories = directories(scan, old, &ours, &carried);
        Ok(Self { steps, removed, carried, directories })
    }

    /// Refuses what a new tree cannot hold: it would be lost with the old one.
    pub(super) fn check_carried(&self, target: &Target, scan: &Scan) -> Result<(), OutputError> {
        let device = scan.root.map(|root| root.device);
        for (path, found) in &scan.entries {
            let why = match found.kind {
                _ if found.mounted => "something is mounted there",
                _ if Some(found.device) != device => "it is on another device",
                Kind::Other(why) if self.carried.contains(path) => why,
                _ => continue,
            };
            let path = scan::join(target.path(), path);
            return Err(OutputError::CannotCarry { path, why: why.into() });
        }
        Ok(())
    }

    pub(super) fn tell(&self, files: &[&OutputFile<'_>], written: &mut Written) {
        for (file, step) in files.iter().zip(&self.steps) {
            let list = match step {
                Step::Create => &mut written.created,
                Step::Change => &mut written.changed,
                Step::Keep => &mut written.unchanged,
            };
            list.push(file.path.to_string());
        }
        written.removed =
            self.removed.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    }
}

struct Draft<'a> {
    target: &'a Target,
    scan: &'a Scan,
    old: Option<&'a Index>,
    foreign: BTreeSet<Vec<u8>>,
    edited: BTreeSet<Vec<u8>>,
}

impl Draft<'_> {
    fn step(&mut self, file: &OutputFile<'_>, digest: Digest) -> Result<Step, OutputError> {
        let path = file.path.as_str();
        let known = self.old.and_then(|old| old.digest(path));
        let Some(found) = self.scan.get(path) else {
            for parent in file.path.ancestors() {
                let Some(found) = self.scan.get(parent) else {
                    continue;
                };
                // A file of ours that becomes a directory is among the removed.
                let ours =
                    found.kind == Kind::File && self.old.is_some_and(|old| old.digest(parent).is_some());
                if found.kind != Kind::Directory && !ours {
                    self.foreign.insert(parent.as_bytes().to_vec());
                }
            }
            return Ok(Step::Create);
        };
        match (found.kind, known) {
            (Kind::Directory, _) => {
                let lost = found.mounted
                    || self.scan.below(path.as_bytes()).any(|(path, found)| !self.is_ours(path, found));
                let is_foreign = !self.holds_ours(path.as_bytes());
                if lost || is_foreign {
                    return Err(OutputError::DirectoryInTheWay { path: self.target.path().join(path) });
                }
                Ok(Step::Create)
            }
            (Kind::File, Some(known)) => {
                let bytes = self.read(path)?;
                if bytes == file.bytes {
                    return Ok(if found.mode == file.mode { Step::Keep } else { Step::Change });
                }
                // Where we would write what we wrote before, the difference is somebody's edit.
                if digest == known || Digest::of(&bytes) != known {
                    self.edited.insert(path.as_bytes().to_vec());
                }
                Ok(Step::Change)
            }
            (_, Some(_)) => {
                self.edited.insert(path.as_bytes().to_vec());
                Ok(Step::Change)
            }
            (_, None) => {
                self.foreign.insert(path.as_bytes().to_vec());
                Ok(Step::Change)
            }
        }
    }

    /// The files of the last render that are no longer rendered.
    fn removed(&mut self, ours: &BTreeSet<&[u8]>) -> Result<BTreeSet<Vec<u8>>, OutputError> {
        let mut removed = BTreeSet::new();
        for (path, known) in self.old.into_iter().flat_map(Index::files) {
            let path = path.as_str();
            // Replaced by something of another kind it is somebody else's, and stays.
            let is_file = self.scan.get(path).is_some_and(|found| found.kind == Kind::File);
            if !is_file || ours.contains(path.as_bytes()) {
                continue;
            }
            if Digest::of(&self.read(path)?) != known {
                self.edited.insert(path.as_bytes().to_vec());
            }
            removed.insert(path.as_bytes().to_vec());
        }
        Ok(removed)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, OutputError> {
        let root = self.target.root().expect("what was found in it is in a directory");
        scan::read(root, path.as_bytes())
            .map_err(|error| OutputError::io("read", self.target.path().join(path), error))
    }

    fn is_ours(&self, path: &[u8], found: &Found) -> bool {
        match found.kind {
            Kind::Directory => !found.mounted && self.holds_ours(path),
            Kind::File => {
                str::from_utf8(path).is_ok_and(|path| self.old.is_some_and(|old| old.digest(path).is_some()))
            }
            _ => false,
        }
    }

    fn holds_ours(&self, dir: &[u8]) -> bool {
        let old = self.old.into_iter().flat_map(Index::files);
        old.into_iter().any(|(path, _)| path.ancestors().any(|parent| parent.as_bytes() == dir))
    }
}

/// The directories of the new tree: those above its files, and those that were never ours.
fn directories(
    scan: &Scan,
    old: Option<&Index>,
    ours: &BTreeSet<&[u8]>,
    carried: &BTreeSet<Vec<u8>>,
) -> BTreeSet<Vec<u8>> {
    let mut held = BTreeSet::new();
    for (path, _) in old.into_iter().flat_map(Index::files) {
        held.extend(path.ancestors().map(str::as_bytes));
    }
    let own = scan
        .entries
        .iter()
        .filter(|(path, found)| found.kind == Kind::Directory && !held.contains(path.as_slice()));
    let own: Vec<&[u8]> = own.map(|(path, _)| path.as_slice()).collect();

    let mut directories = BTreeSet::new();
    let files = ours.iter().copied().chain(carried.iter().map(Vec::as_slice));
    for parent in files.chain(own.iter().copied()).flat_map(parents).chain(own.iter().copied()) {
        if !directories.contains(parent) {
            directories.insert(parent.to_vec());
        }
    }
    directories
}
