//! From a plot to a topology: names become ids, needs become flows, and every
//! contradiction becomes a finding.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::endpoint::{Endpoint, EndpointId, Scope, Speaks};
use crate::flow::{Flow, FlowId, NetsId, Party};
use crate::topology::{Network, Node, NodeAddress, Service};
use crate::{
    Code, FieldPath, Findings, Name, NetworkId, NodeId, Placement, PlacementId, Plot, PortRange, Protocol,
    ServiceId, Source, Topology, reach, suggest, validate,
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
    let help = match suggest::nearest(name.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => format!("add [services.{name}]"),
        None => format!("the services are {}; or add [services.{name}]", suggest::listed(&known)),
    };
    findings.add(Code::UnknownName, path, format!("no service is called {name}"), help);
}

/// An endpoint before it has an id.
pub(crate) struct Draft {
    pub(crate) name: std::borrow::Cow<'static, str>,
    pub(crate) protocol: Protocol,
    pub(crate) ports: PortRange,
    /// The field that states the ports, from the service on.
    pub(crate) field: Option<FieldPath>,
    pub(crate) speaks: Speaks,
    pub(crate) scope: Scope,
    pub(crate) at: At,
}

impl Draft {
    pub(crate) fn new(
        name: &'static str,
        protocol: Protocol,
        ports: impl Into<PortRange>,
        speaks: Speaks,
    ) -> Self {
        let ports = ports.into();
        Self { name: name.into(), protocol, ports, field: None, speaks, scope: Scope::Flows, at: At::All }
    }

    /// States its ports in a field of the service.
    pub(crate) fn field<'a>(mut self, steps: impl IntoIterator<Item = &'a str>) -> Self {
        self.field = Some(steps.into_iter().fold(FieldPath::root(), |path, step| path.key(step)));
        self
    }

    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    pub(crate) fn at(mut self, at: At) -> Self {
        self.at = at;
        self
    }
}

/// Which placements offer an endpoint.
pub(crate) enum At {
    All,
    Primary,
    Replicas,
}

/// What a kind sees while it adds its flows.
pub(crate) struct Wiring<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) service: ServiceId,
    pub(crate) path: FieldPath,
    pub(crate) findings: &'a mut Findings,
    flows: Vec<(Party, EndpointId, String)>,
    nets: Vec<Vec<IpNet>>,
}

impl Wiring<'_> {
    /// Adds a flow to an endpoint, if the service has it.
    pub(crate) fn flow(&mut self, from: Party, to: ServiceId, endpoint: &str, reason: impl Into<String>) {
        if let Some(endpoint) = self.topology.endpoint_named(to, endpoint) {
            self.flows.push((from, endpoint.id, reason.into()));
        }
    }

    /// Adds a flow from this service.
    pub(crate) fn need(&mut self, to: ServiceId, endpoint: &str, reason: impl Into<String>) {
        self.flow(Party::Service(self.service), to, endpoint, reason);
    }

    /// Adds a flow to this service.
    pub(crate) fn offer(&mut self, from: Party, endpoint: &str, reason: impl Into<String>) {
        self.flow(from, self.service, endpoint, reason);
    }

    /// Adds a flow to this service from wherever the plot's clients come from.
    pub(crate) fn offer_clients(&mut self, endpoint: &str, reason: &str) {
        let clients = self.topology.plot.access.clients.clone();
        // Networks that nobody knows are found by who looks at `access` itself.
        let known = clients.into_iter().filter(|source| match source {
            Source::Network(name) => self.topology.networks.iter().any(|network| network.name == *name),
            Source::Any | Source::Net(_) => true,
        });
        let known: Vec<_> = known.collect();
        let path = FieldPath::root().key("access").key("clients");
        self.offer_to(&known, endpoint, reason, &path);
    }

    /// Adds flows to this service from sources that the plot names.
    pub(crate) fn offer_to(&mut self, from: &[Source], endpoint: &str, reason: &str, path: &FieldPath) {
        let mut nets = Vec::new();
        for (index, source) in from.iter().enumerate() {
            match source {
                Source::Any => self.offer(Party::Internet, endpoint, reason),
                Source::Net(net) => nets.push(*net),
                Source::Network(name) => {
                    match self.topology.networks.iter().find(|network| network.name == *name) {
                        Some(network) => self.offer(Party::Network(network.id), endpoint, reason),
                        None => {
                            validate::unknown_network(self.topology, name, path.index(index), self.findings)
                        }
                    }
                }
            }
        }
        if !nets.is_empty() {
            let id = NetsId::from_index(self.topology.nets.len() + self.nets.len());
            self.nets.push(nets);
            self.offer(Party::Nets(id), endpoint, reason);
        }
    }

    /// The service that a field names, or the only one of its kind.
    pub(crate) fn one_of_kind(
        &mut self,
        kind: &str,
        written: Option<&Name>,
        field: &str,
    ) -> Option<ServiceId> {
        let path = self.path.key(field);
        if let Some(name) = written {
            let Some(service) = self.topology.service_named(name.as_str()) else {
                unknown_service(self.topology, name, path, self.findings);
                return None;
            };
            if service.kind.kind() != kind {
                let message = format!("{name} is of kind {}, not {kind}", service.kind.kind());
                self.findings.add(Code::WrongKind, path, message, format!("name a service of kind {kind}"));
                return None;
            }
            return Some(service.id);
        }
        let of_kind: Vec<_> = self.topology.services.iter().filter(|s| s.kind.kind() == kind).collect();
        match of_kind.as_slice() {
            [] => None,
            [only] => Some(only.id),
            several => {
                let names: Vec<_> = several.iter().map(|s| s.name.as_str()).collect();
                let name = &self.topology.service(self.service).name;
                self.findings.add(
                    Code::AmbiguousService,
                    path,
                    format!("which {kind} {name} means is open: there are {}", suggest::listed(&names)),
                    format!("write {field} = \"{}\", or another of them", names[0]),
                );
                None
            }
        }
    }
}

impl Topology {
    /// The addresses that a [`Party::Nets`] stands for.
    pub fn nets(&self, id: NetsId) -> &[IpNet] {
        &self.nets[id.index()]
    }
}
