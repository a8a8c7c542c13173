//! Why an output directory could not be written.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// An output directory that could not be written; it is as it was.
///
/// The message fits "failed to {error}"; [`help`](Self::help) says how to mend it.
///
/// ```
/// use stageplot_render::output::{self, Options, OutputError};
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("nowhere").join("out");
/// let error = output::write(&dir, &[], Options::default()).expect_err("it has no parent");
/// assert!(matches!(error, OutputError::ParentMissing { .. }));
/// assert!(error.to_string().starts_with("create "));
/// assert_eq!(error.help(), "create the parent directory first");
/// # Ok::<(), std::io::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Two files have one path.
    #[error("render {path}: two files have this path")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// One file's path is a directory of another's.
    #[error("render {path} as a file: {below} needs it as a directory")]
    FileAndDirectory {
        /// The path of the file.
        path: String,
        /// The file below it.
        below: String,
    },
    /// The directory's parent does not exist.
    #[error("create {}: {} is not a directory", dir.display(), parent.display())]
    ParentMissing {
        /// The output directory.
        dir: PathBuf,
        /// Its parent.
        parent: PathBuf,
    },
    /// Something that is not a directory has the directory's name.
    #[error("write into {}: it is not a directory", dir.display())]
    NotADirectory {
        /// The output directory.
        dir: PathBuf,
    },
    /// The directory is a mount point, or the root: nothing can be exchanged for it.
    #[error("replace {}: it is a mount point", dir.display())]
    MountPoint {
        /// The output directory.
        dir: PathBuf,
    },
    /// Another process is writing the directory.
    #[error("lock {}: another run is writing it", dir.display())]
    Busy {
        /// The output directory.
        dir: PathBuf,
    },
    /// Files would be lost that are not ours, or not as we wrote them.
    #[error("write {} without losing files: {}", dir.display(), conflicts(foreign, edited))]
    Conflict {
        /// The output directory.
        dir: PathBuf,
        /// Files that we did not write, where we want to write.
        foreign: Vec<PathBuf>,
        /// Files that we wrote, and somebody has edited since.
        edited: Vec<PathBuf>,
    },
    /// A directory with files that are not ours is where a file of ours belongs.
    #[error("write {}: a directory with other files is there", path.display())]
    DirectoryInTheWay {
        /// The path.
        path: PathBuf,
    },
    /// The directory holds something that cannot be carried over into the new tree.
    #[error("carry over {}: {why}", path.display())]
    CannotCarry {
        /// What cannot be carried.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The index of the directory cannot be understood.
    #[error("read the index {}: {why}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file of the tree is larger than what was ever rendered.
    #[error("read {}: it has more than 64 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot exchange two directories.
    #[error("exchange {} for the new tree: the file system cannot exchange directories", dir.display())]
    ExchangeUnsupported {
        /// The output directory.
        dir: PathBuf,
    },
    /// Permission was denied.
    #[error("{doing} {}: permission denied", path.display())]
    Denied {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// The disk, or the user's share of it, is full.
    #[error("{doing} {}: no space left", path.display())]
    Full {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// The file system is mounted read-only.
    #[error("{doing} {}: the file system is read-only", path.display())]
    ReadOnly {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// Any other failure of the operating system.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OutputError {
    /// Says how to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } | Self::FileAndDirectory { .. } => "rename one of the two files",
            Self::ParentMissing { .. } => "create the parent directory first",
            Self::NotADirectory { .. } => "choose another output directory, or move what is there away",
            Self::MountPoint { .. } => "choose a directory inside of it",
            Self::Busy { .. } => "wait until the other run is done, and try again",
            Self::Conflict { .. } => {
                "move these files away or take your edits into the plot or its templates; \
                 or overwrite them, and what is in them is lost"
            }
            Self::DirectoryInTheWay { .. } => "move the directory away",
            Self::CannotCarry { .. } => "move it out of the output directory, or choose another one",
            Self::Index { .. } => {
                "restore the file; or overwrite, and every file that is in the way counts as not ours"
            }
            Self::TooLarge { .. } => "render the tree again",
            Self::ExchangeUnsupported { .. } => {
                "choose a directory on a local file system, such as ext4, xfs, btrfs or tmpfs"
            }
            Self::Denied { .. } => {
                "run as the owner of the directory and of its parent, or choose another directory"
            }
            Self::Full { .. } => "make room: the new tree stands beside the old one for a moment",
            Self::ReadOnly { .. } => "choose a directory on a file system that can be written",
            Self::Io { source, .. } => match Errno::from_io_error(source) {
                Some(Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    "nothing can be made there, as below /proc: choose another directory"
                }
                _ => "look into what the system says, or choose another directory",
            },
        }
    }

    pub(super) fn io(doing: &'static str, path: impl AsRef<Path>, error: impl Into<io::Error>) -> Self {
        let (path, source) = (path.as_ref().to_path_buf(), error.into());
        match Errno::from_io_error(&source) {
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied { doing, path },
            Some(Errno::NOSPC | Errno::DQUOT) => Self::Full { doing, path },
            Some(Errno::ROFS) => Self::ReadOnly { doing, path },
            _ => Self::Io { doing, path, source },
        }
    }
}

fn conflicts(foreign: &[PathBuf], edited: &[PathBuf]) -> String {
    let list = |paths: &[PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    match (foreign.is_empty(), edited.is_empty()) {
        (false, true) => format!("not written by stageplot: {}", list(foreign)),
        (true, false) => format!("edited since they were written: {}", list(edited)),
        _ => format!(
            "not written by stageplot: {}; edited since they were written: {}",
            list(foreign),
            list(edited)
        ),
    }
}
