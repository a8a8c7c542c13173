//! Where the clients of a LiveKit come in: at the edge, or where there is none at a node.

use std::net::{IpAddr, SocketAddr};

use stageplot_topology::ServiceSpec;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::probe::Attempt;
use crate::{Cause, Problem, Stand};

/// Where clients come in.
pub(super) struct Entrance {
    address: SocketAddr,
    /// The name, where there is an edge with HTTPS.
    pub(super) name: Option<String>,
    /// As requests name it.
    pub(super) host: String,
}

/// A stream that a room is joined over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

impl Attempt<'_> {
    /// Where this check's clients come in: at the edge, or where there is none at the
    /// node that is asked.
    pub(super) async fn entrance(&mut self) -> Result<Entrance, Problem> {
        let topology = self.scene.topology.clone();
        let rooms = self.rooms();
        let target = self.address().await?;
        let Some(edge) = rooms.and_then(|rooms| topology.edge_of(rooms)) else {
            let signal = rooms.and_then(|rooms| topology.endpoint_named(rooms, "signal"));
            let port = signal.map_or(0, |signal| signal.ports.first().number());
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

    /// Connects there.
    pub(super) async fn enter(&mut self, entrance: &Entrance) -> Result<Box<dyn Wire>, Problem> {
        Ok(match &entrance.name {
            Some(name) => Box::new(self.secure_at(entrance.address, name, &[b"http/1.1"]).await?),
            None => Box::new(self.connect_to(entrance.address).await?),
        })
    }
}
