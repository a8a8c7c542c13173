//! The stable codes of findings. Each has a page beside it in `diagnostics/`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::Severity;

/// Declares the codes once: variant, name, usual severity. The page is
/// `diagnostics/NAME.md`; a code without one does not compile.
macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident,)+) => {
        /// What kind of finding a diagnostic is.
        ///
        /// The names are stable: scripts may match on them, and a plot may set
        /// the severity of each. What each means is on its [`page`](Code::page).
        ///
        /// ```
        /// use stageplot_topology::{Code, Severity};
        ///
        /// let code: Code = "floating-image".parse()?;
        /// assert_eq!((code.as_str(), code.severity()), ("floating-image", Severity::Warning));
        /// println!("{}", code.page()); // as `stageplot explain` shows it
        /// assert!(Code::ALL.contains(&code));
        /// assert!("floating-imagge".parse::<Code>().is_err());
        /// # Ok::<(), stageplot_topology::UnknownCode>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that is printed, in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The severity where the plot sets none.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// The page that `stageplot explain` prints: cause, consequence,
            /// remedy, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../diagnostics/", $name, ".md")),)+
                }
            }
        }
    };
}

codes! {
    Syntax "syntax" Error,
    UnknownField "unknown-field" Error,
    WrongType "wrong-type" Error,
    InvalidValue "invalid-value" Error,
    MissingField "missing-field" Error,
    UnknownName "unknown-name" Error,
    WrongKind "wrong-kind" Error,
    AmbiguousService "ambiguous-service" Error,
    DuplicateService "duplicate-service" Error,
    DuplicateRole "duplicate-role" Error,
    DuplicateAddress "duplicate-address" Error,
    NetworkOverlap "network-overlap" Error,
    BridgeOverlap "bridge-overlap" Error,
    AddressOutsideNetworks "address-outside-networks" Warning,
    NoRoute "no-route" Error,
    ScatteredPeers "scattered-peers" Error,
    BridgeNeedsIpv6 "bridge-needs-ipv6" Error,
    ClearOverInternet "clear-over-internet" Warning,
    NoPublicAddress "no-public-address" Error,
    PublicAddressNotPublic "public-address-not-public" Warning,
    SourceElsewhere "source-elsewhere" Warning,
    PortConflict "port-conflict" Error,
    SshLockout "ssh-lockout" Error,
    SshOpen "ssh-open" Info,
    UnplacedService "unplaced-service" Warning,
    IdleNode "idle-node" Warning,
    NodeMemory "node-memory" Warning,
    FloatingImage "floating-image" Warning,
    ImageUnlocked "image-unlocked" Warning,
    LockUnused "lock-unused" Info,
    ImageMoved "image-moved" Warning,
    ImageUnresolved "image-unresolved" Error,
    PlainRegistry "plain-registry" Warning,
    LiteralSecret "literal-secret" Warning,
    PlaceholderSecret "placeholder-secret" Warning,
    ShortPassword "short-password" Warning,
    IdleEdge "idle-edge" Warning,
    NoWayIn "no-way-in" Warning,
    NothingToScrape "nothing-to-scrape" Warning,
    RouteConflict "route-conflict" Error,
    WebhookNoRoute "webhook-no-route" Warning,
    WebhookUntrusted "webhook-untrusted" Warning,
    PlainHttp "plain-http" Warning,
    EdgeNotPublic "edge-not-public" Warning,
    AcmePort "acme-port" Warning,
    AcmeSeveralEdges "acme-several-edges" Warning,
    ImageLacksModule "image-lacks-module" Error,
    Unmaintained "unmaintained" Warning,
    MacosPort "macos-port" Info,
    PublishOpen "publish-open" Warning,
    StreamsApart "streams-apart" Error,
    EgressNowhere "egress-nowhere" Warning,
    NoPrimary "no-primary" Error,
    TwoPrimaries "two-primaries" Error,
    ReplicaOfNothing "replica-of-nothing" Error,
    NoPassword "no-password" Error,
    ExternalService "external-service" Error,
    ExternalOnNode "external-on-node" Error,
    TooManyConnections "too-many-connections" Warning,
    RedisEviction "redis-eviction" Warning,
    RedisMemory "redis-memory" Warning,
    PostgresMajor "postgres-major" Error,
    PostgresMemory "postgres-memory" Warning,
    LivekitNoKeys "livekit-no-keys" Error,
    LivekitShortSecret "livekit-short-secret" Error,
    LivekitNeedsRedis "livekit-needs-redis" Error,
    LivekitUnknownSetting "livekit-unknown-setting" Error,
    LivekitSettingHasField "livekit-setting-has-field" Error,
    WebhookKey "webhook-key" Error,
    TurnOff "turn-off" Error,
    TurnDomain "turn-domain" Error,
    TurnCertificate "turn-certificate" Error,
    TurnRelayOpen "turn-relay-open" Warning,
    LivekitRegion "livekit-region" Error,
    AppNotStarted "app-not-started" Error,
    VolumeOwner "volume-owner" Warning,
    EnvReference "env-reference" Error,
    OneOfSeveral "one-of-several" Info,
    SecretMissing "secret-missing" Error,
    UnwritableValue "unwritable-value" Error,
    SealKey "seal-key" Error,
    SealMissing "seal-missing" Warning,
    SealUnused "seal-unused" Warning,
    SealStale "seal-stale" Warning,
    EnvDuplicate "env-duplicate" Warning,
    EnvUnknown "env-unknown" Warning,
    EnvUnused "env-unused" Info,
    EnvChanged "env-changed" Info,
    EnvInferred "env-inferred" Info,
    EnvMissing "env-missing" Warning,
    EnvContradiction "env-contradiction" Error,
}

impl Code {
    /// Whether a plot cannot set its severity, because with such a finding
    /// there is nothing sound to render.
    ///
    /// ```
    /// use stageplot_topology::Code;
    ///
    /// assert!(Code::UnknownField.is_fixed());
    /// assert!(!Code::FloatingImage.is_fixed());
    /// ```
    pub fn is_fixed(self) -> bool {
        !matches!(
            self,
            Self::NoPassword
                | Self::ExternalOnNode
                | Self::NoPublicAddress
                | Self::LivekitShortSecret
                | Self::ImageLacksModule
                | Self::AppNotStarted
                | Self::ImageUnresolved
        ) && self.severity() == Severity::Error
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// No code has this name.
///
/// See [`Code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no diagnostic has the code `{0}`")]
pub struct UnknownCode(pub String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == name)
            .ok_or_else(|| UnknownCode(name.to_owned()))
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::decode::scalar(deserializer)
    }
}

impl crate::decode::FromScalar for Code {
    const EXPECTED: &'static str = "the code of a finding";

    fn from_text(name: &str) -> Result<Self, String> {
        name.parse().map_err(|error: UnknownCode| {
            let near = crate::words::nearest(name, Self::ALL.iter().map(|code| code.as_str()));
            match near {
                Some(near) => format!("`{}` is no code of a finding: did you mean {near}?", error.0),
                None => format!("`{}` is no code of a finding: `stageplot explain` lists them", error.0),
            }
        })
    }
}
