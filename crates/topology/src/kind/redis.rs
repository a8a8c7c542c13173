//! `redis`: one primary and as many replicas as wanted, or a Redis elsewhere.

mod remote;

use serde::{Deserialize, Serialize};

pub use remote::RedisRemote;

use super::{ContainerNetwork, Kind, Limits, copies};
use crate::check::{Probe, Promise};
use crate::endpoint::Speaks;
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    Attachment, ByteSize, Code, Findings, ImageRef, Name, Party, PlacementId, Port, SecretRef, Service,
    Topology,
};

/// A Redis that the plot runs, or with [`Redis::external`] one that it uses.
///
/// ```
/// use stageplot_topology::{ByteSize, Persistence, Redis, SecretRef};
///
/// let cache = Redis {
///     password: Some(SecretRef::env("REDIS_PASSWORD")),
///     maxmemory: ByteSize::from_mib(256),
///     persistence: Persistence::None,
///     ..Redis::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ password = { env = \"REDIS_PASSWORD\" } }"
)]
pub struct Redis {
    /// The node with the writable copy. May be left out where the service is
    /// placed on one node only; on every further node it is a replica.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Name>")]
    pub primary: Vec<Name>,
    /// What clients and replicas authenticate with.
    pub password: Option<SecretRef>,
    /// The port that it listens on.
    pub port: Port,
    /// How much memory the data may take.
    pub maxmemory: ByteSize,
    /// What happens to keys once that is full.
    pub maxmemory_policy: Eviction,
    /// Whether and how data outlives a restart.
    pub persistence: Persistence,
    /// Host network or the plot's container network.
    pub network: ContainerNetwork,
    /// The image; Redis 7.
    pub image: ImageRef,
    /// What the container may use.
    pub limits: Limits,
    /// A Redis that the plot does not run; no node takes this service then.
    pub external: Option<RedisRemote>,
}

impl Redis {
    /// How much of its memory limit Redis may fill with data, in percent: the
    /// rest is for buffers and for the copy that a save makes.
    pub const DATA_SHARE_PERCENT: u64 = 75;
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            primary: Vec::new(),
            password: None,
            port: Port::fixed(6379),
            maxmemory: ByteSize::from_mib(512),
            maxmemory_policy: Eviction::Noeviction,
            persistence: Persistence::Aof,
            network: ContainerNetwork::Bridge,
            image: super::fixed_image("redis:7-alpine"),
            limits: Limits::default(),
            external: None,
        }
    }
}

impl Kind for Redis {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn primary(
        &self,
        service: &Service,
        topology: &Topology,
        findings: &mut Findings,
    ) -> Option<PlacementId> {
        match self.external {
            Some(_) => None,
            None => copies::primary(&self.primary, service, topology, findings),
        }
    }

    fn endpoints(&self) -> Vec<Draft> {
        if let Some(remote) = &self.external {
            return remote.endpoints();
        }
        copies::endpoints(self.port, &Speaks::Redis)
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        copies::wire(wiring);
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        if self.external.is_some() {
            return Vec::new();
        }
        let from = Party::Service(service.id);
        let replicas = service.placements.len().saturating_sub(1);
        let each = [
            Probe::RedisRoom { maxmemory: self.maxmemory, policy: self.maxmemory_policy },
            Probe::RedisPersistence { kind: self.persistence },
        ];
        let endpoints = topology.endpoints_of(service.id).iter().filter(|endpoint| !endpoint.at.is_empty());
        let promises = endpoints.flat_map(|endpoint| {
            let role = match endpoint.name.as_ref() {
                "primary" => Probe::RedisPrimary { replicas },
                _ => Probe::RedisReplication,
            };
            std::iter::once(role).chain(each.clone()).map(|probe| Promise { from, to: endpoint.id, probe })
        });
        promises.collect()
    }

    fn review(&self, review: &mut Review<'_>) {
        if let Some(remote) = &self.external {
            remote.review(review);
            return;
        }
        review.image("image", &self.image);
        if self.maxmemory_policy.drops_live_state() {
            review.add(
                Code::RedisEviction,
                "maxmemory-policy",
                format!(
                    "{} drops rooms and nodes that are alive once memory is full",
                    self.maxmemory_policy.as_str()
                ),
                "use \"noeviction\"",
            );
        }
        if self.maxmemory.bytes() == 0 {
            review.add(
                Code::RedisMemory,
                "maxmemory",
                "a limit of 0 is no limit",
                "say how much data may take, such as \"512mb\"",
            );
        }
        if let Some(limit) = self.limits.memory
            && self.maxmemory.bytes() > limit.bytes() / 100 * Self::DATA_SHARE_PERCENT
        {
            review.add(
                Code::RedisMemory,
                "maxmemory",
                format!("{} of data in a container of {limit} leaves a save no room", self.maxmemory),
                format!("keep maxmemory under {} % of limits.memory", Self::DATA_SHARE_PERCENT),
            );
        }
        let topology = review.topology();
        let service = review.service();
        for &id in &service.placements {
            let node = topology.node(topology.placement(id).node);
            if let Some(memory) = node.memory
                && self.maxmemory.bytes() > memory.bytes() / 100 * Self::DATA_SHARE_PERCENT
            {
                review.add(
                    Code::RedisMemory,
                    "maxmemory",
                    format!("{} of data does not fit {}, which has {memory}", self.maxmemory, node.name),
                    format!("keep maxmemory under {} % of the node's memory", Self::DATA_SHARE_PERCENT),
                );
            }
        }
        if self.password.is_none() {
            copies::review_open("REDIS_PASSWORD", review);
        }
    }
}

/// Redis' `maxmemory-policy`.
///
/// ```
/// use stageplot_topology::{Eviction, Redis};
///
/// let cache = Redis { maxmemory_policy: Eviction::VolatileTtl, ..Redis::default() };
/// assert_eq!(cache.maxmemory_policy.as_str(), "volatile-ttl");
/// assert!(!cache.maxmemory_policy.drops_live_state());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Eviction {
    /// Writes fail once memory is full; nothing is lost.
    Noeviction,
    /// Any key, least recently used first.
    AllkeysLru,
    /// Any key, least frequently used first.
    AllkeysLfu,
    /// Any key at random.
    AllkeysRandom,
    /// Keys with a time to live, least recently used first.
    VolatileLru,
    /// Keys with a time to live, least frequently used first.
    VolatileLfu,
    /// Keys with a time to live, at random.
    VolatileRandom,
    /// Keys with a time to live, the shortest first.
    VolatileTtl,
}

impl Eviction {
    /// Redis' word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Noeviction => "noeviction",
            Self::AllkeysLru => "allkeys-lru",
            Self::AllkeysLfu => "allkeys-lfu",
            Self::AllkeysRandom => "allkeys-random",
            Self::VolatileLru => "volatile-lru",
            Self::VolatileLfu => "volatile-lfu",
            Self::VolatileRandom => "volatile-random",
            Self::VolatileTtl => "volatile-ttl",
        }
    }

    /// Whether keys without a time to live can be dropped.
    pub fn drops_live_state(self) -> bool {
        matches!(self, Self::AllkeysLru | Self::AllkeysLfu | Self::AllkeysRandom)
    }
}

/// How Redis keeps its data.
///
/// ```
/// use stageplot_topology::{Persistence, Redis};
///
/// // Unless it is told otherwise, Redis keeps what it holds.
/// assert_eq!(Redis::default().persistence, Persistence::Aof);
/// assert_eq!(Persistence::Snapshots.as_str(), "snapshots");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Persistence {
    /// A log of every write, flushed each second, and snapshots.
    Aof,
    /// Snapshots only.
    Snapshots,
    /// Nothing is kept.
    None,
}

impl Persistence {
    /// As the file has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aof => "aof",
            Self::Snapshots => "snapshots",
            Self::None => "none",
        }
    }
}
