//! Addresses that clients are given: always an edge's, never a node's own.

use std::net::IpAddr;

use crate::{Edge, Party, Service, ServiceId, ServiceSpec, Topology};

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
                let site = self.public_url(self.edge_before(service.id)?)?;
                Some(site.replacen("http", "ws", 1))
            }
            _ => self.public_url(self.edge_before(service.id)?),
        }
    }

    /// The edge that sends clients to a service.
    fn edge_before(&self, service: ServiceId) -> Option<ServiceId> {
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
                match self.node(first.node).advertised_address()? {
                    IpAddr::V4(v4) => v4.to_string(),
                    IpAddr::V6(v6) => format!("[{v6}]"),
                }
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
