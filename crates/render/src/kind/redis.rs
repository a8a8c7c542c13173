//! `redis`: its configuration, and the container.

use serde::Serialize;
use stageplot_topology::{Persistence, Redis, dial};

use super::{Part, Scene, with_password};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::template::{Dialect, Template};

pub(super) const TEMPLATE: Template =
    Template::new("redis.conf", Dialect::RedisConf, include_str!("../../templates/redis.conf"));

/// The user that the official image steps down to (`redis`, 999; its group is
/// 1000 in the Alpine image).
const REDIS: Owner = Owner::new(999, 1000);

/// Where the image's own documentation mounts configuration.
const CONFIG: &str = "/usr/local/etc/redis";

/// What the template of `redis.conf` is given.
#[derive(Serialize)]
struct Conf<'a> {
    bind: Vec<String>,
    port: u16,
    password: Option<&'a str>,
    maxmemory: String,
    maxmemory_policy: &'static str,
    appendonly: bool,
    snapshots: bool,
    /// The primary that this one follows.
    replicaof: Option<Upstream>,
    /// How the primary's clients are told to reach this replica.
    announce: Option<Upstream>,
}

#[derive(Serialize)]
struct Upstream {
    host: String,
    port: u16,
}

pub(super) fn render(scene: Scene<'_>, redis: &Redis) -> Result<Part, RenderError> {
    let Scene { topology, placement, service, .. } = scene;
    let endpoints = topology.endpoints_of(service.id);
    let own = endpoints.iter().find(|endpoint| endpoint.is_at(placement.id));
    // An address that is not there would stop Redis.
    let bind = scene.listens(own).unwrap_or_else(|| vec!["*".to_owned(), "-::*".to_owned()]);
    let replicaof = service.primary.filter(|&primary| primary != placement.id).and_then(|primary| {
        let endpoint = topology.endpoint_named(service.id, "primary")?;
        let target = dial(topology, placement.id, endpoint.id, primary)?;
        Some(Upstream { host: target.host.to_string(), port: target.port.number() })
    });
    let announce = replicaof.is_some().then(|| scene.node.main_address()).flatten();
    let announce = announce.map(|address| Upstream { host: address.to_string(), port: redis.port.number() });
    let password = redis.password.as_ref().map(|secret| scene.values.get(secret)).transpose()?;
    let conf = Conf {
        bind,
        port: redis.port.number(),
        password,
        maxmemory: redis.maxmemory.to_string(),
        maxmemory_policy: redis.maxmemory_policy.as_str(),
        appendonly: redis.persistence == Persistence::Aof,
        snapshots: redis.persistence != Persistence::None,
        replicaof,
        announce,
    };
    let is_replica = conf.replicaof.is_some();
    let mut files =
        vec![Artifact::private("redis.conf", scene.templates.render("redis.conf", &conf)?, REDIS)];
    if let Some(password) = password {
        files.push(Artifact::private("password", password, REDIS));
    }
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(topology, placement, &redis.image, &redis.limits);
    // Opened by root before the entrypoint steps down: a bundle that somebody has
    // copied as root, without its owners, runs as well.
    let start = format!("exec docker-entrypoint.sh redis-server - <{CONFIG}/redis.conf");
    container.command = vec!["sh".to_owned(), "-c".to_owned(), start];
    container.volumes = vec![Mount::files(&dir, CONFIG), Mount::data(service.name.as_str(), "/data")];
    container.healthcheck = Some(health(redis, is_replica));
    Ok(Part { artifacts, container: Some(container) })
}

/// Asks with the password, and takes nothing but the answer that is wanted:
/// `redis-cli` exits 0 also when it was refused.
fn health(redis: &Redis, replica: bool) -> HealthCheck {
    let auth = match redis.password {
        Some(_) => with_password("REDISCLI_AUTH", &format!("{CONFIG}/password")),
        None => String::new(),
    };
    let port = redis.port;
    // A replica without its primary serves old data: that is not well.
    HealthCheck::shell(&match replica {
        false => format!("{auth}redis-cli -p {port} ping | grep -qx PONG"),
        true => format!("{auth}redis-cli -p {port} info replication | grep -q '^master_link_status:up'"),
    })
}
