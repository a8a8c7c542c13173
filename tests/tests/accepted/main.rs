//! Every artifact of every example plot, read by the program that it is for.
//!
//! Each module is one program. Beside what is rendered it is given a corrupted copy,
//! which it has to refuse: a referee that takes anything proves nothing.

mod caddy;
mod compose;
mod elsewhere;
mod firewall;
mod livekit;
mod plots;
mod redis;
mod system;

use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_tests::{Missing, Stage, Vault, examples, topology};
use stageplot_topology::{FirewallInput, Topology};

/// An example plot, rendered with values for its secrets.
struct Example {
    name: String,
    topology: Topology,
    rendering: Rendering,
    vault: Vault,
}

impl Example {
    fn new(name: &str, topology: Topology) -> Result<Self, Missing> {
        let vault = Vault::new(&topology)?;
        let rendering = render(&topology, Secrets::From(&vault), &Custom::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Ok(Self { name: name.to_owned(), topology, rendering, vault })
    }

    /// The example plots, and what they leave out.
    fn all() -> Result<Vec<Self>, Missing> {
        let further = plots::FURTHER.iter().map(|(name, text)| ((*name).to_owned(), topology(text)));
        examples().into_iter().chain(further).map(|(name, topology)| Self::new(&name, topology)).collect()
    }

    fn uses_ufw(&self) -> bool {
        self.topology.plot().firewall.input == FirewallInput::Ufw
    }

    /// Where the plot lives on its machines.
    fn install_dir(&self) -> String {
        format!("{}/{}", self.topology.plot().root, self.topology.name())
    }

    fn stage(&self) -> Result<Stage, Missing> {
        Stage::new(&self.topology, &self.rendering)
    }
}
