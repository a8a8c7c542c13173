//! The command itself.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use crate::process::run;

/// What a build may take where nothing is built yet.
const BUILD: Duration = Duration::from_secs(900);

/// The `stageplot` command of this workspace, built if it is not.
///
/// # Panics
///
/// If it cannot be built.
pub fn stageplot() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "stageplot", "--message-format", "json"]);
        let told = run(cargo.current_dir(env!("CARGO_MANIFEST_DIR")), BUILD).success();
        let artifacts = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut built = artifacts.filter_map(|artifact| artifact["executable"].as_str().map(PathBuf::from));
        built.find(|path| path.ends_with("stageplot")).unwrap_or_else(|| panic!("no stageplot in:\n{told}"))
    })
}
