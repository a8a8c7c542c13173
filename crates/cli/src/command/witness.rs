//! `stageplot witness`

use std::time::Instant;

use stageplot_health::Witness as Ear;
use stageplot_topology::Period;

use crate::exit::Exit;
use crate::failure::{Failure, reason};
use crate::plot::PlotArgs;
use crate::probing::here;
use crate::screen;

/// Tell `verify --closed` elsewhere which datagrams this node lets in
///
/// A UDP port that says nothing may be closed, or have nobody there who answers
/// strangers. A witness sees every datagram that passes the node's firewall, binds no port,
/// and answers those of `verify --closed` alone. It takes root.
#[derive(clap::Args)]
pub(crate) struct Witness {
    #[command(flatten)]
    plot: PlotArgs,

    /// The node that this machine is; found by its addresses where not set
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// How long it answers
    #[arg(long = "for", value_name = "TIME", default_value = "30m")]
    period: Period,
}

impl Witness {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology() else { return Ok(Exit::Findings) };
        let node = here(topology, self.node.as_deref())
            .map_err(|failure| failure.help("say which node it is: --node NAME"))?;
        let witness = Ear::new(topology, node.id)
            .map_err(|error| Failure::new(error.to_string()).help("run this as root, on the node itself"))?;
        screen::talk(&format!("witness of {} for {}; end it with ^C\n", node.name, self.period));
        witness
            .run(Instant::now() + self.period.duration())
            .map_err(|error| Failure::new(format!("the witness cannot go on: {}", reason(&error))))?;
        Ok(Exit::Well)
    }
}
