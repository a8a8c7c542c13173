//! Addresses that clients are given: always an edge's, never a node's own.

use std::net::IpAddr;

use crate::{Edge, Ingress, Party, Rtmp, Service, ServiceId, ServiceSpec, Topology};

impl Topology {
    /// The address under which clients reach a service, without a path or a slash at
    /// its end; none for a service that no edge stands in front of.
    ///
    /// | service | its public address |
    /// |---|---|
    /// | edge | `https://DOMAIN`, or `http://` where it has no TLS |
    /// | app with routes | the same, of the edge in front of it |
    /// | LiveKit | `wss://DOMAIN`, or `ws://`, likewise |
    ///
    /// The port follows where it is not the scheme's usual one. An edge without a
    /// domain answers to every name, and is called by the address of its first node.
    ///
    /// ```
    /// use stageplot_topology::{Edge, Livekit, NodeSpec, Plot, SecretRef};
    ///
    /// let built = Plot::new("live".parse()?)
    ///     .service("edge", Edge::new("livekit.example.com".parse()?))
    ///     .service("sfu", Livekit {
    ///         keys: [("main".into(), SecretRef::env("LIVEKIT_API_SECRET"))].into(),
    ///         ..Livekit::default()
    ///     })
    ///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge").role("sfu"))
    ///     .build()?;
    /// let sfu = built.topology.service_named("sfu").ok_or("no sfu")?;
    /// assert_eq!(built.topology.public_url(sfu.id).as_deref(), Some("wss://livekit.example.com"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn public_url(&self, service: ServiceId) -> Option<String> {
        let service = self.service(service);
        match &service.kind {
            ServiceSpec::Edge(edge) => self.site(service, edge),
            ServiceSpec::Livekit(_) => {
                // ws and wss have the usual ports of http and https (RFC 6455, section 3).
                let site = self.public_url(self.edge_of(service.id)?)?;
                Some(site.replacen("http", "ws", 1))
            }
            _ => self.public_url(self.edge_of(service.id)?),
        }
    }

    /// The address that publishers of an RTMP service, or of an ingress, are given, without the stream's name;
    /// none for a service of another kind, or one that stands nowhere.
    ///
    /// The host is the service's `domain`, or the domain of the edge that stands on the same
    /// node and on no other, or else the node's address.
    ///
    /// ```
    /// use stageplot_topology::{Edge, NodeSpec, Plot, Rtmp};
    ///
    /// let front = NodeSpec::public("203.0.113.10".parse()?).role("edge").role("streams");
    /// let built = Plot::new("live".parse()?)
    ///     .service("edge", Edge::new("live.example.com".parse()?))
    ///     .service("streams", Rtmp::default())
    ///     .node("front", front)
    ///     .build()?;
    /// let streams = built.topology.service_named("streams").ok_or("no streams")?;
    /// let told = built.topology.publish_url(streams.id);
    /// assert_eq!(told.as_deref(), Some("rtmp://live.example.com/live"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn publish_url(&self, service: ServiceId) -> Option<String> {
        let service = self.service(service);
        let (domain, port, application) = match &service.kind {
            ServiceSpec::Rtmp(rtmp) => (&rtmp.domain, rtmp.port, rtmp.application.as_str()),
            ServiceSpec::Ingress(ingress) => (&ingress.domain, ingress.rtmp_port?, Ingress::APPLICATION),
            _ => return None,
        };
        let node = self.node(self.placement(*service.placements.first()?).node);
        let domain = domain.as_ref().or_else(|| self.edge_beside(service)?.domain.as_ref());
        let host = match domain {
            Some(domain) => domain.to_string(),
            None => host(node.advertised_address()?),
        };
        let port = if port == Rtmp::USUAL_PORT { String::new() } else { format!(":{port}") };
        Some(format!("rtmp://{host}{port}/{application}"))
    }

    /// The address that publishers over WHIP are given by an ingress, without their key; none
    /// for a service of another kind, or one without WHIP.
    ///
    /// ```
    /// use stageplot_topology::{Edge, Ingress, Livekit, NodeSpec, Plot, Redis, SecretRef};
    ///
    /// let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// let front = NodeSpec::public("203.0.113.10".parse()?);
    /// let topology = Plot::new("live".parse()?)
    ///     .service("edge", Edge::new("live.example.com".parse()?))
    ///     .service("sfu", Livekit { keys, ..Livekit::default() })
    ///     .service("streams", Ingress::default())
    ///     .service("cache", Redis::default())
    ///     .node("front", front.role("edge").role("sfu").role("streams").role("cache"))
    ///     .build()?
    ///     .topology;
    /// let streams = topology.service_named("streams").ok_or("an ingress")?;
    /// assert_eq!(topology.whip_url(streams.id).as_deref(), Some("https://live.example.com/w"));
    /// assert_eq!(topology.publish_url(streams.id).as_deref(), Some("rtmp://live.example.com/x"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn whip_url(&self, service: ServiceId) -> Option<String> {
        let service = self.service(service);
        let ServiceSpec::Ingress(ingress) = &service.kind else { return None };
        ingress.whip_port?;
        service.placements.first()?;
        let path = Ingress::PATHS.first()?;
        Some(format!("{}{path}", self.public_url(self.edge_of(service.id)?)?))
    }

    /// The edge whose domain leads to the node of a service, and to no other.
    pub(crate) fn edge_beside(&self, service: &Service) -> Option<&Edge> {
        let node = self.placement(*service.placements.first()?).node;
        let mut edges = self.placements_on(node).filter_map(|at| {
            let service = self.service(at.service);
            match &service.kind {
                ServiceSpec::Edge(edge) if service.placements.len() == 1 => Some(edge),
                _ => None,
            }
        });
        edges.find(|edge| edge.domain.is_some())
    }

    /// The edge that sends clients to a service, where there is one.
    ///
    /// ```
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let livekit = topology.service_named("livekit").ok_or("a LiveKit")?;
    /// let edge = topology.edge_of(livekit.id).ok_or("the edge")?;
    /// assert_eq!(topology.service(edge).name.as_str(), "edge");
    /// // One LiveKit alone needs no Redis.
    /// assert_eq!(topology.redis_of(livekit.id), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn edge_of(&self, service: ServiceId) -> Option<ServiceId> {
        let flows = self.endpoints_of(service).iter().flat_map(|endpoint| self.flows_to(endpoint.id));
        let mut clients = flows.filter_map(|flow| match flow.from {
            Party::Service(client) => Some(client),
            _ => None,
        });
        clients.find(|&client| matches!(self.service(client).kind, ServiceSpec::Edge(_)))
    }

    fn site(&self, service: &Service, edge: &Edge) -> Option<String> {
        let host = match &edge.domain {
            Some(domain) => domain.to_string(),
            None => {
                let first = self.placement(*service.placements.first()?);
                host(self.node(first.node).advertised_address()?)
            }
        };
        let (scheme, port, usual) = match edge.is_https() {
            true => ("https", edge.https_port.number(), 443),
            false => ("http", edge.http_port.number(), 80),
        };
        let port = if port == usual { String::new() } else { format!(":{port}") };
        Some(format!("{scheme}://{host}{port}"))
    }
}

/// An address as it stands in a URL (RFC 3986, section 3.2.2).
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use crate::{App, Edge, Livekit, NodeSpec, Plot, Port, Redis, Run, SecretRef, Tls, Topology};

    fn topology(edge: Edge) -> Topology {
        let app = App { run: Some(Run::Host), port: Port::new(8080), ..App::default() };
        Plot::new("live".parse().expect("a name"))
            .service("edge", edge)
            .service("rooms", App { routes: vec!["/api/*".to_owned()], ..app.clone() })
            .service("hidden", App { port: Port::new(8081), ..app })
            .service("cache", Redis::default())
            .service(
                "sfu",
                Livekit {
                    keys: [("main".to_owned(), SecretRef::env("SECRET"))].into(),
                    ..Livekit::default()
                },
            )
            .node(
                "front",
                ["edge", "rooms", "hidden", "cache", "sfu"]
                    .into_iter()
                    .fold(NodeSpec::public("203.0.113.10".parse().expect("an address")), NodeSpec::role),
            )
            .build()
            .expect("a sound plot")
            .topology
    }

    /// The addresses of the edge, the app behind it and LiveKit.
    #[track_caller]
    fn holds(edge: Edge, expected: [&str; 3]) {
        let topology = topology(edge);
        let url = |name: &str| topology.public_url(topology.service_named(name).expect("a service").id);
        for (service, expected) in ["edge", "rooms", "sfu"].into_iter().zip(expected) {
            assert_eq!(url(service).as_deref(), Some(expected), "{service}");
        }
        assert_eq!((url("hidden"), url("cache")), (None, None));
    }

    #[test]
    fn clients_are_given_the_edge_and_never_a_node() {
        let edge = || Edge::new("live.example.com".parse().expect("a host"));
        holds(edge(), ["https://live.example.com", "https://live.example.com", "wss://live.example.com"]);
        holds(
            Edge { https_port: Port::fixed(8443), ..edge() },
            ["https://live.example.com:8443", "https://live.example.com:8443", "wss://live.example.com:8443"],
        );
        holds(
            Edge { tls: Tls::Off, ..edge() },
            ["http://live.example.com", "http://live.example.com", "ws://live.example.com"],
        );
    }

    #[test]
    fn an_edge_without_a_name_has_an_address() {
        let edge = Edge { http_port: Port::fixed(8000), ..Edge::default() };
        holds(edge, ["http://203.0.113.10:8000", "http://203.0.113.10:8000", "ws://203.0.113.10:8000"]);
    }
}
