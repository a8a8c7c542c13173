//! Who may reach a port that the operator opens by hand.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::Name;

/// Where connections to a port that is kept open may come from.
///
/// ```
/// use stageplot_topology::Source;
///
/// assert_eq!("any".parse(), Ok(Source::Any));
/// assert_eq!("lan".parse::<Source>()?, Source::Network("lan".parse()?));
/// assert_eq!("198.51.100.7/24".parse::<Source>()?.to_string(), "198.51.100.0/24");
/// assert!("198.51.100.7/33".parse::<Source>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Anywhere.
    Any,
    /// A network of the plot, by name.
    Network(Name),
    /// An address or a network in CIDR notation.
    Net(IpNet),
}

/// Why a text is not a [`Source`].
///
/// See [`Source`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a source: write \"any\", an address, a CIDR such as 198.51.100.0/24, or a network's name"
)]
pub struct InvalidSource(String);

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" {
            return Ok(Self::Any);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(IpNet::from(address)));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Net(net.trunc()));
        }
        text.parse().map(Self::Network).map_err(|_| InvalidSource(super::shorten(text)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Network(name) => name.fmt(f),
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().fmt(f),
            Self::Net(net) => net.fmt(f),
        }
    }
}

super::text_value!(Source, "\"any\", an address, a CIDR or a network's name", None);
