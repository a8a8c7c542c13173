//! The typed model of a self-hosted real-time media stack.

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
mod lock;
mod order;
mod path;
mod plot;
mod public;
mod reach;
mod resolve;
mod secrets;
mod suggest;
mod topology;
mod validate;
mod value;

pub use arrival::{Arrival, Hook, Sources, arrivals, listen};
pub use check::{Check, Origin, Probe, checks};
pub use code::{Code, UnknownCode};
pub use diagnostic::{Diagnostic, Findings, Location, Severity, Span};
pub use dial::{SocketTarget, TargetHost, dial};
pub use document::{Document, Entry, Format, Kind, Table, Value, redact_source};
pub use endpoint::{Endpoint, EndpointId, Scope, Speaks};
pub use firewall::{FirewallRule, firewall};
pub use flow::{Flow, FlowId, NetsId, Party};
pub use kind::{
    Acme, App, Balance, ContainerNetwork, DnsChallenge, Drain, Edge, EnvPart, EnvValue, Eviction, Limits,
    Livekit, LivekitVersion, LogLevel, Metrics, Opening, Persistence, Redis, RedisRemote, RedisTls, Region,
    Room, Run, Selector, Tls, Turn, TurnTls, UnknownLivekitVersion, Webhook,
};
pub use lock::Lock;
pub use order::StartStep;
pub use path::{FieldPath, Segment};
pub use plot::{
    Access, BridgeSpec, Built, CustomKind, CustomKinds, FirewallInput, FirewallSpec, InvalidKind, Keep,
    Level, NetworkSpec, NodeSpec, Plot, PublicAddress, RegistryAccess, RegistrySpec, SealsSpec, ServiceSpec,
    Ssh, UnwritablePlot,
};
pub use reach::{Route, SOURCES_LIMIT};
pub use topology::{
    Attachment, Network, NetworkId, Node, NodeAddress, NodeId, Placement, PlacementId, Service, ServiceId,
    Topology,
};
pub use value::{
    ByteSize, Digest, HostName, ImageRef, InvalidByteSize, InvalidDigest, InvalidHostName, InvalidImageRef,
    InvalidMirror, InvalidName, InvalidPeriod, InvalidPort, InvalidRegistry, InvalidSource, Literal, Mirror,
    Name, Period, Port, PortRange, Protocol, Registry, RemoteAddress, SecretRef, Source,
};
