//! What is wrong with a plot as a whole, or may hurt.

mod access;
mod clear;
mod connections;
mod network;
mod ports;
mod routes;
mod secrets;
mod sources;

pub(crate) use connections::pooled;

use crate::resolve::service_path;
use crate::{Code, FieldPath, Findings, ImageRef, Level, Name, SecretRef, Service, Topology, words};

/// Adds every finding about the topology.
pub(crate) fn validate(topology: &Topology, findings: &mut Findings) {
    if topology.nodes.is_empty() {
        findings.add(
            Code::MissingField,
            FieldPath::root().key("nodes"),
            "a plot without machines renders nothing",
            "add [nodes.NAME] with an address and roles",
        );
    }
    settings(topology, findings);
    seals(topology, findings);
    network::review(topology, findings);
    access::review(topology, findings);
    clear::review(topology, findings);
    for service in &topology.services {
        let path = service_path(&service.name);
        service.kind.behaviour().review(&mut Review { topology, service, path, findings });
    }
    secrets::review(topology, findings);
    placed(topology, findings);
    connections::review(topology, findings);
    ports::review(topology, findings);
    routes::review(topology, findings);
    crate::images::review(topology, findings);
    sources::review(topology, findings);
}

/// The key of the seals.
fn seals(topology: &Topology, findings: &mut Findings) {
    let Some(seals) = &topology.plot.seals else { return };
    let path = FieldPath::root().key("seals").key("key");
    let help = "keep it with the secrets, as another of them: key = { env = \"STAGEPLOT_SEAL_KEY\" }";
    if let SecretRef::Literal(_) = seals.key {
        let message = "everybody who can read the plot has the key, and can guess at secrets with it";
        findings.add(Code::SealKey, path, message, help);
    } else if let Some((field, _)) = topology.secrets().iter().find(|(_, secret)| **secret == seals.key) {
        let message = format!("the key is the secret of {field} as well, which others have");
        findings.add(Code::SealKey, path, message, help);
    }
}

/// The plot's own fields.
fn settings(topology: &Topology, findings: &mut Findings) {
    let plot = &topology.plot;
    // It is part of unit files, mounts and commands, which all quote differently.
    let steps = || plot.root.trim_end_matches('/').split('/').skip(1);
    let plain = |step: &str| {
        !matches!(step, "" | "." | "..")
            && step.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    if !plot.root.starts_with('/') || steps().next().is_none() || !steps().all(plain) {
        findings.add(
            Code::InvalidValue,
            FieldPath::root().key("root"),
            format!("{:?} is not a directory that every machine can have", plot.root),
            "write an absolute path of letters, digits and - . _ such as \"/opt/stageplot\"",
        );
    }
    for (code, level) in &plot.severity {
        if code.is_fixed() && *level != Level::Error {
            findings.add(
                Code::InvalidValue,
                FieldPath::root().key("severity").key(code.as_str()),
                format!("{code} stays an error: there is nothing sound to render with it"),
                "take the line out, and mend what the finding says",
            );
        }
    }
}

/// Services without a node, nodes without a service, and more memory promised
/// than there is.
fn placed(topology: &Topology, findings: &mut Findings) {
    let needed = network::needed_nowhere(topology);
    for service in topology.services.iter().filter(|_| topology.knows_all_roles()) {
        // One that is needed is told as an error.
        if service.placements.is_empty() && !service.kind.is_external() && !needed.contains_key(&service.id) {
            findings.add(
                Code::UnplacedService,
                service_path(&service.name),
                format!("no node has the role {}", service.name),
                format!("add \"{}\" to the roles of a node", service.name),
            );
        }
    }
    for node in &topology.nodes {
        let path = FieldPath::root().key("nodes").key(node.name.as_str());
        if topology.on_node[node.id.index()].is_empty() {
            findings.add(
                Code::IdleNode,
                path.key("roles"),
                format!("{} has nothing to do", node.name),
                "give it roles, or take it out",
            );
        }
        let taken = topology.placements_on(node.id).filter_map(|placement| {
            let service = topology.service(placement.service);
            Some((&service.name, service.kind.memory()?))
        });
        let taken: Vec<_> = taken.collect();
        let promised = taken.iter().map(|(_, memory)| memory.bytes()).fold(0, u64::saturating_add);
        if let Some(memory) = node.memory
            && promised > memory.bytes()
        {
            let promised = crate::ByteSize::from_bytes(promised);
            let each: Vec<_> = taken.iter().map(|(name, memory)| format!("{name} {memory}")).collect();
            findings.add(
                Code::NodeMemory,
                path.key("memory"),
                format!(
                    "the services on {} may take {promised} together ({}), and it has {memory}",
                    node.name,
                    words::listed(&each)
                ),
                "lower limits.memory of a service, or move one",
            );
        }
    }
}

impl Topology {
    /// Whether every role is a service's; one that is not is told by itself, and
    /// may be meant for a service that no node seems to have.
    fn knows_all_roles(&self) -> bool {
        let mut roles = self.plot.nodes.values().flat_map(|node| &node.roles);
        roles.all(|role| self.service_named(role.as_str()).is_some())
    }
}

/// Says that no network has this name.
pub(crate) fn unknown_network(topology: &Topology, name: &Name, path: FieldPath, findings: &mut Findings) {
    let known: Vec<&str> = topology.networks.iter().map(|n| n.name.as_str()).collect();
    let help = match words::nearest(name.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("add [networks.{name}] with its cidr, or write \"any\", an address or a CIDR"),
    };
    findings.add(Code::UnknownName, path, format!("no network is called {name}"), help);
}

/// What a kind sees while it looks for what is wrong with one of its services.
pub(crate) struct Review<'a> {
    topology: &'a Topology,
    service: &'a Service,
    path: FieldPath,
    findings: &'a mut Findings,
}

impl<'a> Review<'a> {
    pub(crate) fn topology(&self) -> &'a Topology {
        self.topology
    }

    pub(crate) fn service(&self) -> &'a Service {
        self.service
    }

    pub(crate) fn path(&self) -> &FieldPath {
        &self.path
    }

    /// A finding about the service itself.
    pub(crate) fn add_here(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.findings.add(code, self.path.clone(), message, help);
    }

    /// A finding about one of its fields.
    pub(crate) fn add(
        &mut self,
        code: Code,
        field: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.findings.add(code, self.path.key(field), message, help);
    }

    /// A finding about another place.
    pub(crate) fn add_at(
        &mut self,
        code: Code,
        path: FieldPath,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.findings.add(code, path, message, help);
    }

    /// Looks at paths that the edge or a health check asks for.
    pub(crate) fn paths(&mut self, field: &str, paths: &[String]) {
        self.paths_at(&self.path.key(field), paths);
    }

    /// … in a field further in.
    pub(crate) fn paths_at(&mut self, field: &FieldPath, paths: &[String]) {
        let allowed =
            |c: char| c.is_ascii_graphic() && !matches!(c, '{' | '}' | '"' | '\'' | '`' | '\\' | '#');
        for path in paths.iter().filter(|path| !path.starts_with('/') || !path.chars().all(allowed)) {
            self.add_at(
                Code::InvalidValue,
                field.clone(),
                format!("{path:?} is not a path"),
                "start with /, and use letters, digits and - . _ ~ / * only",
            );
        }
    }

    /// Whether the plot has a service of this kind.
    pub(crate) fn plot_has(&self, kind: &str) -> bool {
        self.topology.services.iter().any(|service| service.kind.kind() == kind)
    }

    /// Looks at an image.
    pub(crate) fn image(&mut self, field: &str, image: &ImageRef) {
        if image.floats() {
            self.add(
                Code::FloatingImage,
                field,
                format!("{image} is another image whenever it is pulled"),
                "write a version's tag, or a digest; `stageplot pin` looks digests up",
            );
        }
    }
}
