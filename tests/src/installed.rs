//! Bundles in place on a disk.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use stageplot_render::{Artifact, Bundle};

use crate::scratch::Scratch;

/// A bundle in place, with the modes and owners that its manifest says.
///
/// It is put there without its own `install.sh`, which takes a process for every step;
/// a test holds the two against each other.
#[derive(Debug)]
pub struct Installed {
    scratch: Scratch,
    bundle: Bundle,
}

impl Installed {
    /// Installs a bundle below a temporary directory.
    ///
    /// # Panics
    ///
    /// If the directory cannot be written, or owners cannot be set, as by others than
    /// root.
    #[track_caller]
    pub fn new(bundle: &Bundle) -> Self {
        let installed = Self { scratch: Scratch::new(), bundle: bundle.clone() };
        installed.place().unwrap_or_else(|error| panic!("failed to install {}: {error}", bundle.node));
        installed
    }

    fn place(&self) -> io::Result<()> {
        let directory = self.directory();
        let release = Path::new("releases").join(&self.bundle.release[..16]);
        for artifact in &self.bundle.artifacts {
            place(artifact, &directory.join(&release))?;
            if ["services/", "live/"].iter().any(|mounted| artifact.path.starts_with(mounted)) {
                place(artifact, &directory)?;
            }
        }
        symlink(release, directory.join("current"))
    }

    /// What was installed.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The directory that holds releases, data and what containers mount.
    pub fn directory(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// The directory of the release that was installed.
    pub fn release(&self) -> PathBuf {
        self.directory().join("current")
    }

    /// The containers of `compose.yaml` by service; none where the node runs none.
    ///
    /// # Panics
    ///
    /// If the file is not YAML.
    pub fn containers(&self) -> BTreeMap<String, Declared> {
        Declared::all(&self.bundle, &self.directory())
    }

    /// The container of a service.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[track_caller]
    pub fn container(&self, service: &str) -> Declared {
        let mut containers = self.containers();
        containers.remove(service).unwrap_or_else(|| panic!("{} runs no {service}", self.bundle.node))
    }
}

/// What a `compose.yaml` says of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its image.
    pub image: String,
    /// Its command; empty where it is the image's own.
    pub command: Vec<String>,
    /// Directories of the machine, and where the container finds each.
    pub mounts: Vec<(PathBuf, String)>,
    /// The shell command that tells whether it is well.
    pub health: Option<String>,
}

impl Declared {
    /// The containers of a bundle that is installed in a directory, by service.
    ///
    /// # Panics
    ///
    /// If its `compose.yaml` is not YAML.
    pub(crate) fn all(bundle: &Bundle, project: &Path) -> BTreeMap<String, Self> {
        let Some(compose) = bundle.artifact("compose.yaml") else { return BTreeMap::new() };
        let text = String::from_utf8_lossy(&compose.bytes);
        let compose: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let services = compose["services"].as_object().cloned().unwrap_or_default();
        services.into_iter().map(|(name, service)| (name, Self::read(&service, project))).collect()
    }

    fn read(service: &Value, project: &Path) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            image: text(&service["image"]),
            command: list(&service["command"]).iter().map(text).collect(),
            mounts: list(&service["volumes"])
                .iter()
                .map(|mount| (project.join(text(&mount["source"])), text(&mount["target"])))
                .collect(),
            // Compose makes one dollar sign of two.
            health: service["healthcheck"]["test"][1].as_str().map(|shell| shell.replace("$$", "$")),
        }
    }
}

/// Writes a file where it belongs below a directory. The directories between are open:
/// what is private says so itself, and the scratch directory keeps everybody else out.
fn place(artifact: &Artifact, below: &Path) -> io::Result<()> {
    let path = below.join(&artifact.path);
    fs::create_dir_all(path.parent().unwrap_or(below))?;
    fs::write(&path, &artifact.bytes)?;
    chown(&path, Some(artifact.owner.uid), Some(artifact.owner.gid))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(artifact.mode))
}
