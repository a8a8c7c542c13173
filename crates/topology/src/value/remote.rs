//! Addresses of what the plot does not run.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::{HostName, Port};

/// Where something outside the plot listens: a host name or an address, and a port.
///
/// ```
/// use stageplot_topology::RemoteAddress;
///
/// let address: RemoteAddress = "redis.example.com:6379".parse()?;
/// assert_eq!((address.host.as_str(), address.port.to_string().as_str()), ("redis.example.com", "6379"));
/// assert!("redis.example.com".parse::<RemoteAddress>().is_err());
/// # Ok::<(), stageplot_topology::InvalidRemoteAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteAddress {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: Port,
}

/// Why a text is not a [`RemoteAddress`].
///
/// See [`RemoteAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address: write host:port, or [IPv6]:port")]
pub struct InvalidRemoteAddress(String);

impl FromStr for RemoteAddress {
    type Err = InvalidRemoteAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidRemoteAddress(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().map_err(|_| invalid())?;
        let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = match bracketed {
            Some(v6) => v6.parse::<Ipv6Addr>().map_err(|_| invalid())?.to_string(),
            None if host.parse::<Ipv4Addr>().is_ok() => host.to_owned(),
            None => host.parse::<HostName>().map_err(|_| invalid())?.to_string(),
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for RemoteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(v6)) => write!(f, "[{v6}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

crate::value::text_value!(RemoteAddress, "an address such as \"redis.example.com:6379\"", None);
