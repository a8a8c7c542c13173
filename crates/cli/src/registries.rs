//! Asking registries, for commands that wait for the answers.

use std::path::PathBuf;

use stageplot_health::registry::{self, Answers, Limits, Logins};
use stageplot_topology::{ImageRef, Lock, Topology};

use crate::failure::Failure;

/// Asks for the digests of images of a plot, with the user's own logins.
pub(crate) fn ask(
    topology: &Topology,
    images: impl IntoIterator<Item = ImageRef>,
    known: &Lock,
) -> Result<Answers, Failure> {
    let logins = match docker_config() {
        Some(dir) => Logins::read(&dir).map_err(|error| Failure::new(error.to_string()))?,
        None => Logins::none(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("failed to wait for sockets: {error}")))?;
    let answers = runtime.block_on(registry::ask(topology, images, known, &logins, Limits::default()));
    // The system's resolver knows no deadline: what it still looks for is left to it.
    runtime.shutdown_background();
    answers.map_err(|error| Failure::new(error.to_string()))
}

/// Where Docker's command keeps its logins.
fn docker_config() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")))
}
