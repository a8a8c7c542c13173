//! What becomes of each file, rendered or found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::index::{self, Digest, Index};
use super::scan::{self, Kind, Scan, parents};
use super::target::Target;
use super::{OutputError, OutputFile, OutputPath, Written};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Create,
    Change,
    Keep,
}

/// What to do with one file, and what of others would be lost by it.
pub(super) struct Verdict {
    pub(super) step: Step,
    /// What is not ours, and in the way.
    pub(super) foreign: Vec<Vec<u8>>,
    /// Whether the file itself is ours, and was edited.
    pub(super) edited: bool,
}

impl Verdict {
    pub(super) fn new(step: Step) -> Self {
        Self { step, foreign: Vec::new(), edited: false }
    }
}

/// The files that were put so far.
#[derive(Default)]
pub(super) struct Draft {
    files: HashMap<OutputPath, (Digest, Step)>,
    /// The directories above them, and whether they are made.
    directories: HashMap<String, bool>,
    /// The directories at the top of the tree that hold a file which others may not read.
    guarded: BTreeSet<String>,
    foreign: BTreeSet<Vec<u8>>,
    edited: BTreeSet<Vec<u8>>,
}

impl Draft {
    /// Notes a file; refuses two of one path, and a file where another needs a directory.
    pub(super) fn add(
        &mut self,
        file: &OutputFile<'_>,
        digest: Digest,
        verdict: Verdict,
    ) -> Result<(), OutputError> {
        let path = file.path.as_str();
        let collision = |path: &str, below: &str| OutputError::FileAndDirectory {
            path: path.to_owned(),
            below: below.to_owned(),
        };
        // Where a directory is known, so are those above it.
        let new = file.path.ancestors().take_while(|parent| !self.directories.contains_key(*parent));
        let new: Vec<_> = new.map(str::to_owned).collect();
        if let Some(parent) = new.iter().find(|parent| self.files.contains_key(parent.as_str())) {
            return Err(collision(parent, path));
        }
        if self.directories.contains_key(path) {
            let below = self.files.keys().filter(|file| file.ancestors().any(|parent| parent == path)).min();
            return Err(collision(path, below.map_or(path, OutputPath::as_str)));
        }
        self.directories.extend(new.into_iter().map(|parent| (parent, false)));
        if self.files.insert(file.path.clone(), (digest, verdict.step)).is_some() {
            return Err(OutputError::Duplicate { path: path.to_owned() });
        }
        if file.mode & 0o077 == 0
            && let Some((top, _)) = path.split_once('/')
            && !self.guarded.contains(top)
        {
            self.guarded.insert(top.to_owned());
        }
        self.foreign.extend(verdict.foreign);
        if verdict.edited {
            self.edited.insert(path.as_bytes().to_vec());
        }
        Ok(())
    }

    /// Whether nothing will be written, as something would be lost.
    pub(super) fn is_refused(&self, overwrite: bool) -> bool {
        !(overwrite || self.foreign.is_empty() && self.edited.is_empty())
    }

    /// The directories above a file that nobody makes yet, the outermost first; whoever asks
    /// makes them.
    pub(super) fn missing_parents(&mut self, file: &OutputFile<'_>) -> Vec<String> {
        let mut missing = Vec::new();
        for dir in file.path.ancestors() {
            match self.directories.get_mut(dir) {
                Some(made @ false) => *made = true,
                _ => break,
            }
            missing.push(dir.to_owned());
        }
        missing.reverse();
        missing
    }
}

/// What becomes of the files that were rendered, and of what the directory holds.
pub(super) struct Plan {
    pub(super) written: Written,
    /// The files that are rendered.
    pub(super) index: Index,
    /// What is not ours and stays, directories apart.
    pub(super) carried: BTreeSet<Vec<u8>>,
    /// The directories of the new tree, and whether they are made already.
    pub(super) directories: BTreeMap<Vec<u8>, bool>,
    /// The directories at the top of the tree that hold a file which others may not read. Their
    /// names within can tell of its content, so nobody else looks in.
    pub(super) guarded: BTreeSet<String>,
}

impl Plan {
    /// Decides, once all files are known; `held` are the directories of the last render.
    pub(super) fn new(
        target: &Target,
        scan: &Scan,
        old: Option<&Index>,
        held: &HashSet<String>,
        draft: Draft,
        overwrite: bool,
    ) -> Result<Self, OutputError> {
        let mut draft = draft;
        let removed = removed(target, scan, old, &mut draft)?;
        if draft.is_refused(overwrite) {
            let list = |paths: BTreeSet<Vec<u8>>| -> Vec<PathBuf> {
                paths.iter().map(|path| scan::join(Path::new(""), path)).collect()
            };
            return Err(OutputError::Conflict {
                dir: target.path().to_path_buf(),
                foreign: list(draft.foreign),
                edited: list(draft.edited),
            });
        }
        let Draft { files, directories: above, guarded, foreign, .. } = draft;
        let is_rendered = |path: &[u8]| str::from_utf8(path).is_ok_and(|path| files.contains_key(path));
        let carried: BTreeSet<_> = scan
            .entries
            .iter()
            .filter(|(path, found)| {
                found.kind != Kind::Directory
                    && path.as_slice() != index::NAME.as_bytes()
                    && !is_rendered(path)
                    && !removed.contains(*path)
                    // A file where the new tree needs a directory was overwritten.
                    && !foreign.contains(*path)
            })
            .map(|(path, _)| path.clone())
            .collect();

        let mut written = Written::default();
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (path, (_, step)) in &files {
            let list = match step {
                Step::Create => &mut written.created,
                Step::Change => &mut written.changed,
                Step::Keep => &mut written.unchanged,
            };
            list.push(path.to_string());
        }
        let index = Index::new(files.into_iter().map(|(path, (digest, _))| (path, digest)).collect());
        written.removed = removed.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();

        let linked = written.unchanged.iter().map(String::as_bytes).chain(carried.iter().map(Vec::as_slice));
        let missing = directories(scan, held, linked);
        let mut directories: BTreeMap<_, _> = missing.into_iter().map(|dir| (dir.to_vec(), false)).collect();
        let made = above.into_iter().filter(|(_, made)| *made);
        directories.extend(made.map(|(dir, made)| (dir.into_bytes(), made)));
        Ok(Self { written, index, carried, directories, guarded })
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
}

/// The files of the last render that are no longer rendered.
fn removed(
    target: &Target,
    scan: &Scan,
    old: Option<&Index>,
    draft: &mut Draft,
) -> Result<BTreeSet<Vec<u8>>, OutputError> {
    let mut removed = BTreeSet::new();
    for (path, known) in old.into_iter().flat_map(Index::files) {
        // Replaced by something of another kind it is somebody else's, and stays.
        let is_file = scan.get(path.as_str()).is_some_and(|found| found.kind == Kind::File);
        if !is_file || draft.files.contains_key(path) {
            continue;
        }
        let path = path.as_str();
        if Digest::of(&scan::read_in(target, path)?) != known {
            draft.edited.insert(path.as_bytes().to_vec());
        }
        removed.insert(path.as_bytes().to_vec());
    }
    Ok(removed)
}

/// The directories above these files, and those that were never ours.
fn directories<'a>(
    scan: &'a Scan,
    held: &HashSet<String>,
    files: impl Iterator<Item = &'a [u8]>,
) -> BTreeSet<&'a [u8]> {
    let is_held = |path: &[u8]| str::from_utf8(path).is_ok_and(|path| held.contains(path));
    let own = scan.entries.iter().filter(|(path, found)| found.kind == Kind::Directory && !is_held(path));
    let own: Vec<&[u8]> = own.map(|(path, _)| path.as_slice()).collect();

    let mut directories: BTreeSet<&[u8]> = own.iter().copied().collect();
    directories.extend(files.chain(own).flat_map(parents));
    directories
}
