//! The runbook: the operator's checklist and steps, filled in with this plot's
//! names, addresses, ports and commands.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;
use stageplot_topology::words::listed;
use stageplot_topology::{
    App, FirewallInput, FirewallRule, Hook, Livekit, Node, NodeId, Persistence, PlacementId, Registry,
    Service, ServiceSpec, Sources, StartStep, Topology, firewall,
};

use super::checklist::{Check, Checklist, at, listens, of_step, off_docker};
use crate::RenderError;
use crate::system::install_dir;
use crate::template::Templates;

/// So many lines of a kind are written out; a runbook of more is read by nobody.
pub(super) const LINES: usize = 200;

/// What the template is given.
#[derive(Serialize)]
struct Runbook<'a> {
    name: &'a str,
    dir: String,
    /// What every Compose command begins with.
    compose: String,
    table: String,
    ssh_port: u16,
    ufw: bool,
    nodes: Vec<Machine>,
    more_nodes: usize,
    steps: Vec<Step>,
    more_steps: usize,
    checklist: Checklist,
    firewalls: Vec<Firewall>,
    edges: Vec<&'a str>,
    livekits: Vec<Drain<'a>>,
    redis: Vec<Backup<'a>>,
    postgres: Vec<Dump<'a>>,
    externals: Vec<&'a str>,
    secrets: Vec<String>,
    /// Where images come from, if not from Docker Hub.
    registries: Vec<String>,
}

#[derive(Serialize)]
struct Machine {
    name: String,
    private: String,
    public: String,
    services: String,
    /// The address to log in at.
    login: String,
}

#[derive(Serialize)]
struct Step {
    service: String,
    what: String,
    nodes: String,
    /// Whether Docker runs it.
    container: bool,
    /// The container that has to end well before it is started.
    migration: Option<String>,
    /// Where it has to listen, where Docker does not run it.
    listens: Vec<Listens>,
    /// Whether its image has to have the programs that ask whether it is well.
    asked_inside: bool,
    checks: Vec<Check>,
}

/// The addresses that a process of the user's own has to listen on, on a node.
#[derive(Serialize)]
struct Listens {
    node: String,
    addresses: String,
}

/// One table of rules, and the nodes that have it.
#[derive(Serialize)]
struct Firewall {
    nodes: String,
    rules: Vec<Rule>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Rule {
    ports: String,
    from: String,
    into: &'static str,
    why: String,
}

#[derive(Serialize)]
struct Drain<'a> {
    service: &'a str,
    max: String,
    alone: bool,
}

#[derive(Serialize)]
struct Backup<'a> {
    service: &'a str,
    node: String,
    port: u16,
    password: bool,
    appendonly: bool,
    /// What a snapshot is called where Redis finds it at its start.
    file: &'static str,
}

#[derive(Serialize)]
struct Dump<'a> {
    service: &'a str,
    node: String,
    port: u16,
    user: &'a str,
    database: &'a str,
}

/// The runbook as Markdown.
pub(super) fn render(topology: &Topology, templates: &Templates) -> Result<String, RenderError> {
    let dir = install_dir(topology);
    let compose = compose(&dir);
    let steps = topology.start_order();
    let services = topology.services();
    let named = |is: fn(&ServiceSpec) -> bool| {
        services.iter().filter(move |s| is(&s.kind) && !s.placements.is_empty()).map(|s| s.name.as_str())
    };
    let runbook = Runbook {
        name: topology.name().as_str(),
        table: topology.firewall_table(),
        ssh_port: topology.plot().access.ssh.port.number(),
        ufw: topology.plot().firewall.input == FirewallInput::Ufw,
        nodes: topology.nodes().iter().take(LINES).map(|node| machine(topology, node)).collect(),
        more_nodes: topology.nodes().len().saturating_sub(LINES),
        more_steps: steps.len().saturating_sub(LINES),
        steps: steps.iter().take(LINES).map(|step| self::step(topology, step, &compose)).collect(),
        checklist: Checklist::new(topology),
        firewalls: firewalls(topology),
        edges: named(|kind| matches!(kind, ServiceSpec::Edge(_))).collect(),
        livekits: services.iter().filter_map(drain).collect(),
        redis: services.iter().filter_map(|service| backup(topology, service)).collect(),
        postgres: services.iter().filter_map(|service| dump(topology, service)).collect(),
        externals: services.iter().filter(|s| s.kind.is_external()).map(|s| s.name.as_str()).collect(),
        secrets: secrets(topology),
        registries: registries(topology),
        dir,
        compose,
    };
    Ok(templates.render("runbook.md", &runbook)?)
}

/// What every Compose command begins with, quoted for a shell.
fn compose(dir: &str) -> String {
    let quoted = |path: &str| match path.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c)) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    };
    let file = format!("{dir}/current/compose.yaml");
    format!("docker compose --project-directory {} --file {}", quoted(dir), quoted(&file))
}

fn machine(topology: &Topology, node: &Node) -> Machine {
    let private: Vec<_> = node.addresses.iter().map(|address| address.ip.to_string()).collect();
    let public: Vec<_> =
        node.public.into_iter().flat_map(|p| p.addresses()).map(|ip| ip.to_string()).collect();
    let translated = node.public.is_some_and(|public| !public.bound);
    let services = topology.placements_on(node.id).map(|p| topology.service(p.service).name.to_string());
    let login = public.first().or(private.first()).cloned().unwrap_or_default();
    Machine {
        name: node.name.to_string(),
        private: private.join(", "),
        public: public.join(", ") + if translated { " (translated)" } else { "" },
        services: services.collect::<Vec<_>>().join(", "),
        login: if login.contains(':') { format!("[{login}]") } else { login },
    }
}

fn step(topology: &Topology, step: &StartStep, compose: &str) -> Step {
    let service = topology.service(step.service);
    let what = match &service.kind {
        ServiceSpec::Edge(_) => "Caddy",
        ServiceSpec::Livekit(_) => "LiveKit",
        ServiceSpec::Redis(_) if step.replicas => "the replicas of Redis",
        ServiceSpec::Redis(_) if service.placements.len() > 1 => "the primary Redis",
        ServiceSpec::Redis(_) => "Redis",
        ServiceSpec::Postgres(_) if step.replicas => "the replicas of Postgres",
        ServiceSpec::Postgres(_) if service.placements.len() > 1 => "the primary Postgres",
        ServiceSpec::Postgres(_) => "Postgres",
        ServiceSpec::Prometheus(_) => "Prometheus",
        ServiceSpec::Grafana(_) => "Grafana",
        ServiceSpec::Rtmp(_) => "nginx for RTMP",
        ServiceSpec::IonSfu(_) => "ion-sfu",
        ServiceSpec::Ingress(_) => "LiveKit's ingress",
        ServiceSpec::Egress(_) => "LiveKit's egress",
        ServiceSpec::Sip(_) => "LiveKit's SIP",
        ServiceSpec::App(_) => "your service",
    };
    let of = |id: &PlacementId| topology.placement(*id);
    Step {
        service: service.name.to_string(),
        what: what.to_owned(),
        nodes: listed(
            &step.placements.iter().map(|id| topology.node(of(id).node).name.as_str()).collect::<Vec<_>>(),
        ),
        container: !off_docker(topology, step),
        migration: service.migration().map(|name| name.to_string()),
        listens: own_process(topology, step, service),
        asked_inside: matches!(&service.kind, ServiceSpec::App(app) if app.port.is_some() && app.health.is_some())
            && !off_docker(topology, step),
        checks: of_step(topology, step, compose),
    }
}

/// Where a process of the user's own has to listen.
fn own_process(topology: &Topology, step: &StartStep, service: &Service) -> Vec<Listens> {
    let ServiceSpec::App(App { port: Some(port), .. }) = &service.kind else { return Vec::new() };
    if !off_docker(topology, step) {
        return Vec::new();
    }
    let on_nodes = listens(topology, step).into_iter().take(LINES);
    let on_node = |(node, addresses): (&str, Vec<IpAddr>)| Listens {
        node: node.to_owned(),
        addresses: addresses.into_iter().map(|ip| at(ip, *port).to_string()).collect::<Vec<_>>().join(", "),
    };
    on_nodes.map(on_node).filter(|listens| !listens.addresses.is_empty()).collect()
}

/// Each table of rules once, with the nodes that have it.
fn firewalls(topology: &Topology) -> Vec<Firewall> {
    let mut alike: BTreeMap<Vec<FirewallRule>, Vec<NodeId>> = BTreeMap::new();
    for node in topology.nodes() {
        alike.entry(firewall(topology, node.id)).or_default().push(node.id);
    }
    // Rules that are not alike may read the same.
    let mut tables: BTreeMap<Vec<Rule>, Vec<NodeId>> = BTreeMap::new();
    for (rules, nodes) in alike {
        let table = tables.entry(rules.iter().map(rule).collect()).or_default();
        table.extend(nodes);
        table.sort();
    }
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by_key(|(_, nodes)| nodes.first().copied());
    let tables = tables.into_iter().take(LINES).map(|(rules, nodes)| Firewall {
        nodes: listed(&nodes.iter().map(|&id| topology.node(id).name.as_str()).collect::<Vec<_>>()),
        rules,
    });
    tables.collect()
}

fn rule(rule: &FirewallRule) -> Rule {
    const NAMED: usize = 8;
    let from = match &rule.sources {
        Sources::Any => "anywhere".to_owned(),
        Sources::Bridge => "containers on this node".to_owned(),
        Sources::Nets(nets) => {
            let named = nets.iter().take(NAMED).map(|net| match net.prefix_len() == net.max_prefix_len() {
                true => net.addr().to_string(),
                false => net.to_string(),
            });
            let rest = nets.len().saturating_sub(NAMED);
            let more = (rest > 0).then(|| format!("{rest} more"));
            named.chain(more).collect::<Vec<_>>().join(", ")
        }
    };
    let into = match rule.hook {
        Hook::Input => "the node",
        Hook::Forward => "a container",
    };
    Rule { ports: format!("{} {}", rule.ports, rule.protocol), from, into, why: rule.reason.clone() }
}

fn drain(service: &Service) -> Option<Drain<'_>> {
    match &service.kind {
        ServiceSpec::Livekit(livekit) => {
            let Livekit { drain, .. } = &**livekit;
            let alone = service.placements.len() < 2;
            Some(Drain { service: service.name.as_str(), max: drain.max.to_string(), alone })
        }
        _ => None,
    }
}

fn backup<'a>(topology: &'a Topology, service: &'a Service) -> Option<Backup<'a>> {
    let ServiceSpec::Redis(redis) = &service.kind else { return None };
    let primary = topology.placement(service.primary?);
    let appendonly = redis.persistence == Persistence::Aof;
    Some(Backup {
        service: service.name.as_str(),
        node: topology.node(primary.node).name.to_string(),
        port: redis.port.number(),
        password: redis.password.is_some(),
        appendonly,
        // A log may begin with a snapshot, and so be one.
        file: if appendonly { "appendonly.aof" } else { "dump.rdb" },
    })
}

fn dump<'a>(topology: &'a Topology, service: &'a Service) -> Option<Dump<'a>> {
    let ServiceSpec::Postgres(postgres) = &service.kind else { return None };
    let primary = topology.placement(service.primary?);
    Some(Dump {
        service: service.name.as_str(),
        node: topology.node(primary.node).name.to_string(),
        port: postgres.port.number(),
        user: postgres.user.as_str(),
        database: postgres.database.as_str(),
    })
}

/// Where images are pulled from, each once, without Docker Hub.
fn registries(topology: &Topology) -> Vec<String> {
    let images = topology.images();
    let registries: BTreeSet<_> = images.keys().map(|image| topology.pulled(image).registry()).collect();
    let others = registries.iter().filter(|registry| **registry != Registry::docker_hub());
    others.map(ToString::to_string).collect()
}

/// Where the plot's secrets come from, each once.
fn secrets(topology: &Topology) -> Vec<String> {
    let mut labels: Vec<_> = topology.secrets().iter().map(|(_, secret)| secret.label()).collect();
    labels.sort();
    labels.dedup();
    labels
}
