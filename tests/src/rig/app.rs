//! Services that the user starts, outside Docker.

use std::path::{Path, PathBuf};

use stageplot_topology::{App, Attachment, ServiceSpec, Topology};

use crate::image::Image;
use crate::machine::Machine;
use crate::process::Process;

/// Reads the variables that were rendered for the service, and becomes its command.
const START: &str = r#"set -a; [ ! -e "$0" ] || . "$0"; set +a; exec sh -c "$1""#;

/// The services that the user starts on a node.
pub(super) fn on<'t>(topology: &'t Topology, node: &str) -> impl Iterator<Item = (&'t str, &'t App)> {
    let node = topology.node_named(node).map(|node| node.id);
    let placements = node.into_iter().flat_map(|node| topology.placements_on(node));
    placements.filter(|placement| placement.attachment == Attachment::OffDocker).filter_map(|placement| {
        let service = topology.service(placement.service);
        match &service.kind {
            ServiceSpec::App(app) => Some((service.name.as_str(), app)),
            _ => None,
        }
    })
}

/// Starts one on its machine as the user would, with the variables in the bundle that
/// is installed in `directory`: by a shell's command, or where there is none an echo,
/// for which the engine has to have the image.
pub(super) fn start(
    machine: &Machine,
    directory: &Path,
    name: &str,
    app: &App,
    command: Option<&str>,
) -> Process {
    let command = match command {
        Some(command) => command.to_owned(),
        None => {
            let port = app.port.map_or(8080, |port| port.number());
            format!("PORT={port} exec {}", echo(machine).display())
        }
    };
    let mut shell = machine.command("sh");
    shell.args(["-c", START]).arg(directory.join("live").join(name).join("env")).arg(command);
    Process::start(name, &mut shell)
}

/// The program of the image, where the machine can start it.
fn echo(machine: &Machine) -> PathBuf {
    let program = machine.root().with_file_name("echo");
    let engine = machine.engine();
    let container = engine.docker(&["create", Image::ECHO]).success();
    let container = container.trim();
    engine.docker(&["cp", &format!("{container}:/echo"), &program.display().to_string()]).success();
    engine.docker(&["rm", container]).success();
    program
}
