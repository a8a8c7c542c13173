//! Whether what no flow allows is shut.

use std::net::SocketAddr;

use stageplot_tests::{ask, inside};
use stageplot_topology::{Flow, Party, Topology};

use super::all;
use super::rules::{Rule, without};
use crate::stage::{NEVER, Stage, transport};

/// Asks from everywhere else for everything, and on every address.
pub(super) fn what_no_flow_allows_is_closed(stage: &Stage, topology: &Topology) {
    let mut attempts = Vec::new();
    for endpoint in topology.endpoints() {
        for &id in &endpoint.at {
            let at = topology.placement(id);
            let node = topology.node(at.node);
            let machine = stage.machine(topology, at);
            let other = if node.name.as_str() == "a" { "b" } else { "a" };
            let mut clients = vec![
                (Outsider::Stranger, stage.stranger.path()),
                (Outsider::Machine(other), stage.machines[other].namespace().path()),
            ];
            let bridged = machine.containers.get("client-bridge");
            clients.extend(bridged.map(|container| (Outsider::Container, container.namespace.clone())));
            let own = stage.machines[other].addresses();
            for (outsider, namespace) in clients {
                for address in machine.addresses() {
                    // The other machine has bridges of the same addresses.
                    if outsider == Outsider::Machine(other) && own.contains(&address) {
                        continue;
                    }
                    let may = |flow: &Flow| outsider.may(topology, flow.from, address.is_ipv6());
                    if !topology.flows_to(endpoint.id).any(may) {
                        let target = SocketAddr::from((address, endpoint.ports.first().number()));
                        attempts.push((namespace.clone(), outsider, transport(endpoint.protocol), target));
                    }
                }
            }
        }
    }
    let answers = all(&attempts, |_, (namespace, _, transport, target)| {
        inside(namespace, || ask(*transport, *target, NEVER))
    });
    for ((_, outsider, transport, target), answer) in attempts.iter().zip(answers) {
        assert_eq!(answer, None, "{outsider:?} reached {target} over {transport:?}");
    }
    println!("{} ways that no flow allows are closed", attempts.len());
}

/// Somebody whom a flow may allow or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outsider {
    /// A machine that is in no plot.
    Stranger,
    /// Another node, as a machine and as what its containers are seen as.
    Machine(&'static str),
    /// A container on the same node.
    Container,
}

impl Outsider {
    /// Whether a flow from that party is one from here, over that family.
    fn may(self, topology: &Topology, from: Party, v6: bool) -> bool {
        match (from, self) {
            (Party::Internet, _) | (Party::Network(_), Self::Machine(_)) => true,
            (Party::Nets(nets), Self::Stranger) => {
                topology.nets(nets).iter().any(|net| net.addr().is_ipv6() == v6)
            }
            (Party::Service(service), Self::Machine(name)) => {
                let node = topology.node_named(name).expect("a node").id;
                topology.placements_on(node).any(|placement| placement.service == service)
            }
            (Party::Service(service), Self::Container) => {
                topology.service(service).name.as_str() == "client-bridge"
            }
            _ => false,
        }
    }
}

/// Sends packets straight to containers, past the ports that are published. They
/// arrive where no rule of ours stops them, or this test would prove nothing.
pub(super) fn containers_are_not_routed_to(stage: &Stage, topology: &Topology) {
    let bridge = &topology.plot().bridge;
    let stranger = &stage.stranger;
    for (index, (name, machine)) in (1..).zip(&stage.machines) {
        let gateways = [format!("203.0.113.{index}"), format!("fd00:1::{index}")];
        for (net, gateway) in [bridge.v4.to_string(), bridge.v6.to_string()].iter().zip(&gateways) {
            stranger.ip(&["route", "replace", net, "via", gateway, "dev", "eth0", "onlink"]);
        }
        let mut targets = Vec::new();
        for placement in topology.placements_on(topology.node_named(name).expect("a node").id) {
            let service = topology.service(placement.service);
            let container = machine.containers.get(service.name.as_str());
            for endpoint in topology.endpoints_of(service.id) {
                let port = endpoint.ports.first().number();
                let addresses = container.iter().flat_map(|container| &container.addresses);
                let transport = transport(endpoint.protocol);
                targets.extend(addresses.map(|&address| (transport, SocketAddr::from((address, port)))));
            }
        }
        let ask_all = || {
            let answers = all(&targets, |_, &(transport, target)| {
                inside(&stranger.path(), || ask(transport, target, NEVER))
            });
            let answered = targets.iter().zip(answers).filter(|(_, answer)| answer.is_some());
            answered.map(|((_, target), _)| *target).collect::<Vec<_>>()
        };
        assert_eq!(ask_all(), [], "routed to on {name}");
        let guard = |Rule(line): Rule<'_>| line.contains("oifname") && line.ends_with("drop");
        machine.load("open", &without(&machine.rules, guard));
        let answered = ask_all();
        assert_ne!(answered, [], "Docker guards {name} by itself");
        println!("{} of {} container ports on {name} but for the rule", answered.len(), targets.len());
        machine.load("rules", &machine.rules);
    }
}
