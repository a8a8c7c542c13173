//! What an app has done before it is started.

use crate::{Name, Service, ServiceSpec};

impl Service {
    /// What the container is called that runs [`App::migrate`](crate::App::migrate) before
    /// those of the service itself, on each of its nodes; none where nothing is to be run.
    ///
    /// ```
    /// use stageplot_topology::{App, NodeSpec, Plot};
    ///
    /// let migrate = ["/app/main", "migrate"].map(str::to_owned).to_vec();
    /// let rooms = App { migrate, ..App::container("registry.example.com/rooms:1.4.0".parse()?) };
    /// let topology = Plot::new("live".parse()?)
    ///     .service("rooms", rooms)
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("rooms"))
    ///     .build()?
    ///     .topology;
    /// let rooms = topology.service_named("rooms").ok_or("an app")?;
    /// assert_eq!(rooms.migration().ok_or("a migration")?.as_str(), "rooms-migrate");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn migration(&self) -> Option<Name> {
        match &self.kind {
            ServiceSpec::App(app) if app.run.is_none() && !app.migrate.is_empty() => named(&self.name),
            _ => None,
        }
    }
}

/// The name of an app's migration; none where it would be too long for one.
pub(super) fn named(app: &Name) -> Option<Name> {
    format!("{app}-migrate").parse().ok()
}
