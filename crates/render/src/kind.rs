//! What each kind renders. One file for each, named as in the model.

mod app;
mod edge;
mod livekit;
mod redis;

use stageplot_topology::{Node, Placement, Service, ServiceSpec, Topology};

use crate::RenderError;
use crate::artifact::{Artifact, Change};
use crate::bundle::digest_dir;
use crate::compose::Container;
use crate::secrets::Values;
use crate::template::{Template, Templates};

/// What a kind needs to render one placement.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) node: &'a Node,
    pub(crate) service: &'a Service,
    pub(crate) placement: Placement,
    pub(crate) values: &'a Values,
    pub(crate) templates: &'a Templates,
    /// Files that the user adds to this service.
    pub(crate) extra: &'a [Artifact],
}

/// What a placement contributes to its node's bundle.
pub(crate) struct Part {
    pub(crate) artifacts: Vec<Artifact>,
    /// The container, unless the user runs the service.
    pub(crate) container: Option<Container>,
}

/// The templates of all kinds.
pub(crate) const TEMPLATES: &[Template] = &[edge::TEMPLATE, redis::TEMPLATE, app::TEMPLATE];

/// Renders one placement.
pub(crate) fn render(scene: Scene<'_>) -> Result<Part, RenderError> {
    match &scene.service.kind {
        ServiceSpec::Edge(edge) => edge::render(scene, edge),
        ServiceSpec::Livekit(livekit) => livekit::render(scene, livekit),
        ServiceSpec::Redis(redis) => redis::render(scene, redis),
        ServiceSpec::App(app) => app::render(scene, app),
    }
}

impl Scene<'_> {
    /// Puts files that are read at start into a directory named by what they
    /// hold. Returns it, and the files in place.
    pub(crate) fn at_start(&self, files: Vec<Artifact>) -> (String, Vec<Artifact>) {
        let name = self.service.name.as_str();
        let dir = digest_dir(name, &files);
        let placed = files.into_iter().map(|file| {
            let path = format!("{dir}/{}", file.path);
            Artifact { path, ..file }.read_by(name, Change::Recreate)
        });
        (dir.clone(), placed.collect())
    }
}
