//! Reading back what was rendered.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::index::{Digest, Index, NAME};
use super::scan::DIRECTORY;
use super::{OutputError, OutputPath};

/// A file that an earlier render wrote, as it is now.
///
/// See [`read`].
#[non_exhaustive]
pub struct TreeFile {
    /// Where it stands in the tree.
    pub path: OutputPath,
    /// What it holds; none where somebody has removed it, or put something in its
    /// place that is not a file.
    pub bytes: Option<Vec<u8>>,
    digest: Digest,
}

impl TreeFile {
    /// Whether it is not as it was rendered.
    pub fn is_edited(&self) -> bool {
        self.bytes.as_ref().is_none_or(|bytes| Digest::of(bytes) != self.digest)
    }
}

impl std::fmt::Debug for TreeFile {
    /// Leaves the content out: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TreeFile({:?})", self.path)
    }
}

/// Reads the files that earlier renders wrote into a directory, in the order of
/// paths; none where nothing was rendered there.
///
/// Links are not followed, so that nothing outside of the directory is read.
///
/// ```
/// use stageplot_render::output::{self, Options, OutputFile};
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("out");
/// output::write(&dir, &[OutputFile::new("front/a", b"1", 0o644)?], Options::default())?;
/// std::fs::write(dir.join("front/a"), "edited")?;
/// for file in output::read(&dir)?.ok_or("nothing was rendered there")? {
///     assert_eq!((file.path.as_str(), file.bytes.as_deref()), ("front/a", Some(&b"edited"[..])));
///     assert!(file.is_edited());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The directory, its index or a file of it cannot be read; or a file has more
/// than 64 MiB.
pub fn read(dir: &Path) -> Result<Option<Vec<TreeFile>>, OutputError> {
    let root =
        rustix::fs::open(dir, DIRECTORY - OFlags::NOFOLLOW, Mode::empty()).map_err(|error| match error {
            Errno::NOTDIR => OutputError::NotADirectory { dir: dir.to_owned() },
            error => OutputError::io("open", dir, error),
        })?;
    let mut reader = Reader { dir, root, near: None };
    let Some(index) = reader.read(NAME)? else { return Ok(None) };
    let index = Index::parse(&index).map_err(|why| OutputError::Index { path: dir.join(NAME), why })?;
    let files = index.files().map(|(path, digest)| {
        Ok(TreeFile { path: path.clone(), bytes: reader.read(path.as_str())?, digest })
    });
    files.collect::<Result<_, _>>().map(Some)
}

/// Whether something was rendered into a directory.
///
/// ```
/// use stageplot_render::output::{self, Options, OutputFile};
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("out");
/// assert!(!output::is_tree(&dir));
/// output::write(&dir, &[OutputFile::new("front/a", b"1", 0o644)?], Options::default())?;
/// assert!(output::is_tree(&dir) && dir.join(output::INDEX).exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn is_tree(dir: &Path) -> bool {
    dir.join(NAME).symlink_metadata().is_ok_and(|meta| meta.is_file())
}

struct Reader<'a> {
    dir: &'a Path,
    root: OwnedFd,
    /// The directory of the file that was read last.
    near: Option<(String, OwnedFd)>,
}

impl Reader<'_> {
    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, OutputError> {
        let fail = |error| OutputError::io("read", self.dir.join(path), error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = match path.rsplit_once('/') {
            None => rustix::fs::openat(&self.root, path, flags, Mode::empty()),
            Some((parent, name)) => match self.open(parent) {
                Ok(parent) => rustix::fs::openat(parent, name, flags, Mode::empty()),
                Err(error) => Err(error),
            },
        };
        let file = match opened {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(error) => return Err(OutputError::io("read", self.dir.join(path), error)),
        };
        let meta = file.metadata().map_err(fail)?;
        if !meta.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(MAX_FILE)).unwrap_or(0) + 1);
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| OutputError::io("read", self.dir.join(path), error))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(OutputError::TooLarge { path: self.dir.join(path) });
        }
        Ok(Some(bytes))
    }

    /// Opens a directory, name by name, following no link.
    fn open(&mut self, path: &str) -> Result<&OwnedFd, Errno> {
        if self.near.as_ref().is_none_or(|(near, _)| near != path) {
            let mut names = path.split('/');
            let open = |at: &OwnedFd, name| rustix::fs::openat(at, name, DIRECTORY, Mode::empty());
            let first = open(&self.root, names.next().unwrap_or_default())?;
            let dir = names.try_fold(first, |at, name| open(&at, name))?;
            self.near = Some((path.to_owned(), dir));
        }
        Ok(self.near.as_ref().map_or(&self.root, |(_, dir)| dir))
    }
}

/// The most bytes of a file that is read back.
const MAX_FILE: u64 = 64 << 20;
