//! Files of a git revision, through the user's own git.
//!
//! Blobs are read by their ids and written to a directory of their own: working tree,
//! index and configuration are left alone, and no hook or filter is run.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use stageplot_render::output::{INDEX, OutputPath};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::process::{self, Bounds};

/// A revision of a repository, with copies of those of its files that were asked for.
/// The copies are gone on drop.
pub(super) struct Revision {
    /// As the user calls it.
    name: String,
    /// A directory of the repository.
    near: PathBuf,
    /// Its files, at their paths from the top of the repository.
    copies: TempDir,
}

/// What stands at a path of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
}

/// How much of a directory is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What is in it.
    Files,
    /// What is in it and below.
    All,
}

/// A file of a revision.
struct Blob {
    id: String,
    size: usize,
    /// From the directory that was listed.
    path: String,
}

/// Splits `REV:PATH`; a colon in the braces of `@{…}` is not the one.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let at = text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (c == ':' && depth == 0).then_some(at)
    })?;
    Some((&text[..at], &text[at + 1..]))
}

impl Revision {
    /// The revision of that name, in the repository that a directory is in.
    pub(super) fn find(name: &str, near: &Path) -> Result<Self, Failure> {
        let help = "write REV:PATH, such as HEAD:stageplot.toml or main:deploy";
        if name.is_empty() || name.starts_with('-') {
            return Err(Failure::new(format!("{name:?} is no revision")).help(help));
        }
        let near = if near.as_os_str().is_empty() { Path::new(".") } else { near };
        let copies = tempfile::tempdir().map_err(|error| Failure::write(&std::env::temp_dir(), &error))?;
        let revision = Self { name: name.to_owned(), near: near.to_owned(), copies };
        if revision.git(&["rev-parse", "--git-dir"], None)?.is_none() {
            let place = std::path::absolute(near).unwrap_or_else(|_| near.to_owned());
            return Err(Failure::new(format!("{} is in no git repository", place.display()))
                .help("compare two plots, or two rendered trees"));
        }
        if revision.git(&["rev-parse", "--quiet", "--verify", &format!("{name}^{{tree}}")], None)?.is_none() {
            if revision.git(&["rev-list", "--max-count=1", "--all"], None)?.is_some_and(|ids| ids.is_empty())
            {
                return Err(Failure::new("the git repository has no commit yet")
                    .help("commit first, or name both sides"));
            }
            return Err(Failure::new(format!("git knows no revision {name} here"))
                .help("in CI, fetch it first: a shallow clone has the last commit alone"));
        }
        Ok(revision)
    }

    /// A path from the top of the repository, as plain names. One that begins with `./`
    /// or `../` is from the directory, as git has it.
    pub(super) fn path(&self, path: &str) -> Result<String, Failure> {
        let from_here = path.split('/').next().is_some_and(|first| matches!(first, "." | ".."));
        let prefix = if from_here { self.prefix()? } else { String::new() };
        plain(Path::new(&format!("{prefix}{path}")))
            .ok_or_else(|| Failure::new(format!("{}:{path} leads out of the repository", self.name)))
    }

    /// The directory's own path from the top of the repository; empty, or with `/` at its
    /// end.
    pub(super) fn prefix(&self) -> Result<String, Failure> {
        let prefix = self.git(&["rev-parse", "--show-prefix"], None)?.unwrap_or_default();
        text(prefix).map(|prefix| prefix.trim_end_matches('\n').to_owned())
    }

    /// What stands at a path.
    pub(super) fn kind(&self, path: &str) -> Result<Option<Kind>, Failure> {
        let Some(kind) = self.git(&["cat-file", "-t", &format!("{}:{path}", self.name)], None)? else {
            return Ok(None);
        };
        Ok(match kind.trim_ascii() {
            b"blob" => Some(Kind::File),
            b"tree" => Some(Kind::Directory),
            _ => None,
        })
    }

    /// Copies a directory's files, and says where they are. Links and submodules are left
    /// out.
    pub(super) fn copy(&self, directory: &str, depth: Depth) -> Result<PathBuf, Failure> {
        let to = self.copies.path().join(directory);
        let blobs = self.list(directory, depth)?;
        let mut ids = tempfile::tempfile().map_err(|error| Failure::write(&to, &error))?;
        for blob in &blobs {
            writeln!(ids, "{}", blob.id).map_err(|error| Failure::write(&to, &error))?;
        }
        ids.rewind().map_err(|error| Failure::write(&to, &error))?;
        let strange = || Failure::new(format!("git cat-file says what is not understood of {}", self.name));
        let bytes = self.git(&["cat-file", "--batch"], Some(ids))?.ok_or_else(strange)?;
        let mut rest = bytes.as_slice();
        fs::create_dir_all(&to).map_err(|error| Failure::write(&to, &error))?;
        for blob in &blobs {
            // `ID blob SIZE`, a newline, the content, a newline.
            let header = format!("{} blob {}\n", blob.id, blob.size);
            let content = rest.strip_prefix(header.as_bytes()).ok_or_else(strange)?;
            let (content, after) = content.split_at_checked(blob.size).ok_or_else(strange)?;
            rest = after.strip_prefix(b"\n").ok_or_else(strange)?;
            let path = to.join(&blob.path);
            write(&path, content).map_err(|error| Failure::write(&path, &error))?;
        }
        Ok(to)
    }

    /// The files of a directory. Paths that would lead out of a copy are refused.
    fn list(&self, directory: &str, depth: Depth) -> Result<Vec<Blob>, Failure> {
        let tree = format!("{}:{directory}", self.name);
        let mut arguments = vec!["ls-tree", "-z", "--long", "--full-tree"];
        if depth == Depth::All {
            arguments.push("-r");
        }
        arguments.push(&tree);
        let listing = self.git(&arguments, None)?;
        let listing = text(listing.ok_or_else(|| Failure::new(format!("git cannot list {tree}")))?)?;
        let (mut blobs, mut total) = (Vec::new(), 0_usize);
        for entry in listing.split_terminator('\0') {
            let strange = || Failure::new(format!("git ls-tree says what is not understood: {entry:?}"));
            let (about, path) = entry.split_once('\t').ok_or_else(strange)?;
            let [mode, _, id, size] = about.split_ascii_whitespace().collect::<Vec<_>>()[..] else {
                return Err(strange());
            };
            if !matches!(mode, "100644" | "100755") {
                continue;
            }
            let size: usize = size.parse().map_err(|_| strange())?;
            // What lies beside a plot and is as large as no plot is something else.
            if depth == Depth::Files && size > MAX_BESIDE {
                continue;
            }
            // The index of a rendered tree is no path for what is rendered.
            if path != INDEX && OutputPath::parse(path).is_err() {
                return Err(Failure::new(format!("{tree} has a file that is called {path:?}")));
            }
            total = total.saturating_add(size);
            if total > MAX_TOTAL {
                return Err(Failure::new(format!("{tree} has more than {} MiB", MAX_TOTAL >> 20)));
            }
            blobs.push(Blob { id: id.to_owned(), size, path: path.to_owned() });
        }
        Ok(blobs)
    }

    /// What git prints; none where it fails.
    fn git(&self, arguments: &[&str], input: Option<fs::File>) -> Result<Option<Vec<u8>>, Failure> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.near).args(arguments);
        // Nothing is written, and nobody is asked.
        git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
        git.stdin(input.map_or_else(Stdio::null, Stdio::from)).stderr(Stdio::null());
        let bounds = Bounds { deadline: DEADLINE, output: MAX_TOTAL + (MAX_TOTAL >> 2) };
        let (bytes, status) =
            process::output(&mut git, bounds).map_err(|why| Failure::new(format!("git {why}")))?;
        Ok(status.success().then_some(bytes))
    }
}

/// A path as plain names joined with `/`; none where it leads out of where it begins.
pub(super) fn plain(path: &Path) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(names.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(names.join("/"))
}

/// Writes a file that is not there yet; the directories above are ours alone.
fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().write(true).create(true).truncate(true).open(path)?.write_all(content)
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::new("git names a path that is not UTF-8"))
}

/// How long git may take for one thing.
const DEADLINE: Duration = Duration::from_secs(60);

/// The most bytes of a revision that are copied.
const MAX_TOTAL: usize = 256 << 20;

/// The most bytes of a file beside a plot.
const MAX_BESIDE: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_parts_revision_and_path() {
        assert_eq!(split("main:deploy/stageplot.toml"), Some(("main", "deploy/stageplot.toml")));
        assert_eq!(split("main@{2026-11-01 12:00}:a:b"), Some(("main@{2026-11-01 12:00}", "a:b")));
        assert_eq!(split("deploy/stageplot.toml"), None);
    }

    #[test]
    fn no_path_leads_out() {
        assert_eq!(plain(Path::new("a/./b/../c/")).as_deref(), Some("a/c"));
        for path in ["..", "a/../../b", "/a"] {
            assert_eq!(plain(Path::new(path)), None, "{path}");
        }
    }
}
