//! The files of a machine, each beside its like of the other side.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::contents::Contents;
use super::side::{self, File, NodeFiles};
use super::{FieldChange, FileDiff, Status, Which};
use crate::ManifestEntry;

/// The files of a machine by their paths without the directories that are named by
/// content: `services/sfu/1874ac6d3a76/livekit.yaml` is `services/sfu/livekit.yaml`.
#[derive(Default)]
pub(super) struct Files<'a> {
    files: BTreeMap<String, Found<'a>>,
    /// Directories that are named by content, and the names that they have here.
    directories: BTreeMap<&'a str, String>,
    /// Seals that are left out of account.
    without: &'a [String],
}

/// A file of a machine.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    /// Where it stands in the bundle.
    path: &'a str,
    file: &'a File,
    entry: Option<&'a ManifestEntry<'static>>,
}

impl<'a> Files<'a> {
    /// The files of a machine, those of a service by the name that `called` gives it, all
    /// without these seals.
    pub(super) fn of(
        node: &'a NodeFiles,
        without: &'a [String],
        called: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut all = Self { without, ..Self::default() };
        for (path, file) in &node.files {
            let found = Found { path, file, entry: node.manifest.files.get(path.as_str()) };
            let (directory, rest) = by_content(path).unwrap_or(("", path));
            let logical = match directory.rsplit_once('/') {
                Some((plain, _)) => format!("{plain}/{rest}"),
                None => rest.to_owned(),
            };
            let logical =
                match logical.split_once('/').and_then(|(top, rest)| Some((top, rest.split_once('/')?))) {
                    Some((top @ ("services" | "live"), (service, rest))) => match called(service) {
                        Some(name) => format!("{top}/{name}/{rest}"),
                        None => logical,
                    },
                    _ => logical,
                };
            if let Some((plain, _)) = directory.rsplit_once('/') {
                all.directories.insert(directory, plain.to_owned());
            }
            all.insert(logical, found);
        }
        all
    }

    /// A service may have two files of one name in two directories: its `env`, which is
    /// private, and one that the user adds.
    fn insert(&mut self, path: String, found: Found<'a>) {
        let Some(other) = self.files.insert(path.clone(), found) else { return };
        let private = |found: &Found<'_>| found.entry.is_some_and(|entry| entry.mode == "0400");
        let (first, second) = if private(&found) { (found, other) } else { (other, found) };
        self.files.insert(format!("{path} (2)"), second);
        self.files.insert(path, first);
    }

    /// What a file holds, where it is there.
    pub(super) fn bytes(&self, path: &str) -> Option<Cow<'a, [u8]>> {
        let found = self.files.get(path)?;
        let bytes = found.file.bytes()?;
        let Ok(text) = std::str::from_utf8(bytes) else { return Some(bytes.into()) };
        // Only what is about several services names their directories.
        let is_own = found.entry.is_some_and(|entry| entry.service.is_some());
        let directories = self.directories.iter().filter(|_| !is_own);
        let directories = directories.map(|(directory, plain)| (*directory, plain.as_str()));
        let seals = self.without.iter().map(|seal| (seal.as_str(), ""));
        let plain = directories.chain(seals).fold(Cow::Borrowed(text), |text, (from, to)| {
            if text.contains(from) { Cow::Owned(text.replace(from, to)) } else { text }
        });
        Some(match plain {
            Cow::Borrowed(text) => text.as_bytes().into(),
            Cow::Owned(text) => text.into_bytes().into(),
        })
    }

    /// Whether a file belongs there, be it there or not.
    pub(super) fn names(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Compares with the files of the other side.
    pub(super) fn compare(&self, after: &Self) -> Vec<FileDiff> {
        let mut paths: Vec<_> = self.files.keys().chain(after.files.keys()).collect();
        paths.sort();
        paths.dedup();
        paths.into_iter().filter_map(|path| self.pair(after, path)).collect()
    }

    fn pair(&self, other: &Self, path: &str) -> Option<FileDiff> {
        let (old, new) = (self.files.get(path), other.files.get(path));
        let (before, after) = (self.bytes(path), other.bytes(path));
        let status = match (&before, &after) {
            (Some(_), Some(_)) => Status::Changed,
            (Some(_), None) => Status::Removed,
            (None, Some(_)) => Status::Added,
            (None, None) => return None,
        };
        let contents = match (&before, &after) {
            (Some(before), Some(after)) => Contents::compare(path, before, after),
            // Where a machine is new or gone, all is.
            _ if self.files.is_empty() || other.files.is_empty() => Contents::other(),
            (Some(bytes), _) => Contents::only(path, bytes, Which::Before),
            (None, Some(bytes)) => Contents::only(path, bytes, Which::After),
            (None, None) => Contents::other(),
        };
        let (old_entry, new_entry) = (old.and_then(|old| old.entry), new.and_then(|new| new.entry));
        let about = match (old_entry, new_entry) {
            (Some(old), Some(new)) if status == Status::Changed => about(old, new),
            _ => Vec::new(),
        };
        let directory = |found: Option<&Found<'a>>| by_content(found?.path)?.0.rsplit('/').next();
        let rewritten = !contents.differ && before != after && directory(old) != directory(new);
        if !contents.differ && !rewritten && about.is_empty() {
            return None;
        }
        let entry = new_entry.or(old_entry);
        Some(FileDiff {
            service: entry.and_then(|entry| entry.service.as_deref()).map(str::to_owned),
            change: entry.map(|entry| entry.change),
            about,
            rewritten,
            edited: side::edited(old.map(|old| old.file), new.map(|new| new.file)),
            ..FileDiff::new(path, status, contents)
        })
    }
}

/// What the manifests say differently of a file.
fn about(before: &ManifestEntry<'_>, after: &ManifestEntry<'_>) -> Vec<FieldChange> {
    let change = |change: &crate::Change| format!("{change:?}").to_lowercase();
    let fields = [
        ("change", change(&before.change), change(&after.change)),
        ("mode", before.mode.clone(), after.mode.clone()),
        ("owner", before.owner.clone(), after.owner.clone()),
    ];
    let differ = fields.into_iter().filter(|(_, before, after)| before != after);
    differ.map(|(name, before, after)| FieldChange::new(name, Some(before), Some(after))).collect()
}

/// Splits `services/sfu/1874ac6d3a76/livekit.yaml` after the directory that is named by
/// content.
fn by_content(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("services/")?;
    let (service, rest) = rest.split_once('/')?;
    let (digest, file) = rest.split_once('/')?;
    let is_digest = digest.len() == 12 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    let end = "services/".len() + service.len() + 1 + digest.len();
    is_digest.then(|| (&path[..end], file))
}
