//! A machine as it is written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::decode::{self, FromScalar, FromTable};
use crate::{ByteSize, Name};

/// A machine.
///
/// ```
/// use stageplot_topology::{ByteSize, NodeSpec};
///
/// let store = NodeSpec {
///     memory: Some(ByteSize::from_mib(8192)),
///     ..NodeSpec::private("10.0.0.3".parse()?).role("redis")
/// };
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ address = \"10.0.0.1\", roles = [\"redis\"] }"
)]
pub struct NodeSpec {
    /// Its addresses in private networks, IPv4 and IPv6.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<IpAddr>")]
    pub address: Vec<IpAddr>,
    /// The address by which the Internet reaches it.
    pub public: Option<PublicAddress>,
    /// The services placed on it.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Name>")]
    pub roles: Vec<Name>,
    /// Where in the world it is, by a name of your own; what LiveKit chooses
    /// nodes by with `selector = "regionaware"`.
    pub region: Option<Name>,
    /// How much memory it has, where limits are to be held against it.
    pub memory: Option<ByteSize>,
}

impl NodeSpec {
    /// A machine in a private network.
    pub fn private(address: IpAddr) -> Self {
        Self { address: vec![address], ..Self::default() }
    }

    /// A machine that the Internet reaches by an address of its own.
    ///
    /// ```
    /// use stageplot_topology::NodeSpec;
    ///
    /// let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?).role("livekit");
    /// assert_eq!(media.roles[0].as_str(), "livekit");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn public(address: IpAddr) -> Self {
        Self { public: Some(PublicAddress::from(address)), ..Self::default() }
    }

    /// Adds an address in a private network.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address.push(address);
        self
    }

    /// Places a service here.
    ///
    /// # Panics
    ///
    /// Where `service` is not a [`Name`]; parse names that come from outside
    /// first.
    #[must_use]
    pub fn role(mut self, service: &str) -> Self {
        self.roles.push(super::fixed_name(service));
        self
    }
}

/// The address by which the Internet reaches a machine.
///
/// ```
/// use stageplot_topology::{NodeSpec, PublicAddress};
///
/// // Behind a router that has the address.
/// let public = PublicAddress { v4: Some("203.0.113.10".parse()?), ..PublicAddress::default() };
/// assert!(!public.bound);
/// assert_eq!(public.addresses().count(), 1);
/// let front = NodeSpec { public: Some(public), ..NodeSpec::private("10.0.0.1".parse()?) };
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[schemars(with = "PublicForm")]
#[serde(into = "PublicForm")]
pub struct PublicAddress {
    /// Over IPv4.
    pub v4: Option<Ipv4Addr>,
    /// Over IPv6.
    pub v6: Option<Ipv6Addr>,
    /// Whether the machine itself has it. Behind one-to-one address translation
    /// it has not: the address is told to clients and never bound.
    pub bound: bool,
}

impl PublicAddress {
    /// The addresses that are set, IPv4 first.
    pub fn addresses(self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

impl From<IpAddr> for PublicAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { v4: Some(v4), v6: None, bound: true },
            IpAddr::V6(v6) => Self { v4: None, v6: Some(v6), bound: true },
        }
    }
}

/// [`PublicAddress`] as it is written: an address or a table.
#[derive(Clone, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum PublicForm {
    Address(IpAddr),
    Table(PublicTable),
}

#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicTable {
    /// Over IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    v4: Option<Ipv4Addr>,
    /// Over IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    v6: Option<Ipv6Addr>,
    /// Whether the machine itself has it; false behind one-to-one address
    /// translation.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    bound: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_true(value: &bool) -> bool {
    *value
}

impl From<PublicAddress> for PublicForm {
    fn from(public: PublicAddress) -> Self {
        match public {
            PublicAddress { v4: Some(v4), v6: None, bound: true } => Self::Address(v4.into()),
            PublicAddress { v4: None, v6: Some(v6), bound: true } => Self::Address(v6.into()),
            PublicAddress { v4, v6, bound } => Self::Table(PublicTable { v4, v6, bound }),
        }
    }
}

impl FromScalar for PublicAddress {
    const EXPECTED: &'static str = "an IP address, or { v4 = \"…\", v6 = \"…\", bound = false }";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse::<IpAddr>().map(Self::from).map_err(|_| format!("{text:?} is not an IP address"))
    }
}

impl FromTable for PublicAddress {
    type Table = PublicTable;

    fn from_table(PublicTable { v4, v6, bound }: PublicTable) -> Result<Self, String> {
        if v4.is_none() && v6.is_none() {
            return Err("a public address without an address\nhelp: set v4, v6 or both".to_owned());
        }
        Ok(Self { v4, v6, bound })
    }
}

impl<'de> Deserialize<'de> for PublicAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar_or_table(deserializer)
    }
}
