//! Containers run what is installed: Compose would leave them as they are.

use std::collections::BTreeMap;
use std::process::Stdio;

use bollard::models::ContainerInspectResponse;
use tokio::process::Command;

use super::Attempt;
use crate::docker::Docker;
use crate::{Cause, Problem};

/// Where Compose keeps, of each container, what it was made of.
const LABEL: &str = "com.docker.compose";

/// The digest that Compose gave each container's configuration is the one that it gives
/// what the file that it was made from says now.
pub(super) async fn digests(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let docker = Docker::new(&attempt.scene.options.docker);
    let containers = docker.containers(&attempt.scene.topology, None).await?;
    let mut files: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    let mut stale = Vec::new();
    for shown in &containers {
        let label = |name: &str| label(shown, name).map(str::to_owned);
        let (Some(service), Some(own)) = (label("service"), label("config-hash")) else { continue };
        let (Some(file), Some(directory)) = (label("project.config_files"), label("project.working_dir"))
        else {
            continue;
        };
        let key = (file, directory);
        let now = match files.get(&key) {
            Some(now) => now,
            None => {
                let now = hashes(attempt, &key.0, &key.1).await?;
                files.entry(key.clone()).or_insert(now)
            }
        };
        // What the file has no more is told as unknown elsewhere.
        if now.get(&service).is_some_and(|now| *now != own) {
            stale.push((service, key.0));
        }
    }
    attempt.evidence.note("containers", containers.len());
    match stale.first() {
        None => Ok(()),
        Some((service, file)) => {
            let what = format!("the container of {service} was made from another {file} than there is now");
            Err(Problem::degraded(Cause::ContainerStale, what))
        }
    }
}

/// What Compose makes of a file: a digest for each service.
async fn hashes(
    attempt: &Attempt<'_>,
    file: &str,
    directory: &str,
) -> Result<BTreeMap<String, String>, Problem> {
    let unknown = |what: String| Problem::not_tried(Cause::DockerSilent, what);
    let mut command = Command::new("docker");
    command.arg("--host").arg(format!("unix://{}", attempt.scene.options.docker.display()));
    command.args(["compose", "--project-directory", directory]);
    // Several are parted by commas.
    command.args(file.split(',').flat_map(|file| ["--file", file]));
    command.args(["config", "--hash", "*"]).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| unknown(format!("docker cannot be run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unknown(format!("docker compose does not read {file}: {}", said.trim())));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.map(|(service, hash)| (service.to_owned(), hash.trim().to_owned())).collect())
}

fn label<'a>(shown: &'a ContainerInspectResponse, name: &str) -> Option<&'a str> {
    let labels = shown.config.as_ref()?.labels.as_ref()?;
    labels.get(&format!("{LABEL}.{name}")).map(String::as_str)
}
