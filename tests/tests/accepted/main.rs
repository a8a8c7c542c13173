//! Every artifact of every example plot, read by the program that it is for.
//!
//! Each module is one program. Beside what is rendered it is given a corrupted copy,
//! which it has to refuse: a referee that takes anything proves nothing.

mod caddy;
mod compose;
mod elsewhere;
mod firewall;
mod grafana;
mod ion_sfu;
mod livekit;
mod nginx;
mod plots;
mod postgres;
mod prometheus;
mod redis;
mod system;

use std::time::Duration;

use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_tests::{Missing, Running, Stage, Station, Vault, examples, run, topology};
use stageplot_topology::{FirewallInput, Topology};

/// What an answer may take.
const SOON: Duration = Duration::from_secs(30);

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

/// The health check of `compose.yaml` passes, and fails once the server is gone. One that
/// asks for its link asks it of a replica.
fn health_tells(station: &Station, service: &str, running: &mut Running, link: &str, what: &str) {
    let health = station.installed().container(service).health.expect("a health check");
    let check = |running: &Running| {
        // Docker runs it as root, whatever user the entrypoint steps down to.
        let mut command = running.root.command(station.machine(), "sh");
        run(command.args(["-c", &health]), SOON)
    };
    // The link of a replica whose primary was stopped before goes down as well.
    if !health.contains(link) {
        let output = check(running);
        assert!(output.succeeded(), "{what}: {output:?}");
    }
    running.process.stop();
    assert!(!check(running).succeeded(), "{what}: well after its end");
}

fn want_ok<T>(wanted: Result<T, stageplot_tests::Missing>) -> T {
    wanted.unwrap_or_else(|missing| panic!("{missing}"))
}
