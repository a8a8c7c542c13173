//! Redis: its primary, its memory, and one that somebody else runs.

use stageplot_topology::{ByteSize, Code, Eviction, Keep, Protocol, RedisRemote};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::NoPrimary,
            "services.cache.primary",
            |p| place(p, "cache", "media-2"),
            |p| redis(p).primary = vec![name("media-2")],
        ),
        case(
            Code::TwoPrimaries,
            "services.cache.primary[1]",
            |p| {
                place(p, "cache", "media-2");
                redis(p).primary = vec![name("media-1"), name("media-2")];
            },
            |p| drop(redis(p).primary.pop()),
        ),
        case(
            Code::ReplicaOfNothing,
            "services.cache.primary",
            |p| redis(p).primary = vec![name("media-2")],
            |p| place(p, "cache", "media-2"),
        ),
        case(
            Code::NoPassword,
            "services.cache.password",
            |p| redis(p).password = None,
            |p| redis(p).password = Some(env("REDIS_PASSWORD")),
        ),
        case(
            Code::RedisEviction,
            "services.cache.maxmemory-policy",
            |p| redis(p).maxmemory_policy = Eviction::AllkeysLru,
            |p| redis(p).maxmemory_policy = Eviction::Noeviction,
        ),
        case(
            Code::RedisMemory,
            "services.cache.maxmemory",
            |p| redis(p).maxmemory = ByteSize::from_bytes(0),
            |p| redis(p).maxmemory = ByteSize::from_mib(512),
        ),
        case(
            Code::RedisMemory,
            "services.cache.maxmemory",
            |p| redis(p).limits.memory = Some(ByteSize::from_mib(600)),
            |p| redis(p).maxmemory = ByteSize::from_mib(400),
        ),
        case(
            Code::RedisMemory,
            "services.cache.maxmemory",
            |p| node(p, "media-1").memory = Some(ByteSize::from_mib(600)),
            |p| redis(p).maxmemory = ByteSize::from_mib(400),
        ),
        case(
            Code::ExternalService,
            "services.cache.external",
            |p| {
                unplace(p, "media-1");
                redis(p).external = Some(RedisRemote::default());
            },
            |p| redis(p).external = Some(remote()),
        ),
        case(
            Code::ExternalService,
            "services.cache.external",
            |p| redis(p).external = Some(remote()),
            |p| unplace(p, "media-1"),
        ),
        case(
            Code::ExternalService,
            "services.cache.external",
            |p| {
                unplace(p, "media-1");
                let sentinels = vec!["sentinel.example.com:26379".parse().expect("an address")];
                redis(p).external = Some(RedisRemote { sentinels, ..RedisRemote::default() });
            },
            |p| redis(p).external.as_mut().expect("it was set").sentinel_master = Some("live".to_owned()),
        ),
        case(
            Code::ExternalService,
            "services.cache.external",
            |p| {
                unplace(p, "media-1");
                let cluster = vec!["redis.example.com:6379".parse().expect("an address")];
                redis(p).external = Some(RedisRemote { cluster, db: 1, ..RedisRemote::default() });
            },
            |p| redis(p).external.as_mut().expect("it was set").db = 0,
        ),
        case(
            Code::ExternalOnNode,
            "services.cache.external",
            |p| {
                unplace(p, "media-1");
                let address = "192.168.1.2:6379".parse().ok();
                redis(p).external = Some(RedisRemote { address, ..RedisRemote::default() });
            },
            |p| {
                p.access.keep.push(Keep {
                    port: "6379".parse().expect("a port"),
                    protocol: Protocol::Tcp,
                    from: vec![source("lan")],
                    why: "redis".to_owned(),
                });
            },
        ),
    ]
}
