//! The versions of LiveKit server that configuration is written for.

use std::fmt;
use std::str::FromStr;

/// A LiveKit server version that Stageplot writes configuration for.
///
/// Every one listed has been started with what is rendered for it.
///
/// ```
/// use stageplot_topology::{Livekit, LivekitVersion};
///
/// let version: LivekitVersion = "1.11.0".parse()?;
/// assert!(version < LivekitVersion::LATEST && LivekitVersion::SUPPORTED.contains(&version));
/// assert_eq!(version, LivekitVersion::new(1, 11, 0));
/// let sfu = Livekit { version, ..Livekit::default() };
/// assert_eq!(sfu.image().tag(), Some("v1.11.0"));
///
/// let error = "1.0.0".parse::<LivekitVersion>().expect_err("it is not among them");
/// println!("{error}"); // and which are
/// # Ok::<(), stageplot_topology::UnknownLivekitVersion>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LivekitVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

impl LivekitVersion {
    /// The newest supported version.
    pub const LATEST: Self = Self::new(1, 13, 5);
    /// The supported versions, oldest first. All of them choose nodes by region, and
    /// take one Redis, Sentinels with their failovers, and a Redis Cluster alike.
    pub const SUPPORTED: &[Self] = &[Self::new(1, 9, 12), Self::new(1, 11, 0), Self::LATEST];
    /// From here on a node can advertise an IPv4 and an IPv6 address.
    pub const TAKES_TWO_FAMILIES: Self = Self::new(1, 11, 0);
    /// From here on TURN relays refuse private peers unless they are allowed
    /// (livekit pull request 4505).
    pub const DENIES_PRIVATE_PEERS: Self = Self::new(1, 12, 0);

    /// `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }
}

/// Why a text is not a [`LivekitVersion`].
///
/// See [`LivekitVersion`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a supported LiveKit version: use one of {list}", list = supported())]
pub struct UnknownLivekitVersion(String);

fn supported() -> String {
    let versions: Vec<_> = LivekitVersion::SUPPORTED.iter().map(ToString::to_string).collect();
    versions.join(", ")
}

impl FromStr for LivekitVersion {
    type Err = UnknownLivekitVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        let known = Self::SUPPORTED.iter().find(|version| version.to_string() == bare);
        known.copied().ok_or_else(|| UnknownLivekitVersion(crate::value::shorten(text)))
    }
}

impl fmt::Display for LivekitVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

crate::value::text_value!(LivekitVersion, "a LiveKit version such as \"1.13.5\"", None);
