//! `stageplot verify`

use std::thread;
use std::time::{Duration, Instant};

use stageplot_health::Outcome;
use stageplot_topology::Period;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::probing::ProbingArgs;
use crate::progress::Progress;
use crate::report::Format;

/// Try for real what the plot promises, from this machine
///
/// On a node, every flow that leaves it is tried, from the network of the container that
/// is the client where there is one; that takes root. From elsewhere, with --from
/// outside, what the Internet may reach. Each check has a deadline, and what did not pass
/// has a cause, which `stageplot explain` documents. What could not be tried has not
/// passed.
#[derive(clap::Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    probing: ProbingArgs,

    /// Try also that nothing else answers: all TCP and UDP ports of every other machine, and
    /// the containers, as who routes to them meets them
    ///
    /// It takes minutes, and root. UDP takes `stageplot witness` on the node that is looked at.
    #[arg(long)]
    closed: bool,

    /// How many connections and datagrams --closed sends a second
    #[arg(long, value_name = "NUMBER", default_value = "10000", requires = "closed")]
    pace: u32,

    /// Try again, once a second, until all is well, for at most so long
    #[arg(long, value_name = "TIME")]
    wait: Option<Period>,

    /// How the report is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

impl Verify {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let Some(mut probing) = self.probing.prepare()? else { return Ok(Exit::Findings) };
        if self.closed {
            probing.add_closed(self.pace);
        }
        let until = Instant::now() + self.wait.unwrap_or_default().duration();
        let report = loop {
            let mut progress = Progress::new(&probing.trials);
            let report = probing.run(|seen| progress.seen(seen))?;
            drop(progress);
            if report.outcome == Outcome::Passed || Instant::now() >= until {
                break report;
            }
            thread::sleep(Duration::from_secs(1));
        };
        self.format.print(&report)?;
        Ok(Exit::of(report.outcome))
    }
}
