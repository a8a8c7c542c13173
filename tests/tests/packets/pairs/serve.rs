//! The programs behind the ports.

use std::net::{IpAddr, Ipv6Addr};

use stageplot_tests::{Listening, Responder, Transport, inside};
use stageplot_topology::{Attachment, Topology, listen};

use crate::stage::{Stage, transport};

/// On which addresses the servers outside the container network listen.
pub(super) enum Where {
    /// Where `listen` says.
    AsTold,
    /// On all.
    Everywhere,
}

/// Starts to answer on every endpoint of every placement.
pub(super) fn serve(stage: &Stage, topology: &Topology, place: Where) -> Responder {
    let mut sockets = Vec::new();
    for endpoint in topology.endpoints() {
        let transport = transport(endpoint.protocol);
        let port = endpoint.ports.first().number();
        for &id in &endpoint.at {
            let at = topology.placement(id);
            let node = topology.node(at.node);
            let name = format!("{} on {}", topology.service(at.service).name, node.name);
            let any = IpAddr::from(Ipv6Addr::UNSPECIFIED);
            let mut addresses = match place {
                _ if at.attachment == Attachment::Bridge => vec![any],
                Where::AsTold => listen(topology, endpoint.id, id),
                Where::Everywhere => vec![any],
            };
            if addresses.contains(&any) {
                addresses = vec![any];
            }
            if transport == Transport::Udp
                && at.attachment != Attachment::Bridge
                && addresses.iter().any(IpAddr::is_unspecified)
            {
                // A datagram's answer comes from the address that was asked only where
                // the socket has that one.
                addresses = stage.machine(topology, at).addresses();
            }
            sockets.extend(inside(&stage.namespace(topology, at), || {
                addresses
                    .iter()
                    .map(|&address| Listening::bind(&name, transport, (address, port).into()))
                    .collect::<Vec<_>>()
            }));
        }
    }
    Responder::start(sockets)
}
