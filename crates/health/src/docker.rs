//! What a machine's Docker engine runs of a plot.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::API_DEFAULT_VERSION;
use bollard::query_parameters::ListContainersOptions;
use stageplot_topology::{PlacementId, Topology};

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

    /// The process of a placement's container, by the number that the host gives it.
    pub(crate) async fn pid(&self, topology: &Topology, placement: PlacementId) -> Result<i64, Problem> {
        let engine = self.engine()?;
        let service = &topology.service(topology.placement(placement).service).name;
        let labels = vec![
            format!("com.docker.compose.project={}", topology.name()),
            format!("com.docker.compose.service={service}"),
        ];
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptions { filters: Some(filters), ..ListContainersOptions::default() };
        let running = engine.list_containers(Some(options)).await.map_err(|error| self.silent(&error))?;
        for id in running.into_iter().filter_map(|container| container.id) {
            let shown = engine.inspect_container(&id, None).await.map_err(|error| self.silent(&error))?;
            if let Some(pid) = shown.state.and_then(|state| state.pid).filter(|pid| *pid > 0) {
                return Ok(pid);
            }
        }
        let message = format!("{service} has no running container here, and from there it is to be tried");
        Err(Problem::not_tried(Cause::ClientAbsent, message))
    }
}
