//! What follows from a plot before anything is made.

use std::collections::BTreeMap;
use std::net::IpAddr;

use stageplot_render::Rendering;
use stageplot_topology::{Service, Topology};

use super::authority::{self, Authority};
use super::wire::{OUTSIDE, SERVERS};
use super::{OUTSIDE_NAME, router};
use crate::program::{Missing, Program};
use crate::vault::Vault;

/// Whether the rig can play a plot at all, so far as that is seen beforehand.
pub(super) fn possible(topology: &Topology) -> Result<(), Missing> {
    for program in ["docker", "compose", "nft"] {
        Program::named(program)?;
    }
    let refuse = |what: String, why: &str| Err(Missing::new(what, why.to_owned()));
    let outside_the_plot = |service: &Service| service.kind.is_external();
    if let Some(service) = topology.services().iter().find(|service| outside_the_plot(service)) {
        return refuse(format!("the server of {}", service.name), "the rig runs what the plot runs");
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
pub(super) fn vault(topology: &Topology, secrets: &BTreeMap<String, String>) -> Result<Vault, Missing> {
    let root = Authority::root()?;
    let mut vault = Vault::new(topology)?;
    for (path, secret) in topology.secrets() {
        if path.to_string().ends_with(".tls.ca-root") {
            vault = vault.with_secret(secret, root.clone());
        }
    }
    Ok(secrets.iter().fold(vault, |vault, (name, value)| vault.with(name, value)))
}

/// The nodes in the order in which they come up: those of one group at the same time.
pub(super) fn waves(topology: &Topology) -> Vec<Vec<&str>> {
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
pub(super) fn records(topology: &Topology, rendering: &Rendering) -> String {
    let file = rendering.overview.iter().find(|file| file.path == "dns.txt");
    let mut records = file.map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default();
    for name in authority::names(topology).iter().filter(|name| name.parse::<IpAddr>().is_err()) {
        for (kind, address) in ["A", "AAAA"].into_iter().zip(SERVERS) {
            records.push_str(&format!("{name}. 300 IN {kind} {address}\n"));
        }
    }
    records
}
