//! The plot as one machine can play it.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net};
use stageplot_topology::{
    Access, BridgeSpec, Edge, FirewallSpec, HostName, Livekit, Name, NetworkSpec, NodeSpec, Plot, Port,
    ServiceId, ServiceSpec, Source, Tls, Topology, words::listed,
};
use url::Url;

use super::{TryoutError, address};

/// A plot that one machine can play.
pub(super) struct Played {
    pub(super) plot: Plot,
    pub(super) left_out: Vec<String>,
    /// Names that lead to an edge's node: whoever is told the site's own name gets there.
    pub(super) hosts: BTreeMap<String, String>,
}

/// How browsers call the machine they run on: by this name a page may use the camera
/// without TLS (W3C Secure Contexts, 3.1).
const LOCALHOST: &str = "localhost";

pub(super) fn played(
    topology: &Topology,
    subnet: Ipv4Net,
    port: &mut dyn FnMut(Port) -> Option<Port>,
) -> Result<Played, TryoutError> {
    let mut plot = topology.plot().clone();
    let mut left_out = Vec::new();
    let mut hosts = BTreeMap::new();
    let network = Source::Net(IpNet::V4(subnet));
    plot.access = Access { clients: vec![network.clone()], ..Access::default() };
    plot.networks = [(name("tryout"), NetworkSpec::new([IpNet::V4(subnet)]))].into();
    plot.firewall = FirewallSpec::default();
    plot.bridge = BridgeSpec::default();
    plot.seals = None;
    plot.severity.clear();
    let crowded = || TryoutError::Crowded { subnet, nodes: topology.nodes().len() };
    for (index, node) in topology.nodes().iter().enumerate() {
        let spec = plot.nodes.get_mut(node.name.as_str());
        let ip = address(subnet, index).ok_or_else(crowded)?;
        if let Some(spec) = spec {
            *spec = NodeSpec { address: vec![ip.into()], public: None, memory: None, ..spec.clone() };
        }
    }
    // What has a network of its own on a machine shares one here, the edge too.
    let endpoints = topology.services().iter().flat_map(|service| topology.endpoints_of(service.id));
    let taken: BTreeSet<_> = endpoints.map(|endpoint| endpoint.ports.first()).collect();
    let mut sites = BTreeMap::new();
    for service in topology.services() {
        let Some(spec) = plot.services.get_mut(service.name.as_str()) else { continue };
        let own = &service.name;
        match spec {
            ServiceSpec::Edge(edge) => {
                let names: Vec<_> = edge.names().cloned().collect();
                let free = std::iter::from_fn(|| port(Port::fixed(8080))).find(|port| !taken.contains(port));
                let free = free.ok_or_else(|| TryoutError::NoPort { service: own.to_string() })?;
                if edge.is_https() {
                    left_out.push(format!("{own} speaks plain HTTP here, and asks nobody for a certificate"));
                }
                if let Some(&at) = service.placements.first() {
                    let node = topology.node(topology.placement(at).node).name.to_string();
                    hosts.extend(names.iter().map(|name| (name.to_string(), node.clone())));
                }
                sites.extend(names.iter().map(|name| (name.clone(), free)));
                *edge = on_loopback(edge, names, free);
            }
            ServiceSpec::Livekit(livekit) => {
                if livekit.turn.take().is_some() {
                    left_out.push(format!("{own} has no TURN here: whoever tries it is on this machine"));
                }
                livekit.use_external_ip = false;
                if let Some(metrics) = &mut livekit.metrics {
                    metrics.from = among(&metrics.from, &network);
                }
            }
            ServiceSpec::Redis(redis) => instead(&mut redis.external, own, &mut left_out),
            ServiceSpec::Postgres(postgres) => instead(&mut postgres.external, own, &mut left_out),
            ServiceSpec::Prometheus(prometheus) => prometheus.from = among(&prometheus.from, &network),
            ServiceSpec::Grafana(grafana) => grafana.from = among(&grafana.from, &network),
            ServiceSpec::IonSfu(sfu) => {
                left_out.push(format!(
                    "{own} tells browsers its container's address, which Docker Desktop lets nobody reach"
                ));
                if sfu.turn.take().is_some() {
                    left_out.push(format!("{own} has no TURN here: whoever tries it is on this machine"));
                }
            }
            ServiceSpec::Rtmp(rtmp) => {
                rtmp.from = among(&rtmp.from, &network);
                // Whoever publishes is on this machine, and is told so.
                let own_port = rtmp.port;
                let mut all = std::iter::from_fn(|| port(own_port));
                let free = all.find(|port| *port == own_port || !taken.contains(port));
                rtmp.port = free.ok_or_else(|| TryoutError::NoPort { service: own.to_string() })?;
                rtmp.domain = LOCALHOST.parse().ok();
            }
            ServiceSpec::Ingress(ingress) => {
                ingress.from = among(&ingress.from, &network);
                ingress.use_external_ip = false;
                // Whoever publishes is on this machine, and is told so.
                if let Some(own_port) = ingress.rtmp_port {
                    let mut all = std::iter::from_fn(|| port(own_port));
                    let free = all.find(|port| *port == own_port || !taken.contains(port));
                    ingress.rtmp_port =
                        Some(free.ok_or_else(|| TryoutError::NoPort { service: own.to_string() })?);
                    ingress.domain = LOCALHOST.parse().ok();
                }
                left_out.push(format!(
                    "{own} tells publishers over WHIP its container's address, which Docker Desktop lets nobody reach"
                ));
            }
            ServiceSpec::Egress(_) => {}
            ServiceSpec::Sip(sip) => {
                sip.from = among(&sip.from, &network);
                (sip.use_external_ip, sip.domain, sip.tls) = (false, None, None);
                left_out.push(format!("{own} gets no calls here: no provider reaches this machine"));
            }
            ServiceSpec::App(app) => {
                for opening in app.open.values_mut() {
                    opening.from = among(&opening.from, &network);
                }
                if app.run.is_some() {
                    left_out.push(format!("{own} is a process of yours, and nobody starts it here"));
                }
            }
        }
    }
    for service in topology.services().iter().filter(|service| service.kind.is_external()) {
        place(topology, service.id, &mut plot);
    }
    for (name, spec) in &mut plot.services {
        if let ServiceSpec::Livekit(livekit) = spec {
            webhooks(livekit, name, &sites, &mut left_out);
        }
    }
    Ok(Played { plot, left_out, hosts })
}

/// An edge that answers on this port, by its own names too.
fn on_loopback(edge: &Edge, mut names: Vec<HostName>, port: Port) -> Edge {
    names.retain(|name| name.as_str() != LOCALHOST);
    Edge {
        domain: LOCALHOST.parse().ok(),
        aliases: names,
        tls: Tls::Off,
        http_port: port,
        http3: false,
        ..edge.clone()
    }
}

/// Takes what somebody else runs out of a service, and says so; it is played then.
fn instead<T>(external: &mut Option<T>, own: &Name, left_out: &mut Vec<String>) {
    if external.take().is_some() {
        left_out.push(format!("{own} is not the one that the plot names, but an empty one of its own"));
    }
}

/// Places what somebody else runs on the first node that needs it.
fn place(topology: &Topology, service: ServiceId, plot: &mut Plot) {
    let service = topology.service(service);
    let endpoints = topology.endpoints_of(service.id).iter();
    let clients =
        endpoints.flat_map(|endpoint| topology.flows_to(endpoint.id)).filter_map(|flow| match flow.from {
            stageplot_topology::Party::Service(client) => Some(topology.service(client)),
            _ => None,
        });
    let mut placements = clients.flat_map(|client| client.placements.iter().copied());
    let Some(first) = placements.next() else { return };
    let node = topology.node(topology.placement(first).node).name.clone();
    if let Some(spec) = plot.nodes.get_mut(node.as_str()) {
        spec.roles.push(service.name.clone());
    }
}

/// Who may come in from elsewhere comes from this machine.
fn among(from: &[Source], network: &Source) -> Vec<Source> {
    if from.is_empty() { Vec::new() } else { vec![network.clone()] }
}

/// Events go to the plot's own receivers alone: those of others are not to hear of a trial.
fn webhooks(livekit: &mut Livekit, own: &Name, sites: &BTreeMap<HostName, Port>, left_out: &mut Vec<String>) {
    let Some(webhook) = &mut livekit.webhook else { return };
    let mut strangers = Vec::new();
    webhook.urls.retain_mut(|url| {
        let site = sites.iter().find(|(name, _)| url.host_str() == Some(name.as_str()));
        let moved = site.is_some_and(|(_, port)| moved(url, port.number()).is_some());
        if !moved {
            strangers.push(url.host_str().unwrap_or_default().to_owned());
        }
        moved
    });
    if !strangers.is_empty() {
        left_out
            .push(format!("{own} tells {} nothing: the trial is none of its business", listed(&strangers)));
    }
    if webhook.urls.is_empty() {
        livekit.webhook = None;
    }
}

/// Leads to the same path over HTTP, at this port.
fn moved(url: &mut Url, port: u16) -> Option<()> {
    url.set_scheme("http").ok()?;
    url.set_port(Some(port)).ok()
}

fn name(text: &str) -> Name {
    text.parse().expect("a name; a test builds one")
}
