//! What Docker says of the container that has to end before an app is started.

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum};

use super::docker::{image_is, name_of};
use super::{Attempt, last};
use crate::docker::Docker;
use crate::trial::Target;
use crate::{Cause, Problem};

/// What its last lines are called among what was seen.
const LINES: [&str; 5] = ["line-1", "line-2", "line-3", "line-4", "line-5"];

/// There is one of the right image, and it has ended well.
pub(super) async fn has_ended(attempt: &mut Attempt<'_>, image: &str) -> Result<(), Problem> {
    let (Target::Container(own), Some(app)) = (&attempt.trial.target, attempt.trial.service) else {
        return Err(Problem::not_tried(Cause::DockerSilent, "no container is named"));
    };
    let topology = &attempt.scene.topology;
    let app = &topology.service(app).name;
    let docker = Docker::new(&attempt.scene.options.docker);
    let Some(shown) = docker.containers(topology, Some(own)).await?.into_iter().next() else {
        // What has ended is removed by whoever tidies up, as `docker system prune` does.
        if docker.containers(topology, Some(app)).await?.iter().any(runs) {
            attempt.evidence.note("container", "removed since");
            return Ok(());
        }
        let what = format!("{own} has no container on this machine, and {app} is started after it");
        return Err(Problem::failed(Cause::ContainerMissing, what));
    };
    let name = name_of(&shown);
    attempt.evidence.note("container", &name);
    let state = shown.state.clone().unwrap_or_default();
    let code = state.exit_code.unwrap_or_default();
    let after = format!("{app} is started only after it has ended well");
    match state.status {
        Some(ContainerStateStatusEnum::EXITED) if code == 0 => {
            return image_is(attempt, &shown, &name, image);
        }
        Some(ContainerStateStatusEnum::RUNNING) => {
            let what = format!("{name} has not ended yet, and {after}");
            return Err(Problem::degraded(Cause::MigrationRunning, what));
        }
        Some(ContainerStateStatusEnum::CREATED) => {
            let what = format!("{name} was made and not started, and {after}");
            return Err(Problem::failed(Cause::ContainerStopped, what));
        }
        Some(ContainerStateStatusEnum::PAUSED) => {
            return Err(Problem::failed(Cause::ContainerPaused, format!("{name} is paused, and {after}")));
        }
        _ if state.oom_killed == Some(true) => {
            let what = format!("{name} was killed, for there was no memory left for it, and {after}");
            return Err(Problem::failed(Cause::OutOfMemory, what));
        }
        _ => {}
    }
    attempt.evidence.note("exit-code", code);
    let again = match state.status {
        Some(ContainerStateStatusEnum::RESTARTING) => " and is tried again",
        _ => "",
    };
    let said = last(&docker, shown.id.as_deref().unwrap_or_default(), LINES.len()).await?;
    for (name, line) in LINES.into_iter().zip(&said) {
        attempt.evidence.note(name, line);
    }
    let said = said.last().map(|line| format!("; it said last: {line}")).unwrap_or_default();
    let what = format!("{name} ended with {code}{again}, and {after}{said}");
    Err(Problem::failed(Cause::MigrationFailed, what).help(format!("docker logs {name}")))
}

/// Whether a container runs.
fn runs(shown: &ContainerInspectResponse) -> bool {
    shown.state.as_ref().and_then(|state| state.running).unwrap_or_default()
}
