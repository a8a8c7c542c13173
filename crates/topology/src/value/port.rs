//! Ports, ranges of them, and the protocols they belong to.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decode::{self, FromScalar};

/// A TCP or UDP port, 1 to 65535.
///
/// ```
/// use stageplot_topology::Port;
///
/// const SIGNAL: Port = Port::fixed(7880);
/// assert_eq!("7880".parse(), Ok(SIGNAL));
/// assert_eq!(SIGNAL.number(), 7880);
/// // There is no port 0.
/// assert_eq!(Port::new(0), None);
/// assert!("0".parse::<Port>().is_err());
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = crate::value::without_example)]
#[serde(transparent)]
pub struct Port(NonZeroU16);

impl Port {
    /// The port, or `None` for 0.
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// A port known when the program is compiled.
    ///
    /// # Panics
    ///
    /// On 0; in a `const`, that is an error of the compiler.
    pub const fn fixed(number: u16) -> Self {
        match Self::new(number) {
            Some(port) => port,
            None => panic!("port 0"),
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Ports from `first` to `last`, both included; a single port is a range of one.
///
/// ```
/// use stageplot_topology::{Port, PortRange};
///
/// let media: PortRange = "50000-60000".parse()?;
/// assert_eq!((media.first().number(), media.last().number(), media.len()), (50_000, 60_000, 10_001));
/// assert_eq!(media.single(), None);
/// assert!(media.overlaps("60000".parse()?));
/// assert!("60000-50000".parse::<PortRange>().is_err());
/// assert!(PortRange::new(Port::fixed(2), Port::fixed(1)).is_err());
/// # Ok::<(), stageplot_topology::InvalidPort>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: Port,
    last: Port,
}

impl PortRange {
    /// The range, or an error where `last` comes before `first`.
    pub fn new(first: Port, last: Port) -> Result<Self, InvalidPort> {
        if first.number() <= last.number() {
            Ok(Self { first, last })
        } else {
            Err(InvalidPort::Backwards { first, last })
        }
    }

    /// A range known when the program is compiled.
    ///
    /// # Panics
    ///
    /// On 0 and on a backward range; in a `const`, that is an error of the compiler.
    pub const fn fixed(first: u16, last: u16) -> Self {
        assert!(first <= last, "a backward range of ports");
        Self { first: Port::fixed(first), last: Port::fixed(last) }
    }

    /// The first port.
    pub const fn first(self) -> Port {
        self.first
    }

    /// The last port, itself in the range.
    pub const fn last(self) -> Port {
        self.last
    }

    /// How many ports there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "a range holds one port at least")]
    pub const fn len(self) -> usize {
        (self.last.number() - self.first.number()) as usize + 1
    }

    /// The port, where the range is of one.
    pub fn single(self) -> Option<Port> {
        (self.first == self.last).then_some(self.first)
    }

    /// Whether a port is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl From<Port> for PortRange {
    fn from(port: Port) -> Self {
        Self { first: port, last: port }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(port) => port.fmt(f),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Why a value is not a port or a range of ports.
///
/// See [`PortRange`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPort {
    /// Not a number between 1 and 65535.
    #[error("{0:?} is not a port: use a number from 1 to 65535")]
    NotAPort(String),
    /// The end comes before the start.
    #[error("\"{first}-{last}\" runs backwards: write {last}-{first}")]
    Backwards {
        /// The port written first.
        first: Port,
        /// The port written last.
        last: Port,
    },
}

impl FromStr for Port {
    type Err = InvalidPort;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map(Self).map_err(|_| InvalidPort::NotAPort(super::shorten(text)))
    }
}

impl FromStr for PortRange {
    type Err = InvalidPort;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('-') {
            Some((first, last)) => Self::new(first.parse()?, last.parse()?),
            None => text.parse::<Port>().map(Self::from),
        }
    }
}

impl FromScalar for PortRange {
    const EXPECTED: &'static str = "a port from 1 to 65535, or a range such as \"50000-60000\"";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: InvalidPort| error.to_string())
    }

    fn from_integer(number: i64) -> Option<Result<Self, String>> {
        let port = u16::try_from(number).ok().and_then(Port::new);
        Some(port.map(Self::from).ok_or_else(|| "there is no such port".to_owned()))
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar(deserializer)
    }
}

impl Serialize for PortRange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.single() {
            Some(port) => port.serialize(serializer),
            None => serializer.collect_str(self),
        }
    }
}

impl schemars::JsonSchema for PortRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PortRange".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "a port, or a range such as \"50000-60000\"",
            "oneOf": [
                { "type": "integer", "minimum": 1, "maximum": 65535 },
                { "type": "string", "pattern": "^ *[0-9]{1,5} *(- *[0-9]{1,5} *)?$" },
            ],
        })
    }
}

/// A transport protocol.
///
/// ```
/// use stageplot_topology::{App, Opening, Port, Protocol};
///
/// let rtmp = App::host().open("rtmp", Opening::tcp(Port::fixed(1935)));
/// assert_eq!(rtmp.open["rtmp"].protocol, Protocol::Tcp);
/// assert_eq!(Protocol::Udp.to_string(), "udp");
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}
