//! What goes wrong with the relay.

use crate::kind::livekit::{Livekit, TurnTls};
use crate::validate::Review;
use crate::{Code, ServiceSpec, words};

/// Adds every finding about the relay.
pub(super) fn review(livekit: &Livekit, review: &mut Review<'_>) {
    let Some(turn) = &livekit.turn else { return };
    let path = review.path().key("turn");
    let topology = review.topology();
    let edges = topology.services().iter().filter_map(|service| match &service.kind {
        ServiceSpec::Edge(edge) => Some((service, edge)),
        _ => None,
    });
    let edges: Vec<_> = edges.collect();
    if turn.udp_port.is_none() && turn.tls == TurnTls::Off {
        review.add_at(
            Code::TurnOff,
            path.clone(),
            "a relay that listens nowhere",
            "set turn.udp-port or turn.tls, or leave out turn",
        );
    }
    review_relay(livekit, review);
    if turn.tls != TurnTls::Off && turn.domain.is_none() {
        review.add_at(
            Code::TurnDomain,
            path.key("domain"),
            "clients reach TURN over TLS by a name, and there is none",
            "set turn.domain to a name of its own, such as turn.example.com",
        );
    }
    if let Some(domain) = &turn.domain
        && edges.iter().any(|(_, edge)| edge.names().any(|name| name == domain))
    {
        review.add_at(
            Code::TurnDomain,
            path.key("domain"),
            format!("{domain} is the edge's own name, so TURN and HTTPS cannot be told apart"),
            "give TURN a name of its own, such as turn.example.com",
        );
    }
    match turn.tls {
        TurnTls::Off => {}
        TurnTls::Direct if turn.cert.is_none() || turn.key.is_none() => review.add_at(
            Code::TurnCertificate,
            path.key("tls"),
            "LiveKit ends this TLS itself and has no certificate",
            "set turn.cert and turn.key, or let the edge do it: tls = \"edge\"",
        ),
        TurnTls::Direct => {}
        TurnTls::Edge => {
            let edge = edges
                .iter()
                .find(|(service, _)| livekit.edge.as_ref().is_none_or(|name| *name == service.name));
            match edge {
                None => review.add_at(
                    Code::TurnCertificate,
                    path.key("tls"),
                    "TURN is to share the edge's port, and there is no edge",
                    "add an edge, or use tls = \"direct\"",
                ),
                Some((service, edge)) => {
                    if !edge.is_https() || edge.https_port != TurnTls::CLIENT_PORT {
                        review.add_at(
                            Code::TurnCertificate,
                            path.key("tls"),
                            format!("clients dial port 443, where {} serves no HTTPS", service.name),
                            "let the edge serve HTTPS on port 443",
                        );
                    }
                    if !edge.layer4 {
                        review.add_at(
                            Code::ImageLacksModule,
                            crate::resolve::service_path(&service.name).key("layer4"),
                            "TURN is split from HTTPS by Caddy's layer 4 module, which the stock images lack",
                            "build an image with github.com/mholt/caddy-l4, name it in image, and set layer4 = true",
                        );
                    }
                }
            }
        }
    }
}

/// Says so where the relay's far side is open to anybody, because nobody knows
/// by which addresses its peers are seen.
fn review_relay(livekit: &Livekit, review: &mut Review<'_>) {
    if !livekit.use_external_ip {
        return;
    }
    let (topology, service) = (review.topology(), review.service());
    let nodes = service.placements.iter().map(|&id| topology.node(topology.placement(id).node));
    let unknown = nodes.filter(|node| node.public.is_none()).map(|node| node.name.as_str());
    let unknown: Vec<_> = unknown.collect();
    if let Some((first, rest)) = unknown.split_first() {
        let are = if rest.is_empty() { "is" } else { "are" };
        let others = if rest.is_empty() { "" } else { " and so on" };
        review.add_at(
            Code::TurnRelayOpen,
            review.path().key("use-external-ip"),
            format!(
                "the relays' ports are open to anybody: the plot does not know by which address {} {are} seen",
                words::listed(&unknown)
            ),
            format!(
                "set nodes.{first}.public{others}, such as {{ v4 = \"203.0.113.10\", bound = false }}; \
                 use-external-ip is superfluous then, and can go"
            ),
        );
    }
}
