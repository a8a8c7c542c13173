//! A Redis that somebody else runs: how it is reached, and what goes wrong with that.

use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, Speaks};
use crate::kind::remote::{self, RemoteTls};
use crate::resolve::Draft;
use crate::validate::Review;
use crate::{Code, Probe, RemoteAddress, SecretRef};

/// A Redis that somebody else runs.
///
/// ```
/// use stageplot_topology::{Redis, RedisRemote, RemoteTls};
///
/// let remote = RedisRemote {
///     address: Some("redis.example.com:6380".parse()?),
///     tls: Some(RemoteTls::default()),
///     ..RedisRemote::default()
/// };
/// assert_eq!(remote.addresses().count(), 1);
/// let cache = Redis { external: Some(remote), ..Redis::default() };
/// # Ok::<(), stageplot_topology::InvalidRemoteAddress>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ address = \"redis.example.com:6379\" }"
)]
pub struct RedisRemote {
    /// One server, `host:port`.
    pub address: Option<RemoteAddress>,
    /// Sentinels, which know the server.
    pub sentinels: Vec<RemoteAddress>,
    /// The name under which the sentinels know the server.
    pub sentinel_master: Option<String>,
    /// What the sentinels ask for; they are asked without one where not set,
    /// whatever the server's own is.
    pub sentinel_password: Option<SecretRef>,
    /// Nodes of a Redis Cluster.
    pub cluster: Vec<RemoteAddress>,
    /// The user of an access list; the default user where not set.
    pub username: Option<String>,
    /// The numbered database.
    pub db: u8,
    /// TLS to the server, where it wants it.
    pub tls: Option<RemoteTls>,
}

impl RedisRemote {
    /// Every address that clients may dial.
    pub fn addresses(&self) -> impl Iterator<Item = &RemoteAddress> {
        self.address.iter().chain(&self.sentinels).chain(&self.cluster)
    }

    /// What clients dial, by its part and its port. The servers that Sentinels
    /// tell of are not among them: they change, and the plot does not know them.
    pub(super) fn endpoints(&self) -> Vec<Draft> {
        let server: Vec<_> = self.address.iter().cloned().collect();
        let parts = [("server", &server), ("sentinel", &self.sentinels), ("cluster", &self.cluster)];
        let parts = parts.into_iter();
        parts.flat_map(|(name, addresses)| remote::endpoints(name, &Speaks::Redis, addresses)).collect()
    }

    /// What an endpoint of it has to answer. Sentinels are asked with a password
    /// of their own.
    pub(crate) fn ping(&self, endpoint: &Endpoint, password: bool) -> Probe {
        let sentinel = endpoint.elsewhere.iter().any(|address| self.sentinels.contains(address));
        let password = if sentinel { self.sentinel_password.is_some() } else { password };
        Probe::RedisPing { password, tls: self.tls.is_some() }
    }

    pub(super) fn review(&self, review: &mut Review<'_>) {
        let ways = [self.address.is_some(), !self.sentinels.is_empty(), !self.cluster.is_empty()];
        let count = ways.iter().filter(|way| **way).count();
        if count != 1 {
            review.add(
                Code::ExternalService,
                "external",
                format!("an external Redis is reached in one way, and {count} are written"),
                "set one of address, sentinels and cluster",
            );
        }
        if self.sentinels.is_empty() != self.sentinel_master.is_none() {
            review.add(
                Code::ExternalService,
                "external",
                "sentinels and the name of their master go together",
                "set both sentinels and sentinel-master, or neither",
            );
        }
        if !self.cluster.is_empty() && self.db != 0 {
            review.add(
                Code::ExternalService,
                "external",
                format!("a Redis Cluster has no database {}", self.db),
                "leave out db",
            );
        }
        remote::review(self.addresses(), review);
    }
}
