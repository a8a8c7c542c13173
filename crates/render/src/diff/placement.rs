//! One service on one machine, on both sides.

use serde_json::Value as Json;

use super::names::Names;
use super::side::Side;
use super::{FieldChange, FileDiff};
use crate::summary::{Flow, Party, Service, Summary};

/// One service on one machine, on both sides; it is there on one of them at least.
pub(super) struct Placement<'a> {
    /// What it is called, on the second side where it is there.
    pub(super) name: &'a str,
    pub(super) before: Option<Here<'a>>,
    pub(super) after: Option<Here<'a>>,
    /// Its files that differ, and what is about the whole machine.
    pub(super) files: &'a [FileDiff],
    pub(super) names: &'a Names,
    /// Whether the machine itself is not in the plot any more.
    pub(super) machine_is_gone: bool,
    /// The service as a whole on the first side, where it stood somewhere.
    pub(super) elsewhere_before: Option<&'a Service>,
}

/// A service on a machine, on one side.
pub(super) struct Here<'a> {
    pub(super) summary: &'a Summary,
    pub(super) name: &'a str,
    pub(super) node: &'a str,
    pub(super) service: &'a Service,
    /// Its definition in `compose.yaml`; none for a process of the user's own.
    pub(super) container: Option<&'a Json>,
    /// The container that has to end before it is started, where there is one.
    pub(super) migration: Option<String>,
    /// Whether there should be a `compose.yaml` that tells it, and there is none.
    pub(super) is_lost: bool,
}

/// What defines a machine's containers.
pub(super) enum Compose {
    /// Nothing, and nothing has to.
    None,
    /// What `compose.yaml` says.
    Read(Json),
    /// It is missing, or cannot be read.
    Lost,
}

/// A directory of data that a container mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data<'a> {
    /// Below the plot's own directory: `data/cache`.
    pub(super) directory: &'a str,
    /// Where the container finds it.
    pub(super) target: &'a str,
}

impl<'a> Here<'a> {
    pub(super) fn new(side: &'a Side, name: &'a str, node: &'a str, compose: &'a Compose) -> Option<Self> {
        let summary = side.summary();
        let service = summary.services.get(name)?;
        let container = |name: &str| match compose {
            Compose::Read(compose) => compose.get("services").and_then(|services| services.get(name)),
            Compose::None | Compose::Lost => None,
        };
        let migration = format!("{name}-migrate");
        let is_there = !summary.services.contains_key(&migration) && container(&migration).is_some();
        Some(Self {
            summary,
            name,
            node,
            service,
            container: container(name),
            migration: is_there.then_some(migration),
            is_lost: matches!(compose, Compose::Lost),
        })
    }

    /// A text of the container's definition.
    pub(super) fn text(&self, field: &str) -> Option<&'a str> {
        self.container?.get(field)?.as_str()
    }

    /// Whether it is in the plot's container network.
    pub(super) fn is_bridged(&self) -> bool {
        self.container.is_some_and(|container| container.get("network_mode").is_none())
    }

    /// How long it waits before it stops, in seconds, where it waits.
    pub(super) fn waits(&self) -> Option<u32> {
        self.service.drain_seconds.filter(|seconds| *seconds > 0 && self.container.is_some())
    }

    /// The Redis of the plot's own that it connects to.
    pub(super) fn redis(&self) -> Option<&'a str> {
        let own = |flow: &&Flow| flow.from == Party::Service(self.name.to_owned());
        let mut to = self.summary.flows.iter().filter(own).map(|flow| flow.service.as_str());
        let is_own = |service: &Service| service.kind == "redis" && !service.nodes.is_empty();
        to.find(|name| self.summary.services.get(*name).is_some_and(is_own))
    }

    /// Whether it is the copy of a Redis that takes no writes.
    pub(super) fn is_replica(&self) -> bool {
        self.service.primary.as_deref().is_some_and(|primary| primary != self.node)
    }

    /// The directories of data that it mounts.
    pub(super) fn data(&self) -> Vec<Data<'a>> {
        let mounts = self.container.and_then(|container| container.get("volumes")?.as_array());
        let data = mounts.into_iter().flatten().filter_map(|mount| {
            let directory = mount.get("source")?.as_str()?.strip_prefix("./")?;
            let target = mount.get("target")?.as_str()?;
            directory.starts_with("data/").then_some(Data { directory, target })
        });
        data.collect()
    }
}

impl<'a> Placement<'a> {
    /// The kind, on the second side where it is there.
    pub(super) fn kind(&self) -> &'a str {
        let here = self.after.as_ref().or(self.before.as_ref());
        here.map_or("", |here| here.service.kind.as_str())
    }

    /// Its own files that differ.
    pub(super) fn own_files(&self) -> impl Iterator<Item = &'a FileDiff> {
        let (name, names) = (self.name, self.names);
        let is_own = move |file: &&FileDiff| match &file.service {
            Some(service) => service == name || names.service(service) == name,
            None => false,
        };
        self.files.iter().filter(is_own)
    }

    /// The fields of `compose.yaml` that differ and begin so.
    pub(super) fn compose_fields(&self, prefix: &str) -> Vec<&'a FieldChange> {
        let compose = self.files.iter().filter(|file| file.path == COMPOSE).flat_map(|file| &file.fields);
        compose.filter(|field| field.path.starts_with(prefix)).collect()
    }
}

/// Where a machine's containers are defined.
pub(super) const COMPOSE: &str = "compose.yaml";
