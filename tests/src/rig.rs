//! The rig: a whole plot on one machine, from nothing to a site that people can visit.

mod app;
mod authority;
mod names;
mod node;
mod plan;
mod router;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_topology::{Edge, Node, Service, ServiceSpec, Tls, Topology};

pub use self::names::Names;

use self::authority::Authority;
use self::wire::{SERVERS, TRUSTED, Wire};
use crate::installed::Declared;
use crate::machine::Machine;
use crate::process::{Process, wait_for};
use crate::program::Missing;
use crate::vault::Vault;
use crate::visitor::Visitor;

/// What the containers of some nodes may take to be healthy.
const HEALTHY: Duration = Duration::from_secs(90);

/// What a certificate may take to be issued: where a first try fails on a busy machine, Caddy
/// tries again after a minute.
const ISSUED: Duration = Duration::from_secs(150);

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
    topology: Topology,
    rendering: Rendering,
    vault: Vault,
    wire: Wire,
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
        plan::possible(topology)?;
        let mut steps = Steps { tell, began: Instant::now() };
        let vault = plan::vault(topology, &given.secrets)?;
        let rendering = render(topology, Secrets::From(&vault), &Custom::default())
            .unwrap_or_else(|error| panic!("failed to render: {error}"));
        steps.done("rendered");

        let wire = Wire::new(topology, vault.certificate())?;
        let outside = Visitor::resolving(&wire.outside)?;
        outside.trust(&wire.trust.file);
        steps.done("machines on one wire");

        let records = plan::records(topology, &rendering);
        let listen = SERVERS.map(|address| address.parse::<IpAddr>().expect("an address"));
        let names = Names::start(&wire.servers, &listen, &records)?;
        let authority = Authority::start(&wire.servers, topology)?;
        steps.done("name server and certificate authority");

        let machines = thread::scope(|scope| {
            let started = wire.nodes.iter().zip(&rendering.bundles).map(|(namespace, bundle)| {
                scope.spawn(move || (bundle.node.clone(), node::start(namespace, topology, bundle)))
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
            topology: topology.clone(),
            rendering,
            vault,
            wire,
        };
        for (node, machine) in machines {
            rig.machines.insert(node, machine?);
        }
        steps.done("engines with their images");

        for nodes in plan::waves(topology) {
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

    /// Waits until all containers of these nodes are healthy, or have ended well where they
    /// are to end.
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
            let migrations: Vec<_> = self.topology.services().iter().filter_map(Service::migration).collect();
            let is_well = |service: &str, container: &crate::Container| match migrations
                .iter()
                .any(|own| own == service)
            {
                true => container.has_ended_well(),
                false => container.health == "healthy",
            };
            loop {
                let containers = machine.containers();
                let ill: Vec<_> =
                    containers.iter().filter(|(service, container)| !is_well(service, container)).collect();
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
                self.wire.trust.add(&read(&root));
                self.outside.trust(&self.wire.trust.file);
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

fn joined<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()))
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|error| panic!("failed to write {}: {error}", file.display()));
}
