//! Apps built in code.

use super::{App, EnvValue, Opening, Run, tcp};
use crate::{ImageRef, Port, Protocol, Source};

/// Builds an app in code. Names of services, ports and directories are written there by
/// the programmer: the methods that take one panic where it is no [`Name`](crate::Name).
impl App {
    /// A container of this image.
    pub fn container(image: ImageRef) -> Self {
        Self { image: Some(image), ..Self::default() }
    }

    /// A process that the user starts on the node itself.
    pub fn host() -> Self {
        Self { run: Some(Run::Host), ..Self::default() }
    }

    /// Sets the port of its HTTP service.
    #[must_use]
    pub fn port(mut self, port: Port) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the path that answers 2xx while it is well.
    #[must_use]
    pub fn health(mut self, path: impl Into<String>) -> Self {
        self.health = Some(path.into());
        self
    }

    /// Adds a path that the edge sends here, `*` at its end for all below.
    #[must_use]
    pub fn route(mut self, path: impl Into<String>) -> Self {
        self.routes.push(path.into());
        self
    }

    /// Adds a service that it dials.
    #[must_use]
    pub fn need(mut self, service: &str) -> Self {
        self.needs.push(crate::plot::fixed_name(service));
        self
    }

    /// Sets an environment variable: a text, or a [`SecretRef`](crate::SecretRef).
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<EnvValue>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Opens a port that others reach without the edge.
    #[must_use]
    pub fn open(mut self, name: &str, opening: Opening) -> Self {
        self.open.insert(crate::plot::fixed_name(name), opening);
        self
    }

    /// Mounts a directory that outlives the container.
    #[must_use]
    pub fn volume(mut self, name: &str, place: impl Into<String>) -> Self {
        self.volumes.insert(crate::plot::fixed_name(name), place.into());
        self
    }
}

impl Opening {
    /// A TCP port that anybody may reach.
    pub fn tcp(port: Port) -> Self {
        Self { port, from: vec![Source::Any], protocol: tcp() }
    }

    /// A UDP port that anybody may reach.
    pub fn udp(port: Port) -> Self {
        Self { protocol: Protocol::Udp, ..Self::tcp(port) }
    }
}
