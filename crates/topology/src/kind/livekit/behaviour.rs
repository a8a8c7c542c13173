//! What LiveKit listens on, and what it needs.

use url::Url;

use super::{Livekit, TurnTls};
use crate::check::{Probe, Promise, clients, entrance};
use crate::endpoint::{Scope, Speaks};
use crate::kind::Kind;
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{Attachment, Party, Port, Protocol, Service, ServiceId, ServiceSpec, Topology, Turn};

impl Livekit {
    /// The port on which it answers TURN over TLS, or behind an edge the same
    /// without TLS.
    pub fn turn_tls_port(&self) -> Option<Port> {
        match self.turn.as_ref()?.tls {
            TurnTls::Off => None,
            TurnTls::Direct => Some(TurnTls::CLIENT_PORT),
            TurnTls::Edge => Some(TurnTls::BEHIND_EDGE_PORT),
        }
    }
}

impl Kind for Livekit {
    fn attachment(&self) -> Attachment {
        // Ten thousand published ports would be ten thousand processes.
        Attachment::Host
    }

    fn endpoints(&self) -> Vec<Draft> {
        let health = Some("/".to_owned());
        let mut endpoints = vec![
            Draft::new("signal", Protocol::Tcp, self.port, Speaks::Http { health })
                .field(["port"])
                .scope(Scope::Shared),
            Draft::new("media", Protocol::Udp, self.udp, Speaks::Media)
                .field(["udp"])
                .scope(Scope::Everywhere),
        ];
        if let Some(port) = self.tcp_port {
            endpoints.push(
                Draft::new("ice-tcp", Protocol::Tcp, port, Speaks::IceTcp)
                    .field(["tcp-port"])
                    .scope(Scope::Everywhere),
            );
        }
        if let Some(turn) = &self.turn {
            if let Some(port) = turn.udp_port {
                endpoints.push(
                    Draft::new("turn", Protocol::Udp, port, Speaks::Turn)
                        .field(["turn", "udp-port"])
                        .scope(Scope::Everywhere),
                );
            }
            if let Some(port) = self.turn_tls_port() {
                endpoints.push(
                    Draft::new("turn-tls", Protocol::Tcp, port, Speaks::TurnTls)
                        .field(["turn", "tls"])
                        .scope(Scope::Everywhere),
                );
            }
            endpoints.push(
                Draft::new("relay", Protocol::Udp, turn.relay, Speaks::Relay)
                    .field(["turn", "relay"])
                    .scope(Scope::Everywhere),
            );
        }
        if let Some(metrics) = &self.metrics {
            endpoints.push(
                Draft::new("metrics", Protocol::Tcp, metrics.port, Speaks::Http { health: None })
                    .field(["metrics", "port"])
                    .scope(Scope::Shared),
            );
        }
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        wiring.offer_clients("media", "media");
        wiring.offer_clients("ice-tcp", "media where UDP is blocked");
        let edge = wiring.one_of_kind("edge", self.edge.as_ref(), "edge");
        if let Some(edge) = edge {
            wiring.flow(Party::Service(edge), wiring.service, "signal", "signalling");
        }
        if let Some(turn) = &self.turn {
            wiring.offer_clients("turn", "TURN");
            match turn.tls {
                TurnTls::Off => {}
                TurnTls::Direct => wiring.offer_clients("turn-tls", "TURN over TLS"),
                TurnTls::Edge => {
                    if let Some(edge) = edge {
                        wiring.flow(
                            Party::Service(edge),
                            wiring.service,
                            "turn-tls",
                            "TURN, split from HTTPS by name",
                        );
                    }
                }
            }
            wiring.need(wiring.service, "relay", "relayed media");
        }
        if let Some(redis) = wiring.one_of_kind("redis", self.redis.as_ref(), "redis") {
            wiring.need_writable(redis, "rooms and nodes");
        }
        if let Some(metrics) = &self.metrics {
            let path = wiring.path.key("metrics").key("from");
            wiring.offer_to(&metrics.from, "metrics", "metrics", &path);
        }
        if let Some(webhook) = &self.webhook {
            for (service, endpoint) in webhook_edges(wiring.topology, webhook) {
                wiring.need(service, endpoint, "webhooks");
            }
        }
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        let mut promises = Vec::new();
        let own = Party::Service(service.id);
        if let Some(signal) = topology.endpoint_named(service.id, "signal") {
            for probe in [Probe::LivekitKeys, Probe::LivekitToken] {
                promises.push(Promise { from: own, to: signal.id, probe });
            }
        }
        let redis = topology.flows_from(service.id).map(|flow| topology.endpoint(flow.to));
        // A Cluster spreads keys over its nodes, and Sentinels have none.
        for redis in redis.filter(|endpoint| matches!(endpoint.name.as_ref(), "primary" | "server")) {
            let probe = Probe::LivekitNodes { service: service.id };
            promises.push(Promise { from: own, to: redis.id, probe });
        }
        let edge = topology.edge_of(service.id);
        if let Some(to) = edge.and_then(|edge| entrance(topology, edge)) {
            promises.extend(clients(topology, to).map(|from| Promise {
                from,
                to,
                probe: Probe::LivekitJoin,
            }));
        }
        if let Some(webhook) = &self.webhook {
            for (receiver, endpoint) in webhook_edges(topology, webhook) {
                let Some(endpoint) = topology.endpoint_named(receiver, endpoint) else { continue };
                let ServiceSpec::Edge(edge) = &topology.service(receiver).kind else { continue };
                let received = |url: &&Url| edge.names().any(|name| url.host_str() == Some(name.as_str()));
                promises.extend(webhook.urls.iter().filter(received).map(|url| Promise {
                    from: own,
                    to: endpoint.id,
                    probe: Probe::Webhook { service: service.id, url: url.clone() },
                }));
            }
        }
        promises.extend(self.turn.iter().flat_map(|turn| turn_promises(turn, service, edge, topology)));
        promises
    }

    fn review(&self, review: &mut Review<'_>) {
        super::review::review(self, review);
    }
}

/// What TURN promises to those who have credentials, and that its name leads there.
fn turn_promises(
    turn: &Turn,
    service: &Service,
    edge: Option<ServiceId>,
    topology: &Topology,
) -> Vec<Promise> {
    let mut promises = Vec::new();
    let mut promise = |service: ServiceId, endpoint: &str, probe: Probe| {
        if let Some(endpoint) = topology.endpoint_named(service, endpoint) {
            let to = endpoint.id;
            promises.extend(clients(topology, to).map(|from| Promise { from, to, probe: probe.clone() }));
        }
    };
    promise(service.id, "turn", Probe::TurnAllocate);
    let (server, endpoint) = match turn.tls {
        TurnTls::Off => return promises,
        TurnTls::Direct => (service.id, "turn-tls"),
        TurnTls::Edge => match edge {
            Some(edge) => (edge, "https"),
            None => return promises,
        },
    };
    if let Some(name) = &turn.domain {
        let nodes =
            topology.service(server).placements.iter().map(|&id| topology.placement(id).node).collect();
        promise(server, endpoint, Probe::Resolves { name: name.clone(), nodes });
        promise(server, endpoint, Probe::TurnTlsAllocate { name: name.clone() });
    }
    promises
}

impl Topology {
    /// The Redis that a LiveKit uses, in the plot or outside; of an ingress, an egress or a SIP
    /// service, that of its LiveKit.
    pub fn redis_of(&self, service: ServiceId) -> Option<ServiceId> {
        let livekit = self.livekit_of(service).unwrap_or(service);
        let ServiceSpec::Livekit(livekit) = &self.service(livekit).kind else { return None };
        let mut all = self.services().iter().filter(|s| matches!(s.kind, ServiceSpec::Redis(_)));
        match &livekit.redis {
            Some(name) => all.find(|s| s.name == *name).map(|s| s.id),
            None => all.next().map(|s| s.id).filter(|_| all.next().is_none()),
        }
    }
}

/// The edges that receive webhooks, by the names in the receivers' addresses,
/// and where.
fn webhook_edges(topology: &Topology, webhook: &super::Webhook) -> Vec<(ServiceId, &'static str)> {
    let receives = |service: &crate::Service| {
        let ServiceSpec::Edge(edge) = &service.kind else { return None };
        let called =
            webhook.urls.iter().any(|url| edge.names().any(|name| url.host_str() == Some(name.as_str())));
        called.then_some((service.id, if edge.is_https() { "https" } else { "http" }))
    };
    topology.services().iter().filter_map(receives).collect()
}
