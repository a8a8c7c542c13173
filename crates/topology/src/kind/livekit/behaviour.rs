//! What LiveKit listens on, what it needs, and what goes wrong with it.

use super::{Livekit, TurnTls};
use crate::endpoint::{Scope, Speaks};
use crate::kind::Kind;
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{Attachment, Code, Party, Port, Protocol, ServiceId, ServiceSpec, Source, Topology};

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
            Draft::new("signal", Protocol::Tcp, self.port, Speaks::Http { health }).field(["port"]),
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
                    .field(["metrics", "port"]),
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
            wiring.need(redis, "primary", "rooms and nodes");
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

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image());
        review.paths("routes", &self.routes);
        review_keys(self, review);
        review_settings(self, review);
        review_turn(self, review);
        let (topology, service) = (review.topology(), review.service());
        let redis = topology.redis_of(service.id);
        if redis.is_none() && service.placements.len() > 1 {
            review.add(
                Code::LivekitNeedsRedis,
                "redis",
                format!(
                    "{} nodes find each other through Redis, and the plot has none",
                    service.placements.len()
                ),
                "add a redis service, or one with external",
            );
        }
        // Clients in networks of the plot's own reach the nodes' addresses there.
        if self.use_external_ip || !topology.plot().access.clients.contains(&Source::Any) {
            return;
        }
        for &id in &service.placements {
            let node = topology.node(topology.placement(id).node);
            if node.public.is_none() {
                review.add_at(
                    Code::NoPublicAddress,
                    crate::FieldPath::root().key("nodes").key(node.name.as_str()),
                    format!("clients send media to {} itself, and it has no public address", node.name),
                    format!(
                        "set nodes.{}.public; or use-external-ip = true in services.{} to ask a STUN server; \
                         or access.clients, where clients come from a network of yours",
                        node.name, service.name
                    ),
                );
            }
        }
    }
}

impl Topology {
    /// The Redis that a service uses, in the plot or outside.
    pub fn redis_of(&self, service: ServiceId) -> Option<ServiceId> {
        let ServiceSpec::Livekit(livekit) = &self.service(service).kind else { return None };
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

fn review_keys(livekit: &Livekit, review: &mut Review<'_>) {
    if livekit.keys.is_empty() {
        review.add(
            Code::LivekitNoKeys,
            "keys",
            "without an API key nobody can join a room",
            "set keys = { main = { env = \"LIVEKIT_API_SECRET\" } }",
        );
    }
    for (name, secret) in &livekit.keys {
        let path = review.path().key("keys").key(name.as_str());
        review.secret_at(path, Some(secret));
    }
    let Some(webhook) = &livekit.webhook else { return };
    match &webhook.key {
        Some(key) if !livekit.keys.contains_key(key) => {
            let help = match crate::suggest::nearest(key, livekit.keys.keys().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "name one of keys".to_owned(),
            };
            let path = review.path().key("webhook").key("key");
            review.add_at(
                Code::WebhookKey,
                path,
                format!("{key} is not among the keys; LiveKit would not start"),
                help,
            );
        }
        None if livekit.keys.len() > 1 => {
            let path = review.path().key("webhook").key("key");
            review.add_at(
                Code::WebhookKey,
                path,
                format!("which of {} keys signs the events is open", livekit.keys.len()),
                "set webhook.key",
            );
        }
        _ => {}
    }
    if webhook.urls.is_empty() {
        let path = review.path().key("webhook").key("urls");
        review.add_at(
            Code::MissingField,
            path,
            "a webhook without a receiver",
            "set webhook.urls, or leave out webhook",
        );
    }
}

fn review_settings(livekit: &Livekit, review: &mut Review<'_>) {
    use super::settings::Problem;
    let version = livekit.version;
    for (path, problem) in super::settings::unknown(version, &livekit.settings) {
        let at = setting_path(review.path().key("settings"), &path, &livekit.settings);
        let name = path.join(".");
        let (code, message, help) = match problem {
            Problem::Unknown { near } => (
                Code::LivekitUnknownSetting,
                format!("LiveKit {version} does not know {name} and would not start"),
                near.map_or_else(|| "take it out".to_owned(), |near| format!("did you mean {near}?")),
            ),
            Problem::OtherVersion { known } => (
                Code::LivekitUnknownSetting,
                format!("LiveKit {version} does not know {name} and would not start"),
                format!("take it out, or set version: {known} knows it"),
            ),
            Problem::HasField { field } => (
                Code::LivekitSettingHasField,
                format!("{name} is written by the field {field}"),
                format!("set {field} in services.{} instead", review.service().name),
            ),
            Problem::Follows { from } => (
                Code::LivekitSettingHasField,
                format!("{name} follows from {from}"),
                "take it out: the plot says it elsewhere".to_owned(),
            ),
            Problem::WrongType { expected } => (
                Code::WrongType,
                format!("LiveKit {version} does not take this for {name}"),
                format!("write {expected}"),
            ),
            Problem::Secret => (
                Code::LiteralSecret,
                format!("{name} can be read by everybody who can read the plot"),
                "guard the plot like the secret, or take it out: settings have no other way to a secret"
                    .to_owned(),
            ),
        };
        review.add_at(code, at, message, help);
    }
}

/// The path of a setting in the plot: what is a position in a list is written
/// as one.
fn setting_path(
    root: crate::FieldPath,
    steps: &[String],
    settings: &serde_json::Map<String, serde_json::Value>,
) -> crate::FieldPath {
    let (mut path, mut list): (_, Option<&Vec<serde_json::Value>>) = (root, None);
    let mut table = Some(settings);
    for step in steps {
        let position = list.and_then(|list| Some((step.parse::<usize>().ok()?, list)));
        let value = match position {
            Some((index, list)) => {
                path = path.index(index);
                list.get(index)
            }
            None => {
                path = path.key(step.as_str());
                table.and_then(|table| table.get(step))
            }
        };
        table = value.and_then(serde_json::Value::as_object);
        list = value.and_then(serde_json::Value::as_array);
    }
    path
}

fn review_turn(livekit: &Livekit, review: &mut Review<'_>) {
    let Some(turn) = &livekit.turn else { return };
    let path = review.path().key("turn");
    review.secret_at(path.key("key"), turn.key.as_ref());
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
            format!("{domain} is the edge's own name, so TURN and HTTPS can not be told apart"),
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
                            Code::EdgeImageLacksModule,
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
