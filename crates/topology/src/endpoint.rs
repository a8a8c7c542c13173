//! What a service listens on.

use std::borrow::Cow;

use crate::topology::id;
use crate::{FieldPath, PlacementId, PortRange, Protocol, RemoteAddress, ServiceId};

id! {
    /// An [`Endpoint`] of one topology.
    EndpointId
}

/// A port, or a range, that a service listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its index.
    pub id: EndpointId,
    /// Whose it is.
    pub service: ServiceId,
    /// What the service calls it: `https`, `signal`, `media`, ….
    pub name: Cow<'static, str>,
    /// The transport.
    pub protocol: Protocol,
    /// The ports.
    pub ports: PortRange,
    /// The field of the service that states the ports, or brings the endpoint
    /// about where they are fixed; none where nothing does.
    pub field: Option<FieldPath>,
    /// What is spoken there.
    pub speaks: Speaks,
    /// On which addresses the program listens.
    pub scope: Scope,
    /// The placements that offer it, in their order.
    pub at: Vec<PlacementId>,
    /// Where it is offered outside the plot, by what somebody else runs; then
    /// no placement offers it, and flows to it leave their nodes and arrive at
    /// none.
    pub elsewhere: Vec<RemoteAddress>,
}

impl Endpoint {
    /// Whether a placement offers it.
    pub fn is_at(&self, placement: PlacementId) -> bool {
        // A service may stand on a hundred thousand nodes, and each of them asks.
        self.at.binary_search(&placement).is_ok()
    }

    /// Whether somebody else runs it.
    pub fn is_elsewhere(&self) -> bool {
        !self.elsewhere.is_empty()
    }
}

/// What is spoken on an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Speaks {
    /// HTTP/1.1 in the clear; the path answers 2xx while the service is well.
    Http {
        /// The path to ask.
        health: Option<String>,
    },
    /// HTTP over TLS.
    Https,
    /// HTTP/3 (RFC 9114).
    Http3,
    /// Redis' protocol.
    Redis,
    /// STUN and TURN (RFC 8489, RFC 8656) in datagrams.
    Turn,
    /// TURN in TLS, or in plain TCP behind an edge that ends the TLS.
    TurnTls,
    /// ICE and media in a TCP stream (RFC 6544).
    IceTcp,
    /// ICE and media in datagrams (RFC 8445).
    Media,
    /// The far side of TURN relays.
    Relay,
    /// Something that the plot does not know.
    Other,
}

/// On which addresses a program listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Where its flows arrive; it can be told to bind there alone.
    Flows,
    /// Where the flows of all such endpoints of its service arrive: the program
    /// takes one list for them.
    Shared,
    /// On all addresses, whatever it is told.
    Everywhere,
    /// On the loopback of its own network namespace.
    Loopback,
}
