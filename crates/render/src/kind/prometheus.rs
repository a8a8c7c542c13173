//! `prometheus`: whom it asks, when it raises an alarm, a dashboard, and the container.

mod dashboard;
mod rules;

use std::collections::BTreeMap;

use serde::Serialize;
use stageplot_topology::{Prometheus, ServiceId, ServiceSpec, Topology, dial};

use super::{Part, Scene};
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::{RenderError, yaml};

/// The user of the official image (`nobody`).
const PROMETHEUS: Owner = Owner::new(65534, 65534);

/// Where the image looks for its configuration.
const CONFIG: &str = "/etc/prometheus";

/// `prometheus.yml`: <https://prometheus.io/docs/prometheus/latest/configuration/configuration/>.
#[derive(Serialize)]
struct Config {
    global: Global,
    rule_files: [&'static str; 1],
    scrape_configs: Vec<Job>,
}

#[derive(Serialize)]
struct Global {
    scrape_interval: String,
    evaluation_interval: String,
    external_labels: BTreeMap<&'static str, String>,
}

/// One service that shows metrics.
#[derive(Serialize)]
struct Job {
    job_name: String,
    metrics_path: String,
    static_configs: Vec<Target>,
}

#[derive(Serialize)]
struct Target {
    targets: Vec<String>,
    labels: BTreeMap<&'static str, String>,
}

pub(super) fn render(scene: Scene<'_>, prometheus: &Prometheus) -> Result<Part, RenderError> {
    let Scene { topology, service, placement, .. } = scene;
    // Each job has the name of its service, this one's own as well: no two have one.
    let own = Target::new(scene.node.name.as_str(), format!("127.0.0.1:{}", prometheus.port));
    let mut jobs = vec![Job::new(service.name.as_str(), "/metrics", vec![own])];
    for (endpoint, path) in topology.scraped(service.id) {
        let endpoint = topology.endpoint(endpoint);
        let shown = topology.service(endpoint.service);
        let targets = endpoint.at.iter().filter_map(|&at| {
            let target = dial(topology, placement.id, endpoint.id, at)?;
            let node = topology.node(topology.placement(at).node);
            Some(Target::new(node.name.as_str(), target.to_string()))
        });
        jobs.push(Job::new(shown.name.as_str(), &path, targets.collect()));
    }
    let interval = prometheus.interval.to_string();
    let config = Config {
        global: Global {
            scrape_interval: interval.clone(),
            evaluation_interval: interval,
            external_labels: [("stack", topology.name().to_string())].into(),
        },
        rule_files: ["rules.yml"],
        scrape_configs: jobs,
    };
    let edge = shown(topology, service.id).iter().any(|kind| matches!(kind, ServiceSpec::Edge(_)));
    let private = |name: &str, text: String| Artifact::private(name, text, PROMETHEUS);
    let mut files = vec![
        private("prometheus.yml", yaml::to_string(&config)?),
        private("rules.yml", yaml::to_string(&rules::rules(edge))?),
        private("grafana-dashboard.json", dashboard_of(topology, service.id)),
    ];
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(topology, placement, &prometheus.image, &prometheus.limits);
    container.command = vec![
        format!("--config.file={CONFIG}/prometheus.yml"),
        "--storage.tsdb.path=/prometheus".to_owned(),
        format!("--storage.tsdb.retention.time={}s", prometheus.retention.seconds()),
        format!("--web.listen-address=:{}", prometheus.port),
    ];
    container.volumes = vec![Mount::files(&dir, CONFIG), Mount::data(service.name.as_str(), "/prometheus")];
    container.data_owner = Some(PROMETHEUS);
    let ready = format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/-/ready", prometheus.port);
    container.healthcheck = Some(HealthCheck::shell(&ready));
    Ok(Part { artifacts, container: Some(container) })
}

/// A dashboard, for Grafana, of what a Prometheus keeps.
pub(super) fn dashboard_of(topology: &Topology, prometheus: ServiceId) -> String {
    dashboard::dashboard(topology.name().as_str(), &shown(topology, prometheus))
}

/// Who shows metrics to a Prometheus.
fn shown(topology: &Topology, prometheus: ServiceId) -> Vec<&ServiceSpec> {
    let scraped = topology.scraped(prometheus).into_iter();
    scraped.map(|(endpoint, _)| &topology.service(topology.endpoint(endpoint).service).kind).collect()
}

impl Job {
    fn new(name: &str, path: &str, static_configs: Vec<Target>) -> Self {
        Self { job_name: name.to_owned(), metrics_path: path.to_owned(), static_configs }
    }
}

impl Target {
    fn new(node: &str, target: String) -> Self {
        Self { targets: vec![target], labels: [("node", node.to_owned())].into() }
    }
}
