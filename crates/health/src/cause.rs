//! Why a check did not pass. Each cause has a page beside it in `causes/`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Declares the causes once: variant, name. The page is `causes/NAME.md`; a cause
/// without one does not compile.
macro_rules! causes {
    ($($variant:ident $name:literal,)+) => {
        /// Why a check did not pass.
        ///
        /// The names are stable: scripts may match on them. What each means, and how it
        /// is mended, is on its [`page`](Cause::page).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )+
        }

        impl Cause {
            /// Every cause: what lies deeper first, so that of several at one service
            /// the first explains the others.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that is printed, in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The page that `stageplot explain` prints: what was seen, what may be
            /// behind it, how it is mended, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../causes/", $name, ".md")),)+
                }
            }
        }
    };
}

causes! {
    // What kept us from looking.
    SecretUnknown "secret-unknown",
    NotPermitted "not-permitted",
    SshFailed "ssh-failed",
    ProgramAbsent "program-absent",
    DockerSilent "docker-silent",
    ClientAbsent "client-absent",
    NoRoute "no-route-from-here",
    // The machine.
    DiskFull "disk-full",
    MemoryLow "memory-low",
    // Containers.
    MigrationFailed "migration-failed",
    MigrationRunning "migration-running",
    ContainerMissing "container-missing",
    ContainerPaused "container-paused",
    OutOfMemory "out-of-memory",
    ContainerRestarting "container-restarting",
    ContainerStopped "container-stopped",
    ContainerUnhealthy "container-unhealthy",
    ContainerStarting "container-starting",
    ContainerImage "container-image",
    ContainerUnknown "container-unknown",
    ContainerStale "container-stale",
    PortTaken "port-taken",
    FileLimit "file-limit",
    UdpBuffers "udp-buffers",
    RulesAbsent "rules-absent",
    ClockFree "clock-free",
    LogErrors "log-errors",
    // What an edge was told: it explains what does not listen there.
    UpstreamUnknown "upstream-unknown",
    // The network.
    Unreachable "unreachable",
    Refused "refused",
    LoopbackOnly "loopback-only",
    Silence "silence",
    WitnessAbsent "witness-absent",
    ContainerRouted "container-routed",
    NotFiltered "not-filtered",
    PortOpen "port-open",
    NameUnknown "name-unknown",
    NameElsewhere "name-elsewhere",
    // The conversation.
    NoAnswer "no-answer",
    TooSlow "too-slow",
    ClosedEarly "closed-early",
    WrongProtocol "wrong-protocol",
    TooMuch "too-much",
    // TLS.
    TlsRefused "tls-refused",
    CertificateName "certificate-name",
    CertificateExpired "certificate-expired",
    CertificateUntrusted "certificate-untrusted",
    ChainIncomplete "chain-incomplete",
    CertificateExpires "certificate-expires",
    // HTTP.
    HttpStatus "http-status",
    NoRedirect "no-redirect",
    // Redis and Postgres.
    PasswordRejected "password-rejected",
    PasswordIgnored "password-ignored",
    StillStarting "still-starting",
    WrongRole "wrong-role",
    DatabaseMissing "database-missing",
    ReplicaLink "replica-link",
    ReplicaLag "replica-lag",
    RedisFull "redis-full",
    TooManyClients "too-many-clients",
    RedisSave "redis-save",
    OtherSetting "other-setting",
    // RTMP.
    PublishRefused "publish-refused",
    PublishUnasked "publish-unasked",
    StreamMissing "stream-missing",
    // LiveKit.
    ClockSkew "clock-skew",
    KeyRejected "key-rejected",
    LivekitUnready "livekit-unready",
    NodeMissing "node-missing",
    NodeDraining "node-draining",
    JoinRefused "join-refused",
    WrongCandidate "wrong-candidate",
    NodeNotMet "node-not-met",
    TurnRejected "turn-rejected",
    WebhookRefused "webhook-refused",
    WebhookUnsigned "webhook-unsigned",
    RoomElsewhere "room-elsewhere",
    RoomLeft "room-left",
    // Edges.
    UpstreamDown "upstream-down",
    UpstreamUnused "upstream-unused",
    // Prometheus.
    TargetDown "target-down",
    // Checks of somebody's own.
    Custom "custom",
    // STUN.
    StunError "stun-error",
    SipError "sip-error",
}

impl Cause {
    /// What it is, in a few words: the first line of its page's text.
    pub fn title(self) -> &'static str {
        self.page().lines().nth(2).unwrap_or_default()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// No cause has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no cause is called {0:?}")]
pub struct UnknownCause(String);

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(name: &str) -> Result<Self, UnknownCause> {
        let found = Self::ALL.iter().find(|cause| cause.as_str() == name);
        found.copied().ok_or_else(|| UnknownCause(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_what_was_seen_and_how_it_is_mended() {
        for &cause in Cause::ALL {
            let page = cause.page();
            assert!(page.starts_with(&format!("# {cause}\n\n")) && cause.title().ends_with('.'), "{cause}");
            for heading in ["## Seen\n", "## Cause\n", "## Remedy\n"] {
                assert_eq!(page.matches(heading).count(), 1, "{cause}: {heading}");
            }
            assert_eq!(cause.as_str().parse(), Ok(cause));
        }
    }
}
