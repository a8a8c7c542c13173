//! Where the clients of a service come in: at the edge, or where there is none at a node.

use std::net::{IpAddr, SocketAddr};

use stageplot_topology::{ServiceId, ServiceSpec};

use super::Attempt;
use super::connection::Stream;
use crate::{Cause, Problem, Stand};

/// Where clients come in.
pub(crate) struct Entrance {
    address: SocketAddr,
    /// The name, where there is an edge with HTTPS.
    pub(crate) name: Option<String>,
    /// As requests name it.
    pub(crate) host: String,
}

impl Attempt<'_> {
    /// Where the clients of a service come in: at the edge, or where there is none at the
    /// node that is asked, by the endpoint of that name.
    pub(crate) async fn entrance_of(
        &mut self,
        service: Option<ServiceId>,
        endpoint: &str,
    ) -> Result<Entrance, Problem> {
        let topology = self.scene.topology.clone();
        let target = self.address().await?;
        let Some(edge) = service.and_then(|service| topology.edge_of(service)) else {
            let endpoint = service.and_then(|service| topology.endpoint_named(service, endpoint));
            let port = endpoint.map_or(0, |endpoint| endpoint.ports.first().number());
            let address = SocketAddr::new(target.ip(), port);
            return Ok(Entrance { address, name: None, host: address.to_string() });
        };
        let service = topology.service(edge);
        let ServiceSpec::Edge(settings) = &service.kind else {
            return Err(Problem::not_tried(Cause::NodeNotMet, "what is in front is no edge"));
        };
        let name = settings.domain.as_ref().map(ToString::to_string);
        let port = if settings.is_https() { settings.https_port } else { settings.http_port }.number();
        let address = if self.trial.service == Some(edge) {
            target
        } else {
            let nodes = service.placements.iter().map(|&id| topology.node(topology.placement(id).node));
            let stand = self.trial.place.stand(&topology);
            let own = nodes.flat_map(|node| {
                let public = node.public.into_iter().flat_map(|public| public.addresses());
                let private = node.addresses.iter().map(|address| address.ip);
                match stand {
                    Stand::Outside => public.chain(Vec::new()).collect::<Vec<_>>(),
                    _ => private.chain(public).collect(),
                }
            });
            let own: Vec<IpAddr> = own.collect();
            let same = own.iter().find(|ip| ip.is_ipv4() == target.is_ipv4()).or(own.first()).copied();
            let ip = same
                .ok_or_else(|| Problem::not_tried(Cause::NoRoute, "the edge has no address for clients"))?;
            SocketAddr::new(ip, port)
        };
        let host = match (&name, port) {
            (Some(name), 443 | 80) => name.clone(),
            (Some(name), port) => format!("{name}:{port}"),
            (None, _) => address.to_string(),
        };
        Ok(Entrance { address, name: name.filter(|_| settings.is_https()), host })
    }

    /// Connects there. A handshake that breaks is begun once more, as clients do, for it
    /// is not what is asked here: Caddy's layer 4 module 0.1 spoils one now and then
    /// when several come at once (its listener wrapper hands a buffer on that it has
    /// already given back).
    pub(crate) async fn enter(&mut self, entrance: &Entrance) -> Result<Stream, Problem> {
        let Some(name) = &entrance.name else {
            return Ok(Box::new(self.connect_to(entrance.address).await?));
        };
        let first = self.secure_at(entrance.address, name, &[b"http/1.1"]).await;
        Ok(Box::new(match first {
            Err(problem) if problem.cause == Cause::TlsRefused => {
                self.evidence.note("first-handshake", &problem);
                self.secure_at(entrance.address, name, &[b"http/1.1"]).await?
            }
            entered => entered?,
        }))
    }
}
