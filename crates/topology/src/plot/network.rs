//! Private networks, the container network, and the way the firewall is run.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// A private network that nodes share.
///
/// ```
/// use stageplot_topology::NetworkSpec;
///
/// let lan = NetworkSpec { cidr: vec!["10.0.0.0/24".parse()?], ..NetworkSpec::default() };
/// assert_eq!(lan, NetworkSpec::new(["10.0.0.0/24".parse()?]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ cidr = \"10.0.0.0/24\" }")]
pub struct NetworkSpec {
    /// Its addresses, IPv4 and IPv6.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<String>")]
    pub cidr: Vec<IpNet>,
}

impl NetworkSpec {
    /// A network of these addresses.
    pub fn new(cidr: impl IntoIterator<Item = IpNet>) -> Self {
        Self { cidr: cidr.into_iter().collect() }
    }
}

/// The container network of the plot on each node.
///
/// Its addresses are fixed, because firewall rules name them; the same are used
/// on every node, since they never leave it.
///
/// ```
/// use stageplot_topology::{BridgeSpec, Plot};
///
/// let bridge = BridgeSpec { v4: "172.31.0.0/24".parse()?, ..BridgeSpec::default() };
/// let plot = Plot { bridge, ..Plot::new("live".parse()?) };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ v4 = \"172.30.90.0/24\" }")]
pub struct BridgeSpec {
    /// IPv4 addresses of the containers; the first is the node's own.
    #[schemars(with = "String")]
    pub v4: Ipv4Net,
    /// IPv6 addresses of the containers, used where `ipv6` is set on nodes that
    /// have IPv6.
    #[schemars(with = "String")]
    pub v6: Ipv6Net,
    /// Whether containers have IPv6 of their own. Every node's Docker must then
    /// translate IPv6 addresses: Docker 27 or later, or before that
    /// `"experimental": true, "ip6tables": true` in its `daemon.json`. Without
    /// it, ports published on IPv6 addresses are answered all the same, by a
    /// process of Docker's on the node; but containers dial over IPv4 alone.
    pub ipv6: bool,
}

impl Default for BridgeSpec {
    fn default() -> Self {
        Self {
            v4: Ipv4Net::new_assert(std::net::Ipv4Addr::new(172, 30, 90, 0), 24),
            v6: Ipv6Net::new_assert(std::net::Ipv6Addr::new(0xfd5a, 0x9e10, 0x7000, 0, 0, 0, 0, 0), 64),
            ipv6: false,
        }
    }
}

/// How each node's firewall is run.
///
/// ```
/// use stageplot_topology::{FirewallInput, FirewallSpec, Plot};
///
/// let firewall = FirewallSpec { input: FirewallInput::Ufw, ..FirewallSpec::default() };
/// let plot = Plot { firewall, ..Plot::new("live".parse()?) };
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ input = \"ufw\" }")]
pub struct FirewallSpec {
    /// What guards connections to the node itself. Connections to containers
    /// are guarded by a table of our own in either case.
    pub input: FirewallInput,
}

/// What guards connections to the node itself.
///
/// See [`FirewallSpec`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum FirewallInput {
    /// The table of our own.
    #[default]
    Nftables,
    /// ufw, by rendered commands.
    Ufw,
}
