//! From a plot to a topology: names become ids, needs become flows, and every
//! contradiction becomes a finding.

mod wiring;

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

pub(crate) use wiring::{At, Draft, Wiring};

use crate::endpoint::{Endpoint, EndpointId};
use crate::flow::{Flow, FlowId, NetsId};
use crate::topology::{Network, Node, NodeAddress, Service};
use crate::{
    Code, FieldPath, Findings, Lock, Name, NetworkId, NodeId, Placement, PlacementId, Plot, ServiceId,
    ServiceSpec, Topology, reach, validate, words,
};

/// Resolves a plot as far as it goes, with everything that is to be said of it.
pub(crate) fn resolve(plot: &Plot) -> (Topology, Findings) {
    let mut findings = Findings::new();
    let mut topology = skeleton(plot);
    place(&mut topology, &mut findings);
    let services: Vec<_> = topology.services.iter().map(|service| service.id).collect();
    for &service in &services {
        open(&mut topology, service);
    }
    for &service in &services {
        let entry = &topology.services[service.index()];
        let v6 = topology.dials_v6(entry.kind.behaviour().attachment());
        let nodes = entry.placements.iter().map(|&id| topology.placement(id).node);
        let peers = reach::group(&topology, nodes, v6);
        topology.peers.push(peers);
    }
    for service in services {
        wire(&mut topology, service, &mut findings);
    }
    index_flows(&mut topology);
    validate::validate(&topology, &mut findings);
    (topology, findings)
}

/// Networks, nodes and services, not yet placed.
fn skeleton(plot: &Plot) -> Topology {
    let networks = plot.networks.iter().enumerate().map(|(index, (name, spec))| Network {
        id: NetworkId::from_index(index),
        name: name.clone(),
        cidr: spec.cidr.clone(),
    });
    let networks: Vec<_> = networks.collect();
    let network_of = |ip: &IpAddr| {
        networks.iter().find(|network| network.cidr.iter().any(|cidr| cidr.contains(ip))).map(|n| n.id)
    };
    let nodes = plot.nodes.iter().enumerate().map(|(index, (name, spec))| Node {
        id: NodeId::from_index(index),
        name: name.clone(),
        addresses: spec.address.iter().map(|&ip| NodeAddress { ip, network: network_of(&ip) }).collect(),
        public: spec.public,
        region: spec.region.clone(),
        memory: spec.memory,
    });
    let nodes: Vec<_> = nodes.collect();
    let services = plot.services.iter().enumerate().map(|(index, (name, kind))| Service {
        id: ServiceId::from_index(index),
        name: name.clone(),
        kind: kind.clone(),
        placements: Vec::new(),
        primary: None,
    });
    Topology {
        plot: plot.clone(),
        lock: Lock::new(),
        services: services.collect(),
        on_node: vec![Vec::new(); nodes.len()],
        nodes,
        networks,
        placements: Vec::new(),
        endpoints: Vec::new(),
        flows: Vec::new(),
        flows_to: Vec::new(),
        peers: Vec::new(),
        nets: Vec::new(),
    }
}

/// Turns roles into placements.
fn place(topology: &mut Topology, findings: &mut Findings) {
    let plot = topology.plot.clone();
    let mut placed: Vec<(ServiceId, NodeId)> = Vec::new();
    for (index, (name, spec)) in plot.nodes.iter().enumerate() {
        let node = NodeId::from_index(index);
        let roles = FieldPath::root().key("nodes").key(name.as_str()).key("roles");
        for (index, role) in spec.roles.iter().enumerate() {
            let path = roles.index(index);
            match topology.service_named(role.as_str()).map(|service| service.id) {
                None => unknown_service(topology, role, path, findings),
                Some(_) if spec.roles[..index].contains(role) => {
                    findings.add(
                        Code::DuplicateRole,
                        path,
                        format!("{name} has the role {role} twice"),
                        "name it once: a node runs at most one of each service",
                    );
                }
                Some(service) => placed.push((service, node)),
            }
        }
    }
    placed.sort_unstable();
    for (index, (service, node)) in placed.into_iter().enumerate() {
        let id = PlacementId::from_index(index);
        let entry = &mut topology.services[service.index()];
        entry.placements.push(id);
        let attachment = entry.kind.behaviour().attachment();
        topology.placements.push(Placement { id, service, node, attachment });
        topology.on_node[node.index()].push(id);
    }
    for index in 0..topology.services.len() {
        let primary = {
            let service = &topology.services[index];
            service.kind.behaviour().primary(service, topology, findings)
        };
        topology.services[index].primary = primary;
    }
}

/// Adds a service's endpoints.
fn open(topology: &mut Topology, id: ServiceId) {
    let service = &topology.services[id.index()];
    let replicas: Vec<_> =
        service.placements.iter().copied().filter(|&at| Some(at) != service.primary).collect();
    for draft in service.kind.behaviour().endpoints() {
        let at = match draft.at {
            At::All => service.placements.clone(),
            At::Primary => service.primary.into_iter().collect(),
            At::Replicas => replicas.clone(),
        };
        topology.endpoints.push(Endpoint {
            id: EndpointId::from_index(topology.endpoints.len()),
            service: id,
            name: draft.name,
            protocol: draft.protocol,
            ports: draft.ports,
            field: draft.field.map(|field| service_path(&service.name).join(&field)),
            speaks: draft.speaks,
            scope: draft.scope,
            at,
            elsewhere: draft.elsewhere,
        });
    }
}

/// Adds the flows that a service brings about.
fn wire(topology: &mut Topology, service: ServiceId, findings: &mut Findings) {
    let entry = &topology.services[service.index()];
    let path = service_path(&entry.name);
    let mut wiring = Wiring { topology, service, path, findings, flows: Vec::new(), nets: Vec::new() };
    entry.kind.behaviour().wire(&mut wiring);
    let (flows, nets) = (wiring.flows, wiring.nets);
    topology.nets.extend(nets);
    for (from, to, reason) in flows {
        let id = FlowId::from_index(topology.flows.len());
        topology.flows.push(Flow { id, from, to, reason: reason.into() });
    }
}

fn index_flows(topology: &mut Topology) {
    let mut by_endpoint: BTreeMap<EndpointId, Vec<FlowId>> = BTreeMap::new();
    for flow in &topology.flows {
        by_endpoint.entry(flow.to).or_default().push(flow.id);
    }
    let endpoints = topology.endpoints.iter();
    topology.flows_to = endpoints.map(|e| by_endpoint.remove(&e.id).unwrap_or_default()).collect();
}

/// The path of a service in the plot.
pub(crate) fn service_path(name: &Name) -> FieldPath {
    FieldPath::root().key("services").key(name.as_str())
}

/// Says that no service has this name, and which one may be meant.
pub(crate) fn unknown_service(topology: &Topology, name: &Name, path: FieldPath, findings: &mut Findings) {
    let known: Vec<&str> = topology.services.iter().map(|s| s.name.as_str()).collect();
    let help = match words::nearest(name.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if ServiceSpec::KINDS.contains(&name.as_str()) => format!("add [{name}]"),
        None if name.as_str() == "turn" => {
            "TURN is a part of LiveKit: set turn = { udp-port = 3478 } in [livekit], and leave this out"
                .to_owned()
        }
        None if known.is_empty() => format!("add [services.{name}]"),
        None => format!("the services are {}; or add [services.{name}]", words::listed(&known)),
    };
    findings.add(Code::UnknownName, path, format!("no service is called {name}"), help);
}

impl Topology {
    /// The addresses that a [`Party::Nets`](crate::Party::Nets) stands for.
    pub fn nets(&self, id: NetsId) -> &[IpNet] {
        &self.nets[id.index()]
    }
}
