//! What else is looked at where something is wrong and nobody knows what.

use stageplot_topology::{FirewallInput, Topology};

use crate::{Place, Stand, Subject, Target, Trial, What};

/// The trials of one machine that are of use to whoever looks for a fault, and too much for
/// a check that has to be green: Docker's own state, the rules of the firewall, the clock,
/// how long the machine has been up, and what containers have said of late.
///
/// There are none outside.
///
/// ```
/// use stageplot_health::{Stand, examinations};
/// use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// let node = topology.node_named("front").ok_or("a node")?.id;
/// let ids: Vec<_> = examinations(&topology, Stand::Node(node)).into_iter().map(|trial| trial.id).collect();
/// assert_eq!(ids, [
///     "Docker: front",
///     "cache logs: front",
///     "firewall rules: front",
///     "clock: front",
///     "uptime: front",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn examinations(topology: &Topology, stand: Stand) -> Vec<Trial> {
    let Stand::Node(node) = stand else { return Vec::new() };
    let name = &topology.node(node).name;
    let trial = |id: String, target: Target, what: What| Trial {
        id: format!("{id}: {name}"),
        subject: Subject::Node(node),
        place: Place::Node(node),
        service: None,
        at: None,
        target,
        what,
        deadline: Trial::DEADLINE,
    };
    let mut trials = Vec::new();
    let containers: Vec<_> = topology
        .placements_on(node)
        .map(|placed| (placed.id, topology.service(placed.service)))
        .filter(|(_, service)| service.kind.image().is_some())
        .collect();
    if !containers.is_empty() {
        trials.push(trial("Docker".to_owned(), Target::Machine, What::Engine));
    }
    for (placement, service) in containers {
        for name in service.migration().into_iter().chain([service.name.clone()]) {
            let mut logs = trial(format!("{name} logs"), Target::Container(name), What::Logs);
            logs.subject = Subject::Placement(placement);
            logs.service = Some(service.id);
            logs.at = Some(placement);
            trials.push(logs);
        }
    }
    let input = topology.plot().firewall.input == FirewallInput::Nftables;
    trials.push(trial("firewall rules".to_owned(), Target::Machine, What::Rules { input }));
    trials.push(trial("clock".to_owned(), Target::Machine, What::Clock));
    trials.push(trial("uptime".to_owned(), Target::Machine, What::Uptime));
    trials
}
