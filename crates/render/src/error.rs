//! Why a topology could not be rendered.

use stageplot_topology::Findings;

use crate::template::TemplateError;

/// Why a topology could not be rendered.
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
    /// A value that a structured format cannot hold.
    #[error("a value cannot be written: {0}")]
    Format(String),
}

fn several(errors: &[TemplateError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
