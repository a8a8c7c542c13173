//! What Docker says of a service's container.

use std::fs;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum};
use stageplot_topology::Name;

use super::Attempt;
use crate::docker::{Docker, service_of};
use crate::trial::Target;
use crate::{Cause, Problem};

/// A container that was started again by Docker within this time, in seconds, does not
/// stay up.
const SETTLED: u64 = 120;

/// There is one of the right image, it runs, and it is well.
pub(super) async fn container(attempt: &mut Attempt<'_>, image: &str) -> Result<(), Problem> {
    let Target::Container(service) = &attempt.trial.target else {
        return Err(Problem::not_tried(Cause::DockerSilent, "no container is named"));
    };
    let docker = Docker::new(&attempt.scene.options.docker);
    let found = docker.containers(&attempt.scene.topology, Some(service)).await?;
    let Some(shown) = found.into_iter().next() else {
        return Err(Problem::failed(
            Cause::ContainerMissing,
            format!("{service} has no container on this machine"),
        ));
    };
    let name = name_of(&shown);
    attempt.evidence.note("container", &name);
    waits(attempt, &docker, &shown, &name).await?;
    runs(attempt, &shown, &name)?;
    image_is(attempt, &shown, &name, image)?;
    files(attempt, &shown, &name)
}

/// What Docker calls a container.
pub(crate) fn name_of(shown: &ContainerInspectResponse) -> String {
    shown.name.as_deref().unwrap_or_default().trim_start_matches('/').to_owned()
}

/// A container was made from the image that the plot has.
pub(super) fn image_is(
    attempt: &mut Attempt<'_>,
    shown: &ContainerInspectResponse,
    name: &str,
    image: &str,
) -> Result<(), Problem> {
    let own = shown.config.as_ref().and_then(|config| config.image.as_deref()).unwrap_or_default();
    attempt.evidence.note("image", own);
    if own != image {
        let what = format!("{name} runs {own}, and the plot has {image}");
        return Err(Problem::degraded(Cause::ContainerImage, what));
    }
    Ok(())
}

/// A container that was made waits for nothing that is still to end.
async fn waits(
    attempt: &mut Attempt<'_>,
    docker: &Docker,
    shown: &ContainerInspectResponse,
    name: &str,
) -> Result<(), Problem> {
    let status = |shown: &ContainerInspectResponse| shown.state.as_ref().and_then(|state| state.status);
    let topology = &attempt.scene.topology;
    let migration = attempt.trial.service.and_then(|service| topology.service(service).migration());
    let Some(migration) = migration.filter(|_| status(shown) == Some(ContainerStateStatusEnum::CREATED))
    else {
        return Ok(());
    };
    let found = docker.containers(topology, Some(&migration)).await?;
    if found.iter().any(|found| status(found) == Some(ContainerStateStatusEnum::RUNNING)) {
        let what = format!("{name} waits for {migration}, which has not ended yet");
        return Err(Problem::degraded(Cause::MigrationRunning, what));
    }
    Ok(())
}

/// How many files a server with many clients has open: each connection is one.
const FILES: u64 = 4096;

/// A container's first process may open as many files as it needs. Where the kernel does
/// not tell, as of an engine on another machine, nothing is said.
fn files(attempt: &mut Attempt<'_>, shown: &ContainerInspectResponse, name: &str) -> Result<(), Problem> {
    let pid = shown.state.as_ref().and_then(|state| state.pid).unwrap_or_default();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let Some(most) = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok()) else {
        return Ok(());
    };
    attempt.evidence.note("open-files-limit", most);
    if most < FILES {
        let what = format!("{name} may have {most} files open, and each connection is one");
        return Err(Problem::degraded(Cause::FileLimit, what));
    }
    Ok(())
}

/// A container runs, stays up, and is well by its own health check.
fn runs(attempt: &mut Attempt<'_>, shown: &ContainerInspectResponse, name: &str) -> Result<(), Problem> {
    let Some(state) = &shown.state else {
        return Err(Problem::not_tried(Cause::DockerSilent, format!("Docker does not say how {name} is")));
    };
    let restarts = shown.restart_count.unwrap_or_default();
    let code = state.exit_code.unwrap_or_default();
    if restarts > 0 {
        attempt.evidence.note("restarts", restarts);
    }
    if state.oom_killed == Some(true) {
        let what = format!("{name} was killed, for there was no memory left for it");
        return Err(Problem::failed(Cause::OutOfMemory, what));
    }
    match state.status {
        Some(ContainerStateStatusEnum::RUNNING) => {}
        Some(ContainerStateStatusEnum::PAUSED) => {
            return Err(Problem::failed(Cause::ContainerPaused, format!("{name} is paused")));
        }
        Some(ContainerStateStatusEnum::RESTARTING) => {
            let what = format!("{name} ends with {code} as soon as it is started, {restarts} times by now");
            return Err(Problem::failed(Cause::ContainerRestarting, what));
        }
        Some(ContainerStateStatusEnum::CREATED) => {
            let what = format!("{name} was made and not started");
            return Err(Problem::failed(Cause::ContainerStopped, what));
        }
        status => {
            let status = status.map_or_else(|| "not running".to_owned(), |status| status.to_string());
            let what = format!("{name} is {status}; it ended with {code}");
            return Err(Problem::failed(Cause::ContainerStopped, what));
        }
    }
    let uptime = state.started_at.as_deref().and_then(age);
    if restarts > 0 && uptime.is_some_and(|seconds| seconds < SETTLED) {
        let what = format!("{name} was started again {restarts} times, the last time a moment ago");
        return Err(Problem::failed(Cause::ContainerRestarting, what));
    }
    let Some(health) = &state.health else { return Ok(()) };
    match health.status {
        Some(HealthStatusEnum::UNHEALTHY) => {
            let said = health.log.iter().flatten().next_back().and_then(|said| said.output.as_deref());
            attempt.evidence.note("health-check", said.unwrap_or_default().trim());
            Err(Problem::failed(Cause::ContainerUnhealthy, format!("{name} is unhealthy by its own check")))
        }
        Some(HealthStatusEnum::STARTING) => {
            Err(Problem::degraded(Cause::ContainerStarting, format!("{name} is starting")))
        }
        _ => Ok(()),
    }
}

/// How long ago it was, in seconds, by the clock that both sides have.
fn age(time: &str) -> Option<u64> {
    let began = humantime::parse_rfc3339_weak(time.get(..19)?).ok()?;
    Some(began.elapsed().ok()?.as_secs())
}

/// There is no container of the plot's project that the plot does not know.
pub(super) async fn strangers(attempt: &mut Attempt<'_>, known: &[Name]) -> Result<(), Problem> {
    let docker = Docker::new(&attempt.scene.options.docker);
    let all = docker.containers(&attempt.scene.topology, None).await?;
    let strange = all
        .iter()
        .filter_map(service_of)
        .find(|service| !known.iter().any(|known| known.as_str() == *service));
    match strange {
        Some(service) => {
            let what = format!("Docker has a container of {service} here, and the plot has it not");
            Err(Problem::degraded(Cause::ContainerUnknown, what))
        }
        None => Ok(()),
    }
}

/// Docker answers; what it is is noted down.
pub(super) async fn engine(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let docker = Docker::new(&attempt.scene.options.docker);
    let engine = docker.engine()?;
    let version = engine.version().await.map_err(|error| docker.silent(&error))?;
    let info = engine.info().await.map_err(|error| docker.silent(&error))?;
    attempt.evidence.note("version", version.version.unwrap_or_default());
    attempt.evidence.note("storage", info.driver.unwrap_or_default());
    attempt.evidence.note("running", info.containers_running.unwrap_or_default());
    attempt.evidence.note("stopped", info.containers_stopped.unwrap_or_default());
    Ok(())
}
