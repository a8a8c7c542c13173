//! The rig: a whole plot on one machine, from nothing to a site that people can visit.

mod app;
mod authority;
mod names;
mod router;

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use stageplot_render::{Bundle, Custom, Rendering, Secrets, render};
use stageplot_topology::{Edge, Node, Service, ServiceSpec, Tls, Topology};

pub use self::names::Names;

use self::authority::Authority;
use crate::engine::Engine;
use crate::image::Image;
use crate::installed::Declared;
use crate::machine::Machine;
use crate::namespace::{Lan, Namespace};
use crate::process::{Process, wait_for};
use crate::program::{Missing, Program};
use crate::scratch::Scratch;
use crate::stage;
use crate::vault::Vault;
use crate::visitor::Visitor;

/// What the containers of some nodes may take to be healthy.
const HEALTHY: Duration = Duration::from_secs(90);

/// What a certificate may take to be issued.
const ISSUED: Duration = Duration::from_secs(60);

/// The name server and the authority, and the outside, in addresses for documentation
/// (RFC 5737, RFC 3849) that a plot has no reason to use.
const SERVERS: [&str; 2] = ["192.0.2.53", "2001:db8:ffff::53"];
const OUTSIDE: [&str; 2] = ["192.0.2.7", "2001:db8:ffff::7"];

/// Where Debian keeps the authorities that programs trust.
const TRUSTED: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What no node may be called: the machine from which people visit.
const OUTSIDE_NAME: &str = "outside";

/// What the user of a plot brings along.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Values of secrets from the environment. All others are made up.
    pub secrets: BTreeMap<String, String>,
    /// Commands, for a shell, of services that the user starts (`run = "host"`), by
    /// service. An echo of what it is asked plays all others.
    pub apps: BTreeMap<String, String>,
}

/// A plot that is up: a machine with a Docker engine for each node, all on one wire
/// with an outside that plays the Internet.
///
/// Each machine has its node's addresses and a file system in which the bundle lies
/// where the plot says; its files otherwise are this machine's. It was brought up by
/// the commands of its bundle's README. A name server answers with the records that
/// were rendered, an authority issues certificates by ACME, and everybody trusts it,
/// inside containers too. On drop all of it goes, and nothing stays.
#[derive(Debug)]
pub struct Rig {
    // Dropped in this order: what runs before the wire that it is on.
    apps: BTreeMap<(String, String), Process>,
    machines: BTreeMap<String, Machine>,
    outside: Visitor,
    names: Names,
    records: String,
    _authority: Authority,
    _servers: Namespace,
    _routers: Vec<Namespace>,
    topology: Topology,
    rendering: Rendering,
    vault: Vault,
    trust: Trust,
    _scratch: Scratch,
    _lan: Lan,
}

impl Rig {
    /// Brings a topology up with what the user has given; tells each step and what it
    /// took.
    ///
    /// # Errors
    ///
    /// [`Missing`] where this machine lacks what the rig or the plot takes.
    ///
    /// # Panics
    ///
    /// If the plot does not come up, with what the programs said.
    pub fn up(
        topology: &Topology,
        given: &Given,
        tell: &mut dyn FnMut(&str, Duration),
    ) -> Result<Self, Missing> {
        possible(topology)?;
        let mut steps = Steps { tell, began: Instant::now() };
        let vault = vault(topology, &given.secrets)?;
        let rendering = render(topology, Secrets::From(&vault), &Custom::default())
            .unwrap_or_else(|error| panic!("failed to render: {error}"));
        steps.done("rendered");

        let lan = Lan::new("wire")?;
        let scratch = Scratch::new();
        let trust = Trust::new(scratch.path().join("trust.pem"), &Authority::root()?);
        if let Some(made_up) = vault.certificate() {
            trust.add(&made_up.cert);
        }
        let addresses =
            |addresses: [&str; 2]| [format!("{}/24", addresses[0]), format!("{}/64", addresses[1])];
        let machine = |name: &str, own: [&str; 2]| {
            let own = addresses(own);
            let machine = lan.machine(name, &own.each_ref().map(String::as_str));
            settle(&machine, scratch.path(), &SERVERS, &trust.file);
            machine
        };
        let (servers, outside) = (machine("servers", SERVERS), machine(OUTSIDE_NAME, OUTSIDE));
        let outside = Visitor::resolving(&outside)?;
        outside.trust(&trust.file);
        let namespaces = topology.nodes().iter().map(|node| {
            let machine = stage::machine(&lan, topology, node);
            let servers = SERVERS.into_iter().zip([has_v4(node), node.has_v6()]);
            let servers: Vec<_> = servers.filter_map(|(server, reached)| reached.then_some(server)).collect();
            settle(&machine, scratch.path(), &servers, &trust.file);
            machine
        });
        let namespaces: Vec<_> = namespaces.collect();
        let routers = topology.nodes().iter().zip(&namespaces).filter_map(|(node, machine)| {
            Some(router::start(&lan, machine, node, router::translated(node)?))
        });
        let routers: Vec<_> = routers.collect();
        steps.done("machines on one wire");

        let records = records(topology, &rendering);
        let listen = SERVERS.map(|address| address.parse::<IpAddr>().expect("an address"));
        let names = Names::start(&servers, &listen, &records)?;
        let authority = Authority::start(&servers, topology)?;
        steps.done("name server and certificate authority");

        let machines = thread::scope(|scope| {
            let started = namespaces.iter().zip(&rendering.bundles).map(|(namespace, bundle)| {
                scope.spawn(move || (bundle.node.clone(), start(namespace, topology, bundle)))
            });
            let started: Vec<_> = started.collect();
            started.into_iter().map(|started| joined(started.join())).collect::<Vec<_>>()
        });
        let mut rig = Self {
            apps: BTreeMap::new(),
            machines: BTreeMap::new(),
            outside,
            names,
            records,
            _authority: authority,
            _servers: servers,
            _routers: routers,
            topology: topology.clone(),
            rendering,
            vault,
            trust,
            _scratch: scratch,
            _lan: lan,
        };
        for (node, machine) in machines {
            rig.machines.insert(node, machine?);
        }
        steps.done("engines with their images");

        for nodes in waves(topology) {
            rig.bring_up(&nodes, &given.apps);
            steps.done(&format!("{} up and healthy", nodes.join(", ")));
        }
        rig.wait_for_certificates();
        steps.done("certificates");
        Ok(rig)
    }

    /// What is up.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What was rendered from it.
    pub fn rendering(&self) -> &Rendering {
        &self.rendering
    }

    /// The values of its secrets.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// All machines by the names of their nodes.
    pub fn machines(&self) -> impl Iterator<Item = (&str, &Machine)> {
        self.machines.iter().map(|(name, machine)| (name.as_str(), machine))
    }

    /// The machine of a node.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    #[track_caller]
    pub fn machine(&self, node: &str) -> &Machine {
        self.machines.get(node).unwrap_or_else(|| panic!("no node is called {node}"))
    }

    /// The machine of a node, to end and start its engine.
    ///
    /// # Panics
    ///
    /// As [`Rig::machine`].
    #[track_caller]
    pub fn machine_mut(&mut self, node: &str) -> &mut Machine {
        self.machines.get_mut(node).unwrap_or_else(|| panic!("no node is called {node}"))
    }

    /// A service that the user starts, on a node: its process.
    ///
    /// # Panics
    ///
    /// If none of that name was started there.
    #[track_caller]
    pub fn app_mut(&mut self, node: &str, service: &str) -> &mut Process {
        let app = self.apps.get_mut(&(node.to_owned(), service.to_owned()));
        app.unwrap_or_else(|| panic!("nobody starts {service} on {node}"))
    }

    /// Where a node's bundle is installed, as seen from here; the machine itself has it
    /// where the plot says.
    ///
    /// # Panics
    ///
    /// As [`Rig::machine`].
    #[track_caller]
    pub fn directory(&self, node: &str) -> PathBuf {
        self.machine(node).root().join(self.topology.name().as_str())
    }

    /// The Internet: a machine from which people visit, and that is no operator's.
    pub fn outside(&self) -> &Visitor {
        &self.outside
    }

    /// The name server, to have it answer otherwise.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The records that it answers with unless it is told others.
    pub fn records(&self) -> &str {
        &self.records
    }

    /// A command on a node's machine, or `outside`, as someone who is logged in there
    /// has it, with the plot's secrets in its environment; `None` where there is no
    /// such machine.
    pub fn command(&self, place: &str, program: &str) -> Option<Command> {
        let mut command = match place {
            OUTSIDE_NAME => self.outside.command(program),
            node => self.machines.get(node)?.command(program),
        };
        command.env("SSL_CERT_FILE", TRUSTED).env("CURL_CA_BUNDLE", TRUSTED).envs(self.vault.variables());
        Some(command)
    }

    /// Waits until all containers of these nodes are healthy.
    ///
    /// # Panics
    ///
    /// If they are not by the deadline, with what they are and the logs of those that
    /// are not healthy.
    pub fn wait_until_healthy(&self, nodes: &[&str], deadline: Duration) {
        let end = Instant::now() + deadline;
        for node in nodes {
            let machine = self.machine(node);
            let expected = Declared::all(machine.bundle(&self.rendering), Path::new("")).len();
            loop {
                let containers = machine.containers();
                let ill: Vec<_> =
                    containers.iter().filter(|(_, container)| container.health != "healthy").collect();
                if ill.is_empty() && containers.len() == expected {
                    break;
                }
                if Instant::now() >= end {
                    let log = |(_, container): &(_, &crate::Container)| {
                        let output = machine.engine().docker(&["logs", "--tail", "20", &container.id]);
                        output.stdout + &output.stderr
                    };
                    let logs: String = ill.iter().map(log).collect();
                    panic!("{node}: not healthy after {deadline:?}: {containers:#?}\n{logs}");
                }
                thread::sleep(Duration::from_millis(200));
            }
        }
    }

    /// Brings some nodes up at the same time, and waits until they are well.
    fn bring_up(&mut self, nodes: &[&str], apps: &BTreeMap<String, String>) {
        thread::scope(|scope| {
            let commands = |node: &&str| {
                let (machine, rendering) = (self.machine(node), &self.rendering);
                scope.spawn(move || machine.bring_up(rendering))
            };
            let commands: Vec<_> = nodes.iter().map(commands).collect();
            for commands in commands {
                joined(commands.join());
            }
        });
        let started = nodes.iter().flat_map(|node| {
            app::on(&self.topology, node).map(|(name, app)| {
                let command = apps.get(name).map(String::as_str);
                let process = app::start(self.machine(node), &self.directory(node), name, app, command);
                (((*node).to_owned(), name.to_owned()), process)
            })
        });
        let started: Vec<_> = started.collect();
        self.apps.extend(started);
        self.wait_until_healthy(nodes, HEALTHY);
    }

    /// Waits until every edge has a certificate that the outside takes, for every name
    /// that leads to it.
    fn wait_for_certificates(&self) {
        for (service, edge, node) in edges(&self.topology).filter(|(_, edge, _)| edge.tls != Tls::Off) {
            if edge.tls == Tls::Internal {
                let data = self.directory(node.name.as_str()).join("data").join(service.name.as_str());
                let root = data.join("data/caddy/pki/authorities/local/root.crt");
                wait_for("an authority of the edge's own", ISSUED, || root.exists());
                self.trust.add(&read(&root));
                self.outside.trust(&self.trust.file);
            }
            for name in edge.names() {
                for address in node.public.into_iter().flat_map(|public| public.addresses()) {
                    let port = edge.https_port;
                    let to = match address {
                        IpAddr::V4(v4) => format!("{name}:{port}:{v4}"),
                        IpAddr::V6(v6) => format!("{name}:{port}:[{v6}]"),
                    };
                    let site = format!("https://{name}:{port}/");
                    let asked = ["--output", "/dev/null", "--resolve", &to, &site];
                    wait_for(&format!("a certificate for {name} at {address}"), ISSUED, || {
                        self.outside.curl(&asked).succeeded()
                    });
                }
            }
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.apps.clear();
        // What engines have said is shown by a thread that panics, and by no other.
        if !thread::panicking() {
            thread::scope(|scope| {
                for machine in std::mem::take(&mut self.machines).into_values() {
                    scope.spawn(|| drop(machine));
                }
            });
        }
    }
}

/// The authorities that all machines trust: this machine's, and the rig's.
#[derive(Debug)]
struct Trust {
    file: PathBuf,
}

impl Trust {
    fn new(file: PathBuf, more: &str) -> Self {
        let trust = Self { file };
        write(&trust.file, &fs::read_to_string(TRUSTED).unwrap_or_default());
        trust.add(more);
        trust
    }

    /// Adds one, for all machines that see the file.
    fn add(&self, pem: &str) {
        write(&self.file, &format!("{}\n{pem}", read(&self.file)));
    }
}

/// Tells steps as they end.
struct Steps<'a> {
    tell: &'a mut dyn FnMut(&str, Duration),
    began: Instant,
}

impl Steps<'_> {
    fn done(&mut self, step: &str) {
        (self.tell)(step, self.began.elapsed());
        self.began = Instant::now();
    }
}

/// Whether the rig can play a plot at all, so far as that is seen beforehand.
fn possible(topology: &Topology) -> Result<(), Missing> {
    for program in ["docker", "compose", "nft"] {
        Program::named(program)?;
    }
    let refuse = |what: String, why: &str| Err(Missing::new(what, why.to_owned()));
    let outside_the_plot =
        |service: &Service| matches!(&service.kind, ServiceSpec::Redis(redis) if redis.external.is_some());
    if let Some(service) = topology.services().iter().find(|service| outside_the_plot(service)) {
        return refuse(format!("the Redis of {}", service.name), "the rig runs what the plot runs");
    }
    for node in topology.nodes() {
        if node.name.as_str() == OUTSIDE_NAME {
            return refuse("a name for outside".to_owned(), "the rig calls the Internet so");
        }
        let translated = node.public.filter(|public| !public.bound);
        if translated.is_some_and(|public| public.v6.is_some() || router::translated(node).is_none()) {
            let what = format!("a router for {}", node.name);
            return refuse(what, "those here translate one IPv4 address to another");
        }
        if SERVERS.iter().chain(&OUTSIDE).any(|own| node.has(own.parse().expect("an address"))) {
            return refuse(format!("an address for {}", node.name), "the rig itself has the one it has");
        }
    }
    Ok(())
}

/// A value for each secret: those that are given, the authority's root where one is
/// asked for, and made up ones.
fn vault(topology: &Topology, secrets: &BTreeMap<String, String>) -> Result<Vault, Missing> {
    let root = Authority::root()?;
    let mut vault = Vault::new(topology)?;
    for (path, secret) in topology.secrets() {
        if path.to_string().ends_with(".tls.ca-root") {
            vault = vault.with_secret(secret, root.clone());
        }
    }
    Ok(secrets.iter().fold(vault, |vault, (name, value)| vault.with(name, value)))
}

/// Gives a machine mounts of its own, in which it asks these name servers and trusts
/// this file.
fn settle(machine: &Namespace, scratch: &Path, servers: &[&str], trust: &Path) {
    machine.own_mounts();
    let file = scratch.join(format!("{}.resolv.conf", machine.name()));
    let text: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
    write(&file, &text);
    bind(machine, &file, Path::new("/etc/resolv.conf"));
    bind(machine, trust, Path::new(TRUSTED));
}

fn bind(machine: &Namespace, source: &Path, target: &Path) {
    machine.run("mount", &["--bind".as_ref(), source.as_os_str(), target.as_os_str()]).success();
}

/// Starts the engine of a node with the images that it runs.
fn start(namespace: &Namespace, topology: &Topology, bundle: &Bundle) -> Result<Machine, Missing> {
    let declared = Declared::all(bundle, Path::new(""));
    let images: BTreeMap<_, _> = declared
        .into_iter()
        .map(|(service, declared)| {
            let stand_in = stand_in(topology, &service, &declared.image);
            (declared.image, stand_in)
        })
        .collect();
    let mut loaded: Vec<_> = images.values().map(String::as_str).collect();
    loaded.extend(app::on(topology, &bundle.node).map(|_| Image::ECHO));
    loaded.sort_unstable();
    loaded.dedup();
    // Earlier versions of Docker than 27 have to be told.
    let settings = match topology.plot().bridge.ipv6 {
        true => r#"{ "experimental": true, "ip6tables": true }"#,
        false => "{}",
    };
    let engine = Engine::configured(namespace, &loaded, settings)?;
    for (image, stand_in) in images.iter().filter(|(image, stand_in)| image != stand_in) {
        engine.docker(&["tag", stand_in, image]).success();
    }
    let machine = Machine::new(engine, &bundle.node);
    place(namespace, &machine.root(), Path::new(&topology.plot().root));
    Ok(machine)
}

/// The image that is run in the place of one that nobody can have here.
fn stand_in(topology: &Topology, service: &str, image: &str) -> String {
    let kind = topology.service_named(service).map(|service| &service.kind);
    let stand_in = match kind {
        _ if Image::named(image).is_ok() => image,
        Some(ServiceSpec::App(_)) => Image::ECHO,
        Some(ServiceSpec::Edge(Edge { layer4: true, .. })) => Image::CADDY_L4,
        Some(ServiceSpec::Edge(_)) => Image::CADDY,
        _ => image,
    };
    stand_in.to_owned()
}

/// Lets a machine see a directory at a place that this one may lack.
fn place(machine: &Namespace, directory: &Path, target: &Path) {
    let there = target.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(target);
    if there != target {
        let missing = target.strip_prefix(there).unwrap_or(target);
        let skeleton = directory.with_extension("skeleton");
        fs::create_dir_all(skeleton.join(missing))
            .unwrap_or_else(|error| panic!("failed to make {}: {error}", skeleton.display()));
        let layers = format!("lowerdir={}:{}", skeleton.display(), there.display());
        let overlay = ["-t", "overlay", "overlay", "-o", &layers].map(AsRef::as_ref);
        machine.run("mount", &[&overlay[..], &[there.as_os_str()]].concat()).success();
    }
    bind(machine, directory, target);
}

/// The nodes in the order in which they come up: those of one group at the same time.
fn waves(topology: &Topology) -> Vec<Vec<&str>> {
    let mut waves: Vec<Vec<&str>> = Vec::new();
    let mut waiting: Vec<_> = topology.nodes().iter().map(|node| node.id).collect();
    for step in topology.start_order() {
        let nodes = step.placements.iter().map(|placement| topology.placement(*placement).node);
        let mut wave: Vec<_> = nodes.filter(|node| waiting.contains(node)).collect();
        wave.dedup();
        waiting.retain(|node| !wave.contains(node));
        waves.push(wave.into_iter().map(|node| topology.node(node).name.as_str()).collect());
    }
    // Those that nothing runs on have a firewall all the same.
    waves.push(waiting.into_iter().map(|node| topology.node(node).name.as_str()).collect());
    waves.retain(|wave| !wave.is_empty());
    waves
}

/// What the name server knows: the records that the plot asks for, and the authority.
fn records(topology: &Topology, rendering: &Rendering) -> String {
    let file = rendering.overview.iter().find(|file| file.path == "dns.txt");
    let mut records = file.map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default();
    for name in authority::names(topology).iter().filter(|name| name.parse::<IpAddr>().is_err()) {
        for (kind, address) in ["A", "AAAA"].into_iter().zip(SERVERS) {
            records.push_str(&format!("{name}. 300 IN {kind} {address}\n"));
        }
    }
    records
}

/// Every edge, with every node that it is on.
fn edges(topology: &Topology) -> impl Iterator<Item = (&Service, &Edge, &Node)> {
    topology.placements().iter().filter_map(|placement| {
        let service = topology.service(placement.service);
        match &service.kind {
            ServiceSpec::Edge(edge) => Some((service, edge, topology.node(placement.node))),
            _ => None,
        }
    })
}

fn has_v4(node: &Node) -> bool {
    node.addresses.iter().any(|address| address.ip.is_ipv4())
        || node.public.is_some_and(|public| public.v4.is_some())
}

fn joined<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()))
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|error| panic!("failed to write {}: {error}", file.display()));
}
