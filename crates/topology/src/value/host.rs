//! Names in the DNS.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A host name as RFC 1123 § 2.1 allows it: labels of letters, digits and
/// hyphens, at most 63 characters each and 253 in all.
///
/// It is kept in lowercase, as names in the DNS compare (RFC 4343). An IP
/// address is not a host name; neither is a name whose last label is numeric,
/// which programs take for an address.
///
/// ```
/// use stageplot_topology::HostName;
///
/// let host: HostName = "LiveKit.example.com".parse()?;
/// assert_eq!(host.as_str(), "livekit.example.com");
/// assert!("203.0.113.1".parse::<HostName>().is_err());
/// # Ok::<(), stageplot_topology::InvalidHostName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Arc<str>);

impl HostName {
    /// The name as text, in lowercase, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a [`HostName`].
///
/// See [`HostName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host name: write a name such as live.example.com, without scheme or port")]
pub struct InvalidHostName(String);

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let numeric = |label: &str| label.chars().all(|c| c.is_ascii_digit());
        let valid =
            name.len() <= 253 && name.split('.').all(label) && !name.rsplit('.').next().is_some_and(numeric);
        if valid { Ok(Self(name.into())) } else { Err(InvalidHostName(super::shorten(text))) }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

super::text_value!(HostName, "a host name", None);
