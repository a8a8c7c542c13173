//! `ion-sfu`: hands media on between browsers, for apps that bring the rooms themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ContainerNetwork, Kind, Limits};
use crate::endpoint::{Scope, Speaks};
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{Attachment, Code, FieldPath, ImageRef, Port, PortRange, Protocol, SecretRef, Source};

/// ion-sfu with its JSON-RPC signalling: browsers talk to it through an app of the plot, and
/// send media to it directly.
///
/// Its sessions are in its memory: on several nodes, the app picks one for each room, by the
/// list that `${SERVICE.address}` gives it. Nobody has maintained it since 2022; LiveKit, with
/// its ingress, does what it does and more.
///
/// ```
/// use stageplot_topology::{IonSfu, IonTurn, PortRange, SecretRef};
///
/// let sfu = IonSfu {
///     udp: "5000-5200".parse()?,
///     turn: Some(IonTurn { users: [("guest".to_owned(), SecretRef::env("TURN_PASSWORD"))].into(), ..IonTurn::default() }),
///     ..IonSfu::default()
/// };
/// assert_eq!(sfu.port.number(), 7777);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ udp = \"5000-5200\" }")]
pub struct IonSfu {
    /// The port for signalling, JSON-RPC in a WebSocket at `/ws`. It is for apps that need
    /// it, and for nobody else: whoever reaches it can end the process.
    pub port: Port,
    /// The ports for media over UDP: one, which all share, or 101 at least, of which each
    /// connection takes one for each of the node's addresses, two for every client.
    pub udp: PortRange,
    /// The relay that it brings along.
    pub turn: Option<IonTurn>,
    /// STUN servers by which it finds its own address, such as `stun:stun.example.com:3478`;
    /// where the node's public address is known, none is needed.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<String>")]
    pub stun: Vec<String>,
    /// What a publisher is asked to send at most, in bits for each second.
    pub max_bandwidth: u32,
    /// The port at which its metrics are shown to a Prometheus of the plot; where not set,
    /// they are shown on the loopback alone, for the health check.
    pub metrics: Option<Port>,
    /// Host network or the plot's container network. On the latter, every port of `udp` is
    /// published by a process of Docker's own.
    pub network: ContainerNetwork,
    /// The image; one with the JSON-RPC server.
    pub image: ImageRef,
    /// What the container may use.
    pub limits: Limits,
}

impl IonSfu {
    /// Where metrics are shown when nobody else asks for them.
    pub const METRICS_PORT: Port = Port::fixed(8100);

    /// How many ports a range has to span: the program takes none that is shorter
    /// (`portRangeLimit` in its `cmd/signal/json-rpc/main.go`).
    pub const SPAN: u16 = 100;
}

impl Default for IonSfu {
    fn default() -> Self {
        Self {
            port: Port::fixed(7777),
            udp: PortRange::fixed(5000, 5200),
            turn: None,
            stun: Vec::new(),
            max_bandwidth: 3_000_000,
            metrics: None,
            network: ContainerNetwork::Host,
            image: super::fixed_image("pionwebrtc/ion-sfu:latest-jsonrpc"),
            limits: Limits::default(),
        }
    }
}

/// The relay that ion-sfu brings along (RFC 8656): over UDP and TCP, never over TLS.
///
/// ```
/// use stageplot_topology::{IonSfu, IonTurn, SecretRef};
///
/// let turn = IonTurn { secret: Some(SecretRef::env("TURN_SECRET")), ..IonTurn::default() };
/// let sfu = IonSfu { turn: Some(turn), ..IonSfu::default() };
/// assert_eq!(sfu.turn.map(|turn| turn.port.number()), Some(3478));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ users = { guest = { env = \"TURN_PASSWORD\" } } }"
)]
pub struct IonTurn {
    /// The port, over UDP and TCP.
    pub port: Port,
    /// The realm of the users.
    pub realm: String,
    /// Users and their passwords, of letters, digits and `_` alone.
    pub users: BTreeMap<String, SecretRef>,
    /// A secret by which the app makes passwords that end: a user's name is the time when it
    /// ends, in seconds since 1970, the password the Base64 of its HMAC-SHA1. In the place of
    /// `users`.
    pub secret: Option<SecretRef>,
    /// The ports on which a relay meets the media.
    pub relay: PortRange,
}

impl Default for IonTurn {
    fn default() -> Self {
        Self {
            port: Port::fixed(3478),
            realm: "ion".to_owned(),
            users: BTreeMap::new(),
            secret: None,
            relay: PortRange::fixed(5201, 5400),
        }
    }
}

impl Kind for IonSfu {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn endpoints(&self) -> Vec<Draft> {
        // It takes one address for each port, and its flows may arrive at several.
        let all = Scope::Everywhere;
        let metrics = Speaks::Http { health: None };
        let mut endpoints = vec![
            Draft::new("signal", Protocol::Tcp, self.port, Speaks::IonSfu).field(["port"]).scope(all),
            Draft::new("media", Protocol::Udp, self.udp, Speaks::Media).field(["udp"]).scope(all),
            match self.metrics {
                Some(port) => {
                    Draft::new("metrics", Protocol::Tcp, port, metrics).field(["metrics"]).scope(all)
                }
                None => {
                    Draft::new("metrics", Protocol::Tcp, Self::METRICS_PORT, metrics).scope(Scope::Loopback)
                }
            },
        ];
        if let Some(turn) = &self.turn {
            let field = ["turn", "port"];
            endpoints.extend([
                Draft::new("turn", Protocol::Udp, turn.port, Speaks::Turn).field(field).scope(all),
                Draft::new("turn-tcp", Protocol::Tcp, turn.port, Speaks::Other).field(field).scope(all),
                Draft::new("relay", Protocol::Udp, turn.relay, Speaks::Relay)
                    .field(["turn", "relay"])
                    .scope(all),
            ]);
        }
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        wiring.offer_clients("media", "media");
        wiring.offer_clients("turn", "clients behind firewalls");
        wiring.offer_clients("turn-tcp", "clients behind firewalls");
        // A relay meets the media on its own node: nobody else's flow.
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        review.add_here(
            Code::Unmaintained,
            "nobody has maintained ion-sfu since 2022; who wrote it points to LiveKit",
            "use a service of kind livekit; or accept it: severity = { unmaintained = \"allow\" }",
        );
        let span = self.udp.last().number() - self.udp.first().number();
        if (1..Self::SPAN).contains(&span) {
            review.add(
                Code::InvalidValue,
                "udp",
                format!(
                    "{} is too narrow: ion-sfu does not start with less than 101 ports, unless it is one",
                    self.udp
                ),
                "write one port, which all connections share, or a range such as \"5000-5200\"",
            );
        }
        for (index, server) in self.stun.iter().enumerate() {
            let is_stun = server.strip_prefix("stun:").is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
            });
            if !is_stun {
                let path = review.path().key("stun").index(index);
                let message = format!("{server:?} is no STUN server, and no client gets in with it");
                review.add_at(
                    Code::InvalidValue,
                    path,
                    message,
                    "write it as \"stun:stun.example.com:3478\"",
                );
            }
        }
        if let Some(turn) = &self.turn {
            self.review_turn(turn, review);
        }
        self.review_public(review);
    }
}

impl IonSfu {
    fn review_turn(&self, turn: &IonTurn, review: &mut Review<'_>) {
        let path = review.path().key("turn");
        let mut add = |code, field: &str, message: String, help: &str| {
            review.add_at(code, if field.is_empty() { path.clone() } else { path.key(field) }, message, help);
        };
        match (turn.users.is_empty(), &turn.secret) {
            (true, None) => add(
                Code::MissingField,
                "users",
                "without users nobody can use the relay".to_owned(),
                "set users = { guest = { env = \"TURN_PASSWORD\" } }, or secret",
            ),
            (false, Some(_)) => add(
                Code::InvalidValue,
                "secret",
                "with a secret, users are not looked at".to_owned(),
                "leave out users or secret",
            ),
            _ => {}
        }
        let word =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(user) = turn.users.keys().find(|user| !word(user)) {
            add(
                Code::InvalidValue,
                "users",
                format!("{user:?} would be cut: ion-sfu takes letters, digits and _ of a user alone"),
                "use letters, digits and _ only",
            );
        }
        if turn.realm.is_empty() || turn.realm.chars().any(char::is_control) {
            add(Code::InvalidValue, "realm", "it is no realm".to_owned(), "write a name, such as \"ion\"");
        }
        if self.network == ContainerNetwork::Bridge {
            add(
                Code::InvalidValue,
                "",
                "its relay listens at the node's own address, which a container network has not".to_owned(),
                "leave out network, or turn",
            );
        }
        let topology = review.topology();
        let own = review.service().placements.iter().map(|&at| topology.node(topology.placement(at).node));
        let without: Vec<_> =
            own.filter(|node| node.own_v4().is_none()).map(|node| node.name.clone()).collect();
        for name in without {
            review.add_at(
                Code::InvalidValue,
                FieldPath::root().key("nodes").key(name.as_str()).key("address"),
                format!("{name} has no IPv4 address, and ion-sfu relays over IPv4 alone"),
                "give the node one, or leave out turn",
            );
        }
    }

    /// Says so where clients come from the Internet, and are told no address of it.
    fn review_public(&self, review: &mut Review<'_>) {
        let (topology, service) = (review.topology(), review.service());
        if !self.stun.is_empty() || !topology.plot().access.clients.contains(&Source::Any) {
            return;
        }
        let nodes = service.placements.iter().map(|&at| topology.node(topology.placement(at).node));
        for node in nodes.filter(|node| node.public.is_none_or(|public| public.v4.is_none())) {
            let name = &node.name;
            review.add_at(
                Code::NoPublicAddress,
                FieldPath::root().key("nodes").key(name.as_str()),
                format!("clients send media to {name} itself, and it has no public IPv4 address"),
                format!(
                    "set nodes.{name}.public; or stun in services.{}; or access.clients, where clients come \
                     from a network of yours",
                    service.name
                ),
            );
        }
    }
}
