//! What a service listens on.

use std::borrow::Cow;

use crate::topology::id;
use crate::{FieldPath, PlacementId, PortRange, Protocol, RemoteAddress, ServiceId};

id! {
    /// An [`Endpoint`] of one topology.
    ///
    /// See [`Endpoint`].
    EndpointId
}

/// A port, or a range, that a service listens on.
///
/// ```
/// use stageplot_topology::{Protocol, Scope, Speaks};
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
/// let media = topology.endpoint_named(livekit.id, "media").ok_or("its media")?;
/// assert_eq!((media.protocol, media.ports.to_string()), (Protocol::Udp, "50000-60000".to_owned()));
/// assert!(media.speaks == Speaks::Media && media.scope != Scope::Loopback);
/// assert!(media.is_at(livekit.placements[0]) && !media.is_elsewhere());
/// assert_eq!(topology.endpoint(media.id), media);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// See [`Endpoint`].
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
    /// Postgres' frontend/backend protocol.
    Postgres,
    /// ion-sfu's JSON-RPC, in a WebSocket.
    IonSfu,
    /// RTMP (Adobe's specification 1.0).
    Rtmp,
    /// SIP in datagrams (RFC 3261).
    Sip,
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

impl Speaks {
    /// Whether whoever listens on the way reads what is said: passwords, or what they guard.
    /// Of something that the plot does not know, nobody knows.
    pub(crate) fn is_clear(&self) -> bool {
        match self {
            Self::Http { .. } | Self::Redis | Self::Postgres | Self::IonSfu | Self::Rtmp | Self::Sip => true,
            Self::Https
            | Self::Http3
            | Self::Turn
            | Self::TurnTls
            | Self::IceTcp
            | Self::Media
            | Self::Relay
            | Self::Other => false,
        }
    }
}

/// On which addresses a program listens.
///
/// See [`Endpoint`].
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
