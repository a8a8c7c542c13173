//! Ports that are opened to networks which their nodes are not in. For SSH that is an
//! error, and found beside its others.

use crate::resolve::service_path;
use crate::{Code, FieldPath, Findings, Node, ServiceSpec, Source, Topology, words};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    let access = &topology.plot.access;
    let path = FieldPath::root().key("access");
    let everywhere = || topology.nodes.iter();
    let mut look = |from: &[Source], nodes: &mut dyn Iterator<Item = &Node>, path: FieldPath| {
        let cut_off =
            nodes.filter(|node| !from.is_empty() && from.iter().all(|from| leads_past(topology, node, from)));
        let cut_off: Vec<_> = cut_off.map(|node| node.name.as_str()).collect();
        let Some((first, rest)) = cut_off.split_first() else { return };
        let has = if rest.is_empty() { "has" } else { "have" };
        let from: Vec<_> = from.iter().map(ToString::to_string).collect();
        findings.add(
            Code::SourceElsewhere,
            path,
            format!(
                "{} {has} no address in {}: nobody comes from there",
                words::listed(&cut_off),
                from.join(" or ")
            ),
            format!("give {first} an address in it, or write the addresses that connections come from"),
        );
    };
    for (index, keep) in access.keep.iter().enumerate() {
        look(&keep.from, &mut everywhere(), path.key("keep").index(index).key("from"));
    }
    let serves_clients = |node: &&Node| {
        let mut kinds =
            topology.placements_on(node.id).map(|placement| &topology.service(placement.service).kind);
        kinds.any(|kind| match kind {
            ServiceSpec::Edge(_) | ServiceSpec::Livekit(_) | ServiceSpec::IonSfu(_) => true,
            ServiceSpec::Rtmp(rtmp) => rtmp.from.is_empty(),
            ServiceSpec::Ingress(ingress) => ingress.whip_port.is_some() || ingress.from.is_empty(),
            ServiceSpec::Sip(sip) => sip.from.is_empty(),
            _ => false,
        })
    };
    look(&access.clients, &mut everywhere().filter(serves_clients), path.key("clients"));
    for service in &topology.services {
        let path = service_path(&service.name);
        let mut nodes = service.placements.iter().map(|&at| topology.node(topology.placement(at).node));
        match &service.kind {
            ServiceSpec::Livekit(livekit) => {
                if let Some(metrics) = &livekit.metrics {
                    look(&metrics.from, &mut nodes, path.key("metrics").key("from"));
                }
            }
            ServiceSpec::Prometheus(prometheus) => look(&prometheus.from, &mut nodes, path.key("from")),
            ServiceSpec::Grafana(grafana) => look(&grafana.from, &mut nodes, path.key("from")),
            ServiceSpec::Rtmp(rtmp) => look(&rtmp.from, &mut nodes, path.key("from")),
            ServiceSpec::Ingress(ingress) => look(&ingress.from, &mut nodes, path.key("from")),
            ServiceSpec::Sip(sip) => look(&sip.from, &mut nodes, path.key("from")),
            ServiceSpec::App(app) => {
                for (name, opening) in &app.open {
                    look(&opening.from, &mut nodes.clone(), path.key("open").key(name.as_str()).key("from"));
                }
            }
            ServiceSpec::Edge(_)
            | ServiceSpec::Redis(_)
            | ServiceSpec::Postgres(_)
            | ServiceSpec::IonSfu(_)
            | ServiceSpec::Egress(_) => {}
        }
    }
}

/// Whether a source is a network that the node has no address in.
fn leads_past(topology: &Topology, node: &Node, source: &Source) -> bool {
    let Source::Network(name) = source else { return false };
    let network = topology.networks.iter().find(|network| network.name == *name);
    // One that nobody knows is told by itself.
    let is_known = network.filter(|_| !super::network::is_mistaken(node));
    is_known.is_some_and(|network| !node.addresses.iter().any(|address| address.network == Some(network.id)))
}
