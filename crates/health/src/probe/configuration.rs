//! Containers are what is installed: Compose would leave them as they are.

use std::collections::BTreeSet;
use std::process::Stdio;

use tokio::process::Command;

use super::Attempt;
use crate::docker::{Docker, label};
use crate::{Cause, Problem};

/// Compose, asked what it would do to bring up what containers were made from, would
/// replace none of them.
pub(super) async fn is_current(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let docker = Docker::new(&attempt.scene.options.docker);
    let containers = docker.containers(&attempt.scene.topology, None).await?;
    // Where they were made from, which is one place unless somebody tried something.
    let places: BTreeSet<_> = containers
        .iter()
        .filter_map(|shown| label(shown, "project.config_files").zip(label(shown, "project.working_dir")))
        .collect();
    attempt.evidence.note("containers", containers.len());
    for (files, directory) in places {
        if let Some(name) = attempt.replaced(files, directory).await?.first() {
            let what = format!("{name} was made from something else than {files} says now");
            return Err(Problem::degraded(Cause::ContainerStale, what));
        }
    }
    Ok(())
}

impl Attempt<'_> {
    /// The containers that Compose would replace. It is asked, and does nothing.
    async fn replaced(&self, files: &str, directory: &str) -> Result<Vec<String>, Problem> {
        let unknown = |what: String| Problem::not_tried(Cause::DockerSilent, what);
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.scene.options.docker.display()));
        command.args(["compose", "--progress", "plain", "--project-directory", directory]);
        // Several are parted by commas.
        command.args(files.split(',').flat_map(|file| ["--file", file]));
        // Not `up`, which would wait for what has to end well first.
        command.args(["create", "--dry-run", "--no-build", "--pull", "never"]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output =
            command.output().await.map_err(|error| unknown(format!("docker cannot be run: {error}")))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(unknown(format!("docker compose does not read {files}: {}", said.trim())));
        }
        Ok(said.lines().filter_map(replaced).map(str::to_owned).collect())
    }
}

/// The container of a line such as `DRY-RUN MODE -  Container live-sfu-1  Recreate`.
fn replaced(line: &str) -> Option<&str> {
    let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "Container").skip(1);
    let name = words.next()?;
    (words.next() == Some("Recreate")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_read() {
        assert_eq!(replaced(" DRY-RUN MODE -  Container live-sfu-1  Recreate"), Some("live-sfu-1"));
        assert_eq!(replaced("Container live-sfu-1 Recreate "), Some("live-sfu-1"));
        assert_eq!(replaced(" DRY-RUN MODE -  Container live-sfu-1  Recreated"), None);
        assert_eq!(replaced(" DRY-RUN MODE -  Container live-sfu-1  Running"), None);
    }
}
