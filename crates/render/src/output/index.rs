//! `.stageplot.json`: which files of a directory are ours, and what we wrote into them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::scan::{Kind, Scan};
use super::target::Target;
use super::{OutputError, OutputPath};
use crate::bundle::hex;

/// The index of a tree.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Index {
    files: BTreeMap<OutputPath, Digest>,
}

impl Index {
    pub(super) fn new(files: BTreeMap<OutputPath, Digest>) -> Self {
        Self { files }
    }

    /// Reads the index of the target; `None` where there is none, or where a broken one may be
    /// overwritten.
    pub(super) fn read(target: &Target, scan: &Scan, overwrite: bool) -> Result<Option<Self>, OutputError> {
        let (Some(root), Some(found)) = (target.root(), scan.get(NAME)) else {
            return Ok(None);
        };
        let path = target.path().join(NAME);
        let parsed = match found.kind {
            Kind::File => {
                let bytes = super::scan::read(root, NAME.as_bytes())
                    .map_err(|error| OutputError::io("read", &path, error))?;
                Self::parse(&bytes)
            }
            _ => Err("it is not a file".into()),
        };
        match parsed {
            Ok(index) => Ok(Some(index)),
            Err(_) if overwrite => Ok(None),
            Err(why) => Err(OutputError::Index { path, why }),
        }
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text: Text<BTreeMap<String, String>> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if text.version != VERSION {
            return Err(format!("its version is {}, and {VERSION} is the one we know", text.version));
        }
        let mut files = BTreeMap::new();
        for (path, digest) in text.files {
            let path = OutputPath::parse(&path).map_err(|error| format!("failed to {error}"))?;
            let digest = Digest::parse(&digest).ok_or_else(|| format!("{digest:?} is not a SHA-256"))?;
            files.insert(path, digest);
        }
        Ok(Self { files })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let text = Text { version: VERSION, files: &self.files };
        let mut bytes = serde_json::to_vec_pretty(&text).expect("strings and a number serialise");
        bytes.push(b'\n');
        bytes
    }

    /// The files in one directory of the tree, and those elsewhere; without one all files, and none.
    pub(super) fn split(self, directory: Option<&str>) -> (Self, Self) {
        let Some(directory) = directory else { return (self, Self::default()) };
        let is_within = |path: &OutputPath| path.ancestors().any(|parent| parent == directory);
        let (within, elsewhere) = self.files.into_iter().partition(|(path, _)| is_within(path));
        (Self { files: within }, Self { files: elsewhere })
    }

    /// The files of both.
    pub(super) fn join(mut self, mut other: Self) -> Self {
        self.files.append(&mut other.files);
        self
    }

    pub(super) fn digest(&self, path: &str) -> Option<Digest> {
        self.files.get(path).copied()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&OutputPath, Digest)> {
        self.files.iter().map(|(path, digest)| (path, *digest))
    }
}

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(digest))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

#[derive(Serialize, Deserialize)]
struct Text<F> {
    version: u32,
    files: F,
}

pub(super) const NAME: &str = ".stageplot.json";
const VERSION: u32 = 1;
