//! `app`: the environment of a service of the user's own, and its container
//! unless the user starts it.

use serde::Serialize;
use stageplot_topology::{App, EnvPart, EnvValue, Ingress, ServiceSpec, dial};

use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Change, Owner};
use crate::compose::{Container, HealthCheck, Mount, literal};
use crate::template::{Dialect, Template};

pub(super) const TEMPLATE: Template = Template::new("env", Dialect::Env, include_str!("../../templates/env"));

/// What the template of an `env_file` is given.
#[derive(Serialize)]
pub(super) struct Variables {
    /// Name and value.
    pub(super) lines: Vec<(String, String)>,
}

pub(super) fn render(scene: Scene<'_>, app: &App) -> Result<Part, RenderError> {
    let name = scene.service.name.as_str();
    let lines = app.env.iter().map(|(variable, value)| Ok((variable.clone(), self::value(scene, value)?)));
    let lines = lines.collect::<Result<_, RenderError>>()?;
    let env = scene.templates.render("env", &Variables { lines })?;
    let env = Artifact::private("env", env, Owner::ROOT);
    let Some(image) = app.image.as_ref().filter(|_| app.run.is_none()) else {
        // Where the user's own unit or shell finds it, whatever it holds.
        let files = [env].into_iter().chain(scene.extra.iter().cloned());
        let place = |file: Artifact| Artifact { path: format!("live/{name}/{}", file.path), ..file };
        let artifacts = files.map(|file| place(file).read_by(name, Change::Restart)).collect();
        return Ok(Part { artifacts, container: None });
    };
    let mut container = Container::new(scene.topology, scene.placement, image, &app.limits);
    let mut artifacts = Vec::new();
    if !app.env.is_empty() {
        let (dir, files) = scene.at_start(vec![env]);
        container.env_file = vec![format!("./{dir}/env")];
        artifacts.extend(files);
    }
    if !scene.extra.is_empty() {
        let (dir, files) = scene.at_start(scene.extra.to_vec());
        container.volumes.push(Mount::files(&dir, &format!("/etc/{name}")));
        artifacts.extend(files);
    }
    container.command = app.command.iter().map(|word| literal(word)).collect();
    container.working_dir = app.working_dir.as_deref().map(literal);
    container.user = app.user.as_deref().map(literal);
    container.data_owner = app.user_ids().map(|(user, group)| Owner::new(user, group));
    let volumes = app.volumes.iter();
    container
        .volumes
        .extend(volumes.map(|(volume, target)| Mount::data(&format!("{name}/{volume}"), &literal(target))));
    if let (Some(port), Some(path)) = (app.port, &app.health) {
        let ask = format!("wget -q -T 3 -O /dev/null 'http://127.0.0.1:{port}{path}'");
        container.healthcheck = Some(HealthCheck::shell(&ask));
    }
    if let Some(migration) = scene.service.migration() {
        container.migrate(migration.as_str(), &app.migrate);
    }
    Ok(Part { artifacts, container: Some(container) })
}

/// The value of a variable on this node. A reference to nothing, which a built
/// topology has none of, is an error: an empty value would be a wrong one.
fn value(scene: Scene<'_>, value: &EnvValue) -> Result<String, RenderError> {
    let text = match value {
        EnvValue::Secret(secret) => return Ok(scene.values.get(secret)?.to_owned()),
        EnvValue::Text(text) => text,
    };
    let parts = EnvPart::split(text).into_iter().map(|part| match part {
        EnvPart::Text(text) => Ok(text.to_owned()),
        EnvPart::Reference { service, field } => reference(scene, service, field)
            .ok_or_else(|| RenderError::Format(format!("${{{service}.{field}}} stands for nothing"))),
        other => Err(RenderError::Format(format!("{other:?} is of no kind that is known here"))),
    });
    parts.collect()
}

/// A field of a needed service, as it is dialled from this placement, or as
/// clients are given it. Where a service has several placements, `address` lists
/// them all, or of hundreds a share, and the other fields are those of the one on this node,
/// or else of the first.
fn reference(scene: Scene<'_>, name: &str, field: &str) -> Option<String> {
    let topology = scene.topology;
    let service = topology.service_named(name)?;
    match (field, &scene.service.kind) {
        ("public-url", _) => return topology.public_url(service.id),
        ("publish-url", _) => return topology.publish_url(service.id),
        ("pool", ServiceSpec::App(app)) => return app.pool.get(name).map(ToString::to_string),
        _ => {}
    }
    let (endpoint, scheme) = match &service.kind {
        ServiceSpec::Redis(redis) => match &redis.external {
            None => ("primary", "redis"),
            Some(remote) => {
                let addresses: Vec<_> = remote.addresses().map(ToString::to_string).collect();
                let first = remote.addresses().next()?;
                let scheme = if remote.tls.is_some() { "rediss" } else { "redis" };
                return Some(match field {
                    "host" => first.host.clone(),
                    "port" => first.port.to_string(),
                    "url" => format!("{scheme}://{first}/{}", remote.db),
                    _ => addresses.join(","),
                });
            }
        },
        ServiceSpec::Postgres(postgres) => {
            let target = match &postgres.external {
                Some(remote) => remote.address.to_string(),
                None => {
                    let primary = topology.endpoint_named(service.id, "primary")?;
                    scene.targets(primary).next()?.to_string()
                }
            };
            // The port is behind the last colon, whatever the host is.
            let (host, port) = target.rsplit_once(':')?;
            let (user, database) = (&postgres.user, &postgres.database);
            return Some(match field {
                "user" => user.to_string(),
                "database" => database.to_string(),
                "host" => host.trim_matches(['[', ']']).to_owned(),
                "port" => port.to_owned(),
                "url" => format!("postgres://{user}@{target}/{database}"),
                _ => target,
            });
        }
        // Clients are given the edge's name, never a node's.
        ServiceSpec::Edge(edge) if edge.domain.is_some() => {
            let domain = edge.domain.as_ref()?;
            let port = if edge.is_https() { edge.https_port } else { edge.http_port };
            return Some(match field {
                "host" => domain.to_string(),
                "port" => port.to_string(),
                "url" => topology.public_url(service.id)?,
                _ => format!("{domain}:{port}"),
            });
        }
        ServiceSpec::Livekit(_) | ServiceSpec::IonSfu(_) => ("signal", "http"),
        ServiceSpec::Rtmp(_) | ServiceSpec::Ingress(_) => ("rtmp", "rtmp"),
        ServiceSpec::Sip(_) => ("sip-tcp", "sip"),
        // It answers nobody: a plot whose app asks it is refused.
        ServiceSpec::Egress(_) => return None,
        ServiceSpec::Edge(_) | ServiceSpec::App(_) | ServiceSpec::Prometheus(_) | ServiceSpec::Grafana(_) => {
            ("http", "http")
        }
    };
    let endpoint = topology.endpoint_named(service.id, endpoint)?;
    let mut targets = scene.targets(endpoint).peekable();
    let near = scene.beside(endpoint).and_then(|at| dial(topology, scene.placement.id, endpoint.id, at));
    let first = near.or_else(|| targets.peek().cloned())?;
    Some(match field {
        "host" => first.host.to_string(),
        "port" => first.port.to_string(),
        "url" => match &service.kind {
            ServiceSpec::Rtmp(rtmp) => format!("{scheme}://{first}/{}", rtmp.application),
            ServiceSpec::Ingress(_) => format!("{scheme}://{first}/{}", Ingress::APPLICATION),
            // A URI of SIP has no slashes (RFC 3261, section 19.1).
            ServiceSpec::Sip(_) => format!("{scheme}:{first}"),
            _ => format!("{scheme}://{first}"),
        },
        _ => targets.map(|target| target.to_string()).collect::<Vec<_>>().join(","),
    })
}
