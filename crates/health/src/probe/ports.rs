//! Nobody but the plot's services listens on their ports.

use stageplot_topology::{Attachment, NodeId, Placement};

use super::Attempt;
use crate::docker::{Docker, service_of};
use crate::sockets::{Listener, Process, holders, listeners};
use crate::{Cause, Problem};

/// What answers on a node for ports that Docker publishes.
const PROXY: &str = "docker-proxy";

/// On each port of the node's services nobody listens who is not in their containers.
pub(super) async fn strangers(attempt: &mut Attempt<'_>, node: NodeId) -> Result<(), Problem> {
    let topology = attempt.scene.topology.clone();
    let docker = Docker::new(&attempt.scene.options.docker);
    let containers = docker.containers(&topology, None).await?;
    let listeners = listeners();
    let holders = holders(&listeners);
    let mut looked_at = 0;
    let mut hidden = 0;
    for placed in topology.placements_on(node) {
        let service = topology.service(placed.service);
        // What Docker does not run is whoever the operator starts.
        if placed.attachment == Attachment::OffDocker || service.kind.image().is_none() {
            continue;
        }
        let container = containers.iter().find(|shown| service_of(shown) == Some(service.name.as_str()));
        let id = container.and_then(|shown| shown.id.as_deref());
        for endpoint in topology.endpoints_of(service.id).iter().filter(|endpoint| endpoint.is_at(placed.id))
        {
            let ports = endpoint.ports.first().number()..=endpoint.ports.last().number();
            let on_it =
                |socket: &&Listener| socket.protocol == endpoint.protocol && ports.contains(&socket.port);
            for socket in listeners.iter().filter(on_it) {
                looked_at += 1;
                let held = socket.held_by(&holders);
                hidden += usize::from(held.is_empty());
                if let Some(stranger) = held.iter().find(|process| !is_own(process, id, placed)) {
                    attempt.evidence.note("process", stranger.pid);
                    attempt.evidence.note("program", &stranger.name);
                    let what = format!(
                        "{}/{} is taken by {} (process {}), and {} is to listen there",
                        socket.port, socket.protocol, stranger.name, stranger.pid, service.name
                    );
                    return Err(Problem::failed(Cause::PortTaken, what));
                }
            }
        }
    }
    attempt.evidence.note("listeners", looked_at);
    if hidden > 0 {
        let what = format!("whose {hidden} of the listening sockets are cannot be seen");
        return Err(Problem::not_tried(Cause::NotPermitted, what).help("run this as root"));
    }
    Ok(())
}

/// Whether a process is in a container, or is Docker's own for its ports.
fn is_own(process: &Process, container: Option<&str>, placed: Placement) -> bool {
    let in_container = container.is_some_and(|id| process.cgroups.contains(id));
    in_container || (placed.attachment == Attachment::Bridge && process.name == PROXY)
}
