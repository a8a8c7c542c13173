//! The relay that LiveKit brings along.

use serde::{Deserialize, Serialize};

use crate::{HostName, Port, PortRange, SecretRef};

/// The relay that LiveKit brings along (RFC 8656).
///
/// ```
/// use stageplot_topology::{Livekit, Turn, TurnTls};
///
/// let turn = Turn { domain: Some("turn.example.com".parse()?), tls: TurnTls::Edge, ..Turn::default() };
/// let sfu = Livekit { turn: Some(turn), ..Livekit::default() };
/// assert_eq!(sfu.turn_tls_port(), Some(TurnTls::BEHIND_EDGE_PORT));
/// # Ok::<(), stageplot_topology::InvalidHostName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ udp-port = 3478 }")]
pub struct Turn {
    /// The name in `turns:NAME:443`; needed for TLS, and never the edge's own.
    pub domain: Option<HostName>,
    /// TURN and STUN over UDP; 0 in the file turns it off.
    #[serde(with = "crate::value::port_or_off")]
    #[schemars(with = "u16")]
    pub udp_port: Option<Port>,
    /// TURN over TLS, which clients dial on port 443: `"off"`, `"direct"` (by LiveKit itself, on
    /// a node without an edge) or `"edge"` (on the port of the edge, told apart by name, with an
    /// image that has the layer 4 module).
    pub tls: TurnTls,
    /// The ports on which a relay meets the media servers.
    pub relay: PortRange,
    /// The certificate for `tls = "direct"`, in PEM.
    #[serde(deserialize_with = "crate::value::secret_or_path")]
    pub cert: Option<SecretRef>,
    /// Its private key, in PEM.
    #[serde(deserialize_with = "crate::value::secret_or_path")]
    pub key: Option<SecretRef>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            domain: None,
            udp_port: Some(Port::fixed(3478)),
            tls: TurnTls::Off,
            relay: PortRange::fixed(30000, 40000),
            cert: None,
            key: None,
        }
    }
}

/// Where TURN over TLS is answered. LiveKit always tells clients port 443.
///
/// See [`Turn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum TurnTls {
    /// Nowhere.
    Off,
    /// By LiveKit on port 443 of its own node, which then can have no edge.
    Direct,
    /// By the edge, on the port it shares with HTTPS, told apart by server name
    /// (SNI); the edge's image must hold the layer 4 module.
    Edge,
}

impl TurnTls {
    /// Where clients dial, whatever is configured.
    pub const CLIENT_PORT: Port = Port::fixed(443);
    /// Where LiveKit listens behind an edge.
    pub const BEHIND_EDGE_PORT: Port = Port::fixed(5349);
}
