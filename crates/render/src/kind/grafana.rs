//! `grafana`: the Prometheus that it asks, the dashboard, and the container.

use serde::Serialize;
use stageplot_topology::{Grafana, ServiceId, dial};

use super::{Part, Scene, app, prometheus};
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::{RenderError, yaml};

/// The user and the group of the official image.
const GRAFANA: Owner = Owner::new(472, 0);

/// Where Grafana looks for what it is to have from its start on:
/// <https://grafana.com/docs/grafana/latest/administration/provisioning/>.
const PROVISIONING: &str = "/etc/grafana/provisioning";

/// `datasources/*.yml`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sources {
    api_version: u8,
    datasources: Vec<Source>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    name: String,
    r#type: &'static str,
    uid: String,
    access: &'static str,
    url: String,
    is_default: bool,
    editable: bool,
}

/// `dashboards/*.yml`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dashboards {
    api_version: u8,
    providers: [Provider; 1],
}

#[derive(Serialize)]
struct Provider {
    name: &'static str,
    r#type: &'static str,
    options: Directory,
}

#[derive(Serialize)]
struct Directory {
    path: String,
}

pub(super) fn render(scene: Scene<'_>, grafana: &Grafana) -> Result<Part, RenderError> {
    let Scene { topology, service, placement, .. } = scene;
    let asked = topology.prometheus_of(service.id);
    let mut files = Vec::new();
    if let Some(asked) = asked {
        let private = |name: &str, text: String| Artifact::private(name, text, GRAFANA);
        let sources = Sources { api_version: 1, datasources: sources(scene, asked) };
        let provider = Provider {
            name: "stageplot",
            r#type: "file",
            options: Directory { path: format!("{PROVISIONING}/boards") },
        };
        let dashboards = Dashboards { api_version: 1, providers: [provider] };
        files = vec![
            private("datasources/stageplot.yml", yaml::to_string(&sources)?),
            private("dashboards/stageplot.yml", yaml::to_string(&dashboards)?),
            private("boards/stack.json", prometheus::dashboard_of(topology, asked)),
        ];
    }
    files.extend_from_slice(scene.extra);
    let (dir, mut artifacts) = scene.at_start(files);
    let variables = app::Variables { lines: variables(scene, grafana)? };
    let env = scene.templates.render("env", &variables)?;
    let (env_dir, env) = scene.at_start(vec![Artifact::private("env", env, Owner::ROOT)]);
    artifacts.extend(env);
    let mut container = Container::new(topology, placement, &grafana.image, &grafana.limits);
    container.env_file = vec![format!("./{env_dir}/env")];
    container.volumes =
        vec![Mount::files(&dir, PROVISIONING), Mount::data(service.name.as_str(), "/var/lib/grafana")];
    container.data_owner = Some(GRAFANA);
    let path = topology.endpoint_named(service.id, "http").and_then(super::health).unwrap_or_default();
    let ask = format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}{path}", grafana.port);
    container.healthcheck = Some(HealthCheck::shell(&ask));
    Ok(Part { artifacts, container: Some(container) })
}

/// Each Prometheus of the service; what is asked where nobody says otherwise is the one on this
/// node, or else the first.
fn sources(scene: Scene<'_>, prometheus: ServiceId) -> Vec<Source> {
    let topology = scene.topology;
    let Some(endpoint) = topology.endpoint_named(prometheus, "http") else { return Vec::new() };
    let name = topology.service(prometheus).name.as_str();
    let first = scene.beside(endpoint).or(endpoint.at.first().copied());
    let sources = endpoint.at.iter().zip(1..).filter_map(|(&at, number)| {
        let target = dial(topology, scene.placement.id, endpoint.id, at)?;
        let node = topology.node(topology.placement(at).node).name.as_str();
        Some(Source {
            name: if endpoint.at.len() == 1 { name.to_owned() } else { format!("{name} on {node}") },
            r#type: "prometheus",
            // Grafana's own would be another at each start.
            uid: format!("stageplot-{number}"),
            access: "proxy",
            url: format!("http://{target}"),
            is_default: Some(at) == first,
            editable: false,
        })
    });
    sources.collect()
}

/// Settings by their variables:
/// <https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/>.
fn variables(scene: Scene<'_>, grafana: &Grafana) -> Result<Vec<(String, String)>, RenderError> {
    let Scene { topology, service, .. } = scene;
    let mut lines = vec![
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false".to_owned()),
        ("GF_ANALYTICS_REPORTING_ENABLED", "false".to_owned()),
        ("GF_SERVER_HTTP_PORT", grafana.port.to_string()),
        ("GF_USERS_ALLOW_SIGN_UP", "false".to_owned()),
    ];
    if let Some(password) = &grafana.password {
        lines.push(("GF_SECURITY_ADMIN_PASSWORD", scene.values.get(password)?.to_owned()));
    }
    if let (Some(route), Some(url)) = (&grafana.route, topology.public_url(service.id)) {
        // Browsers keep a cookie of this kind from plain HTTP, which others may still use.
        let is_https = url.starts_with("https:") && grafana.from.is_empty();
        lines.push(("GF_SECURITY_COOKIE_SECURE", is_https.to_string()));
        lines.push(("GF_SERVER_ROOT_URL", format!("{url}{route}/")));
        lines.push(("GF_SERVER_SERVE_FROM_SUB_PATH", "true".to_owned()));
    }
    lines.sort();
    Ok(lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
