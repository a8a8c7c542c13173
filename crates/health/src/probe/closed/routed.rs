//! No container answers who routes to it directly, past everything that is published.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};

use futures_util::{StreamExt as _, stream};
use ipnet::IpNet;
use stageplot_topology::{Attachment, NodeId, Protocol, Topology};
use tokio::time::timeout_at;

use super::{Answer, absent, knock, unfinished};
use crate::closed::written;
use crate::probe::Attempt;
use crate::{Cause, Problem};

/// The mark of our own connections, and the number of the routing table for them.
const MARK: u32 = 0x5350;

/// How many addresses of a container network are tried: containers have the first.
const ADDRESSES: usize = 254;

/// No container of a node answers on a port that services of the node listen on.
pub(in crate::probe) async fn containers(attempt: &mut Attempt<'_>, node: NodeId) -> Result<(), Problem> {
    let gateway = attempt.ip()?;
    let topology = attempt.scene.topology.clone();
    let bridge = &topology.plot().bridge;
    let net: IpNet = if gateway.is_ipv4() { bridge.v4.into() } else { bridge.v6.into() };
    let ports = ports(&topology, node);
    // One table, one way at a time.
    let _alone = attempt.scene.routing.lock().await;
    let way = Way::open(net, gateway).map_err(|error| {
        let message = format!("{net} cannot be routed to by {gateway}: {error}");
        Problem::not_tried(Cause::NotPermitted, message).help("run this as root, where iproute2 is installed")
    })?;
    let until = attempt.until();
    let scene = attempt.scene;
    let addresses = net.hosts().skip(1).take(ADDRESSES);
    let targets: Vec<_> =
        addresses.flat_map(|ip| ports.iter().map(move |&port| SocketAddr::new(ip, port))).collect();
    let mut knocks = stream::iter(targets.clone())
        .map(|target| async move { (target, knock(scene, target, Some(MARK)).await) })
        .buffer_unordered(scene.options.knocks.max(1));
    let (mut open, mut tried) = (Vec::new(), 0);
    while let Ok(Some((target, answer))) = timeout_at(until, knocks.next()).await {
        tried += 1;
        if answer.map_err(|error| attempt.cannot(gateway, &error))? != Answer::Silent {
            open.push(target);
        }
    }
    drop(knocks);
    drop(way);
    attempt.evidence.note("containers", net);
    attempt.evidence.note("ports", tried);
    open.sort_unstable();
    if let Some(first) = open.first() {
        let name = &topology.node(node).name;
        let of_first: Vec<u16> =
            open.iter().filter(|target| target.ip() == first.ip()).map(SocketAddr::port).collect();
        let message = format!(
            "{}/tcp of the container {} answer whoever routes to it by {name}",
            written(&of_first),
            first.ip()
        );
        return Err(Problem::failed(Cause::ContainerRouted, message));
    }
    if tried < targets.len() {
        return Err(unfinished(tried, targets.len()));
    }
    if attempt.echo(gateway, attempt.tag()?).await?.answered { Ok(()) } else { Err(absent(gateway)) }
}

/// What the containers of a node listen on.
fn ports(topology: &Topology, node: NodeId) -> Vec<u16> {
    let bridged = topology.placements_on(node).filter(|placed| placed.attachment == Attachment::Bridge);
    let endpoints = bridged.flat_map(|placed| topology.endpoints_of(placed.service));
    let mut ports: Vec<u16> = endpoints
        .filter(|endpoint| endpoint.protocol == Protocol::Tcp)
        .flat_map(|endpoint| [endpoint.ports.first().number(), endpoint.ports.last().number()])
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// A way to a network by a gateway, for our own connections alone; taken away on drop.
struct Way {
    family: &'static str,
}

impl Way {
    fn open(net: IpNet, gateway: IpAddr) -> io::Result<Self> {
        let way = Self { family: if gateway.is_ipv4() { "-4" } else { "-6" } };
        // What a killed run left.
        way.close();
        let (net, gateway) = (net.to_string(), gateway.to_string());
        let number = MARK.to_string();
        way.ip(&["route", "replace", &net, "via", &gateway, "table", &number])?;
        way.ip(&["rule", "add", "fwmark", &number, "lookup", &number, "priority", &number])?;
        Ok(way)
    }

    fn close(&self) {
        let number = MARK.to_string();
        let _ = self.ip(&["rule", "delete", "priority", &number]);
        let _ = self.ip(&["route", "flush", "table", &number]);
    }

    /// Runs iproute2's command, which takes a moment and asks nobody.
    fn ip(&self, arguments: &[&str]) -> io::Result<()> {
        let mut command = Command::new("ip");
        let output = command.arg(self.family).args(arguments).stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.close();
    }
}
