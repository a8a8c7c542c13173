//! All files of one machine.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::RenderError;
use crate::artifact::{Artifact, Change, Owner};
use crate::compose::Project;

/// All files of one machine, with a manifest.
///
/// ```
/// use stageplot_render::{Custom, Manifest, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Plot, Redis};
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let rendering = render(&topology, Secrets::SEALED, &Custom::default())?;
/// for bundle in &rendering.bundles {
///     println!("{} gets release {}", bundle.node, bundle.release);
///     for file in &bundle.artifacts {
///         println!("  {} with mode {:o}, owned by {}", file.path, file.mode, file.owner);
///     }
///     let manifest = bundle.artifact(Manifest::PATH).ok_or("a manifest")?;
///     let manifest: Manifest<'_> = serde_json::from_slice(&manifest.bytes)?;
///     assert!(manifest.sealed);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bundle {
    /// The node's name.
    pub node: String,
    /// Its files by path, `manifest.json` among them.
    pub artifacts: Vec<Artifact>,
    /// The SHA-256 of the manifest: which release this is.
    pub release: String,
}

impl Bundle {
    /// Orders the files and adds the manifest.
    pub(crate) fn new(
        node: String,
        mut artifacts: Vec<Artifact>,
        project: &Project,
        sealed: bool,
    ) -> Result<Self, RenderError> {
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        let manifest = Manifest::of(&node, &artifacts, project, sealed)?.to_json()?;
        let release = sha256(&manifest);
        let manifest = Artifact::private(Manifest::PATH, manifest, Owner::ROOT);
        let at = artifacts.partition_point(|artifact| artifact.path < manifest.path);
        artifacts.insert(at, manifest);
        Ok(Self { node, artifacts, release })
    }

    /// The file at a path.
    pub fn artifact(&self, path: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.path == path)
    }
}

/// What a bundle's `manifest.json` says: for every file its digest, mode and
/// owner, who reads it, and how a change takes effect; for every container the
/// digest of what it is made from.
///
/// Two manifests tell what a change from one to the other does to a service. Where
/// its digest differs it is given a new container. Else the files that it reads tell:
/// it is to be told to read one again whose `change` is `reload`. Else it is left as
/// it is.
///
/// ```
/// use stageplot_render::Manifest;
///
/// // As it lies on a machine.
/// let json = br#"{ "version": 1, "node": "front", "sealed": true, "files": {
///     "compose.yaml": { "sha256": "0f", "mode": "0644", "owner": "0:0", "change": "live" }
/// }, "services": { "cache": { "sha256": "1e", "change": "recreate" } } }"#;
/// let manifest: Manifest<'_> = serde_json::from_slice(json)?;
/// assert_eq!(manifest.version, Manifest::VERSION);
/// for (path, entry) in &manifest.files {
///     println!("{} {path}", entry.sha256); // as `sha256sum --check` takes it
/// }
/// assert_eq!(manifest.services["cache"].sha256, "1e");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest<'a> {
    /// The version of this format: [`Manifest::VERSION`].
    pub version: u32,
    /// The node's name.
    pub node: Cow<'a, str>,
    /// Whether no file holds the value of a secret: the names of secrets stand in
    /// their places, or the plot has none.
    pub sealed: bool,
    /// The services that run in containers, by name; and `NAME-migrate`, which runs to its end
    /// before `NAME` is started and reads its files (`app.migrate`).
    #[serde(default)]
    pub services: BTreeMap<Cow<'a, str>, ManifestService>,
    /// The files by path.
    pub files: BTreeMap<Cow<'a, str>, ManifestEntry<'a>>,
}

/// What a manifest says of one service's container.
///
/// See [`Manifest`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestService {
    /// SHA-256 over all that `compose.yaml` says of it and of its network, in
    /// hexadecimal. The files that it reads at start are in it by the names of their
    /// directories; those that it reads on a reload are not.
    pub sha256: String,
    /// How a change takes effect.
    pub change: Change,
}

/// What a manifest says of one file.
///
/// See [`Manifest`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestEntry<'a> {
    /// SHA-256 of the content in hexadecimal, as `sha256sum` prints it.
    pub sha256: String,
    /// Mode bits in octal, as `chmod` takes them.
    pub mode: String,
    /// `uid:gid`, as `chown` takes it.
    pub owner: String,
    /// The service that reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Cow<'a, str>>,
    /// How a change takes effect.
    pub change: Change,
}

impl<'a> Manifest<'a> {
    /// Where it stands in a bundle.
    pub const PATH: &'static str = "manifest.json";

    /// The version of the format.
    pub const VERSION: u32 = 1;

    fn of(
        node: &'a str,
        artifacts: &'a [Artifact],
        project: &'a Project,
        sealed: bool,
    ) -> Result<Self, RenderError> {
        let services = project.services.keys().map(|name| {
            let sha256 = sha256(project.text_of(name)?.as_bytes());
            Ok((name.as_str().into(), ManifestService { sha256, change: Change::Recreate }))
        });
        let entry = |artifact: &'a Artifact| {
            let entry = ManifestEntry {
                sha256: sha256(&artifact.bytes),
                mode: format!("{:04o}", artifact.mode),
                owner: artifact.owner.to_string(),
                service: artifact.service.as_deref().map(Cow::Borrowed),
                change: artifact.change,
            };
            (artifact.path.as_str().into(), entry)
        };
        Ok(Self {
            version: Self::VERSION,
            node: node.into(),
            sealed,
            services: services.collect::<Result<_, RenderError>>()?,
            files: artifacts.iter().map(entry).collect(),
        })
    }

    fn to_json(&self) -> Result<Vec<u8>, RenderError> {
        let mut json =
            serde_json::to_vec_pretty(self).map_err(|error| RenderError::Format(error.to_string()))?;
        json.push(b'\n');
        Ok(json)
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal. Every file has a digest or two, and the formatting
/// machinery takes longer for one than to work it out.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]));
    text
}

/// Names a directory for files that are read at start only: by what they hold,
/// so that a service is given a new container when, and only when, one of its
/// own files changes.
pub(crate) fn digest_dir(service: &str, files: &[Artifact]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.path.as_bytes(), &file.bytes, file.owner.to_string().as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    format!("services/{service}/{}", hex(&hash.finalize()[..6]))
}
