//! What a kind has to say while a topology is resolved: its endpoints and flows.

use ipnet::IpNet;

use super::unknown_service;
use crate::endpoint::{EndpointId, Scope, Speaks};
use crate::flow::{NetsId, Party};
use crate::{
    Code, FieldPath, Findings, Name, PortRange, Protocol, RemoteAddress, ServiceId, Source, Topology,
    validate, words,
};

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
    pub(crate) elsewhere: Vec<RemoteAddress>,
}

impl Draft {
    pub(crate) fn new(
        name: &'static str,
        protocol: Protocol,
        ports: impl Into<PortRange>,
        speaks: Speaks,
    ) -> Self {
        let ports = ports.into();
        Self {
            name: name.into(),
            protocol,
            ports,
            field: None,
            speaks,
            scope: Scope::Flows,
            at: At::All,
            elsewhere: Vec::new(),
        }
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
    pub(super) flows: Vec<(Party, EndpointId, String)>,
    pub(super) nets: Vec<Vec<IpNet>>,
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

    /// Adds flows from this service to where a database takes writes, in the plot
    /// or elsewhere.
    pub(crate) fn need_writable(&mut self, database: ServiceId, reason: &str) {
        let endpoints = self.topology.endpoints_of(database).iter();
        let writable = endpoints.filter(|endpoint| endpoint.name == "primary" || endpoint.is_elsewhere());
        let from = Party::Service(self.service);
        self.flows.extend(writable.map(|endpoint| (from, endpoint.id, reason.to_owned())));
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
            // The same ones at several endpoints are one party.
            let known = self.nets.iter().position(|known| *known == nets);
            let id = NetsId::from_index(self.topology.nets.len() + known.unwrap_or(self.nets.len()));
            if known.is_none() {
                self.nets.push(nets);
            }
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
                    format!("which {kind} {name} means is open: there are {}", words::listed(&names)),
                    format!("write {field} = \"{}\", or another of them", names[0]),
                );
                None
            }
        }
    }
}
