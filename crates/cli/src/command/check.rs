//! `stageplot check`

use clap::ValueEnum;
use stageplot_health::registry;
use stageplot_render::{Renderer, Secrets};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings::{self, Total, json, sarif};
use crate::plot::{PlotArgs, PlotFile};
use crate::{counted, custom, registries, screen, seals};

/// Say everything that is wrong with a plot
///
/// Needs no secrets, asks nobody, and writes nothing. A lock file beside the plot is
/// held against it.
#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    plot: PlotArgs,

    /// Ask the registries too: which tags have moved away from what is locked, and
    /// which images are not to be had
    #[arg(long)]
    online: bool,

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
        if self.online
            && let Ok(built) = &plot.built
        {
            let topology = &built.topology;
            let answers = registries::ask(topology, topology.images().into_keys(), topology.lock())?;
            let moved = registry::review(topology, &answers);
            plot.add(moved);
        }
        let findings = plot.findings();
        match self.format {
            ReportFormat::Text if findings.is_empty() && beside.is_err() => {}
            ReportFormat::Text if findings.is_empty() => screen::data(&self.summary(&plot))?,
            ReportFormat::Text => {
                let images = self.images(&plot).map_or_else(String::new, |told| format!("\n{told}\n"));
                screen::data(&(findings::draw(findings, &plot) + &images))?;
            }
            ReportFormat::Json => {
                screen::json(&json::Report::new(&plot, self.online, beside.as_ref().err()))?
            }
            ReportFormat::Sarif => screen::json(&sarif::log(&plot, beside.as_ref().err()))?,
        }
        beside?;
        let total = Total::of(findings);
        match total {
            Total { errors: 1.., .. } => Ok(Exit::Findings),
            Total { warnings: 1.., .. } if self.deny_warnings => Ok(Exit::Findings),
            _ => Ok(Exit::Well),
        }
    }

    /// What a sound plot describes, in a line.
    fn summary(&self, plot: &PlotFile) -> String {
        let Ok(built) = &plot.built else { return String::new() };
        let topology = &built.topology;
        let images = self.images(plot).map_or_else(String::new, |told| format!("; {told}"));
        format!(
            "{} is well: {} on {}, {}{images}\n",
            plot.name,
            counted(topology.services().len(), "service"),
            counted(topology.nodes().len(), "node"),
            counted(topology.flows().len(), "flow"),
        )
    }

    /// What is known of the images of a sound plot, and whether anybody was asked.
    fn images(&self, plot: &PlotFile) -> Option<String> {
        let locked = plot.built.as_ref().ok()?.topology.locked_count();
        match (locked, self.online) {
            (0, _) => None,
            (count, false) => {
                Some(format!("{}, registries not asked (--online)", counted(count, "locked image")))
            }
            (count, true) => Some(format!("{}, registries asked", counted(count, "locked image"))),
        }
    }
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
    Renderer::new(&built.topology, Secrets::SEALED, &custom).map_err(Failure::from)?;
    Ok(())
}
