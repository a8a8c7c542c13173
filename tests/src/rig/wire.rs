//! The wire, and the machines on it before anything runs on them.

use std::fs;
use std::path::{Path, PathBuf};

use stageplot_topology::{Node, Topology};

use super::authority::Authority;
use super::{OUTSIDE_NAME, read, router, write};
use crate::certificate::Certificate;
use crate::namespace::{Lan, Namespace};
use crate::program::Missing;
use crate::scratch::Scratch;
use crate::stage;

/// The name server and the authority, and the outside, in addresses for documentation
/// (RFC 5737, RFC 3849) that a plot has no reason to use.
pub(super) const SERVERS: [&str; 2] = ["192.0.2.53", "2001:db8:ffff::53"];
pub(super) const OUTSIDE: [&str; 2] = ["192.0.2.7", "2001:db8:ffff::7"];

/// Where Debian keeps the authorities that programs trust.
pub(super) const TRUSTED: &str = "/etc/ssl/certs/ca-certificates.crt";

/// All machines of a rig.
#[derive(Debug)]
pub(super) struct Wire {
    /// Where the name server and the authority run.
    pub(super) servers: Namespace,
    pub(super) outside: Namespace,
    /// One for each node, in the topology's order.
    pub(super) nodes: Vec<Namespace>,
    pub(super) trust: Trust,
    _routers: Vec<Namespace>,
    _scratch: Scratch,
    _lan: Lan,
}

impl Wire {
    /// Makes them, each with its addresses. All ask the servers for names, and trust the
    /// rig's authority and one more certificate, where there is one.
    pub(super) fn new(topology: &Topology, more: Option<&Certificate>) -> Result<Self, Missing> {
        let lan = Lan::new("wire")?;
        let scratch = Scratch::new();
        let trust = Trust::new(scratch.path().join("trust.pem"), &Authority::root()?);
        if let Some(more) = more {
            trust.add(&more.cert);
        }
        let machine = |name: &str, [v4, v6]: [&str; 2]| {
            let machine = lan.machine(name, &[&format!("{v4}/24"), &format!("{v6}/64")]);
            settle(&machine, scratch.path(), &SERVERS, &trust.file);
            machine
        };
        let (servers, outside) = (machine("servers", SERVERS), machine(OUTSIDE_NAME, OUTSIDE));
        let (mut nodes, mut routers) = (Vec::new(), Vec::new());
        for node in topology.nodes() {
            let machine = stage::machine(&lan, topology, node);
            let servers = SERVERS.into_iter().zip([has_v4(node), node.has_v6()]);
            let servers: Vec<_> = servers.filter_map(|(server, reached)| reached.then_some(server)).collect();
            settle(&machine, scratch.path(), &servers, &trust.file);
            let translated = router::translated(node);
            routers.extend(translated.map(|addresses| router::start(&lan, &machine, node, addresses)));
            nodes.push(machine);
        }
        Ok(Self { servers, outside, nodes, trust, _routers: routers, _scratch: scratch, _lan: lan })
    }
}

/// The authorities that all machines trust: this machine's, and the rig's.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) file: PathBuf,
}

impl Trust {
    fn new(file: PathBuf, more: &str) -> Self {
        let trust = Self { file };
        write(&trust.file, &fs::read_to_string(TRUSTED).unwrap_or_default());
        trust.add(more);
        trust
    }

    /// Adds one, for all machines that see the file.
    pub(super) fn add(&self, pem: &str) {
        write(&self.file, &format!("{}\n{pem}", read(&self.file)));
    }
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

pub(super) fn bind(machine: &Namespace, source: &Path, target: &Path) {
    machine.run("mount", &["--bind".as_ref(), source.as_os_str(), target.as_os_str()]).success();
}

fn has_v4(node: &Node) -> bool {
    node.addresses.iter().any(|address| address.ip.is_ipv4())
        || node.public.is_some_and(|public| public.v4.is_some())
}
