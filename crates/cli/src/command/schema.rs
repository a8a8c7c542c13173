//! `stageplot schema`

use serde_json::Value;
use stageplot_topology::Plot;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen;

/// Print the JSON Schema of the plot, for editors
///
/// In VS Code with the extension "Even Better TOML", the first line of the plot is
/// "#:schema ./stageplot.schema.json".
#[derive(clap::Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        screen::json(&schema())?;
        Ok(Exit::Well)
    }
}

/// The schema of a plot as files have it.
pub(crate) fn schema() -> Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Plot>()
        .into()
}
