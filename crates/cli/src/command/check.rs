//! `stageplot check`

use clap::ValueEnum;
use stageplot_render::{Renderer, Seals, Secrets};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings::{self, Total, json, sarif};
use crate::plot::{PlotArgs, PlotFile};
use crate::{counted, custom, screen, seals};

/// Say everything that is wrong with a plot
///
/// Needs no secrets, and writes nothing.
#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    plot: PlotArgs,

    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,

    /// Exit with 2 where there are warnings too
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code scanners: SARIF 2.1.0
    Sarif,
}

impl Check {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let mut plot = self.plot.read()?;
        let beside = seals(&mut plot).and_then(|()| templates(&plot));
        let findings = plot.findings();
        match self.format {
            ReportFormat::Text if findings.is_empty() && beside.is_err() => {}
            ReportFormat::Text if findings.is_empty() => screen::data(&summary(&plot))?,
            ReportFormat::Text => screen::data(&findings::draw(findings, &plot))?,
            ReportFormat::Json => screen::json(&json::Report::new(&plot.name, findings))?,
            ReportFormat::Sarif => screen::json(&sarif::log(&plot))?,
        }
        beside?;
        let total = Total::of(findings);
        match total {
            Total { errors: 1.., .. } => Ok(Exit::Findings),
            Total { warnings: 1.., .. } if self.deny_warnings => Ok(Exit::Findings),
            _ => Ok(Exit::Well),
        }
    }
}

/// What a sound plot describes, in a line.
fn summary(plot: &PlotFile) -> String {
    let Ok(built) = &plot.built else { return String::new() };
    let topology = &built.topology;
    format!(
        "{} is well: {} on {}, {}\n",
        plot.name,
        counted(topology.services().len(), "service"),
        counted(topology.nodes().len(), "node"),
        counted(topology.flows().len(), "flow"),
    )
}

/// Looks whether every secret has a seal, where the plot has seals.
fn seals(plot: &mut PlotFile) -> Result<(), Failure> {
    let Ok(built) = &plot.built else { return Ok(()) };
    let findings = seals::review(&built.topology, &seals::read(&built.topology, &plot.dir)?, None);
    plot.add(findings);
    Ok(())
}

/// Looks whether the user's own templates can be read and loaded.
fn templates(plot: &PlotFile) -> Result<(), Failure> {
    let Ok(built) = &plot.built else { return Ok(()) };
    if built.topology.plot().templates.is_none() {
        return Ok(());
    }
    let custom = custom::read(&built.topology, &plot.dir)?;
    Renderer::new(&built.topology, Secrets::Sealed(&Seals::default()), &custom).map_err(Failure::from)?;
    Ok(())
}
