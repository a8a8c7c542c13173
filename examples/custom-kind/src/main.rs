//! Renders a plot that may have services of the kind `icecast`, and adds files for
//! monitoring:
//!
//! ```sh
//! cargo run -p custom-kind -- examples/custom-kind/stageplot.toml sealed
//! ```

mod icecast;
mod monitoring;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use stageplot_render::output::{self, Options};
use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{CustomKinds, Document, Format, Plot};

use icecast::Icecast;
use monitoring::Monitoring;

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [plot, dir] = arguments.as_slice() else { return Err("usage: custom-kind PLOT DIRECTORY".into()) };
    let text = std::fs::read(plot).map_err(|error| format!("failed to read {plot}: {error}"))?;
    let format = Format::from_path(Path::new(plot)).ok_or("the plot is not called .toml, .json or .yaml")?;
    let document = Document::parse_bytes(format, plot, &text)?;
    let built = Plot::read_with(&document, &CustomKinds::new().with::<Icecast>()?)?;
    built.findings.iter().for_each(|finding| eprintln!("{finding}"));
    // Sealed, it needs no secrets; see the example build-in-code for a source of them.
    let custom = Custom::default().source(Monitoring);
    let rendering = render(&built.topology, Secrets::SEALED, &custom)?;
    output::write(Path::new(dir), &rendering.files()?, Options::default())?;
    println!("{} machines rendered to {dir}", rendering.bundles.len());
    Ok(())
}

fn main() -> ExitCode {
    run().map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
