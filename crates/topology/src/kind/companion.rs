//! What LiveKit's ingress, egress and SIP have in common: a LiveKit that they work for, one of
//! its keys, and the Redis through which it hands them their work.

use crate::check::{Probe, Promise};
use crate::endpoint::{Scope, Speaks};
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    Code, ContainerNetwork, FieldPath, Livekit, Name, Node, Party, Port, Protocol, Service, ServiceId,
    ServiceSpec, Source, Topology, words,
};

/// What one of them says of its LiveKit.
#[derive(Clone, Copy)]
pub(super) struct Companion<'a> {
    livekit: Option<&'a Name>,
    key: Option<&'a str>,
}

impl<'a> Companion<'a> {
    pub(super) fn new(livekit: Option<&'a Name>, key: Option<&'a str>) -> Self {
        Self { livekit, key }
    }

    /// Of a service that works for a LiveKit; none of another kind.
    pub(super) fn of(kind: &'a ServiceSpec) -> Option<Self> {
        let (livekit, key) = match kind {
            ServiceSpec::Ingress(ingress) => (&ingress.livekit, &ingress.key),
            ServiceSpec::Egress(egress) => (&egress.livekit, &egress.key),
            ServiceSpec::Sip(sip) => (&sip.livekit, &sip.key),
            _ => return None,
        };
        Some(Self { livekit: livekit.as_ref(), key: key.as_deref() })
    }

    pub(super) fn wire(self, wiring: &mut Wiring<'_>) {
        let Some(livekit) = wiring.one_of_kind("livekit", self.livekit, "livekit") else { return };
        wiring.need(livekit, "signal", "rooms");
        // It is a participant like any other.
        wiring.need(livekit, "media", "media");
        wiring.need(livekit, "ice-tcp", "media where UDP is blocked");
        if let Some(redis) = wiring.topology.redis_of(livekit) {
            wiring.need_writable(redis, "what it is asked to do");
        }
    }

    pub(super) fn review(self, review: &mut Review<'_>) {
        let (topology, kind) = (review.topology(), review.service().kind.kind());
        if !review.plot_has("livekit") {
            review.add(
                Code::MissingField,
                "livekit",
                format!("an {kind} works for a LiveKit, and the plot has none"),
                "add a service of kind livekit",
            );
            return;
        }
        let Some((livekit, spec)) = topology.livekit_spec(review.service().id) else { return };
        if !review.plot_has("redis") {
            review.add(
                Code::LivekitNeedsRedis,
                "livekit",
                format!("{livekit} hands it its work through Redis, and the plot has none"),
                "add a redis service, or one with external",
            );
        }
        let known = spec.keys.keys().map(String::as_str);
        match self.key {
            Some(key) if !spec.keys.contains_key(key) => {
                let help = match words::nearest(key, known) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("name one of services.{livekit}.keys"),
                };
                review.add(Code::UnknownName, "key", format!("{livekit} has no key {key}"), help);
            }
            None if spec.keys.len() > 1 => {
                let known: Vec<_> = known.collect();
                review.add(
                    Code::MissingField,
                    "key",
                    format!("{livekit} has the keys {}, and which it uses is open", words::listed(&known)),
                    format!("write key = \"{}\", or another of them", known[0]),
                );
            }
            _ => {}
        }
    }
}

/// What it shows of itself: whether it is well, and numbers where a Prometheus asks for them.
pub(super) fn endpoints(health: Port, metrics: Option<Port>, network: ContainerNetwork) -> Vec<Draft> {
    let path = Some("/".to_owned());
    let health = Draft::new("health", Protocol::Tcp, health, Speaks::Http { health: path })
        .field(["health-port"])
        .scope(scope(network));
    let shown = metrics.map(|port| {
        Draft::new("metrics", Protocol::Tcp, port, Speaks::Http { health: None })
            .field(["metrics"])
            .scope(scope(network))
    });
    [health].into_iter().chain(shown).collect()
}

/// They take no address to listen on: of a container network, only what has flows is published.
pub(super) fn scope(network: ContainerNetwork) -> Scope {
    match network {
        ContainerNetwork::Host => Scope::Everywhere,
        ContainerNetwork::Bridge => Scope::Flows,
    }
}

/// That it says of itself that it is well.
pub(super) fn promises(service: &Service, topology: &Topology) -> Vec<Promise> {
    let health = topology.endpoint_named(service.id, "health");
    let probe = Probe::HttpGet { path: "/".to_owned() };
    let from = Party::Service(service.id);
    health.map(|to| Promise { from, to: to.id, probe }).into_iter().collect()
}

/// Says so where strangers send media to nodes that the Internet does not lead to.
pub(super) fn review_public(from: &[Source], who: &str, review: &mut Review<'_>) {
    let topology = review.topology();
    let from = if from.is_empty() { &topology.plot().access.clients } else { from };
    if !from.contains(&Source::Any) {
        return;
    }
    for node in nodes(topology, review.service()).filter(|node| node.public.is_none()) {
        review.add_at(
            Code::NoPublicAddress,
            FieldPath::root().key("nodes").key(node.name.as_str()),
            format!("{who} send media to {} itself, and it has no public address", node.name),
            format!(
                "set nodes.{}.public; or use-external-ip = true in services.{} to ask a STUN server; or \
                 access.clients, where clients come from a network of yours",
                node.name,
                review.service().name
            ),
        );
    }
}

/// The nodes that a service stands on.
pub(super) fn nodes<'t>(
    topology: &'t Topology,
    service: &'t Service,
) -> impl Iterator<Item = &'t Node> + use<'t> {
    service.placements.iter().map(|&at| topology.node(topology.placement(at).node))
}

/// Says so where a cost is none: it has to be more than nothing.
pub(super) fn review_costs(field: &str, costs: &[(&str, Option<f64>)], review: &mut Review<'_>) {
    for (name, cost) in costs {
        let Some(cost) = cost.filter(|cost| !(cost.is_finite() && *cost > 0.0)) else { continue };
        let path = review.path().key(field).key(*name);
        review.add_at(
            Code::InvalidValue,
            path,
            format!("{cost} is no number of processors"),
            "write more than 0, such as 2.0, or leave it out",
        );
    }
}

/// Says so where a share is more than all, or nothing.
pub(super) fn review_share(path: FieldPath, share: Option<f64>, review: &mut Review<'_>) {
    if let Some(share) = share.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
        let message = format!("{share} is no share of the processors");
        review.add_at(Code::InvalidValue, path, message, "write more than 0 and up to 1, such as 0.8");
    }
}

impl Topology {
    /// The LiveKit that an ingress, an egress or a SIP service works for.
    ///
    /// ```
    /// use stageplot_topology::{Egress, Livekit, NodeSpec, Plot, Redis, SecretRef};
    ///
    /// let sfu = Livekit {
    ///     keys: [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into(),
    ///     ..Livekit::default()
    /// };
    /// let front = NodeSpec::public("203.0.113.10".parse()?);
    /// let topology = Plot::new("live".parse()?)
    ///     .service("sfu", sfu)
    ///     .service("recorder", Egress::default())
    ///     .service("cache", Redis::default())
    ///     .node("front", front.role("sfu").role("recorder").role("cache"))
    ///     .build()?
    ///     .topology;
    /// let named = |name| topology.service_named(name).map(|service| service.id);
    /// let recorder = named("recorder").ok_or("an egress")?;
    /// assert_eq!(topology.livekit_of(recorder), named("sfu"));
    /// let (key, _secret) = topology.livekit_key_of(recorder).ok_or("a key")?;
    /// assert_eq!(key, "main");
    /// // They meet in one Redis.
    /// assert_eq!(topology.redis_of(recorder), named("cache"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn livekit_of(&self, service: ServiceId) -> Option<ServiceId> {
        let companion = Companion::of(&self.service(service).kind)?;
        let mut all = self.services().iter().filter(|s| matches!(s.kind, ServiceSpec::Livekit(_)));
        match companion.livekit {
            Some(name) => all.find(|s| s.name == *name).map(|s| s.id),
            None => all.next().map(|s| s.id).filter(|_| all.next().is_none()),
        }
    }

    /// The API key by which an ingress, an egress or a SIP service shows itself to its LiveKit:
    /// its name, and where its secret comes from. None where that is open.
    ///
    /// See [`Topology::livekit_of`].
    pub fn livekit_key_of(&self, service: ServiceId) -> Option<(&str, &crate::SecretRef)> {
        let companion = Companion::of(&self.service(service).kind)?;
        let (_, livekit) = self.livekit_spec(service)?;
        let mut keys = livekit.keys.iter();
        let (name, secret) = match companion.key {
            Some(key) => keys.find(|(name, _)| *name == key)?,
            None => keys.next().filter(|_| livekit.keys.len() == 1)?,
        };
        Some((name, secret))
    }

    fn livekit_spec(&self, service: ServiceId) -> Option<(&Name, &Livekit)> {
        let livekit = self.service(self.livekit_of(service)?);
        match &livekit.kind {
            ServiceSpec::Livekit(spec) => Some((&livekit.name, spec)),
            _ => None,
        }
    }
}
