//! Two programs on one port of one node.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::listen::listen;
use crate::resolve::service_path;
use crate::{
    Code, Diagnostic, Edge, Egress, Endpoint, EndpointId, FieldPath, Findings, Grafana, Ingress, IonSfu,
    IonTurn, Livekit, Metrics, NodeId, PortRange, Postgres, Prometheus, Protocol, Redis, Rtmp, Segment,
    ServiceSpec, Sip, SipTls, Ssh, Topology, Turn, words,
};

/// Something that takes ports of a node.
struct Binding {
    /// None for SSH.
    endpoint: Option<EndpointId>,
    protocol: Protocol,
    ports: PortRange,
    addresses: Vec<IpAddr>,
}

impl Binding {
    fn clashes(&self, other: &Self) -> bool {
        let meets = |a: &IpAddr, b: &IpAddr| {
            // A socket on all IPv6 addresses takes IPv4 as well.
            a == b
                || a.is_unspecified() && (a.is_ipv6() || b.is_ipv4())
                || b.is_unspecified() && (b.is_ipv6() || a.is_ipv4())
        };
        self.protocol == other.protocol
            && self.ports.overlaps(other.ports)
            && self.addresses.iter().any(|a| other.addresses.iter().any(|b| meets(a, b)))
    }
}

/// Ports that macOS itself listens on, for AirPlay.
const OF_MACOS: [u16; 2] = [7000, 7001];

/// Says so where somebody who tries the plot on a Mac finds a port taken.
fn of_macos(topology: &Topology, findings: &mut Findings) {
    for endpoint in topology.endpoints.iter().filter(|endpoint| endpoint.protocol == Protocol::Tcp) {
        let port = endpoint.ports.first().number();
        let Some(field) = endpoint.field.as_ref().filter(|_| OF_MACOS.contains(&port)) else { continue };
        if endpoint.at.is_empty() {
            continue;
        }
        findings.add(
            Code::MacosPort,
            field.clone(),
            format!("macOS listens on {port} itself (AirPlay, and what serves it): on a Mac it is taken"),
            "take another where developers run it on a Mac, such as 7777; on Linux there is nothing to do",
        );
    }
}

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    of_macos(topology, findings);
    // Two services that clash do so on every node that they share; that is told once.
    let mut clashes: BTreeMap<(EndpointId, Option<EndpointId>), Vec<&str>> = BTreeMap::new();
    let mut kept: BTreeMap<(usize, EndpointId), Vec<&str>> = BTreeMap::new();
    for node in &topology.nodes {
        let bindings = bindings(topology, node.id);
        for (index, keep) in topology.plot.access.keep.iter().enumerate() {
            for binding in &bindings {
                // Of a range, such as that of media, a program takes what is free.
                if let Some(endpoint) = binding.endpoint
                    && !binding.addresses.is_empty()
                    && binding.ports.single().is_some()
                    && binding.protocol == keep.protocol
                    && binding.ports.overlaps(keep.port)
                {
                    kept.entry((index, endpoint)).or_default().push(node.name.as_str());
                }
            }
        }
        for (index, later) in bindings.iter().enumerate() {
            let Some(endpoint) = later.endpoint else { continue };
            for earlier in bindings[..index].iter().filter(|earlier| later.clashes(earlier)) {
                clashes.entry((endpoint, earlier.endpoint)).or_default().push(node.name.as_str());
            }
        }
    }
    for ((later, earlier), nodes) in clashes {
        let later = topology.endpoint(later);
        let earlier = earlier.map(|endpoint| topology.endpoint(endpoint));
        findings.push(clash(topology, later, earlier, &words::listed(&nodes)));
    }
    for ((index, endpoint), nodes) in kept {
        findings.push(taken(topology, index, topology.endpoint(endpoint), &words::listed(&nodes)));
    }
}

/// What is said of two endpoints, or of one and SSH, on the same port.
fn clash(topology: &Topology, later: &Endpoint, earlier: Option<&Endpoint>, nodes: &str) -> Diagnostic {
    let service = |endpoint: &Endpoint| topology.service(endpoint.service).name.to_string();
    let of = |endpoint: &Endpoint| {
        let depth = service_path(&topology.service(endpoint.service).name).segments().len();
        let steps = endpoint.field.as_ref().map(|field| field.segments().iter().skip(depth));
        let field = steps.map(|steps| steps.cloned().collect::<FieldPath>());
        field.map(|field| format!("{field} of {}", service(endpoint)))
    };
    // Of a port that is written and one that is a default, the first is to be changed.
    let (later, earlier) = match earlier {
        Some(earlier) if is_default(topology, later) && !is_default(topology, earlier) => {
            (earlier, Some(later))
        }
        _ => (later, earlier),
    };
    let here = later.field.clone().unwrap_or_else(|| service_path(&topology.service(later.service).name));
    let taken =
        format!("{} {} takes {}/{} on {nodes}", service(later), later.name, later.ports, later.protocol);
    let Some(earlier) = earlier else {
        let ssh = topology.plot.access.ssh.port;
        let here = match is_default(topology, later) && ssh != Ssh::default().port {
            true => FieldPath::root().key("access").key("ssh").key("port"),
            false => here,
        };
        return Diagnostic::new(
            Code::SshLockout,
            here,
            format!("{taken}, and so does SSH"),
            match of(later) {
                Some(field) => format!("change {field}, or say in access.ssh.port where SSH listens"),
                None => "say in access.ssh.port where else SSH listens".to_owned(),
            },
        );
    };
    let fields: Vec<_> = [of(later), of(earlier)].into_iter().flatten().collect();
    let change =
        if fields.is_empty() { String::new() } else { format!("change {}, or ", fields.join(" or ")) };
    Diagnostic::new(
        Code::PortConflict,
        here,
        format!("{taken}, and {} {} takes {}", service(earlier), earlier.name, earlier.ports),
        format!("{change}place one of the two on another node"),
    )
}

/// Whether an endpoint's port is what its kind has where nothing is written.
fn is_default(topology: &Topology, endpoint: &Endpoint) -> bool {
    let service = topology.service(endpoint.service);
    let default: ServiceSpec = match &service.kind {
        ServiceSpec::Edge(_) => Edge::default().into(),
        ServiceSpec::Livekit(livekit) => {
            let turn = livekit.turn.as_ref().map(|_| Turn::default());
            let metrics = livekit.metrics.as_ref().map(|_| Metrics::default());
            Livekit { turn, metrics, ..Livekit::default() }.into()
        }
        ServiceSpec::Redis(_) => Redis::default().into(),
        ServiceSpec::Postgres(_) => Postgres::default().into(),
        ServiceSpec::Prometheus(_) => Prometheus::default().into(),
        ServiceSpec::Grafana(_) => Grafana::default().into(),
        ServiceSpec::Rtmp(_) => Rtmp::default().into(),
        ServiceSpec::IonSfu(sfu) => {
            let turn = sfu.turn.as_ref().map(|_| IonTurn::default());
            IonSfu { turn, ..IonSfu::default() }.into()
        }
        ServiceSpec::Ingress(_) => Ingress::default().into(),
        ServiceSpec::Egress(_) => Egress::default().into(),
        ServiceSpec::Sip(sip) => {
            let usual = |tls: &SipTls| SipTls::new(tls.cert.clone(), tls.key.clone());
            Sip { tls: sip.tls.as_ref().map(usual), ..Sip::default() }.into()
        }
        // It has none.
        ServiceSpec::App(_) => return false,
    };
    let depth = service_path(&service.name).segments().len();
    let Some(field) = &endpoint.field else { return true };
    let at = |kind: &ServiceSpec| {
        let root = serde_json::to_value(kind).ok()?;
        let mut steps = field.segments().get(depth..)?.iter();
        steps.try_fold(root, |value, step| match step {
            Segment::Key(key) => value.get(key).cloned(),
            Segment::Index(index) => value.get(index).cloned(),
        })
    };
    at(&service.kind) == at(&default)
}

/// What is said of a port that is kept open for a program that the plot does not
/// know, and that one of its own takes: it would be open to more than its flows.
fn taken(topology: &Topology, index: usize, endpoint: &Endpoint, nodes: &str) -> Diagnostic {
    let keep = &topology.plot.access.keep[index];
    let service = &topology.service(endpoint.service).name;
    Diagnostic::new(
        Code::PortConflict,
        FieldPath::root().key("access").key("keep").index(index),
        format!(
            "{}/{} is kept open for a program that the plot does not know, and {service} {} takes {} on {nodes}",
            keep.port, keep.protocol, endpoint.name, endpoint.ports
        ),
        "take it out, for its flows open what a service needs; or give one of the two another port",
    )
}

/// Everything that takes ports of a node, SSH first.
fn bindings(topology: &Topology, node: NodeId) -> Vec<Binding> {
    let ssh = Binding {
        endpoint: None,
        protocol: Protocol::Tcp,
        ports: topology.plot.access.ssh.port.into(),
        addresses: vec![Ipv6Addr::UNSPECIFIED.into()],
    };
    let services = topology.placements_on(node).flat_map(|placement| {
        let endpoints = topology.endpoints_of(placement.service).iter();
        endpoints.filter(move |endpoint| endpoint.is_at(placement.id)).map(move |endpoint| Binding {
            endpoint: Some(endpoint.id),
            protocol: endpoint.protocol,
            ports: endpoint.ports,
            addresses: listen(topology, endpoint.id, placement.id),
        })
    });
    std::iter::once(ssh).chain(services).collect()
}
