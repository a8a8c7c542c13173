//! What the rules of every example let in, packet by packet: at each of its nodes the TCP
//! ports at the ends of all rules, those beside them, and many others; from a stranger and
//! from a neighbour in each of its networks, over both families.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use stageplot_render::{Custom, Secrets, render};
use stageplot_tests::{Lan, Namespace, examples, inside, knock, want};
use stageplot_topology::{FirewallInput, Hook, Node, Protocol, Topology, firewall};

use crate::closed::lets_in;

/// How long a scan waits for what comes back from a port.
const PATIENCE: Duration = Duration::from_millis(250);

/// Somebody whom no plot knows.
const STRANGER: [&str; 2] = ["192.0.2.99/24", "2001:db8:ffff::99/64"];

#[test]
fn every_example_lets_in_what_the_model_says() {
    let lan = want!(Lan::new("lan"));
    let stranger = lan.machine("stranger", &STRANGER);
    let began = Instant::now();
    let mut scans = 0;
    for (name, topology) in examples() {
        // Who guards the machine itself by ufw has tests of its own.
        if topology.plot().firewall.input != FirewallInput::Nftables {
            continue;
        }
        let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("a rendering");
        for node in topology.nodes() {
            let addresses = addresses(node);
            let written: Vec<_> = addresses.iter().map(|ip| format!("{ip}/{}", length(*ip))).collect();
            let written: Vec<&str> = written.iter().map(String::as_str).collect();
            let machine = lan.machine("node", &written);
            let bundle = rendering.bundles.iter().find(|bundle| bundle.node == node.name.as_str());
            let rules = bundle.and_then(|bundle| bundle.artifact("firewall/stageplot.nft")).expect("rules");
            load(&machine, &rules.bytes);
            // Another plot's node had its address a moment ago.
            stranger.ip(&["neigh", "flush", "all"]);
            for from in [&stranger, &neighbour(&lan, &topology, node)] {
                for &ip in &addresses {
                    let source = source(from, ip);
                    let open = own(&topology, node, source);
                    let ports = ports(&open);
                    let wanted: Vec<u16> = ports.iter().copied().filter(|port| open.contains(port)).collect();
                    let mut found = inside(&from.path(), || knock(ip, &ports, PATIENCE));
                    found.sort_unstable();
                    assert_eq!(found, wanted, "{name}: {ip} of {}, as {source} sees it", node.name);
                    scans += 1;
                }
            }
        }
    }
    println!("{scans} scans took {:?}", began.elapsed());
    assert!(scans > 60, "{scans}");
}

/// The ends of what is open, what is beside them, and many others.
fn ports(open: &BTreeSet<u16>) -> Vec<u16> {
    let ends = open.iter().flat_map(|port| {
        let (before, after) = (port.saturating_sub(1).max(1), port.saturating_add(1));
        let is_end = !open.contains(&before) || !open.contains(&after);
        if is_end { vec![before, *port, after] } else { Vec::new() }
    });
    ends.chain((1..=u16::MAX).step_by(131)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// All addresses of a node; it has them itself, whoever has them in the plot.
fn addresses(node: &Node) -> BTreeSet<IpAddr> {
    let public = node.public.iter().flat_map(|public| public.addresses());
    node.addresses.iter().map(|address| address.ip).chain(public).filter(|ip| !ip.is_loopback()).collect()
}

fn length(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// A machine that is in all networks of a node, and none of the plot's.
fn neighbour(lan: &Lan, topology: &Topology, node: &Node) -> Namespace {
    let networks: BTreeSet<_> = node.addresses.iter().filter_map(|address| address.network).collect();
    let taken: BTreeSet<IpAddr> = topology.nodes().iter().flat_map(addresses).collect();
    let mut own: Vec<String> = Vec::new();
    for net in networks.into_iter().flat_map(|network| &topology.network(network).cidr) {
        let free = net.hosts().skip(200).chain(net.hosts()).find(|ip| !taken.contains(ip));
        own.extend(free.map(|ip| format!("{ip}/{}", length(ip))));
    }
    // Where it has no address of a family, it is a stranger there.
    for (stranger, v4) in STRANGER.iter().zip([true, false]) {
        if !own.iter().any(|ip| ip.contains(':') != v4) {
            own.push(stranger.replace("99/", "98/"));
        }
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    lan.machine("neighbour", &own)
}

/// The address that is seen at `ip`.
fn source(from: &Namespace, ip: IpAddr) -> IpAddr {
    inside(&from.path(), || {
        let any: std::net::SocketAddr = if ip.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
        let socket = std::net::UdpSocket::bind(any).expect("a socket");
        socket.connect((ip, 9)).expect("a way");
        socket.local_addr().expect("an address").ip()
    })
}

/// The TCP ports that the model lets through to processes of the node itself: there are no
/// containers here.
fn own(topology: &Topology, node: &Node, source: IpAddr) -> BTreeSet<u16> {
    let rules = firewall(topology, node.id).into_iter();
    lets_in(rules.filter(|rule| rule.hook == Hook::Input && rule.protocol == Protocol::Tcp), source)
}

fn load(machine: &Namespace, rules: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), rules).expect("rules");
    machine.run("nft", &["-f".as_ref(), file.path().as_os_str()]).success();
}
