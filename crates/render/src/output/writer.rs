//! Takes the files one by one and stages them at once, so that no more than one is held at a time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::index::{Digest, Index};
use super::plan::{Draft, Plan, Step, Verdict};
use super::scan::{self, Kind, Scan};
use super::stage::Staging;
use super::target::Target;
use super::{Options, OutputError, OutputFile, Written, retire};

/// An output directory that is being written; locked while this lives.
///
/// Files come in any order, and from as many threads as like. They are staged as they come; the
/// directory itself stays as it is until [`finish`](Self::finish), and for good where that is never
/// called.
///
/// ```
/// use stageplot_render::output::{Options, OutputFile, Writer};
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("out");
/// let writer = Writer::open(&dir, Options::default())?;
/// writer.put(&OutputFile::new("media-1/compose.yaml", b"services: {}\n", 0o644)?)?;
/// assert!(!dir.exists());
/// assert_eq!(writer.finish()?.created, ["media-1/compose.yaml"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer {
    target: Target,
    scan: Scan,
    /// The files of the last render that this one replaces.
    old: Option<Index>,
    /// The directories above those.
    held: HashSet<String>,
    /// What the last render wrote elsewhere, and stays.
    elsewhere: Index,
    overwrite: bool,
    left_behind: Vec<PathBuf>,
    /// Made for the first file that is to be written: where nothing changes, nothing is touched.
    staging: OnceLock<Staging>,
    draft: Mutex<Draft>,
}

impl Writer {
    /// Locks the directory, removes what killed runs left beside it, and looks at what is in it.
    ///
    /// # Errors
    ///
    /// See [`OutputError`].
    pub fn open(dir: &Path, options: Options<'_>) -> Result<Self, OutputError> {
        let target = Target::lock(dir)?;
        let left_behind = retire::stale(&target)?;
        let scan = target.root().map_or_else(|| Ok(Scan::default()), |root| Scan::of(root, target.path()))?;
        let old = Index::read(&target, &scan, options.overwrite)?;
        let (old, elsewhere) = old.map(|old| old.split(options.within)).unzip();
        let mut held = HashSet::new();
        for (path, _) in old.iter().flat_map(Index::files) {
            // Where a directory is known, so are those above it.
            let new = path.ancestors().take_while(|parent| !held.contains(*parent));
            let new: Vec<_> = new.map(str::to_owned).collect();
            held.extend(new);
        }
        Ok(Self {
            target,
            scan,
            old,
            held,
            elsewhere: elsewhere.unwrap_or_default(),
            overwrite: options.overwrite,
            left_behind,
            staging: OnceLock::new(),
            draft: Mutex::default(),
        })
    }

    /// Takes one file.
    ///
    /// # Errors
    ///
    /// See [`OutputError`]. Files that would be lost are told by [`finish`](Self::finish), all of
    /// them together.
    pub fn put(&self, file: &OutputFile<'_>) -> Result<(), OutputError> {
        let digest = Digest::of(file.bytes);
        let verdict = self.judge(file, digest)?;
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        let step = verdict.step;
        draft.add(file, digest, verdict)?;
        if step == Step::Keep || draft.is_refused(self.overwrite) {
            return Ok(());
        }
        let staging = match self.staging.get() {
            Some(staging) => staging,
            None => {
                let staging = Staging::new(&self.target)?;
                self.staging.get_or_init(|| staging)
            }
        };
        let missing = draft.missing_parents(file);
        // The others need not wait for the disk.
        drop(draft);
        for dir in missing {
            staging.make_directory(dir.as_bytes())?;
        }
        staging.create(file.path.as_str().as_bytes(), file.bytes, file.mode)
    }

    /// Makes the directory hold the files that were put, beside what is in it and not ours.
    ///
    /// Directories that are made get mode 0755, or at the top of the tree 0700 where a file within
    /// may not be read by others; those that exist keep theirs. Where nothing changed nothing is
    /// touched.
    ///
    /// # Errors
    ///
    /// See [`OutputError`]. After an error the directory is as it was, and the staging is gone.
    pub fn finish(self) -> Result<Written, OutputError> {
        let Self { target, scan, old, held, elsewhere, overwrite, left_behind, staging, draft } = self;
        let draft = draft.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut plan = Plan::new(&target, &scan, old.as_ref(), &held, draft, overwrite)?;
        if plan.written.is_noop() && target.root().is_some() && old.as_ref() == Some(&plan.index) {
            return Ok(Written { left_behind, ..plan.written });
        }
        plan.check_carried(&target, &scan)?;
        let staging = match staging.into_inner() {
            Some(staging) => staging,
            None => Staging::new(&target)?,
        };
        let index = elsewhere.join(std::mem::take(&mut plan.index));
        staging.complete(&target, &plan, &scan, &index)?;
        let mut written = Written { left_behind, ..plan.written };
        if let Some(old_tree) = staging.exchange(&target)?
            && let Some(left) = retire::old_tree(&target, &old_tree, &scan)
        {
            written.left_behind.push(left);
        }
        Ok(written)
    }

    /// What to do with a file, and what would be lost by it.
    fn judge(&self, file: &OutputFile<'_>, digest: Digest) -> Result<Verdict, OutputError> {
        let path = file.path.as_str();
        let known = self.old.as_ref().and_then(|old| old.digest(path));
        let Some(found) = self.scan.get(path) else {
            let mut verdict = Verdict::new(Step::Create);
            for parent in file.path.ancestors() {
                let Some(found) = self.scan.get(parent) else {
                    continue;
                };
                // A file of ours that becomes a directory is among the removed.
                let ours = found.kind == Kind::File && self.is_known(parent);
                if found.kind != Kind::Directory && !ours {
                    verdict.foreign.push(parent.as_bytes().to_vec());
                }
            }
            return Ok(verdict);
        };
        let mut verdict = Verdict::new(Step::Change);
        match (found.kind, known) {
            (Kind::Directory, _) => {
                let mut below = self.scan.below(path.as_bytes());
                let lost = found.mounted || below.any(|(path, found)| !self.is_ours(path, found));
                if lost || !self.held.contains(path) {
                    return Err(OutputError::DirectoryInTheWay { path: self.target.path().join(path) });
                }
                verdict.step = Step::Create;
            }
            (Kind::File, Some(known)) => {
                let bytes = scan::read_in(&self.target, path)?;
                if bytes == file.bytes {
                    if found.mode == file.mode {
                        verdict.step = Step::Keep;
                    }
                } else {
                    // Where we would write what we wrote before, the difference is somebody's edit.
                    verdict.edited = digest == known || Digest::of(&bytes) != known;
                }
            }
            (_, Some(_)) => verdict.edited = true,
            (_, None) => verdict.foreign.push(path.as_bytes().to_vec()),
        }
        Ok(verdict)
    }

    fn is_known(&self, path: &str) -> bool {
        self.old.as_ref().is_some_and(|old| old.digest(path).is_some())
    }

    fn is_ours(&self, path: &[u8], found: &scan::Found) -> bool {
        let Ok(path) = str::from_utf8(path) else { return false };
        match found.kind {
            Kind::Directory => !found.mounted && self.held.contains(path),
            Kind::File => self.is_known(path),
            _ => false,
        }
    }
}
