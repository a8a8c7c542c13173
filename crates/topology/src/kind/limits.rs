//! What every container can be given, whatever its kind.

use serde::{Deserialize, Serialize};

use crate::{Attachment, ByteSize};

/// What a container may use of its node at most.
///
/// ```
/// use stageplot_topology::{ByteSize, Limits, Redis};
///
/// let limits = Limits { memory: Some(ByteSize::from_mib(1024)), ..Limits::default() };
/// let cache = Redis { limits, ..Redis::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ memory = \"512mb\" }")]
pub struct Limits {
    /// Memory; unlimited where not set.
    pub memory: Option<ByteSize>,
    /// Processors, in thousandths of one (`1500` is one and a half); unlimited
    /// where not set.
    pub millicpus: Option<u32>,
}

/// Which network a container is in.
///
/// ```
/// use stageplot_topology::{Attachment, ContainerNetwork, Redis};
///
/// let cache = Redis { network: ContainerNetwork::Host, ..Redis::default() };
/// assert_eq!(Attachment::from(cache.network), Attachment::Host);
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase")]
pub enum ContainerNetwork {
    /// The node's own: no address translation, clients' addresses are seen.
    Host,
    /// The plot's container network on that node; ports are published.
    Bridge,
}

impl From<ContainerNetwork> for Attachment {
    fn from(network: ContainerNetwork) -> Self {
        match network {
            ContainerNetwork::Host => Self::Host,
            ContainerNetwork::Bridge => Self::Bridge,
        }
    }
}
