//! What the machine itself reads: kernel settings, systemd units, the script
//! that puts a release in place.

use std::collections::BTreeSet;

use serde::Serialize;
use stageplot_topology::{NodeId, PortRange, ServiceSpec, Topology};

use crate::RenderError;
use crate::artifact::{Artifact, Change, Owner};
use crate::compose::{Mount, Project};
use crate::kind::{POSTGRES_GRACE, drain as drain_of};
use crate::template::{Dialect, Template, Templates};

pub(crate) const TEMPLATES: &[Template] = &[
    Template::new("sysctl.conf", Dialect::Sysctl, include_str!("../templates/sysctl.conf")),
    Template::new("stack.service", Dialect::Systemd, include_str!("../templates/stack.service")),
    Template::new("firewall.service", Dialect::Systemd, include_str!("../templates/firewall.service")),
    Template::new("install.sh", Dialect::Shell, include_str!("../templates/install.sh")),
];

/// What the templates are given.
#[derive(Serialize)]
struct System<'a> {
    name: &'a str,
    node: &'a str,
    /// Whether it was rendered without the values of secrets.
    sealed: bool,
    /// The directory that holds releases, data and live files.
    dir: String,
    media: bool,
    redis: bool,
    reserved_ports: Vec<String>,
    /// The longest time that a container may take to stop, and some.
    stop_seconds: u32,
    /// Whether containers are started only after others have ended well.
    migrates: bool,
    /// Files with the owner and mode that they need, relative to the bundle.
    files: Vec<File<'a>>,
    /// Those among them that containers mount from beside the releases.
    mounted: Vec<File<'a>>,
    /// Directories for data, which outlive releases.
    data: Vec<DataDir<'a>>,
}

#[derive(Serialize)]
struct DataDir<'a> {
    path: &'a str,
    owner: String,
}

#[derive(Clone, Serialize)]
struct File<'a> {
    path: &'a str,
    owner: String,
    mode: String,
}

impl<'a> File<'a> {
    fn of(file: &'a Artifact) -> Self {
        Self { path: &file.path, owner: file.owner.to_string(), mode: format!("{:04o}", file.mode) }
    }
}

/// Whether much media comes in over UDP.
fn is_media(kind: &ServiceSpec) -> bool {
    matches!(
        kind,
        ServiceSpec::Livekit(_) | ServiceSpec::IonSfu(_) | ServiceSpec::Ingress(_) | ServiceSpec::Sip(_)
    )
}

/// The machine's own files for a node whose other files are given.
pub(crate) fn render(
    topology: &Topology,
    node: NodeId,
    templates: &Templates,
    project: &Project,
    others: &[Artifact],
    sealed: bool,
) -> Result<Vec<Artifact>, RenderError> {
    let kinds: Vec<_> = topology.placements_on(node).map(|p| &topology.service(p.service).kind).collect();
    let drain = kinds.iter().map(|kind| match kind {
        ServiceSpec::Postgres(_) => POSTGRES_GRACE.seconds(),
        other => drain_of(other).unwrap_or(30),
    });
    let name = topology.name().as_str();
    let mut system = System {
        name,
        node: topology.node(node).name.as_str(),
        sealed,
        dir: install_dir(topology),
        media: kinds.iter().any(|kind| is_media(kind)),
        redis: kinds.iter().any(|kind| matches!(kind, ServiceSpec::Redis(_))),
        reserved_ports: reserved_ports(topology, node),
        stop_seconds: drain.max().unwrap_or(30) + 60,
        migrates: topology.placements_on(node).any(|p| topology.service(p.service).migration().is_some()),
        files: Vec::new(),
        mounted: Vec::new(),
        data: data_dirs(project),
    };
    let unit = format!("stageplot-{name}");
    let mut artifacts = vec![
        Artifact::open(format!("system/90-{unit}.conf"), templates.render("sysctl.conf", &system)?)
            .changes(Change::Reload),
        Artifact::open(
            format!("system/{unit}-firewall.service"),
            templates.render("firewall.service", &system)?,
        )
        .changes(Change::Reload),
    ];
    if !project.services.is_empty() {
        let text = templates.render("stack.service", &system)?;
        artifacts.push(Artifact::open(format!("system/{unit}.service"), text).changes(Change::Reload));
    }
    // The script puts all files in place, those above among them.
    system.files = others.iter().chain(&artifacts).map(File::of).collect();
    let is_mounted = |file: &&File<'_>| file.path.starts_with("services/") || file.path.starts_with("live/");
    system.mounted = system.files.iter().filter(is_mounted).cloned().collect();
    let script = templates.render("install.sh", &system)?;
    artifacts.push(Artifact::private("install.sh", script, Owner::ROOT));
    Ok(artifacts)
}

/// The directories that containers keep data in, each once: a migration has those of its app.
fn data_dirs(project: &Project) -> Vec<DataDir<'_>> {
    let mut known = BTreeSet::new();
    let containers = project.services.values();
    let data = containers.flat_map(|container| {
        let owner = container.data_owner.unwrap_or(Owner::ROOT).to_string();
        let dirs = container.volumes.iter().filter_map(Mount::data_dir);
        dirs.map(move |path| DataDir { path, owner: owner.clone() })
    });
    data.filter(|dir| known.insert(dir.path)).collect()
}

/// Where a plot lives on every machine.
pub(crate) fn install_dir(topology: &Topology) -> String {
    format!("{}/{}", topology.plot().root.trim_end_matches('/'), topology.name())
}

/// Ports that the kernel must not hand out to outgoing connections, because a
/// service listens there: those in its default range, 32768 to 60999.
fn reserved_ports(topology: &Topology, node: NodeId) -> Vec<String> {
    let mut ranges: BTreeSet<PortRange> = BTreeSet::new();
    for placement in topology.placements_on(node) {
        let endpoints = topology.endpoints_of(placement.service).iter();
        let own = endpoints.filter(|endpoint| endpoint.is_at(placement.id));
        ranges.extend(
            own.map(|endpoint| endpoint.ports)
                .filter(|ports| ports.last().number() >= 32768 && ports.first().number() <= 60999),
        );
    }
    ranges.iter().map(ToString::to_string).collect()
}
