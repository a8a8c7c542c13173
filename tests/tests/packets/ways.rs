//! Ways between machines: several addresses in several networks, addresses that are
//! translated on the way, relays that meet themselves, and two plots on one machine.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use stageplot_render::{Custom, Secrets, render};
use stageplot_tests::{
    Image, Lan, Listening, Namespace, Responder, Scratch, Transport, ask, inside, topology, want,
};
use stageplot_topology::{FlowId, Party, Sources, TargetHost, Topology, arrivals, dial, listen};

use crate::stage::{DEFAULT, NEVER, SOON, Stage, transport};

/// Two addresses in one network, a second network, nodes that only the Internet joins,
/// over either family. All are processes: what is to be seen is the ways.
const MANY_WAYS: &str = r#"
name = "ways"

[networks]
lan = { cidr = "192.168.1.0/28" }
dc  = { cidr = ["10.1.0.0/24", "fd00:2::/64"] }

[nodes]
a = { address = ["192.168.1.1", "192.168.1.5"], public = "203.0.113.1", roles = ["client"] }
b = { address = ["10.1.0.2", "192.168.1.2", "192.168.1.6"], roles = ["server"] }
c = { public = { v4 = "203.0.113.3", v6 = "2001:db8::3" }, roles = ["server"] }
d = { address = ["fd00:2::4", "10.1.0.4"], public = "2001:db8::4", roles = ["client"] }

[services.client]
kind  = "app"
run   = "host"
needs = ["server"]

[services.server]
kind = "app"
run  = "host"
port = 8080
"#;

#[test]
fn every_way_is_the_one_that_the_model_says() {
    let topology = topology(MANY_WAYS);
    let lan = want!(Lan::new("lan"));
    let machines: BTreeMap<_, _> = topology
        .nodes()
        .iter()
        .map(|node| {
            let public = node.public.into_iter().flat_map(|public| public.addresses());
            let addresses = node.addresses.iter().map(|address| address.ip).chain(public);
            let addresses: Vec<_> =
                addresses.map(|ip| format!("{ip}/{}", if ip.is_ipv4() { 24 } else { 64 })).collect();
            let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
            (node.name.to_string(), lan.machine(node.name.as_str(), &addresses))
        })
        .collect();
    let stranger = lan.machine("stranger", &["198.51.100.9/24", "2001:db8:9::9/64"]);
    load(&topology, &machines);
    let ways = ways(&topology);
    assert_eq!(
        ways.iter().map(|way| (way.from.as_str(), way.target.to_string())).collect::<Vec<_>>(),
        [
            ("a", "192.168.1.2:8080".to_owned()),
            ("d", "10.1.0.2:8080".to_owned()),
            ("a", "203.0.113.3:8080".to_owned()),
            ("d", "[2001:db8::3]:8080".to_owned()),
        ]
    );
    let _responder = serve(&topology, &machines);
    for way in &ways {
        way.is_open(&topology, &machines);
        let closed = inside(&stranger.path(), || ask(Transport::Tcp, way.target, NEVER));
        assert_eq!(closed, None, "the stranger to {}", way.target);
    }
    // Whichever of its addresses in that network a node comes from.
    for source in ["192.168.1.1", "192.168.1.5"] {
        machines["a"].ip(&["route", "replace", "192.168.1.0/24", "dev", "eth0", "src", source]);
        assert_eq!(ways[0].is_open(&topology, &machines), source.parse::<IpAddr>().expect("an address"));
    }
}

/// Media nodes in a cloud: public addresses that are translated one to one. Their
/// relays are met at those, also by themselves.
const TRANSLATED: &str = r#"
name = "nat"

[networks.vpc]
cidr = "10.0.0.0/24"

[nodes]
a = { address = "10.0.0.1", public = { v4 = "203.0.113.1", bound = false }, roles = ["livekit"] }
b = { address = "10.0.0.2", public = { v4 = "203.0.113.2", bound = false }, roles = ["livekit", "redis"] }

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }
turn = { udp-port = 3478 }

[redis]
password = { env = "REDIS_PASSWORD" }
network  = "host"
"#;

#[test]
fn relays_meet_at_translated_addresses() {
    let topology = topology(TRANSLATED);
    let lan = want!(Lan::new("vpc"));
    let gateway = lan.machine("gateway", &["10.0.0.254/24", "203.0.113.1/24", "203.0.113.2/24"]);
    gateway.sysctl("net.ipv4.ip_forward", "1");
    // A router that would say there is a shorter way is none that translates.
    gateway.sysctl("net.ipv4.conf.all.send_redirects", "0");
    gateway.sysctl("net.ipv4.conf.eth0.send_redirects", "0");
    let translate = "table ip translate {
        chain prerouting {
            type nat hook prerouting priority -100;
            dnat to ip daddr map { 203.0.113.1 : 10.0.0.1, 203.0.113.2 : 10.0.0.2 }
        }
        chain postrouting {
            type nat hook postrouting priority 100;
            snat to ip saddr map { 10.0.0.1 : 203.0.113.1, 10.0.0.2 : 203.0.113.2 }
        }
    }";
    nft(&gateway, translate);
    let machines = BTreeMap::from([("a", "10.0.0.1/24"), ("b", "10.0.0.2/24")].map(|(name, address)| {
        let machine = lan.machine(name, &[address]);
        machine.ip(&["route", "replace", "default", "via", "10.0.0.254"]);
        (name.to_owned(), machine)
    }));
    let stranger = lan.machine("stranger", &["198.51.100.9/24"]);
    load(&topology, &machines);
    let _responder = serve(&topology, &machines);
    let relays: Vec<_> = ways(&topology).into_iter().filter(|way| way.target.port() == 30000).collect();
    let targets: Vec<_> = relays.iter().map(|way| (way.from.as_str(), way.target.to_string())).collect();
    let (a, b) = ("203.0.113.1:30000".to_owned(), "203.0.113.2:30000".to_owned());
    assert_eq!(targets, [("a", a.clone()), ("b", a), ("a", b.clone()), ("b", b)]);
    for way in &relays {
        let client = way.is_open(&topology, &machines);
        assert!(client.to_string().starts_with("203.0.113."), "translated: {client}");
    }
    let heard = |port: u16| {
        let target = SocketAddr::from(([203, 0, 113, 1], port));
        inside(&stranger.path(), || ask(Transport::Udp, target, NEVER)).is_some()
    };
    assert!(heard(3478) && heard(50000), "what is open to all");
    assert!(!heard(30000), "the relay is open to its peers alone");
}

/// The same where the machines have their public addresses themselves: to those they
/// dial from those, over the private network they do everything else.
#[test]
fn relays_meet_at_public_addresses() {
    let topology = topology(&TRANSLATED.replace(", bound = false", ""));
    let lan = want!(Lan::new("lan"));
    let machines = BTreeMap::from([("a", 1), ("b", 2)].map(|(name, host)| {
        let addresses = [format!("10.0.0.{host}/24"), format!("203.0.113.{host}/24")];
        (name.to_owned(), lan.machine(name, &addresses.each_ref().map(String::as_str)))
    }));
    load(&topology, &machines);
    let _responder = serve(&topology, &machines);
    let ways = ways(&topology);
    for way in &ways {
        let client = way.is_open(&topology, &machines);
        let relay = way.target.port() == 30000;
        assert_eq!(client.to_string().starts_with("203.0.113."), relay, "{} from {client}", way.target);
    }
    assert_eq!(ways.iter().filter(|way| way.target.port() == 30000).count(), 4);
}

/// Two plots on the same machines: each lets in its own, neither shuts the other's, and
/// what neither allows stays closed.
#[test]
fn two_plots_on_one_machine() {
    let mut stage = want!(Stage::new(&[Image::ECHO], DEFAULT));
    let plots = [two("one", 90, 21000), two("two", 91, 22000)];
    let [one, two] = plots.each_ref().map(|plot| topology(plot));
    for topology in [&one, &two] {
        stage.raise(topology);
    }
    let machine = &stage.machines["a"];
    let mut sockets = Vec::new();
    for (name, port) in [("one", 21000), ("two", 22000)] {
        let container = machine.containers[&format!("{name}-web")].namespace.clone();
        for (namespace, from) in [(container, port), (machine.namespace().path(), port + 10)] {
            sockets.extend(inside(&namespace, || {
                let any = |port| Listening::bind(name, Transport::Tcp, ([0u16; 8], port).into());
                [from, from + 1].map(any)
            }));
        }
    }
    let _responder = Responder::start(sockets);
    let open = |port: u16, deadline: Duration| {
        let addresses =
            ["192.168.1.1", "fd00:1::1"].map(|address| address.parse::<IpAddr>().expect("an address"));
        addresses.map(|address| {
            let target = SocketAddr::from((address, port));
            inside(&stage.stranger.path(), || ask(Transport::Tcp, target, deadline)).is_some()
        })
    };
    for port in [21000, 21010, 22000, 22010] {
        assert_eq!(open(port, SOON), [true; 2], "{port} is open to all");
        assert_eq!(open(port + 1, NEVER), [false; 2], "{} is not", port + 1);
    }
    // From one plot's container to another's, to what is open to all and what is not.
    let client = &machine.containers["one-web"].namespace;
    let other = machine.containers["two-web"].addresses[0];
    for (target, deadline) in [(other, NEVER), ("192.168.1.1".parse().expect("an address"), SOON)] {
        let answer = inside(client, || ask(Transport::Tcp, (target, 22000).into(), deadline));
        assert_eq!(answer.is_some(), deadline == SOON, "one's container to {target}");
    }
    // Each plot's table lets in its own, and does no harm when it goes.
    nft(machine.namespace(), "delete table inet stageplot_one");
    assert_eq!([21000, 21010].map(|port| open(port, NEVER)), [[false; 2]; 2]);
    assert_eq!([22000, 22010].map(|port| open(port, SOON)), [[true; 2]; 2]);
}

/// A container and a process, each with a port for all and one for the network.
fn two(name: &str, bridge: u8, port: u16) -> String {
    let open = |port: u16| {
        format!(
            "open = {{ all = {{ port = {port}, from = \"any\" }}, lan = {{ port = {}, from = \"lan\" }} }}",
            port + 1
        )
    };
    let nodes = ["a", "b"].map(|node| {
        let host = if node == "a" { 1 } else { 2 };
        let address = format!("[\"192.168.1.{host}\", \"fd00:1::{host}\"]");
        format!("[nodes.{node}]\naddress = {address}\nroles = [\"{name}-web\", \"{name}-process\"]\n")
    });
    format!(
        "name = \"{name}\"
[networks.lan]
cidr = [\"192.168.1.0/28\", \"fd00:1::/64\"]
[bridge]
v4 = \"172.30.{bridge}.0/24\"
v6 = \"fd5a:9e10:{bridge}::/64\"
{}
[services.{name}-web]
kind = \"app\"
image = \"stageplot/echo:1\"
{}
[services.{name}-process]
kind = \"app\"
run = \"host\"
{}
",
        nodes.concat(),
        open(port),
        open(port + 10),
    )
}

/// A client, and the address that it is to dial.
struct Way {
    flow: FlowId,
    at: stageplot_topology::PlacementId,
    from: String,
    transport: Transport,
    target: SocketAddr,
}

impl Way {
    /// Asks; the address that the server saw, which the model has to expect unless the
    /// packets never left the machine.
    #[track_caller]
    fn is_open(&self, topology: &Topology, machines: &BTreeMap<String, Namespace>) -> IpAddr {
        let answer = inside(&machines[&self.from].path(), || ask(self.transport, self.target, SOON));
        let client =
            answer.unwrap_or_else(|| panic!("{} gets no answer from {}", self.from, self.target)).client;
        let node = topology.node(topology.placement(self.at).node);
        let expected = arrivals(topology, topology.flow(self.flow), self.at);
        let covered = expected.iter().any(|arrival| match &arrival.sources {
            Sources::Any => true,
            Sources::Nets(nets) => nets.iter().any(|net| net.contains(&client)),
            Sources::Bridge => false,
        });
        let stayed = node.name.as_str() == self.from && node.public.is_none_or(|public| public.bound);
        assert!(covered || stayed, "{} came to {} from {client}: {expected:?}", self.from, self.target);
        client
    }
}

/// Every way that a flow between services takes, by server, then client.
fn ways(topology: &Topology) -> Vec<Way> {
    let mut ways = Vec::new();
    for flow in topology.flows() {
        let Party::Service(service) = flow.from else { continue };
        let endpoint = topology.endpoint(flow.to);
        for &at in &endpoint.at {
            for &from in &topology.service(service).placements {
                let target = dial(topology, from, endpoint.id, at).expect("a target");
                let TargetHost::Ip(ip) = target.host else { panic!("no container is here") };
                let from = topology.node(topology.placement(from).node).name.to_string();
                let target = SocketAddr::from((ip, target.port.number()));
                if !ip.is_loopback() {
                    let transport = transport(endpoint.protocol);
                    ways.push(Way { flow: flow.id, at, from, transport, target });
                }
            }
        }
    }
    ways
}

/// Loads each machine's rules.
fn load(topology: &Topology, machines: &BTreeMap<String, Namespace>) {
    let rendering = render(topology, Secrets::SEALED, &Custom::default()).expect("a rendering");
    for bundle in &rendering.bundles {
        let rules = bundle.artifact("firewall/stageplot.nft").expect("rules");
        nft(&machines[&bundle.node], std::str::from_utf8(&rules.bytes).expect("text"));
    }
}

fn nft(machine: &Namespace, rules: &str) {
    let scratch = Scratch::new();
    let file = scratch.path().join("rules.nft");
    fs::write(&file, rules).expect("a file");
    machine.run("nft", &["-f".as_ref(), file.as_os_str()]).success();
}

/// Answers on the first port of every endpoint, where the service is to listen.
fn serve(topology: &Topology, machines: &BTreeMap<String, Namespace>) -> Responder {
    let mut sockets = Vec::new();
    for endpoint in topology.endpoints() {
        for &at in &endpoint.at {
            let machine = &machines[topology.node(topology.placement(at).node).name.as_str()];
            let (port, transport) = (endpoint.ports.first().number(), transport(endpoint.protocol));
            let mut addresses = listen(topology, endpoint.id, at);
            if addresses.iter().any(IpAddr::is_unspecified) {
                // A datagram's answer has to come from the address that was asked.
                let shown = machine.run("ip", &["-brief", "address", "show", "scope", "global"]).success();
                let words = shown.split_whitespace().filter_map(|word| word.split('/').next());
                addresses = words.filter_map(|word| word.parse().ok()).collect();
            }
            sockets.extend(inside(&machine.path(), || {
                let bind = |&address: &IpAddr| Listening::bind("it", transport, (address, port).into());
                addresses.iter().map(bind).collect::<Vec<_>>()
            }));
        }
    }
    Responder::start(sockets)
}
