//! `edge`: the Caddyfile, certificates, and the container.

use std::collections::BTreeSet;

use serde::Serialize;
use stageplot_topology::{
    Acme, Balance, DnsChallenge, Edge, Ingress, Livekit, ServiceId, ServiceSpec, Tls, Turn, TurnTls,
};

use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Change, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::template::{Dialect, Template};

pub(super) const TEMPLATE: Template =
    Template::new("Caddyfile", Dialect::Caddyfile, include_str!("../../templates/Caddyfile"));

/// Where the container finds its configuration. The directory is mounted whole
/// and stays the same, so that a file replaced inside is seen by a reload.
const CONFIG: &str = "/etc/caddy";

/// What the template of the Caddyfile is given.
#[derive(Serialize)]
struct Caddyfile {
    admin_port: u16,
    health_port: u16,
    http_port: u16,
    https_port: u16,
    http3: bool,
    email: Option<String>,
    acme_ca: Option<String>,
    acme_ca_root: Option<String>,
    /// The site's addresses, as Caddy writes them.
    site: Vec<String>,
    /// The lines of its `tls` directive, none where Caddy's default serves.
    tls: Option<TlsLines>,
    groups: Vec<Group>,
    turn: Option<TurnRoute>,
    stream_close_delay: String,
    access_log: bool,
    metrics: Option<Metrics>,
}

/// Where metrics are shown.
#[derive(Serialize)]
struct Metrics {
    port: u16,
    /// The addresses at which a Prometheus arrives; all of the container's own where
    /// it has a network of its own.
    bind: Vec<String>,
}

#[derive(Default, Serialize)]
struct TlsLines {
    internal: bool,
    cert: Option<String>,
    key: Option<String>,
    dns: Option<DnsLines>,
}

#[derive(Serialize)]
struct DnsLines {
    provider: String,
    /// Setting, and the variable that holds its value.
    settings: Vec<(String, String)>,
}

/// Upstreams of one service, and the paths that go to them.
#[derive(Serialize)]
struct Group {
    service: String,
    /// Empty: all paths that no other group takes.
    paths: Vec<String>,
    upstreams: Vec<String>,
    /// The path that answers 2xx while an upstream is well.
    health: Option<String>,
    /// Caddy's policy with its arguments.
    policy: Vec<String>,
    /// How long a browser keeps the cookie by which it comes back.
    max_age: Option<String>,
    /// How many requests may fail before an upstream is left alone for a while: one,
    /// where there is another.
    max_fails: u8,
}

/// TURN, split from HTTPS by the name that a client asks for.
#[derive(Serialize)]
struct TurnRoute {
    domain: String,
    upstreams: Vec<String>,
}

pub(super) fn render(scene: Scene<'_>, edge: &Edge) -> Result<Part, RenderError> {
    let name = scene.service.name.as_str();
    let live = format!("live/{name}");
    let caddyfile = caddyfile(scene, edge)?;
    let text = scene.templates.render("Caddyfile", &caddyfile)?;
    let mut artifacts = vec![Artifact::private(format!("{live}/Caddyfile"), text, Owner::ROOT)];
    let files: Vec<_> = match &edge.tls {
        Tls::Own { cert, key } => vec![("site.crt", cert), ("site.key", key)],
        Tls::Acme(Acme { ca_root: Some(root), .. }) => vec![("acme-root.crt", root)],
        _ => Vec::new(),
    };
    for (file, secret) in files {
        artifacts.push(Artifact::private(format!("{live}/{file}"), scene.values.get(secret)?, Owner::ROOT));
    }
    let extra = scene.extra.iter().cloned();
    artifacts.extend(extra.map(|file| Artifact { path: format!("{live}/{}", file.path), ..file }));
    let mut artifacts: Vec<_> =
        artifacts.into_iter().map(|artifact| artifact.read_by(name, Change::Reload)).collect();

    let mut container = Container::new(scene.topology, scene.placement, &edge.image, &edge.limits);
    container.volumes = vec![
        Mount::files(&live, CONFIG),
        Mount::data(&format!("{name}/data"), "/data"),
        Mount::data(&format!("{name}/config"), "/config"),
    ];
    container.healthcheck = Some(health(&caddyfile.groups));
    if let Tls::Acme(Acme { dns: Some(dns), .. }) = &edge.tls {
        let lines = dns.settings.iter();
        let lines =
            lines.map(|(setting, secret)| Ok((variable(setting), scene.values.get(secret)?.to_owned())));
        let lines = lines.collect::<Result<_, RenderError>>()?;
        let env = scene.templates.render("env", &super::app::Variables { lines })?;
        let (dir, files) = scene.at_start(vec![Artifact::private("env", env, Owner::ROOT)]);
        container.env_file = vec![format!("./{dir}/env")];
        artifacts.extend(files);
    }
    Ok(Part { artifacts, container: Some(container) })
}

fn caddyfile(scene: Scene<'_>, edge: &Edge) -> Result<Caddyfile, RenderError> {
    let https = edge.is_https();
    let scheme = if https { "" } else { "http://" };
    let port = match (https, edge.https_port.number(), edge.http_port.number()) {
        (true, 443, _) | (false, _, 80) => String::new(),
        (true, port, _) | (false, _, port) => format!(":{port}"),
    };
    let mut site: Vec<_> = edge.names().map(|name| format!("{scheme}{name}{port}")).collect();
    if site.is_empty() {
        site.push(format!(":{}", edge.http_port));
    }
    let acme = match &edge.tls {
        Tls::Acme(acme) if https => Some(acme),
        _ => None,
    };
    let turn = turn(scene);
    Ok(Caddyfile {
        admin_port: Edge::ADMIN_PORT.number(),
        health_port: Edge::HEALTH_PORT.number(),
        http_port: edge.http_port.number(),
        https_port: edge.https_port.number(),
        http3: edge.http3,
        email: acme.and_then(|acme| acme.email.clone()),
        acme_ca: acme.and_then(|acme| acme.ca.as_ref().map(ToString::to_string)),
        acme_ca_root: acme.and_then(|acme| acme.ca_root.as_ref()).map(|_| format!("{CONFIG}/acme-root.crt")),
        site,
        tls: if https { tls(edge) } else { None },
        groups: groups(scene, edge)?,
        turn,
        stream_close_delay: edge.stream_close_delay.to_string(),
        access_log: edge.access_log,
        metrics: metrics(scene, edge),
    })
}

fn metrics(scene: Scene<'_>, edge: &Edge) -> Option<Metrics> {
    let port = edge.metrics?.number();
    let endpoint = scene.topology.endpoint_named(scene.service.id, "metrics")?;
    Some(Metrics { port, bind: scene.listens(Some(endpoint)).unwrap_or_default() })
}

fn tls(edge: &Edge) -> Option<TlsLines> {
    match &edge.tls {
        Tls::Internal => Some(TlsLines { internal: true, ..TlsLines::default() }),
        Tls::Own { .. } => Some(TlsLines {
            cert: Some(format!("{CONFIG}/site.crt")),
            key: Some(format!("{CONFIG}/site.key")),
            ..TlsLines::default()
        }),
        Tls::Acme(Acme { dns: Some(DnsChallenge { provider, settings }), .. }) => {
            let settings = settings.keys().map(|setting| (setting.clone(), variable(setting))).collect();
            Some(TlsLines {
                dns: Some(DnsLines { provider: provider.clone(), settings }),
                ..TlsLines::default()
            })
        }
        _ => None,
    }
}

/// The environment variable that hands a DNS module's setting over.
fn variable(setting: &str) -> String {
    let upper = setting.to_ascii_uppercase();
    let clean: String = upper.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("STAGEPLOT_DNS_{clean}")
}

/// Everything that stands behind this edge, apps before LiveKit, whose paths
/// are the rest.
fn groups(scene: Scene<'_>, edge: &Edge) -> Result<Vec<Group>, RenderError> {
    let topology = scene.topology;
    let behind = Edge::upstreams(topology, scene.service.id);
    let services: BTreeSet<_> = behind.map(|endpoint| endpoint.service).collect();
    let catch_all = services.iter().any(|&id| {
        matches!(&topology.service(id).kind, ServiceSpec::App(app) if app.routes.iter().any(|r| r == "/*"))
    });
    let groups = services.iter().filter_map(|&id| group(scene, edge, id, catch_all).transpose());
    let mut groups: Vec<_> = groups.collect::<Result<_, _>>()?;
    // Caddy takes the longest path first; the group without paths is last.
    groups.sort_by_key(|group| group.paths.is_empty());
    Ok(groups)
}

fn group(
    scene: Scene<'_>,
    edge: &Edge,
    id: ServiceId,
    catch_all: bool,
) -> Result<Option<Group>, RenderError> {
    let service = scene.topology.service(id);
    let balance = edge.balance_of(service);
    let (endpoint, paths) = match &service.kind {
        ServiceSpec::App(app) => ("http", app.routes.clone()),
        ServiceSpec::Livekit(livekit) => {
            let routes = match (livekit.routes.is_empty(), catch_all) {
                (false, _) => livekit.routes.clone(),
                (true, true) => Livekit::PATHS.iter().map(|path| (*path).to_owned()).collect(),
                (true, false) => Vec::new(),
            };
            ("signal", routes)
        }
        ServiceSpec::Rtmp(rtmp) => {
            let paths = rtmp.paths().into_iter().map(str::to_owned).collect();
            ("http", paths)
        }
        ServiceSpec::Grafana(grafana) => ("http", grafana.paths()),
        ServiceSpec::Ingress(_) => {
            let paths = Ingress::PATHS.iter().map(|path| (*path).to_owned()).collect();
            ("whip", paths)
        }
        _ => return Ok(None),
    };
    let paths = if paths.iter().any(|path| path == "/*") { Vec::new() } else { paths };
    let upstreams = upstreams(scene, id, endpoint);
    let endpoint = scene.topology.endpoint_named(id, endpoint);
    Ok(Some(Group {
        service: service.name.to_string(),
        paths,
        max_fails: if upstreams.len() > 1 { 1 } else { 3 },
        upstreams,
        health: endpoint.and_then(super::health),
        policy: policy(scene, balance)?,
        max_age: match balance {
            Balance::Cookie(sticky) => sticky.max_age.as_ref().map(ToString::to_string),
            _ => None,
        },
    }))
}

/// What follows `lb_policy`.
fn policy(scene: Scene<'_>, balance: &Balance) -> Result<Vec<String>, RenderError> {
    let mut words = vec![balance.policy().to_owned()];
    match balance {
        Balance::RandomChoose(count) => words.push(count.to_string()),
        Balance::Header(name) | Balance::Query(name) => words.push(name.clone()),
        Balance::Cookie(sticky) => {
            words.push(sticky.name.clone());
            if let Some(secret) = &sticky.secret {
                words.push(scene.values.get(secret)?.to_owned());
            }
        }
        _ => {}
    }
    Ok(words)
}

fn upstreams(scene: Scene<'_>, service: ServiceId, endpoint: &str) -> Vec<String> {
    let topology = scene.topology;
    let Some(endpoint) = topology.endpoint_named(service, endpoint) else { return Vec::new() };
    scene.targets(endpoint).map(|target| target.to_string()).collect()
}

fn turn(scene: Scene<'_>) -> Option<TurnRoute> {
    let topology = scene.topology;
    topology.flows_from(scene.service.id).find_map(|flow| {
        let endpoint = topology.endpoint(flow.to);
        let ServiceSpec::Livekit(livekit) = &topology.service(endpoint.service).kind else { return None };
        let Some(Turn { tls: TurnTls::Edge, domain: Some(domain), .. }) = &livekit.turn else { return None };
        let upstreams = upstreams(scene, endpoint.service, "turn-tls");
        Some(TurnRoute { domain: domain.to_string(), upstreams })
    })
}

/// Asks, through the edge, for each service behind it that can be asked.
fn health(groups: &[Group]) -> HealthCheck {
    let ask = |path: &str| format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/{path}", Edge::HEALTH_PORT);
    let asked: Vec<_> = groups.iter().filter(|g| g.health.is_some()).map(|g| ask(&g.service)).collect();
    HealthCheck::shell(&if asked.is_empty() { ask("") } else { asked.join(" && ") })
}
