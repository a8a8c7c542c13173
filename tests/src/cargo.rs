//! Cargo, asked about this very workspace.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::{Missing, run};

/// What a build of all dependencies may take on a slow machine.
const DEADLINE: Duration = Duration::from_secs(1800);

/// Cargo, of one toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cargo {
    toolchain: Option<&'static str>,
}

/// A package of the workspace that others may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub directory: std::path::PathBuf,
    /// Its features but `default`.
    pub features: Vec<String>,
    /// Whether it is a library.
    pub is_library: bool,
}

impl Cargo {
    /// The cargo that runs this test.
    pub fn at_hand() -> Self {
        Self { toolchain: None }
    }

    /// A nightly one.
    ///
    /// # Errors
    ///
    /// [`Missing`], with the command that installs it.
    pub fn nightly() -> Result<Self, Missing> {
        let asked = Command::new("cargo").args(["+nightly", "--version"]).output();
        match asked.is_ok_and(|output| output.status.success()) {
            true => Ok(Self { toolchain: Some("+nightly") }),
            false => Err(Missing::new(
                "a nightly toolchain".to_owned(),
                "run rustup toolchain install nightly --profile minimal".to_owned(),
            )),
        }
    }

    /// What cargo says on standard output to these arguments.
    ///
    /// # Panics
    ///
    /// Where it fails.
    pub fn run(&self, args: &[&str]) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new("cargo");
        run(command.args(self.toolchain).args(args).current_dir(root), DEADLINE).success()
    }

    /// The packages of the workspace that others may take.
    ///
    /// # Panics
    ///
    /// Where cargo does not say.
    pub fn packages(&self) -> Vec<Package> {
        let said = self.run(&["metadata", "--locked", "--no-deps", "--format-version", "1"]);
        let said: Value = serde_json::from_str(&said).expect("JSON from cargo");
        let packages = said["packages"].as_array().expect("packages").iter();
        packages.filter(|package| package["publish"].is_null()).map(Package::new).collect()
    }
}

impl Package {
    fn new(package: &Value) -> Self {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let features = package["features"].as_object().expect("features").keys();
        let mut targets = package["targets"].as_array().expect("targets").iter();
        Self {
            name: package["name"].as_str().expect("a name").to_owned(),
            directory: manifest.parent().expect("a directory").to_owned(),
            features: features.filter(|name| *name != "default").cloned().collect(),
            is_library: targets.any(|target| target["kind"] == serde_json::json!(["lib"])),
        }
    }
}
