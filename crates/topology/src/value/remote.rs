//! Addresses of what the plot does not run.

use std::net::IpAddr;

use crate::Port;

/// Where something outside the plot listens: a host name or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteAddress {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: Port,
}

impl std::str::FromStr for RemoteAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = || format!("{text:?} is not an address: write host:port, or [IPv6]:port");
        let (host, port) = text.rsplit_once(':').ok_or_else(help)?;
        let port = port.parse().map_err(|_| help())?;
        let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = match bracketed {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().map_err(|_| help())?.to_string(),
            None if host.parse::<std::net::Ipv4Addr>().is_ok() => host.to_owned(),
            None => host.parse::<super::HostName>().map_err(|_| help())?.to_string(),
        };
        Ok(Self { host, port })
    }
}

impl std::fmt::Display for RemoteAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(v6)) => write!(f, "[{v6}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

crate::value::text_value!(RemoteAddress, "an address such as \"redis.example.com:6379\"", None);
