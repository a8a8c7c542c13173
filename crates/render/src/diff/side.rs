//! What one side of a diff holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use stageplot_topology::{Findings, Topology};

use super::{NewFinding, Which};
use crate::output::{self, OutputError, TreeFile};
use crate::summary::Summary;
use crate::{Manifest, Rendering};

/// What one side of a diff holds: every machine's files, those about the whole, and
/// what stands where. It holds no value of a secret.
///
/// ```
/// use stageplot_render::diff::Side;
/// use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let side = Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?;
/// assert_eq!(side.nodes().collect::<Vec<_>>(), ["front"]);
/// assert_eq!(side.summary().services["cache"].kind, "redis");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Side {
    pub(super) summary: Summary,
    /// The machines by name.
    pub(super) nodes: BTreeMap<String, NodeFiles>,
    /// The files about the whole by path, without `topology.json`.
    pub(super) overview: BTreeMap<String, File>,
    /// What was found in its plot, where it is one.
    pub(super) findings: Option<Vec<NewFinding>>,
}

/// The files of one machine.
pub(super) struct NodeFiles {
    pub(super) manifest: Manifest<'static>,
    /// All other files by path.
    pub(super) files: BTreeMap<String, File>,
}

/// A file, as far as it is there.
pub(super) enum File {
    /// As it was rendered just now.
    Rendered(Vec<u8>),
    /// As it was found in a tree.
    Found(TreeFile),
}

impl Side {
    /// What was rendered for a topology.
    ///
    /// ```
    /// use stageplot_render::diff::{Side, SideError};
    /// use stageplot_render::{Custom, Secrets, render};
    /// use stageplot_topology::{NodeSpec, Plot, Redis, SecretError, SecretRef, SecretSource, SecretString};
    ///
    /// struct Vault;
    ///
    /// impl SecretSource for Vault {
    ///     fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
    ///         Ok("correct horse battery staple".to_owned().into())
    ///     }
    /// }
    ///
    /// # let redis = Redis { password: Some(SecretRef::env("REDIS_PASSWORD")), ..Redis::default() };
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", redis)
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// let rendered = |secrets: Secrets<'_>| render(&topology, secrets, &Custom::default());
    /// assert!(Side::of(&topology, rendered(Secrets::SEALED)?).is_ok());
    /// let error = Side::of(&topology, rendered(Secrets::From(&Vault))?).expect_err("it holds a password");
    /// assert!(matches!(error, SideError::Secrets { node } if node == "front"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SideError::Secrets`] where it was not rendered with
    /// [`Secrets::Sealed`](crate::Secrets::Sealed).
    pub fn of(topology: &Topology, rendering: Rendering) -> Result<Self, SideError> {
        let summary = Summary::of(topology).sealed(rendering.sealed);
        let nodes = rendering.bundles.into_iter().flat_map(|bundle| {
            let node = bundle.node;
            bundle.artifacts.into_iter().map(move |file| (format!("{node}/{}", file.path), file))
        });
        let overview = rendering.overview.into_iter().map(|file| (file.path.clone(), file));
        let files = nodes.chain(overview).map(|(path, file)| (path, File::Rendered(file.bytes)));
        Self::new(files, Some(summary))
    }

    /// Reads a tree that `stageplot render --sealed` or
    /// [`output::write`](output::write()) wrote, and of it what its index names.
    ///
    /// ```
    /// use stageplot_render::diff::{self, Side};
    /// use stageplot_render::output::{self, Options};
    /// use stageplot_render::{Custom, Secrets, render};
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// # let parent = tempfile::tempdir()?;
    /// # let dir = parent.path().join("out");
    /// let rendering = render(&topology, Secrets::SEALED, &Custom::default())?;
    /// output::write(&dir, &rendering.files()?, Options::default())?;
    /// let (before, after) = (Side::read(&dir)?, Side::of(&topology, rendering)?);
    /// assert!(diff::between(&before, &after).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`SideError`].
    pub fn read(dir: &Path) -> Result<Self, SideError> {
        let files = output::read(dir)?.ok_or_else(|| SideError::NotRendered { dir: dir.to_owned() })?;
        Self::new(files.into_iter().map(|file| (file.path.to_string(), File::Found(file))), None)
    }

    fn new(files: impl Iterator<Item = (String, File)>, summary: Option<Summary>) -> Result<Self, SideError> {
        let mut of_nodes: BTreeMap<String, BTreeMap<String, File>> = BTreeMap::new();
        let mut overview = BTreeMap::new();
        for (path, file) in files {
            match path.split_once('/') {
                Some((node, path)) => {
                    of_nodes.entry(node.to_owned()).or_default().insert(path.to_owned(), file);
                }
                None => {
                    overview.insert(path, file);
                }
            }
        }
        let read = overview.remove(Summary::PATH);
        let summary = summary.map_or_else(|| json(Summary::PATH, read.as_ref()), Ok)?;
        let mut nodes = BTreeMap::new();
        for (node, mut files) in of_nodes {
            let path = format!("{node}/{}", Manifest::PATH);
            let manifest: Manifest<'static> = json(&path, files.remove(Manifest::PATH).as_ref())?;
            if !manifest.sealed {
                return Err(SideError::Secrets { node });
            }
            nodes.insert(node, NodeFiles { manifest, files });
        }
        Ok(Self { summary, nodes, overview, findings: None })
    }

    /// The same, with what was found in its plot; the diff of two such sides tells what
    /// is found newly.
    #[must_use]
    pub fn with_findings(mut self, findings: &Findings) -> Self {
        self.findings = Some(findings.iter().map(NewFinding::of).collect());
        self
    }

    /// The machines' names, sorted.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// What stands where.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

impl std::fmt::Debug for Side {
    /// Leaves the contents of files out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Side({:?}, {} nodes)", self.summary.name, self.nodes.len())
    }
}

impl NodeFiles {
    /// Whether both hold the same bytes.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let same = |(old, new): ((&String, &File), (&String, &File))| {
            old.0 == new.0 && old.1.bytes() == new.1.bytes()
        };
        self.files.len() == other.files.len()
            && self.files.iter().zip(&other.files).all(same)
            && self.manifest == other.manifest
    }
}

/// The sides on which a file is not as it was rendered.
pub(super) fn edited(before: Option<&File>, after: Option<&File>) -> Vec<Which> {
    let sides = [(Which::Before, before), (Which::After, after)];
    let edited = sides.into_iter().filter(|(_, file)| file.is_some_and(File::is_edited));
    edited.map(|(which, _)| which).collect()
}

impl File {
    /// What it holds, where it is there.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Rendered(bytes) => Some(bytes),
            Self::Found(file) => file.bytes.as_deref(),
        }
    }

    /// Whether it is not as it was rendered.
    pub(super) fn is_edited(&self) -> bool {
        match self {
            Self::Rendered(_) => false,
            Self::Found(file) => file.is_edited(),
        }
    }
}

/// What a file of ours says, which is to be as we wrote it.
fn json<T: DeserializeOwned>(path: &str, file: Option<&File>) -> Result<T, SideError> {
    let broken = |why: String| SideError::Broken { path: path.to_owned(), why };
    let file = file.ok_or_else(|| broken("it was not rendered there".to_owned()))?;
    let bytes = file.bytes().ok_or_else(|| broken("it is not there".to_owned()))?;
    if file.is_edited() {
        return Err(broken("it was edited since it was rendered".to_owned()));
    }
    // What serde has to say could quote the file.
    serde_json::from_slice(bytes).map_err(|_| broken("it was rendered by another version".to_owned()))
}

/// Why something that was rendered cannot be compared.
///
/// ```
/// use stageplot_render::diff::{Side, SideError};
///
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let error = Side::read(dir).expect_err("it is empty");
/// assert!(matches!(error, SideError::NotRendered { .. }));
/// assert_eq!(error.help(), "name a stage plot, or a directory that was rendered into");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SideError {
    /// The tree cannot be read.
    #[error("failed to {0}")]
    Output(#[from] OutputError),
    /// Nothing was rendered there.
    #[error("nothing was rendered into {}", dir.display())]
    NotRendered {
        /// The directory.
        dir: PathBuf,
    },
    /// It holds values of secrets, or may.
    #[error("the files of {node} hold the values of secrets")]
    Secrets {
        /// The first machine of which that is so.
        node: String,
    },
    /// A file that tells of the others cannot be relied on.
    #[error("{path} cannot be used: {why}")]
    Broken {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl SideError {
    /// Says how to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Output(error) => error.help(),
            Self::NotRendered { .. } => "name a stage plot, or a directory that was rendered into",
            Self::Secrets { .. } => {
                "compare what holds no secrets: the plot itself, or a tree rendered with --sealed"
            }
            Self::Broken { .. } => "render the whole tree again, with --sealed",
        }
    }
}
