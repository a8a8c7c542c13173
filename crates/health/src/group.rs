//! What a check is about, as whoever looks for a fault goes through it.

use serde::Serialize;
use stageplot_topology::{Probe, ServiceSpec, Topology};

use crate::{Trial, What};

/// What a check is about, as whoever looks for a fault goes through it.
///
/// ```
/// use stageplot_health::Group;
///
/// assert_eq!(Group::ALL.first(), Some(&Group::System));
/// assert_eq!(Group::Tls.as_str(), "tls");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Group {
    /// The machine: memory, clock, kernel.
    System,
    /// Docker itself.
    Docker,
    /// Names, and the ways between machines.
    Network,
    /// Who listens on which port.
    Ports,
    /// What is let in, and what is not.
    Firewall,
    /// The plot's containers.
    Containers,
    /// Redis.
    Redis,
    /// Postgres.
    Postgres,
    /// LiveKit.
    Livekit,
    /// Certificates.
    Tls,
    /// The disk.
    Disk,
    /// What containers have said of late.
    Logs,
}

impl Group {
    /// All of them, in the order in which they are gone through.
    pub const ALL: [Self; 12] = [
        Self::System,
        Self::Docker,
        Self::Network,
        Self::Ports,
        Self::Firewall,
        Self::Containers,
        Self::Redis,
        Self::Postgres,
        Self::Livekit,
        Self::Tls,
        Self::Disk,
        Self::Logs,
    ];

    /// As a heading.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Docker => "docker",
            Self::Network => "network",
            Self::Ports => "ports",
            Self::Firewall => "firewall",
            Self::Containers => "containers",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Livekit => "livekit",
            Self::Tls => "tls",
            Self::Disk => "disk",
            Self::Logs => "logs",
        }
    }

    /// The group of a trial.
    pub(crate) fn of(topology: &Topology, trial: &Trial) -> Self {
        match &trial.what {
            What::Probe(probe) => Self::of_probe(topology, trial, probe),
            What::Container { .. }
            | What::Migration { .. }
            | What::NoStrangers { .. }
            | What::Configuration => Self::Containers,
            What::Engine => Self::Docker,
            What::Ports { .. } => Self::Ports,
            What::ClosedTcp { .. }
            | What::ClosedUdp { .. }
            | What::ClosedContainers { .. }
            | What::Rules { .. } => Self::Firewall,
            What::Disk { .. } => Self::Disk,
            What::Logs => Self::Logs,
            What::Memory | What::UdpBuffers | What::Clock | What::Uptime | What::Custom(_) => Self::System,
        }
    }

    fn of_probe(topology: &Topology, trial: &Trial, probe: &Probe) -> Self {
        match probe {
            Probe::TlsSession { .. } | Probe::TurnTlsAllocate { .. } => Self::Tls,
            Probe::Resolves { .. }
            | Probe::HttpsRedirect
            | Probe::Http3Session { .. }
            | Probe::CaddyUpstreams
            | Probe::CaddyBalance { .. } => Self::Network,
            Probe::LivekitNodes { .. }
            | Probe::LivekitJoin
            | Probe::Webhook { .. }
            | Probe::CreateRoom { .. } => Self::Livekit,
            _ => match trial.service.map(|service| &topology.service(service).kind) {
                Some(ServiceSpec::Redis(_)) => Self::Redis,
                Some(ServiceSpec::Postgres(_)) => Self::Postgres,
                Some(ServiceSpec::Livekit(_)) => Self::Livekit,
                _ => Self::Network,
            },
        }
    }
}
