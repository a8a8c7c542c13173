//! A Redis that somebody else runs: how it is reached, and what goes wrong with that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, Speaks};
use crate::resolve::Draft;
use crate::validate::Review;
use crate::{Code, HostName, Port, Probe, Protocol, RemoteAddress, SecretRef};

/// A Redis that somebody else runs.
///
/// ```
/// use stageplot_topology::{Redis, RedisRemote, RedisTls};
///
/// let remote = RedisRemote {
///     address: Some("redis.example.com:6380".parse()?),
///     tls: Some(RedisTls::default()),
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
    pub tls: Option<RedisTls>,
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
        parts.into_iter().flat_map(|(name, addresses)| endpoints_of(name, addresses)).collect()
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
                Code::RedisRemote,
                "external",
                format!("an external Redis is reached in one way, and {count} are written"),
                "set one of address, sentinels and cluster",
            );
        }
        if self.sentinels.is_empty() != self.sentinel_master.is_none() {
            review.add(
                Code::RedisRemote,
                "external",
                "sentinels and the name of their master go together",
                "set both sentinels and sentinel-master, or neither",
            );
        }
        if !review.service().placements.is_empty() {
            review.add(
                Code::RedisRemote,
                "external",
                "an external Redis is run by somebody else, and nodes have it as a role",
                "take the role away, or leave out external",
            );
        }
        if !self.cluster.is_empty() && self.db != 0 {
            review.add(
                Code::RedisRemote,
                "external",
                format!("a Redis Cluster has no database {}", self.db),
                "leave out db",
            );
        }
        self.review_nodes(review);
    }

    /// Says so where it stands on a node of the plot, whose firewall knows of no
    /// reason to let its clients in.
    fn review_nodes(&self, review: &mut Review<'_>) {
        let (topology, name) = (review.topology(), &review.service().name);
        for address in self.addresses() {
            let Ok(ip) = address.host.parse() else { continue };
            let Some(node) = topology.nodes().iter().find(|node| node.has(ip)) else { continue };
            let mut kept = topology.plot().access.keep.iter();
            if kept.any(|keep| keep.protocol == Protocol::Tcp && keep.port.overlaps(address.port.into())) {
                continue;
            }
            review.add(
                Code::ExternalOnNode,
                "external",
                format!("{address} is {}, a node of this plot, whose firewall keeps {} closed", node.name, address.port),
                format!(
                    "let the plot run it: leave out external and add \"{name}\" to the roles of {}; or keep the port \
                     open with access.keep",
                    node.name
                ),
            );
        }
    }
}

/// How to trust an external Redis.
///
/// ```
/// use stageplot_topology::{RedisTls, SecretRef};
///
/// let tls = RedisTls { ca: Some(SecretRef::File("redis-ca.pem".to_owned())), ..RedisTls::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ server-name = \"redis.example.com\" }"
)]
pub struct RedisTls {
    /// The authority's root in PEM, where it is a private one.
    #[serde(deserialize_with = "crate::value::secret_or_path")]
    pub ca: Option<SecretRef>,
    /// The name in its certificate, where it differs from the address.
    pub server_name: Option<HostName>,
}

fn endpoints_of(name: &'static str, addresses: &[RemoteAddress]) -> Vec<Draft> {
    let mut by_port: BTreeMap<Port, Vec<RemoteAddress>> = BTreeMap::new();
    for address in addresses {
        by_port.entry(address.port).or_default().push(address.clone());
    }
    let several = by_port.len() > 1;
    let endpoint = |(port, elsewhere)| {
        let draft = Draft::new(name, Protocol::Tcp, port, Speaks::Redis);
        let name = if several { format!("{name}-{port}").into() } else { draft.name };
        Draft { name, elsewhere, ..draft }
    };
    by_port.into_iter().map(endpoint).collect()
}
