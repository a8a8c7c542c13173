//! `stageplot doctor`

use std::path::PathBuf;

use stageplot_health::{Group, Line, Outcome, Report, examinations};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::probing::ProbingArgs;
use crate::progress::Progress;
use crate::report::text;
use crate::screen::{self, harmless};
use crate::write;

/// Look at everything on this machine, for whoever looks for a fault
///
/// It tries what `verify` tries, and looks also at Docker, at the rules of the firewall, at
/// the clock, and at what containers have said of late; all of it in groups, with what was
/// seen. Its report holds no value of a secret, and can be passed on.
#[derive(clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    probing: ProbingArgs,

    /// Write the report to this file, which must not be there
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How the report is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

impl Doctor {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let Some(mut probing) = self.probing.prepare()? else { return Ok(Exit::Findings) };
        probing.trials.extend(examinations(&probing.topology, probing.stand));
        let mut progress = Progress::new(&probing.trials);
        let report = probing.run(|seen| progress.seen(seen))?;
        drop(progress);
        let text = match self.format {
            DataFormat::Text => draw(&report),
            DataFormat::Json => {
                serde_json::to_string_pretty(&report)
                    .map_err(|error| Failure::new(format!("failed to write JSON: {error}")))?
                    + "\n"
            }
        };
        match &self.out {
            None => screen::data(&text)?,
            Some(path) => {
                let plain = anstream::adapter::strip_str(&text).to_string();
                write::private(path, &plain)?;
                screen::talk(&text::summary(&report));
            }
        }
        Ok(Exit::of(report.outcome))
    }
}

/// The report in groups; the worst of each group on top.
fn draw(report: &Report) -> String {
    let mut text = text::summary(report);
    if let Some(first) = report.problems().next() {
        text.push_str("\nFirst of all:\n\n");
        text::problem(&mut text, first);
    }
    for group in Group::ALL {
        let lines: Vec<_> = report.checks.iter().filter(|line| line.group == group).collect();
        if lines.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{}\n", group.as_str()));
        for line in lines {
            examined(&mut text, line);
        }
    }
    harmless(text)
}

fn examined(text: &mut String, line: &Line) {
    let style = text::style(line.outcome);
    let cause = line.cause.map(|cause| format!("[{cause}]")).unwrap_or_default();
    text.push_str(&format!("  {style}{}{cause}{style:#} {}", line.outcome.as_str(), line.id));
    if line.outcome != Outcome::Passed {
        text.push_str(&format!(": {}", line.message));
    }
    text.push('\n');
    let seen = text::seen(line);
    if !seen.is_empty() {
        text.push_str(&format!("      {seen}\n"));
    }
}
