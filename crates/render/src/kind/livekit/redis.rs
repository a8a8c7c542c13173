//! The `redis` section, which LiveKit, its ingress, egress and SIP read alike.

use serde::Serialize;
use stageplot_topology::{RedisRemote, SecretRef, ServiceSpec, SocketTarget, dial};

use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::kind::Scene;

/// How Redis is reached. LiveKit refuses keys that it does not know, and its companions ignore
/// them without a word.
#[derive(Default, Serialize)]
pub(in crate::kind) struct Redis<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    db: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<RedisTls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentinel_master_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sentinel_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentinel_password: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cluster_addresses: Vec<String>,
}

#[derive(Serialize)]
struct RedisTls {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_cert_file: Option<String>,
}

/// The file of the authority that vouches for an external Redis.
const AUTHORITY: &str = "redis-ca.crt";

/// How this service reaches its Redis, its files being in the directory `config` of the
/// container; none where it has no Redis.
pub(in crate::kind) fn section<'a>(scene: Scene<'a>, config: &str) -> Result<Option<Redis<'a>>, RenderError> {
    let service = scene.topology.redis_of(scene.service.id).map(|redis| scene.topology.service(redis));
    let Some((service, ServiceSpec::Redis(spec))) = service.map(|service| (service, &service.kind)) else {
        return Ok(None);
    };
    let value = |secret: &'a Option<SecretRef>| secret.as_ref().map(|s| scene.values.get(s)).transpose();
    let password = value(&spec.password)?;
    let Some(remote) = &spec.external else {
        let endpoint = scene.topology.endpoint_named(service.id, "primary");
        let target = endpoint
            .zip(service.primary)
            .and_then(|(endpoint, primary)| dial(scene.topology, scene.placement.id, endpoint.id, primary));
        let at =
            |target: SocketTarget| Redis { address: Some(target.to_string()), password, ..Redis::default() };
        return Ok(target.map(at));
    };
    let texts =
        |addresses: &[stageplot_topology::RemoteAddress]| addresses.iter().map(ToString::to_string).collect();
    Ok(Some(Redis {
        address: remote.address.as_ref().map(ToString::to_string),
        username: remote.username.as_deref(),
        password,
        db: remote.db,
        tls: remote.tls.as_ref().map(|tls| RedisTls {
            enabled: true,
            server_name: tls.server_name.as_ref().map(ToString::to_string),
            ca_cert_file: tls.ca.as_ref().map(|_| format!("{config}/{AUTHORITY}")),
        }),
        sentinel_master_name: remote.sentinel_master.as_deref(),
        sentinel_addresses: texts(&remote.sentinels),
        sentinel_password: value(&remote.sentinel_password)?,
        cluster_addresses: texts(&remote.cluster),
    }))
}

/// The authority that vouches for an external Redis, where it is a private one.
pub(in crate::kind) fn authority(scene: Scene<'_>, owner: Owner) -> Result<Option<Artifact>, RenderError> {
    let ca = remote(scene).and_then(|remote| remote.tls.as_ref()?.ca.as_ref());
    ca.map(|ca| Ok(Artifact::private(AUTHORITY, scene.values.get(ca)?, owner))).transpose()
}

/// The external Redis that this service uses, if it uses one.
fn remote(scene: Scene<'_>) -> Option<&RedisRemote> {
    let redis = scene.topology.redis_of(scene.service.id)?;
    match &scene.topology.service(redis).kind {
        ServiceSpec::Redis(redis) => redis.external.as_ref(),
        _ => None,
    }
}
