//! What no flow allows is not reachable: every port of every address, from outside
//! and from the other node; and what has to stay open does.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use stageplot_tests::{
    Image, Listening, Namespace, Responder, Transport, ask, inside, scan, topology, wait_for, want,
};
use stageplot_topology::{FirewallRule, Protocol, Sources, Topology, firewall};

use crate::pairs::all;
use crate::stage::{DEFAULT, IP6TABLES, NEVER, SOON, Stage};

/// How long a scan waits for what comes back from a port.
const PATIENCE: Duration = Duration::from_millis(250);

/// An edge and an app in containers on `a`, LiveKit on the host's network and Redis in
/// a container on `b`; and all that a plot can open by hand.
const PLOT: &str = r#"
name = "closed"

[access]
ssh  = { from = ["198.51.100.0/24", "2001:db8:9::/64"] }
keep = [
    { port = 9100, from = "lan", why = "node exporter" },
    { port = "7100-7102", from = "198.51.100.9" },
    { port = 51820, protocol = "udp" },
]

[networks.lan]
cidr = ["192.168.1.0/28", "fd00:1::/64"]

[nodes.a]
address = ["192.168.1.1", "fd00:1::1"]
public  = "203.0.113.1"
roles   = ["edge", "app"]

[nodes.b]
address = ["192.168.1.2", "fd00:1::2"]
public  = "203.0.113.2"
roles   = ["livekit", "redis"]

[edge]
domain  = "livekit.example.com"
tls     = "internal"
network = "bridge"

[app]
image  = "stageplot/echo:1"
port   = 8080
routes = "/api/*"
needs  = ["livekit", "redis"]

[app.open]
events    = { port = 7000, from = "any" }
stats     = { port = 7001, from = "lan" }
telemetry = { port = 7002, protocol = "udp", from = "any" }

[livekit]
keys    = { main = { env = "LIVEKIT_API_SECRET" } }
metrics = { port = 6789, from = "2001:db8:9::9" }

[redis]
password = { env = "REDIS_PASSWORD" }
"#;

/// The addresses by which others reach `a` and `b`, and the TCP ports that a stranger
/// is let through to.
const OPEN: [(&str, &str, &[u16]); 4] = [
    ("a", "203.0.113.1", &[22, 80, 443, 7000, 7100, 7101, 7102]),
    ("a", "fd00:1::1", &[22, 80, 443, 7000]),
    ("b", "203.0.113.2", &[22, 7100, 7101, 7102, 7881]),
    ("b", "fd00:1::2", &[22, 6789, 7881]),
];

#[test]
fn closed_where_docker_leaves_ipv6_alone() {
    let mut stage = want!(Stage::new(&Image::STACK, DEFAULT));
    let topology = topology(PLOT);
    stage.raise(&topology);
    every_tcp_port(&stage, &topology, Scans::All);
    some_udp_ports(&stage);
    what_stays_open_does(&stage);
    loopback_is_not_routed_to(&stage);
    // And what was loaded before Docker starts is there after it.
    thread::scope(|scope| {
        for machine in stage.machines.values_mut() {
            scope.spawn(|| machine.reboot());
        }
    });
    every_tcp_port(&stage, &topology, Scans::FromStranger);
    loopback_is_not_routed_to(&stage);
}

#[test]
fn closed_where_docker_translates_ipv6() {
    let mut stage = want!(Stage::new(&Image::STACK, IP6TABLES));
    let topology = topology(&PLOT.replace("[networks.lan]", "[bridge]\nipv6 = true\n\n[networks.lan]"));
    assert!(topology.plot().bridge.ipv6);
    stage.raise(&topology);
    every_tcp_port(&stage, &topology, Scans::FromStranger);
    some_udp_ports(&stage);
}

/// From where ports are scanned.
#[derive(PartialEq)]
enum Scans {
    /// From a stranger and from the other node.
    All,
    /// From a stranger.
    FromStranger,
}

/// Scans all TCP ports: of the nodes from a stranger and from each other, and of the
/// containers by routing to them.
fn every_tcp_port(stage: &Stage, topology: &Topology, which: Scans) {
    let mut scans: Vec<(&str, &Namespace, IpAddr, BTreeSet<u16>)> = Vec::new();
    for (node, address, open) in OPEN {
        let address = parse(address);
        let stranger = if address.is_ipv4() { "198.51.100.9" } else { "2001:db8:9::9" };
        let open = open.iter().copied().collect();
        assert_eq!(let_in(topology, node, parse(stranger)), open, "the model's own answer");
        scans.push(("the stranger", &stage.stranger, address, open));
    }
    let peers = if which == Scans::All { &[("b", "a", 1), ("a", "b", 2)][..] } else { &[] };
    for &(client, node, number) in peers {
        for (address, source) in [
            (format!("192.168.1.{number}"), format!("192.168.1.{}", 3 - number)),
            (format!("fd00:1::{number}"), format!("fd00:1::{}", 3 - number)),
        ] {
            let open = let_in(topology, node, parse(&source));
            scans.push((client, stage.machines[client].namespace(), parse(&address), open));
        }
    }
    let started = Instant::now();
    for two in scans.chunks(2) {
        // What a node itself has just dialled may come back, from a scan as well.
        for machine in stage.machines.values() {
            machine.namespace().run("conntrack", &["--flush"]).success();
        }
        all(two, |_, (from, client, address, open)| {
            let found = inside(&client.path(), || scan(*address, PATIENCE));
            assert_eq!(found, *open, "{address} as {from} sees it");
        });
    }
    for (index, machine) in (1..).zip(stage.machines.values()) {
        let bridge = &topology.plot().bridge;
        let gateways = [format!("203.0.113.{index}"), format!("fd00:1::{index}")];
        for (net, gateway) in [bridge.v4.to_string(), bridge.v6.to_string()].iter().zip(&gateways) {
            stage.stranger.ip(&["route", "replace", net, "via", gateway, "dev", "eth0", "onlink"]);
        }
        // One container stands for all: no rule tells them apart.
        let container = machine.containers.values().next().expect("a container");
        all(&container.addresses, |_, &address| {
            let found = inside(&stage.stranger.path(), || scan(address, PATIENCE));
            assert_eq!(found, BTreeSet::new(), "{address}, routed to");
        });
    }
    println!("{} scans of nodes, and of containers, took {:?}", scans.len(), started.elapsed());
}

/// The TCP ports that the model lets a source through to.
fn let_in(topology: &Topology, node: &str, source: IpAddr) -> BTreeSet<u16> {
    let rules = firewall(topology, topology.node_named(node).expect("a node").id);
    lets_in(rules.into_iter().filter(|rule| rule.protocol == Protocol::Tcp), source)
}

/// The ports that rules let a source through to.
pub(crate) fn lets_in(rules: impl Iterator<Item = FirewallRule>, source: IpAddr) -> BTreeSet<u16> {
    let open = rules.filter(|rule| match &rule.sources {
        Sources::Any => true,
        Sources::Nets(nets) => nets.iter().any(|net| net.contains(&source)),
        Sources::Bridge => false,
    });
    open.flat_map(|rule| rule.ports.first().number()..=rule.ports.last().number()).collect()
}

/// Answers on many UDP ports of the machines themselves, and on one of a container;
/// the stranger hears from those that flows allow.
fn some_udp_ports(stage: &Stage) {
    let app = &stage.machines["a"].containers["app"];
    let mut sockets = inside(&app.namespace, || vec![listening(parse("::"), 7002)]);
    let mut expected = Vec::new();
    let mut targets = Vec::new();
    for (node, address, _) in OPEN {
        let address = parse(address);
        let ports: Vec<u16> = (1..64).map(|index| index * 1021).chain([51819, 51820, 51821]).collect();
        sockets.extend(inside(&stage.machines[node].namespace().path(), || {
            ports.iter().map(|&port| listening(address, port)).collect::<Vec<_>>()
        }));
        let media = |port: u16| node == "b" && (50000..=60000).contains(&port);
        let published = (node == "a").then_some(7002);
        expected.extend(
            ports
                .iter()
                .copied()
                .filter(|&port| media(port) || port == 51820)
                .chain(published)
                .map(|port| SocketAddr::from((address, port))),
        );
        targets.extend(ports.iter().copied().chain([7002]).map(|port| SocketAddr::from((address, port))));
    }
    let _responder = Responder::start(sockets);
    let answers = all(&targets, |_, &target| {
        inside(&stage.stranger.path(), || ask(Transport::Udp, target, NEVER)).is_some()
    });
    let answered: BTreeSet<_> =
        targets.iter().zip(answers).filter(|(_, answer)| *answer).map(|(target, _)| *target).collect();
    assert_eq!(answered, expected.into_iter().collect());
}

/// The operator's way, ICMP, neighbour discovery, DHCP, and what the plot keeps open.
fn what_stays_open_does(stage: &Stage) {
    let machine = stage.machines["a"].namespace();
    let (stranger, peer) = (&stage.stranger, stage.machines["b"].namespace());
    let sockets = inside(&machine.path(), || {
        let mut sockets = Vec::new();
        for address in ["203.0.113.1", "192.168.1.1", "fd00:1::1"].map(parse) {
            for (transport, port) in
                [(Transport::Tcp, 22), (Transport::Tcp, 9100), (Transport::Tcp, 7101), (Transport::Udp, 68)]
            {
                sockets.push(Listening::bind("a", transport, (address, port).into()));
            }
        }
        sockets.push(Listening::bind("a", Transport::Udp, (parse("fd00:1::1"), 546).into()));
        sockets
    });
    let _responder = Responder::start(sockets);
    let answers = |from: &Namespace, address: &str, port| {
        let target = SocketAddr::from((parse(address), port));
        let deadline = if from.name() == stranger.name() && port == 9100 { NEVER } else { SOON };
        inside(&from.path(), || ask(Transport::Tcp, target, deadline)).is_some()
    };
    for address in ["203.0.113.1", "fd00:1::1"] {
        assert!(answers(stranger, address, 22), "SSH at {address}");
        assert!(!answers(stranger, address, 9100), "kept for others than the stranger");
    }
    assert!(answers(stranger, "203.0.113.1", 7101));
    assert!(answers(peer, "192.168.1.1", 9100) && answers(peer, "fd00:1::1", 9100));
    // Without neighbour discovery there is no ping over IPv6 after this.
    for one in [machine, stranger] {
        one.ip(&["neigh", "flush", "all"]);
    }
    for address in ["203.0.113.1", "fd00:1::1"] {
        stranger.run("ping", &["-c1", "-W5", address]).success();
    }
    // A lease comes unasked, as far as connections go: from another address, say.
    for (address, server, client) in [("203.0.113.1", 67, 68), ("fd00:1::1", 547, 546)] {
        for (source, heard) in [(server, true), (server + 1000, false)] {
            let answer = inside(&stranger.path(), || {
                let any = parse(if address.contains(':') { "::" } else { "0.0.0.0" });
                let socket = UdpSocket::bind((any, source)).expect("a socket");
                socket.set_read_timeout(Some(if heard { SOON } else { NEVER })).expect("a deadline");
                socket.send_to(b"?", (parse(address), client)).expect("sent");
                socket.recv(&mut [0; 64]).is_ok()
            });
            assert_eq!(answer, heard, "from port {source} to port {client} of {address}");
        }
    }
}

/// What Docker publishes on a loopback address can be had from the same wire: the
/// destination is rewritten before anybody sees that it is none for a wire. Not so
/// with our rules.
fn loopback_is_not_routed_to(stage: &Stage) {
    let machine = &stage.machines["b"];
    let stranger = &stage.stranger;
    stranger.sysctl("net.ipv4.conf.all.route_localnet", "1");
    let _ = stranger.run("ip", &["route", "delete", "local", "127.0.0.0/8", "dev", "lo", "table", "local"]);
    let _ = stranger.run("ip", &["route", "delete", "local", "127.0.0.1", "dev", "lo", "table", "local"]);
    stranger.ip(&["route", "replace", "127.0.0.1", "via", "203.0.113.2", "dev", "eth0", "onlink"]);
    // The answer comes from a loopback address, which an honest kernel takes from no
    // wire: so it is the machine's own that is asked whether there was one.
    let answers = || {
        let target = SocketAddr::from((parse("127.0.0.1"), 6379));
        inside(&stranger.path(), || ask(Transport::Tcp, target, NEVER));
        let from = ["--dump", "--proto", "tcp", "--src", "198.51.100.9", "--dst", "127.0.0.1"];
        machine.namespace().run("conntrack", &from).success().contains("SYN_RECV")
    };
    assert!(!answers(), "a loopback address, from another machine");
    let open: Vec<_> = machine.rules.lines().filter(|line| !line.trim_end().ends_with(" drop")).collect();
    machine.load("open", &(open.join("\n") + "\n"));
    wait_for("reached but for the rule", SOON, answers);
    machine.load("rules", &machine.rules);
    machine.namespace().run("conntrack", &["--flush"]).success();
    assert!(!answers());
}

fn listening(address: IpAddr, port: u16) -> Listening {
    Listening::bind("udp", Transport::Udp, (address, port).into())
}

fn parse(address: &str) -> IpAddr {
    address.parse().expect("an address")
}
