//! Every artifact of every example plot, read by the program that it is for.
//!
//! Each module is one program. Beside what is rendered it is given a corrupted copy,
//! which it has to refuse: a referee that takes anything proves nothing.

mod caddy;

use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_tests::{Missing, Stage, Vault, examples};
use stageplot_topology::Topology;

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

    fn all() -> Result<Vec<Self>, Missing> {
        examples().into_iter().map(|(name, topology)| Self::new(&name, topology)).collect()
    }

    fn stage(&self) -> Result<Stage, Missing> {
        Stage::new(&self.topology, &self.rendering)
    }
}
