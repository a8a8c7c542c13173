//! Why a topology could not be rendered.

use stageplot_topology::Findings;

use crate::SourceError;
use crate::template::TemplateError;

/// Why a topology could not be rendered.
///
/// ```
/// use stageplot_render::{Artifact, ArtifactSource, Custom, RenderError, Secrets, SourceError, render};
/// use stageplot_topology::{Node, Topology};
///
/// /// A list that nobody has written yet.
/// struct Missing;
///
/// impl ArtifactSource for Missing {
///     fn of_node(&self, _: &Topology, _: &Node) -> Result<Vec<Artifact>, SourceError> {
///         Err("the list is not there".into())
///     }
/// }
///
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// match render(&topology, Secrets::SEALED, &Custom::default().source(Missing)) {
///     Err(RenderError::Source { of, error }) => {
///         assert_eq!((of.as_str(), error.to_string().as_str()), ("front", "the list is not there"));
///     }
///     Err(RenderError::Findings(findings)) => println!("{findings}"), // secrets that are missing
///     Err(error) => println!("{error}"),
///     Ok(rendering) => println!("{} machines", rendering.bundles.len()),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// Secrets that cannot be had, or that a program would refuse.
    #[error("{0}")]
    Findings(#[from] Findings),
    /// Templates that do not load: the user's own, as ours are tested.
    #[error("{}", several(.0))]
    Templates(Vec<TemplateError>),
    /// A template that does not render, or a value that its format cannot hold.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Files of the user's own that cannot be made.
    #[error("the files of your own for {of} cannot be made: {error}")]
    Source {
        /// The node, or the service and the node, that they are for.
        of: String,
        /// What their source said.
        error: SourceError,
    },
    /// A file that a bundle cannot hold, for one of the user's own.
    #[error("the bundle of {node} cannot hold {path:?}: {why}")]
    Artifact {
        /// The node's name.
        node: String,
        /// Where it was to stand in the bundle.
        path: String,
        /// Why it cannot, and how that is mended.
        why: String,
    },
    /// A value that a structured format cannot hold.
    #[error("a value cannot be written: {0}")]
    Format(String),
}

fn several(errors: &[TemplateError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
