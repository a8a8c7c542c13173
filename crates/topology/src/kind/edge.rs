//! `edge`: Caddy in front of everything that the Internet reaches by name.

mod balance;
mod tls;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use balance::{Balance, Sticky};
pub use tls::{Acme, DnsChallenge, Tls};

use super::{ContainerNetwork, Kind, Limits};
use crate::check::{Probe, Promise, clients};
use crate::endpoint::{Endpoint, Scope, Speaks};
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    App, Attachment, Code, FieldPath, HostName, ImageRef, NodeId, Party, Period, Port, Protocol,
    SOURCES_LIMIT, Service, ServiceId, ServiceSpec, Source, Topology, words,
};

/// A reverse proxy: HTTPS for a domain, balanced over the services behind it.
///
/// Placed on several nodes, every one of them serves the same domain.
///
/// ```
/// use stageplot_topology::{Edge, Tls};
///
/// let edge = Edge { tls: Tls::Internal, ..Edge::new("livekit.example.com".parse()?) };
/// assert!(edge.is_https());
/// # Ok::<(), stageplot_topology::InvalidHostName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ domain = \"live.example.com\" }"
)]
pub struct Edge {
    /// The name that clients use. Without one the edge answers to every name,
    /// over plain HTTP only.
    pub domain: Option<HostName>,
    /// Further names of the same site.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<HostName>")]
    pub aliases: Vec<HostName>,
    /// Where certificates come from: `"auto"` (ACME), `"internal"` (Caddy's own
    /// CA), `"off"` (plain HTTP), a table with `cert` and `key`, or a table with
    /// ACME settings.
    pub tls: Tls,
    /// The port for HTTP: redirects and ACME challenges, or the site itself
    /// where TLS is off.
    pub http_port: Port,
    /// The port for HTTPS, over TCP and, for HTTP/3, UDP.
    pub https_port: Port,
    /// Whether HTTP/3 is offered.
    pub http3: bool,
    /// How a request picks one of several upstreams, where what stands behind the
    /// edge does not say so itself.
    pub balance: Balance,
    /// Whether every request is written to the container's log, with the upstream
    /// that took it; without what follows `?`, which may hold tokens.
    pub access_log: bool,
    /// The port at which its metrics are shown to a Prometheus of the plot, and to nobody
    /// else; none where not set.
    pub metrics: Option<Port>,
    /// How long WebSockets outlive the configuration they came in under: a
    /// reload closes them after this time, not at once.
    pub stream_close_delay: Period,
    /// Host network or the plot's container network.
    pub network: ContainerNetwork,
    /// The image; Caddy 2.11.
    pub image: ImageRef,
    /// Whether the image holds the layer 4 module, which splits TURN from HTTPS
    /// on one port; the stock images do not.
    pub layer4: bool,
    /// What the container may use.
    pub limits: Limits,
}

impl Edge {
    /// The port on this node's loopback (or inside the container) where the
    /// container's health check asks for every upstream group.
    pub const HEALTH_PORT: Port = Port::fixed(2020);
    /// Caddy's administration, on the loopback of its own network namespace.
    pub const ADMIN_PORT: Port = Port::fixed(2019);

    /// An edge for a domain, all else as a careful operator would have it.
    pub fn new(domain: HostName) -> Self {
        Self { domain: Some(domain), ..Self::default() }
    }

    /// Whether the site is served over TLS.
    pub fn is_https(&self) -> bool {
        self.domain.is_some() && self.tls != Tls::Off
    }

    /// All names of the site, the domain first.
    ///
    /// ```
    /// use stageplot_topology::Edge;
    ///
    /// let aliases = vec!["www.example.com".parse()?];
    /// let edge = Edge { aliases, ..Edge::new("example.com".parse()?) };
    /// let names: Vec<_> = edge.names().map(|name| name.as_str()).collect();
    /// assert_eq!(names, ["example.com", "www.example.com"]);
    /// # Ok::<(), stageplot_topology::InvalidHostName>(())
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &HostName> {
        self.domain.iter().chain(&self.aliases)
    }

    /// What stands behind an edge: where it hands requests on to, each once.
    ///
    /// ```
    /// use stageplot_topology::{App, Edge, NodeSpec, Plot};
    ///
    /// let app = App { routes: vec!["/*".to_owned()], ..App::container("registry.example.com/site:1".parse()?) };
    /// let topology = Plot::new("live".parse()?)
    ///     .service("edge", Edge::new("example.com".parse()?))
    ///     .service("site", app.port("8080".parse()?))
    ///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge").role("site"))
    ///     .build()?
    ///     .topology;
    /// let edge = topology.service_named("edge").ok_or("an edge")?;
    /// let behind: Vec<_> = Edge::upstreams(&topology, edge.id).collect();
    /// assert_eq!(behind[0].ports.to_string(), "8080");
    ///
    /// // The site says nothing of how one of its nodes is picked, so the edge does.
    /// let site = topology.service(behind[0].service);
    /// assert_eq!(Edge::default().balance_of(site).policy(), "least_conn");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn upstreams(topology: &Topology, edge: ServiceId) -> impl Iterator<Item = &Endpoint> {
        let to: BTreeSet<_> = topology.flows_from(edge).map(|flow| flow.to).collect();
        let endpoints = to.into_iter().map(|to| topology.endpoint(to));
        endpoints.filter(|endpoint| matches!(endpoint.name.as_ref(), "http" | "signal" | "whip"))
    }

    /// How a request picks one of the upstreams of a service: as that one says itself, or
    /// else as the edge does.
    pub fn balance_of<'a>(&'a self, behind: &'a Service) -> &'a Balance {
        match &behind.kind {
            ServiceSpec::App(App { balance: Some(balance), .. }) => balance,
            _ => &self.balance,
        }
    }

    /// Whether a name means nothing on the Internet: one without a dot, or below one set
    /// aside for networks of one's own (RFC 6761, RFC 6762, RFC 8375, and ICANN's internal).
    pub(crate) fn is_local(name: &HostName) -> bool {
        let name = name.as_str();
        !name.contains('.') || LOCAL.iter().any(|suffix| name.ends_with(suffix))
    }
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            domain: None,
            aliases: Vec::new(),
            tls: Tls::default(),
            http_port: Port::fixed(80),
            https_port: Port::fixed(443),
            http3: true,
            balance: Balance::LeastConn,
            access_log: false,
            metrics: None,
            stream_close_delay: Period::from_seconds(3600),
            network: ContainerNetwork::Host,
            image: super::fixed_image("caddy:2.11-alpine"),
            layer4: false,
            limits: Limits::default(),
        }
    }
}

impl Kind for Edge {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn endpoints(&self) -> Vec<Draft> {
        let health = Some("/".to_owned());
        let mut endpoints = vec![
            Draft::new("http", Protocol::Tcp, self.http_port, Speaks::Http { health: None })
                .field(["http-port"]),
            Draft::new("admin", Protocol::Tcp, Self::ADMIN_PORT, Speaks::Other).scope(Scope::Loopback),
            Draft::new("health", Protocol::Tcp, Self::HEALTH_PORT, Speaks::Http { health })
                .scope(Scope::Loopback),
        ];
        endpoints.extend(self.metrics.map(|port| {
            Draft::new("metrics", Protocol::Tcp, port, Speaks::Http { health: None }).field(["metrics"])
        }));
        if self.is_https() {
            endpoints.push(
                Draft::new("https", Protocol::Tcp, self.https_port, Speaks::Https).field(["https-port"]),
            );
            if self.http3 {
                endpoints.push(
                    Draft::new("http3", Protocol::Udp, self.https_port, Speaks::Http3).field(["https-port"]),
                );
            }
        }
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        let http = if self.is_https() { "redirects to HTTPS, ACME" } else { "clients" };
        wiring.offer_clients("http", http);
        wiring.offer_clients("https", "clients");
        wiring.offer_clients("http3", "clients");
        // What stands behind an edge says so itself: see the other kinds.
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        let mut promises = Vec::new();
        let from = Party::Service(service.id);
        if let Some(admin) = topology.endpoint_named(service.id, "admin") {
            promises.push(Promise { from, to: admin.id, probe: Probe::CaddyUpstreams });
        }
        if let Some(health) = topology.endpoint_named(service.id, "health") {
            let asked = Self::upstreams(topology, service.id).filter(|behind| {
                matches!(behind.speaks, Speaks::Http { health: Some(_) })
                    && (2..=SOURCES_LIMIT).contains(&behind.at.len())
                    && self.balance_of(topology.service(behind.service)).spreads()
            });
            promises.extend(asked.map(|behind| {
                let probe = Probe::CaddyBalance { service: behind.service };
                Promise { from, to: health.id, probe }
            }));
        }
        let nodes: Vec<_> = service.placements.iter().map(|&id| topology.placement(id).node).collect();
        if let Some(http) = topology.endpoint_named(service.id, "http") {
            for name in self.names() {
                let probe = Probe::Resolves { name: name.clone(), nodes: nodes.clone() };
                let to = http.id;
                promises.extend(clients(topology, to).map(|from| Promise { from, to, probe: probe.clone() }));
            }
        }
        promises
    }

    fn review(&self, review: &mut Review<'_>) {
        let placements = review.service().placements.len();
        if self.domain.is_none() && !self.aliases.is_empty() {
            review.add(
                Code::MissingField,
                "domain",
                "aliases are further names of a domain, and there is none",
                "set domain",
            );
        }
        if let Tls::Acme(acme) = &self.tls {
            let names = self.names().filter(|_| acme.ca.is_none());
            if let Some(name) = names.into_iter().find(|name| Self::is_local(name)) {
                review.add(
                    Code::InvalidValue,
                    if self.domain.as_ref() == Some(name) { "domain" } else { "aliases" },
                    format!("no public authority gives a certificate for {name}: only your own network knows it"),
                    "use tls = \"internal\" or a certificate of your own, tls.ca of an authority of your own, \
                     or a name that the Internet knows",
                );
            }
            if self.domain.is_some() && acme.dns.is_none() && self.http_port != Port::fixed(80) {
                review.add(
                    Code::AcmePort,
                    "http-port",
                    format!("the certificate authority asks on port 80, and the edge listens on {}", self.http_port),
                    "keep http-port at 80, forward port 80 to it in front of the node, or prove the name by DNS (tls.dns)",
                );
            }
            let topology = review.topology();
            let clients = topology.sources(&topology.plot().access.clients);
            let admits_everybody = clients.iter().any(crate::firewall::is_open);
            if self.domain.is_some() && acme.dns.is_none() && acme.ca.is_none() && !admits_everybody {
                review.add(
                    Code::AcmePort,
                    "tls",
                    "the certificate authority asks from the Internet, and access.clients lets nobody in from there",
                    "prove the name by DNS (tls.dns), bring an own certificate (tls.cert, tls.key), or use tls = \"internal\"",
                );
            }
            if self.domain.is_some() && acme.dns.is_none() && placements > 1 {
                review.add(
                    Code::AcmeSeveralEdges,
                    "tls",
                    format!("{placements} nodes ask for certificates of one name, and the authority's question reaches any of them"),
                    "prove the name by DNS (tls.dns), or bring an own certificate (tls.cert, tls.key)",
                );
            }
            if acme.dns.is_some() && self.image.is_sibling(&Self::default().image) {
                review.add(
                    Code::ImageLacksModule,
                    "image",
                    "the stock Caddy images hold no DNS module",
                    "build an image with the provider's module and name it here",
                );
            }
        }
        if self.layer4 && self.image.is_sibling(&Self::default().image) {
            review.add(
                Code::ImageLacksModule,
                "image",
                "the stock Caddy images hold no layer 4 module, whatever layer4 says",
                "build an image with github.com/mholt/caddy-l4 and name it here, or leave out layer4",
            );
        }
        if !self.is_https() {
            let (field, help) = match &self.domain {
                Some(_) => ("tls", "use \"auto\", \"internal\" or an own certificate"),
                None => ("domain", "set domain: a certificate is for a name"),
            };
            review.add(
                Code::PlainHttp,
                field,
                "clients talk in the clear; browsers then give pages no camera and no microphone",
                help,
            );
        }
        if let Tls::Acme(Acme { dns: Some(dns), .. }) = &self.tls {
            // Both are words of Caddy's own configuration.
            let names = std::iter::once(&dns.provider).chain(dns.settings.keys());
            let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            for name in names.filter(|name| name.is_empty() || !name.chars().all(word)) {
                let path = review.path().key("tls").key("dns");
                review.add_at(
                    Code::InvalidValue,
                    path,
                    format!("{name:?} is no name of a DNS module or of its settings"),
                    "use letters, digits and - _ . only, as in \"cloudflare\" and api_token",
                );
            }
        }
        self.balance.review(&review.path().key("balance"), review);
        review_public(review);
        review.image("image", &self.image);
        let behind = review.topology().flows_from(review.service().id).next().is_some();
        if placements > 0 && !behind {
            let help =
                match review.topology().services().iter().any(|s| matches!(s.kind, ServiceSpec::App(_))) {
                    true => "give an app routes, or add a livekit service",
                    false => "add a livekit service, or an app with routes",
                };
            review.add_here(Code::IdleEdge, "nothing stands behind this edge", help);
        }
    }
}

const LOCAL: &[&str] = &[".localhost", ".local", ".internal", ".home.arpa"];

/// Says so where clients come from the Internet, and it does not lead to the edge.
fn review_public(review: &mut Review<'_>) {
    let (topology, service) = (review.topology(), review.service());
    if !topology.plot().access.clients.contains(&Source::Any) {
        return;
    }
    // Of those that clients send media to, the same is told as an error.
    let is_told = |node: NodeId| {
        let mut kinds = topology.placements_on(node).map(|at| &topology.service(at.service).kind);
        kinds.any(|kind| match kind {
            ServiceSpec::Livekit(livekit) => !livekit.use_external_ip,
            ServiceSpec::IonSfu(sfu) => sfu.stun.is_empty(),
            ServiceSpec::Ingress(ingress) => ingress.whip_port.is_some() && !ingress.use_external_ip,
            _ => false,
        })
    };
    let nodes = service.placements.iter().map(|&at| topology.node(topology.placement(at).node));
    let hidden = nodes.filter(|node| node.public.is_none() && !is_told(node.id));
    let hidden: Vec<_> = hidden.map(|node| node.name.as_str()).collect();
    let Some((first, rest)) = hidden.split_first() else { return };
    let (has, it) = if rest.is_empty() { ("has", "it") } else { ("have", "them") };
    review.add_at(
        Code::EdgeNotPublic,
        FieldPath::root().key("nodes").key(*first).key("public"),
        format!(
            "{}, where clients come in, {has} no public address: the Internet does not lead to {it}",
            words::listed(&hidden)
        ),
        format!(
            "set nodes.{first}.public, with bound = false where a router or a load balancer has the address; \
             or access.clients, where clients come from a network of yours, with tls = \"internal\""
        ),
    );
}
