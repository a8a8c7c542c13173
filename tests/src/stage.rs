//! A whole topology: a machine for each node, with its bundle installed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use stageplot_render::{Rendering, bridge_name};
use stageplot_topology::{Node, Topology};

use crate::installed::Installed;
use crate::namespace::{Lan, Namespace};
use crate::process::Process;
use crate::program::{Missing, Program};
use crate::root::Root;

/// Machines on one wire, one for each node of a topology, with its addresses.
#[derive(Debug)]
pub struct Stage {
    stations: BTreeMap<String, Station>,
    lan: Lan,
}

/// A node of a [`Stage`].
#[derive(Debug)]
pub struct Station {
    machine: Namespace,
    installed: Installed,
    kinds: BTreeMap<String, &'static str>,
}

impl Stage {
    /// Sets all machines up and installs their bundles. Nothing runs yet.
    ///
    /// # Errors
    ///
    /// [`Missing`] where namespaces cannot be had.
    ///
    /// # Panics
    ///
    /// If the rendering is of another topology.
    pub fn new(topology: &Topology, rendering: &Rendering) -> Result<Self, Missing> {
        let lan = Lan::new("lan")?;
        let stations = topology.nodes().iter().zip(&rendering.bundles).map(|(node, bundle)| {
            assert_eq!(node.name.as_str(), bundle.node);
            let kinds = topology.placements_on(node.id).map(|placement| {
                let service = topology.service(placement.service);
                (service.name.to_string(), service.kind.kind())
            });
            let machine = machine(&lan, topology, node);
            bridge(&machine, topology);
            let station = Station { machine, installed: Installed::new(bundle), kinds: kinds.collect() };
            (bundle.node.clone(), station)
        });
        Ok(Self { stations: stations.collect(), lan })
    }

    /// The wire that they are on.
    pub fn lan(&self) -> &Lan {
        &self.lan
    }

    /// All machines by the names of their nodes.
    pub fn stations(&self) -> impl Iterator<Item = (&str, &Station)> {
        self.stations.iter().map(|(name, station)| (name.as_str(), station))
    }

    /// The machine of a node.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    #[track_caller]
    pub fn station(&self, node: &str) -> &Station {
        self.stations.get(node).unwrap_or_else(|| panic!("no node is called {node}"))
    }
}

impl Station {
    /// Its network.
    pub fn machine(&self) -> &Namespace {
        &self.machine
    }

    /// Its bundle.
    pub fn installed(&self) -> &Installed {
        &self.installed
    }

    /// The services of a kind that run on it.
    pub fn services(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.kinds.iter().filter(move |(_, own)| **own == kind).map(|(name, _)| name.as_str())
    }

    /// Makes a file system in which the files of a service's container stand where the
    /// container has them.
    ///
    /// # Errors
    ///
    /// [`Missing`] as [`Root::new`] has it.
    ///
    /// # Panics
    ///
    /// If the service has no container here.
    pub fn root(&self, service: &str) -> Result<Root, Missing> {
        let root = Root::new()?;
        for (source, target) in self.installed.container(service).mounts {
            std::fs::create_dir_all(&source)
                .unwrap_or_else(|error| panic!("failed to make {}: {error}", source.display()));
            root.bind(&source, &target);
        }
        Ok(root)
    }

    /// A command in such a file system and in this machine's network.
    pub fn command(&self, root: &Root, program: &Program, arguments: &[&str]) -> Command {
        // Wherever the program lies on this machine.
        root.bind(program.directory(), PROGRAM);
        let name = program.path().file_name().unwrap_or_default();
        let mut command = root.command(&self.machine, Path::new(PROGRAM).join(name));
        command.args(arguments);
        command
    }

    /// Starts a service as its container would, by a program of the caller's.
    ///
    /// # Errors
    ///
    /// [`Missing`] as [`Root::new`] has it.
    ///
    /// # Panics
    ///
    /// If the service has no container here.
    pub fn start(&self, service: &str, program: &Program) -> Result<Running, Missing> {
        Ok(self.start_in(self.root(service)?, service, program))
    }

    /// Starts a service as [`Station::start`] does, in a file system of [`Station::root`]
    /// that the caller has added to.
    ///
    /// # Panics
    ///
    /// If the service has no container here.
    pub fn start_in(&self, root: Root, service: &str, program: &Program) -> Running {
        let words = self.installed.container(service).command;
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let mut command = match words.as_slice() {
            // A script that finds the program by its name, and the image's entrypoint.
            ["sh", script @ ..] => {
                root.bind(program.directory(), PROGRAM);
                let mut command = root.command(&self.machine, "sh");
                command.args(script).env("PATH", format!("{PROGRAM}:/usr/local/bin:/usr/bin:/bin"));
                match self.kinds.get(service) {
                    Some(&"postgres") => {
                        let data = self.installed.container(service).mounts.pop();
                        be_postgres(&root, data.map(|(_, target)| target).as_deref(), &mut command);
                    }
                    _ => root.write_executable("/usr/local/bin/docker-entrypoint.sh", ENTRYPOINT),
                }
                command
            }
            arguments => self.command(&root, program, arguments),
        };
        Running { process: Process::start(service, &mut command), root }
    }
}

/// Where programs lie in a [`Station`]'s file systems.
const PROGRAM: &str = "/run/program";

/// What the entrypoint of the Redis image does: it hands its directory over, and steps
/// down from root.
const ENTRYPOINT: &str = r#"#!/bin/sh
set -e
cd /data
chown -R 999:1000 .
exec setpriv --reuid 999 --regid 1000 --clear-groups -- "$@"
"#;

/// Makes a file system that of the image of Postgres, whose data is mounted there.
fn be_postgres(root: &Root, data: Option<&str>, command: &mut Command) {
    root.write_executable(
        "/usr/local/bin/docker-entrypoint.sh",
        include_str!("../images/postgres-entrypoint"),
    );
    root.write_executable("/usr/local/bin/gosu", GOSU);
    root.write("/docker-entrypoint-initdb.d/README", "");
    let data = match data {
        Some(volume) if !volume.ends_with("/data") => format!("{volume}/18/docker"),
        data => data.unwrap_or_default().to_owned(),
    };
    command.env("PGDATA", data).env("LANG", "C.UTF-8");
}

/// What the program of that name does, by one that this machine has.
const GOSU: &str = r#"#!/bin/sh
user="$1"
shift
exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@"
"#;

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    // Dropped in this order.
    /// Its process.
    pub process: Process,
    /// Its files.
    pub root: Root,
}

/// A machine with the addresses that a node has itself. To others than its neighbours
/// it speaks by its public ones.
pub(crate) fn machine(lan: &Lan, topology: &Topology, node: &Node) -> Namespace {
    let mut addresses = Vec::new();
    for address in &node.addresses {
        let networks = address.network.iter().flat_map(|network| &topology.network(*network).cidr);
        let network = networks.into_iter().find(|network| network.contains(&address.ip));
        addresses.push((address.ip, network.map_or(full_length(address.ip), |network| network.prefix_len())));
    }
    let public = node.public.into_iter().filter(|public| public.bound).flat_map(|public| public.addresses());
    addresses.extend(public.map(|address| (address, full_length(address))));
    let shown: Vec<_> = addresses.iter().map(|(address, length)| format!("{address}/{length}")).collect();
    let shown: Vec<_> = shown.iter().map(String::as_str).collect();
    let machine = lan.machine(node.name.as_str(), &shown);
    for (family, is_of) in [("-4", IpAddr::is_ipv4 as fn(&IpAddr) -> bool), ("-6", IpAddr::is_ipv6)] {
        if let Some((source, _)) = addresses.iter().rev().find(|(address, _)| is_of(address)) {
            let source = source.to_string();
            machine.ip(&[family, "route", "replace", "default", "dev", "eth0", "src", &source]);
        }
    }
    machine
}

fn full_length(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Gives a machine the bridge that Docker would make on it.
fn bridge(machine: &Namespace, topology: &Topology) {
    let bridge = bridge_name(topology);
    machine.ip(&["link", "add", &bridge, "type", "bridge"]);
    machine.ip(&["link", "set", &bridge, "up"]);
    let gateway = format!("{}/{}", topology.bridge_gateway(), topology.plot().bridge.v4.prefix_len());
    machine.ip(&["address", "add", &gateway, "dev", &bridge]);
}
