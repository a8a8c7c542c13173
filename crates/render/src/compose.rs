//! `compose.yaml`, by the Compose specification, for Compose 2.26 and later.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use stageplot_topology::{
    Attachment, ImageRef, Limits, Period, Placement, Protocol, Service, Topology, listen,
};

use crate::artifact::Owner;
use crate::{RenderError, bridge_name, yaml};

/// A Compose project: what one node runs.
#[derive(Debug, Serialize)]
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) services: BTreeMap<String, Container>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) networks: BTreeMap<&'static str, Bridge>,
}

/// When Docker starts a migration again: where it ended with an error, for what it needs may
/// not be up yet; ten times in all, each after twice the time, the last after half a minute.
/// Compose waits meanwhile.
const MIGRATION_RESTART: &str = "on-failure:9";

impl Project {
    /// Adds a service's container, and what has to run before that.
    pub(crate) fn insert(&mut self, service: &Service, mut container: Container) {
        let migration = container.migration.take();
        if let (Some(name), Some(migration)) = (service.migration(), migration) {
            self.services.insert(name.to_string(), *migration);
        }
        self.services.insert(service.name.to_string(), container);
    }

    /// All that the project says of a service: whatever changes in it, Compose gives the
    /// service a new container.
    pub(crate) fn text_of(&self, service: &str) -> Result<String, RenderError> {
        let Some(container) = self.services.get(service) else { return Ok(String::new()) };
        let networks = container.network_mode.is_none().then_some(&self.networks);
        yaml::to_string(&(container, networks))
    }
}

/// A service of a Compose project.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Container {
    #[serde(serialize_with = "yaml::beside_its_key")]
    pub(crate) image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) working_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// Whose its data directories are made; root's, where not set: the official
    /// images run as root until they have made theirs their own.
    #[serde(skip)]
    pub(crate) data_owner: Option<Owner>,
    /// What has to run to its end before it is started: a service of its own in the project.
    #[serde(skip)]
    pub(crate) migration: Option<Box<Self>>,
    pub(crate) restart: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_mode: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) depends_on: BTreeMap<String, DependsOn>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env_file: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) environment: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<Mount>,
    /// Directories in memory, with their options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tmpfs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<HealthCheck>,
    pub(crate) stop_grace_period: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_signal: Option<&'static str>,
    pub(crate) security_opt: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mem_limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpus: Option<String>,
    /// How large `/dev/shm` is; Docker's 64 MiB where not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shm_size: Option<&'static str>,
    pub(crate) logging: Logging,
}

/// What another service has to be before this one is started.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DependsOn {
    condition: &'static str,
}

impl DependsOn {
    pub(crate) const HEALTHY: Self = Self { condition: "service_healthy" };
    pub(crate) const ENDED: Self = Self { condition: "service_completed_successfully" };
}

/// A bind mount, or a volume. The long form, because a path may hold a colon.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mount {
    r#type: &'static str,
    source: String,
    target: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bind: Option<BindOptions>,
}

/// Whether Docker makes a directory that is not there; versions of Compose differ
/// where nothing is said.
#[derive(Clone, Debug, Serialize)]
struct BindOptions {
    create_host_path: bool,
}

impl Mount {
    /// Files of the bundle, which the container only reads.
    pub(crate) fn files(source: &str, target: &str) -> Self {
        Self {
            r#type: "bind",
            source: format!("./{source}"),
            target: target.to_owned(),
            read_only: true,
            bind: Some(BindOptions { create_host_path: false }),
        }
    }

    /// A directory that outlives containers and releases.
    pub(crate) fn data(source: &str, target: &str) -> Self {
        let bind = Some(BindOptions { create_host_path: true });
        Self { read_only: false, bind, ..Self::files(&format!("data/{source}"), target) }
    }

    /// A volume of Docker's own.
    fn volume(name: &str, target: &str) -> Self {
        Self {
            r#type: "volume",
            source: name.to_owned(),
            target: target.to_owned(),
            read_only: false,
            bind: None,
        }
    }

    /// The directory below the plot's own, where this is one for data.
    pub(crate) fn data_dir(&self) -> Option<&str> {
        self.source.strip_prefix("./").filter(|source| source.starts_with("data/"))
    }
}

/// How Docker asks whether a container is well.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HealthCheck {
    test: Vec<String>,
    interval: &'static str,
    timeout: &'static str,
    retries: u32,
    start_period: &'static str,
}

/// A text as it stands: Compose takes a dollar sign for a variable unless it is doubled.
pub(crate) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

impl HealthCheck {
    /// A shell command. Three failures make a container unhealthy: within half
    /// a minute of what it depends on going away, even where every one of them
    /// takes the three seconds that a command may, and LiveKit first takes four
    /// to notice.
    pub(crate) fn shell(command: &str) -> Self {
        Self {
            test: vec!["CMD-SHELL".to_owned(), literal(command)],
            interval: "4s",
            timeout: "4s",
            retries: 3,
            start_period: "10s",
        }
    }
}

/// Where a container's output goes: bounded, or it fills the disk.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Logging {
    driver: &'static str,
    options: BTreeMap<&'static str, &'static str>,
}

impl Default for Logging {
    fn default() -> Self {
        Self { driver: "json-file", options: [("max-file", "5"), ("max-size", "20m")].into() }
    }
}

/// The container network, its addresses fixed because firewall rules name them.
#[derive(Debug, Serialize)]
pub(crate) struct Bridge {
    driver: &'static str,
    driver_opts: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enable_ipv6: bool,
    ipam: Ipam,
}

#[derive(Debug, Serialize)]
struct Ipam {
    config: Vec<Pool>,
}

#[derive(Debug, Serialize)]
struct Pool {
    subnet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
}

impl Bridge {
    pub(crate) fn new(topology: &Topology, v6: bool) -> Self {
        let spec = &topology.plot().bridge;
        let v4 = Pool { subnet: spec.v4.to_string(), gateway: Some(topology.bridge_gateway().to_string()) };
        let v6_pool = v6.then(|| Pool { subnet: spec.v6.to_string(), gateway: None });
        Self {
            driver: "bridge",
            driver_opts: [("com.docker.network.bridge.name", bridge_name(topology))].into(),
            enable_ipv6: v6,
            ipam: Ipam { config: [v4].into_iter().chain(v6_pool).collect() },
        }
    }
}

impl Container {
    /// A container for a placement: image, network, ports and limits set, all
    /// else as every container has it.
    pub(crate) fn new(topology: &Topology, placement: Placement, image: &ImageRef, limits: &Limits) -> Self {
        let bridged = placement.attachment == Attachment::Bridge;
        Self {
            image: topology.pulled(image).to_string(),
            restart: "unless-stopped",
            network_mode: (!bridged).then_some("host".into()),
            ports: if bridged { ports(topology, placement) } else { Vec::new() },
            stop_grace_period: Period::from_seconds(30).to_string(),
            security_opt: ["no-new-privileges=true"],
            mem_limit: limits.memory.map(|memory| memory.to_string()),
            cpus: limits.millicpus.map(|m| format!("{}.{:03}", m / 1000, m % 1000)),
            ..Self::default()
        }
    }

    /// Has a command run to its end, as it would in this container, before this one is started:
    /// in a service of the given name, which [`Project::insert`] adds.
    pub(crate) fn migrate(&mut self, name: &str, command: &[String]) {
        self.migration = Some(Box::new(Self {
            command: command.iter().map(|word| literal(word)).collect(),
            restart: MIGRATION_RESTART,
            ports: Vec::new(),
            healthcheck: None,
            ..self.clone()
        }));
        self.depends_on.insert(name.to_owned(), DependsOn::ENDED);
        // Of versions of Compose, earlier ones give a service a new container where one that it
        // depends on gets one, and later ones do not. With this all do.
        self.labels.insert("stageplot.migrate", literal(&json!(command).to_string()));
    }

    /// Has it share the network of another service, which plays its node, read its files in
    /// that node's directory, and keep its data in volumes. Returns those, and whose they
    /// have to be.
    pub(crate) fn move_into(&mut self, node: &str) -> Vec<(String, Option<Owner>)> {
        self.network_mode = Some(format!("service:{node}").into());
        // What it waits for is played in the same way.
        let waits = std::mem::take(&mut self.depends_on);
        self.depends_on = waits.into_iter().map(|(name, until)| (format!("{node}.{name}"), until)).collect();
        self.depends_on.insert(node.to_owned(), DependsOn::HEALTHY);
        self.ports.clear();
        // What waits for another, as LiveKit does for Redis, may end before that is there.
        if self.restart != MIGRATION_RESTART {
            self.restart = "on-failure";
        }
        for file in &mut self.env_file {
            *file = file.replacen("./", &format!("./{node}/"), 1);
        }
        let mut volumes = Vec::new();
        for mount in &mut self.volumes {
            match mount.data_dir() {
                Some(dir) => {
                    let name = format!("{node}.{}", dir["data/".len()..].replace('/', "."));
                    *mount = Mount::volume(&name, &mount.target);
                    volumes.push((name, self.data_owner));
                }
                None => mount.source = mount.source.replacen("./", &format!("./{node}/"), 1),
            }
        }
        volumes
    }

    /// Lets a service finish what it is doing for so long when it is stopped.
    pub(crate) fn grace(mut self, period: Period) -> Self {
        self.stop_grace_period = period.to_string();
        self
    }
}

/// The ports that a bridged placement publishes: on the addresses where its
/// flows arrive, and no others.
fn ports(topology: &Topology, placement: Placement) -> Vec<String> {
    let endpoints = topology.endpoints_of(placement.service).iter();
    let offered = endpoints.filter(|endpoint| endpoint.is_at(placement.id));
    let published = offered.flat_map(|endpoint| {
        listen(topology, endpoint.id, placement.id).into_iter().map(move |address| {
            let address = match address {
                std::net::IpAddr::V4(v4) => v4.to_string(),
                std::net::IpAddr::V6(v6) => format!("[{v6}]"),
            };
            let protocol = match endpoint.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            format!("{address}:{ports}:{ports}/{protocol}", ports = endpoint.ports)
        })
    });
    published.collect()
}
