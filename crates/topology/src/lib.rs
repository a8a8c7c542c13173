#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! | to do | here |
//! |---|---|
//! | read a plot from a file | [`Document`], then [`Plot::read`] |
//! | build one in code, write it to a file | [`Plot::new`], [`NodeSpec`], [`Edge`], [`Livekit`], [`Redis`], [`App`]; [`Plot::to_toml`] |
//! | know what is wrong with it | [`Findings`], [`Diagnostic`], [`Code`] |
//! | see what stands where | [`Topology`], [`Node`], [`Service`], [`Placement`], [`Endpoint`] |
//! | see who connects to what, and why | [`Flow`], [`Party`] |
//! | know the address that a client is given | [`dial`]; what a service binds: [`listen`] |
//! | know what a firewall lets in | [`firewall`], [`arrivals`] |
//! | know what has to answer | [`checks`] |
//! | give values for secrets | [`SecretSource`] |
//! | start things in order | [`Topology::start_order`] |
//! | fix images to what they are now | [`Lock`], [`Topology::images`] |
//! | add a kind of service of one's own | [`CustomKind`], [`Plot::read_with`], [`decode`] |
//! | name many things in a message, or what was meant | [`words`] |
//! | take over the `.env` files of shell scripts and Compose files | [`dotenv`] |
//!
//! A [`Plot`] is what is written, in its own words, and may contradict itself. A
//! [`Topology`] is what was made of it, and cannot. Names, ports, sizes and the like
//! are types that hold nothing else ([`Name`], [`Port`], [`HostName`], [`ImageRef`], …);
//! each is parsed from text, and its error says what to write.
//!
//! # What may grow
//!
//! The structs that a plot is written with ([`Plot`], [`NodeSpec`], [`Edge`],
//! [`Livekit`], and all that are fields of theirs) are not `#[non_exhaustive]`, on
//! purpose: a program writes the fields that it means, and `..` for all others. Each of
//! them has a default, or a constructor that takes what has none.
//!
//! ```
//! use stageplot_topology::{Keep, Livekit, Plot, Port, Room};
//!
//! let room = Room { max_participants: 50, ..Room::default() };
//! let sfu = Livekit { room, ..Livekit::default() };
//! let keep = Keep { why: "node exporter".to_owned(), ..Keep::new(Port::fixed(9100)) };
//! let mut plot = Plot { root: "/srv".to_owned(), ..Plot::new("live".parse()?) }.service("sfu", sfu);
//! plot.access.keep.push(keep);
//! # Ok::<(), stageplot_topology::InvalidName>(())
//! ```
//!
//! A field more does not count as a breaking change, so leave none of these `..` out, in
//! patterns either. What this crate makes of a plot is `#[non_exhaustive]`, but for small
//! values that are whole, such as a [`Span`] and a [`SocketTarget`]; so are the enums that
//! may get more variants. An enum that is not is meant to be matched to its end: a
//! variant more is a breaking change, by which the compiler shows where it is still
//! missing, as with [`ServiceSpec`].

#[cfg(feature = "arbitrary")]
pub mod arbitrary;
mod arrival;
mod check;
mod code;
pub mod decode;
mod diagnostic;
mod dial;
mod document;
pub mod dotenv;
mod endpoint;
mod firewall;
mod flow;
mod images;
mod kind;
mod listen;
mod lock;
mod order;
mod path;
mod plot;
mod public;
mod reach;
mod resolve;
mod secret_source;
mod secrets;
mod topology;
mod validate;
mod value;
pub mod words;

pub use arrival::{Arrival, Hook, Sources, arrivals};
pub use check::{Check, Origin, Probe, checks};
pub use code::{Code, UnknownCode};
pub use diagnostic::{Diagnostic, Findings, Location, Severity, Span};
pub use dial::{SocketTarget, TargetHost, dial};
pub use document::{Document, Format, Redacted};
pub use endpoint::{Endpoint, EndpointId, Scope, Speaks};
pub use firewall::{FirewallRule, firewall};
pub use flow::{Flow, FlowId, NetsId, Party};
pub use kind::{
    Acme, App, Balance, ContainerNetwork, DnsChallenge, Drain, Edge, Egress, EgressCost, EnvPart, EnvValue,
    Eviction, Grafana, Ingress, IngressCost, IonSfu, IonTurn, Limits, Livekit, LivekitVersion, LogLevel,
    Metrics, OnPublish, Opening, Persistence, Postgres, PostgresRemote, Prometheus, Recording, Redis,
    RedisRemote, Region, RemoteTls, Room, Rtmp, Run, S3, Selector, Sip, SipTls, Sticky, Tls, Turn, TurnTls,
    UnknownLivekitVersion, Webhook,
};
pub use listen::listen;
pub use lock::Lock;
pub use order::StartStep;
pub use path::{FieldPath, Segment};
pub use plot::{
    Access, BridgeSpec, Built, CustomKind, CustomKinds, FirewallInput, FirewallSpec, InvalidKind, Keep,
    Level, NetworkSpec, NodeSpec, Plot, PublicAddress, RegistryAccess, RegistrySpec, SealsSpec, ServiceSpec,
    Ssh, UnwritablePlot,
};
pub use reach::SOURCES_LIMIT;
pub use secret_source::{SecretError, SecretSource};
pub use topology::{
    Attachment, Network, NetworkId, Node, NodeAddress, NodeId, Placement, PlacementId, Service, ServiceId,
    Topology,
};
pub use value::{
    ByteSize, Digest, HostName, Identifier, ImageRef, InvalidByteSize, InvalidDigest, InvalidHostName,
    InvalidIdentifier, InvalidImageRef, InvalidMirror, InvalidName, InvalidPeriod, InvalidPort,
    InvalidRegistry, InvalidRemoteAddress, InvalidSource, Literal, Mirror, Name, Period, Port, PortRange,
    Protocol, Registry, RemoteAddress, SecretRef, Source,
};

/// The value of a secret, as a [`SecretSource`] gives it.
pub use secrecy::SecretString;
