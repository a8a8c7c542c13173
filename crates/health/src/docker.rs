//! What a machine's Docker engine runs of a plot.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::API_DEFAULT_VERSION;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::ListContainersOptions;
use stageplot_topology::{Name, PlacementId, Topology};

use crate::{Cause, Problem};

/// A Docker engine, by its socket.
#[derive(Debug)]
pub(crate) struct Docker {
    socket: PathBuf,
}

/// What one question to the engine may take, in seconds.
const TIMEOUT: u64 = 10;

impl Docker {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// The engine, which may not be there.
    pub(crate) fn engine(&self) -> Result<bollard::Docker, Problem> {
        let path = self.socket.to_string_lossy();
        bollard::Docker::connect_with_unix(&path, TIMEOUT, API_DEFAULT_VERSION)
            .map_err(|error| self.silent(&error))
    }

    /// That the engine does not answer.
    pub(crate) fn silent(&self, error: &bollard::errors::Error) -> Problem {
        let message = format!("Docker does not answer at {}: {error}", self.socket.display());
        Problem::not_tried(Cause::DockerSilent, message)
    }

    /// The plot's containers on this machine, stopped ones too: all, or a service's.
    pub(crate) async fn containers(
        &self,
        topology: &Topology,
        service: Option<&Name>,
    ) -> Result<Vec<ContainerInspectResponse>, Problem> {
        let engine = self.engine()?;
        let mut labels = vec![format!("{COMPOSE}.project={}", topology.name())];
        labels.extend(service.map(|service| format!("{COMPOSE}.service={service}")));
        let filters = Some(HashMap::from([("label".to_owned(), labels)]));
        let options = ListContainersOptions { all: true, filters, ..ListContainersOptions::default() };
        let listed = engine.list_containers(Some(options)).await.map_err(|error| self.silent(&error))?;
        let mut shown = Vec::new();
        for id in listed.into_iter().filter_map(|container| container.id) {
            shown.push(engine.inspect_container(&id, None).await.map_err(|error| self.silent(&error))?);
        }
        Ok(shown)
    }

    /// The process of a placement's container, by the number that the host gives it.
    pub(crate) async fn pid(&self, topology: &Topology, placement: PlacementId) -> Result<i64, Problem> {
        let service = &topology.service(topology.placement(placement).service).name;
        let all = self.containers(topology, Some(service)).await?;
        let mut running = all.into_iter().filter_map(|shown| shown.state?.pid.filter(|pid| *pid > 0));
        running.next().ok_or_else(|| {
            let message =
                format!("{service} has no running container here, and from there it is to be tried");
            Problem::not_tried(Cause::ClientAbsent, message)
        })
    }
}

/// How the labels begin that Compose gives to what it makes.
const COMPOSE: &str = "com.docker.compose";

/// What Compose says of a container, such as `project.config_files`.
pub(crate) fn label<'c>(shown: &'c ContainerInspectResponse, name: &str) -> Option<&'c str> {
    let labels = shown.config.as_ref()?.labels.as_ref()?;
    labels.get(&format!("{COMPOSE}.{name}")).map(String::as_str)
}

/// The service that a container runs.
pub(crate) fn service_of(shown: &ContainerInspectResponse) -> Option<&str> {
    label(shown, "service")
}
