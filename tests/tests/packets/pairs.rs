//! Every pair of attachments, on one machine and on two, over both families.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use stageplot_tests::{Answer, Listening, Responder, Transport, ask, inside, lookup, want};
use stageplot_topology::{
    App, Attachment, ContainerNetwork, Endpoint, FirewallInput, Flow, Hook, Name, NetworkSpec, NodeSpec,
    Opening, Party, Placement, PlacementId, Plot, Port, Protocol, Run, Source, Sources, TargetHost, Topology,
    arrivals, dial, listen,
};

use crate::stage::{DEFAULT, IP6TABLES, Machine, NEVER, SOON, Seen, Stage, transport};

const ATTACHMENTS: [(Attachment, &str); 3] =
    [(Attachment::Host, "host"), (Attachment::Bridge, "bridge"), (Attachment::OffDocker, "process")];

const IMAGE: &str = "stageplot/echo:1";

/// Docker 26 as it comes. With both nodes in one network of both families, services
/// dial over IPv4, and the Internet comes over both; with IPv6 in the network and
/// IPv4 on the Internet, containers take the latter.
#[test]
fn every_pair_where_docker_leaves_ipv6_alone() {
    let mut stage = want!(Stage::new(&[IMAGE], DEFAULT));
    try_all(&mut stage, &plot("four", &[LAN_V4, LAN_V6], false));
    try_all(&mut stage, &plot("six", &[LAN_V6, PUBLIC_V4], false));
    let mut ufw = plot("ufw", &[LAN_V4, LAN_V6], false);
    ufw.firewall.input = FirewallInput::Ufw;
    try_all(&mut stage, &ufw);
}

/// Docker as it is from version 27 on, both where containers have IPv6 and where
/// they have not.
#[test]
fn every_pair_where_docker_translates_ipv6() {
    let mut stage = want!(Stage::new(&[IMAGE], IP6TABLES));
    try_all(&mut stage, &plot("six", &[LAN_V6, PUBLIC_V4], true));
    try_all(&mut stage, &plot("four", &[LAN_V6, PUBLIC_V4], false));
}

/// The addresses that `a` and `b` have.
type Addresses = fn(NodeSpec, u8) -> NodeSpec;

const LAN_V4: Addresses = |node, host| node.address(Ipv4Addr::new(192, 168, 1, host).into());
const LAN_V6: Addresses =
    |node, host| node.address(Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, host.into()).into());
const PUBLIC_V4: Addresses =
    |node, host| NodeSpec { public: Some(IpAddr::from(Ipv4Addr::new(203, 0, 113, host)).into()), ..node };

/// For each pair of attachments a client on `a` and a server on both nodes. Processes
/// are clients on `b` as well, so that their servers have neighbours at home and away.
/// One server of each attachment is also open to others.
fn plot(name: &str, addresses: &[Addresses], ipv6: bool) -> Plot {
    let mut plot = Plot::new(named(name));
    plot.bridge.ipv6 = ipv6;
    let lan = ["192.168.1.0/28", "fd00:1::/64"].map(|net| net.parse().expect("a network"));
    plot = plot.network("lan", NetworkSpec::new(lan));
    let mut nodes =
        [1, 2].map(|host| addresses.iter().fold(NodeSpec::default(), |node, address| address(node, host)));
    let mut port = 20000;
    for (client, client_name) in ATTACHMENTS {
        let mut needs = Vec::new();
        for (server, server_name) in ATTACHMENTS {
            let name = format!("{server_name}-for-{client_name}");
            let mut service = app(server, port);
            service.port = Some(Port::new(port).expect("a port"));
            if client == Attachment::Host {
                for (index, (what, protocol, from)) in (1..).zip([
                    ("anybody", Protocol::Tcp, Source::Any),
                    ("anybody-udp", Protocol::Udp, Source::Any),
                    ("lan-udp", Protocol::Udp, Source::Network(named("lan"))),
                    ("one", Protocol::Tcp, "198.51.100.0/24".parse().expect("a source")),
                    ("one-udp", Protocol::Udp, "2001:db8:9::9".parse().expect("a source")),
                ]) {
                    let port = Port::new(port + index).expect("a port");
                    service.open.insert(named(what), Opening { port, protocol, from: vec![from] });
                }
            }
            needs.push(named(&name));
            plot = plot.service(&name, service);
            nodes = nodes.map(|node| node.role(&name));
            port += 10;
        }
        let mut service = app(client, port);
        service.needs = needs;
        port += 10;
        let name = format!("client-{client_name}");
        plot = plot.service(&name, service);
        let [a, b] = nodes;
        nodes = [a.role(&name), if client == Attachment::OffDocker { b.role(&name) } else { b }];
    }
    let [a, b] = nodes;
    plot.node("a", a).node("b", b)
}

/// A service whose container idles: its program listens where nobody asks for it, and
/// what is asked for is answered by sockets of ours.
fn app(attachment: Attachment, port: u16) -> App {
    let image = IMAGE.parse().expect("an image");
    let idle = [("PORT".to_owned(), (port + 10000).to_string().into())];
    match attachment {
        Attachment::OffDocker => App { run: Some(Run::Host), ..App::default() },
        _ => App {
            image: Some(image),
            network: (attachment == Attachment::Host).then_some(ContainerNetwork::Host),
            env: idle.into(),
            ..App::default()
        },
    }
}

fn named(name: &str) -> Name {
    name.parse().expect("a name")
}

/// Somebody who is to reach an endpoint of a placement, as a flow says.
struct Case<'a> {
    flow: &'a Flow,
    endpoint: &'a Endpoint,
    at: Placement,
    /// Who the client is, where the plot places it.
    placement: Option<PlacementId>,
    /// Where the client is.
    client: PathBuf,
    client_name: String,
    target: SocketAddr,
    /// Who has to answer.
    server: String,
}

/// Brings a plot up, and tries all that it allows and much that it does not.
fn try_all(stage: &mut Stage, plot: &Plot) {
    let topology = &plot.build().expect("a sound plot").topology;
    stage.raise(topology);
    let cases = cases(stage, topology);
    let serving = serve(stage, topology, Where::AsTold);
    let seen = where_all_come_by(stage, topology, &cases);
    every_arrival_is_seen(topology, &cases, &seen);
    every_pair_is_tried(topology, &cases);
    match plot.firewall.input {
        FirewallInput::Nftables => rules_are_what_lets_in(stage, topology, &cases, &seen, |_| true),
        FirewallInput::Ufw => {
            rules_are_what_lets_in(stage, topology, &cases, &seen, |hook| hook == Seen::Forward);
            commands_are_what_lets_in(stage, topology, &cases, &seen);
        }
    }
    drop(serving);
    let _serving = serve(stage, topology, Where::Everywhere);
    what_no_flow_allows_is_closed(stage, topology);
    containers_are_not_routed_to(stage, topology);
    stage.lower();
}

/// Whether nothing of what the model expects at the firewall is superfluous.
fn every_arrival_is_seen(topology: &Topology, cases: &[Case<'_>], seen: &[Option<Seen>]) {
    for case in cases {
        for arrival in arrivals(topology, case.flow, case.at.id) {
            let came = cases.iter().zip(seen).any(|(other, seen)| {
                (other.flow.id, other.at.id) == (case.flow.id, case.at.id)
                    && *seen == Some(arrival.hook.into())
            });
            // Datagrams of the node's own containers, which Docker would have to answer
            // from the address that was asked.
            let datagrams = case.endpoint.protocol == Protocol::Udp
                && topology.plot().bridge.ipv6
                && (case.at.attachment, arrival.hook) == (Attachment::Bridge, Hook::Input);
            assert!(came || datagrams, "{}: nothing came by {arrival:?}", case.title(topology));
        }
    }
}

/// Whether each attachment was client and server of each other one, at home and away.
fn every_pair_is_tried(topology: &Topology, cases: &[Case<'_>]) {
    let mut tried = BTreeSet::new();
    for case in cases {
        if let Some(client) = case.placement {
            let client = topology.placement(client);
            tried.insert((client.attachment, case.at.attachment, client.node == case.at.node));
        }
    }
    assert_eq!(tried.len(), 3 * 3 * 2, "{tried:?}");
}

/// Takes away every other rule: what needs it gets no answer, all else does. Then
/// the rest, and then all: what comes by no firewall is answered even so.
fn rules_are_what_lets_in(
    stage: &Stage,
    topology: &Topology,
    cases: &[Case<'_>],
    seen: &[Option<Seen>],
    guarded: fn(Seen) -> bool,
) {
    let key = |case: &Case<'_>, hook: Seen| {
        (case.at.node, hook, transport(case.endpoint.protocol), case.target.port())
    };
    let needed: BTreeSet<_> = cases
        .iter()
        .zip(seen)
        .filter_map(|(case, seen)| Some(key(case, seen.filter(|&hook| guarded(hook))?)))
        .collect();
    let takes: [fn(usize) -> bool; 3] = [|index| index % 2 == 0, |index| index % 2 == 1, |_| true];
    for takes in takes {
        let taken = needed.iter().enumerate().filter(|(index, _)| takes(*index)).map(|(_, key)| *key);
        let taken: BTreeSet<_> = taken.collect();
        for (name, machine) in &stage.machines {
            let node = topology.node_named(name).expect("a node").id;
            let own: Vec<_> = taken.iter().filter(|key| key.0 == node).collect();
            let is_taken = |rule: Rule<'_>| {
                own.iter().any(|&&(_, hook, transport, port)| rule.is(hook, transport, port))
            };
            machine.load("without", &without(&machine.rules, is_taken));
        }
        let answers = all(cases, |index, case| {
            let open = seen[index].is_none_or(|hook| !taken.contains(&key(case, hook)));
            (open, case.ask(if open { SOON } else { NEVER }))
        });
        for (case, (open, answer)) in cases.iter().zip(answers) {
            let title = case.title(topology);
            assert_eq!(answer.is_some(), open, "{title}: {answer:?} while its rule is there: {open}");
        }
    }
    for machine in stage.machines.values() {
        machine.load("rules", &machine.rules);
    }
}

/// Takes away what ufw was told: what ends on a machine itself gets no answer, all
/// else does.
fn commands_are_what_lets_in(stage: &Stage, topology: &Topology, cases: &[Case<'_>], seen: &[Option<Seen>]) {
    let families = [("iptables", "ufw-user-input"), ("ip6tables", "ufw6-user-input")];
    for machine in stage.machines.values() {
        for (program, chain) in families {
            machine.namespace().run(program, &["--flush", chain]).success();
        }
    }
    let answers = all(cases, |index, case| {
        let open = seen[index] != Some(Seen::Input);
        (open, case.ask(if open { SOON } else { NEVER }))
    });
    for (case, (open, answer)) in cases.iter().zip(answers) {
        assert_eq!(answer.is_some(), open, "{}: {answer:?}", case.title(topology));
    }
    for machine in stage.machines.values() {
        machine.command_ufw();
    }
}

/// Asks from everywhere else for everything, and on every address.
fn what_no_flow_allows_is_closed(stage: &Stage, topology: &Topology) {
    let mut attempts = Vec::new();
    for endpoint in topology.endpoints() {
        for &id in &endpoint.at {
            let at = topology.placement(id);
            let node = topology.node(at.node);
            let machine = stage.machine(topology, at);
            let other = if node.name.as_str() == "a" { "b" } else { "a" };
            let mut clients = vec![
                (Outsider::Stranger, stage.stranger.path()),
                (Outsider::Machine(other), stage.machines[other].namespace().path()),
            ];
            let bridged = machine.containers.get("client-bridge");
            clients.extend(bridged.map(|container| (Outsider::Container, container.namespace.clone())));
            let own = stage.machines[other].addresses();
            for (outsider, namespace) in clients {
                for address in machine.addresses() {
                    // The other machine has bridges of the same addresses.
                    if outsider == Outsider::Machine(other) && own.contains(&address) {
                        continue;
                    }
                    let may = |flow: &Flow| outsider.may(topology, flow.from, address.is_ipv6());
                    if !topology.flows_to(endpoint.id).any(may) {
                        let target = SocketAddr::from((address, endpoint.ports.first().number()));
                        attempts.push((namespace.clone(), outsider, transport(endpoint.protocol), target));
                    }
                }
            }
        }
    }
    let answers = all(&attempts, |_, (namespace, _, transport, target)| {
        inside(namespace, || ask(*transport, *target, NEVER))
    });
    for ((_, outsider, transport, target), answer) in attempts.iter().zip(answers) {
        assert_eq!(answer, None, "{outsider:?} reached {target} over {transport:?}");
    }
    println!("{} ways that no flow allows are closed", attempts.len());
}

/// Somebody whom a flow may allow or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outsider {
    /// A machine that is in no plot.
    Stranger,
    /// Another node, as a machine and as what its containers are seen as.
    Machine(&'static str),
    /// A container on the same node.
    Container,
}

impl Outsider {
    /// Whether a flow from that party is one from here, over that family.
    fn may(self, topology: &Topology, from: Party, v6: bool) -> bool {
        match (from, self) {
            (Party::Internet, _) | (Party::Network(_), Self::Machine(_)) => true,
            (Party::Nets(nets), Self::Stranger) => {
                topology.nets(nets).iter().any(|net| net.addr().is_ipv6() == v6)
            }
            (Party::Service(service), Self::Machine(name)) => {
                let node = topology.node_named(name).expect("a node").id;
                topology.placements_on(node).any(|placement| placement.service == service)
            }
            (Party::Service(service), Self::Container) => {
                topology.service(service).name.as_str() == "client-bridge"
            }
            _ => false,
        }
    }
}

/// Sends packets straight to containers, past the ports that are published. They
/// arrive where no rule of ours stops them, or this test would prove nothing.
fn containers_are_not_routed_to(stage: &Stage, topology: &Topology) {
    let bridge = &topology.plot().bridge;
    let stranger = &stage.stranger;
    for (index, (name, machine)) in (1..).zip(&stage.machines) {
        let gateways = [format!("203.0.113.{index}"), format!("fd00:1::{index}")];
        for (net, gateway) in [bridge.v4.to_string(), bridge.v6.to_string()].iter().zip(&gateways) {
            stranger.ip(&["route", "replace", net, "via", gateway, "dev", "eth0", "onlink"]);
        }
        let mut targets = Vec::new();
        for placement in topology.placements_on(topology.node_named(name).expect("a node").id) {
            let service = topology.service(placement.service);
            let container = machine.containers.get(service.name.as_str());
            for endpoint in topology.endpoints_of(service.id) {
                let port = endpoint.ports.first().number();
                let addresses = container.iter().flat_map(|container| &container.addresses);
                let transport = transport(endpoint.protocol);
                targets.extend(addresses.map(|&address| (transport, SocketAddr::from((address, port)))));
            }
        }
        let ask_all = || {
            let answers = all(&targets, |_, &(transport, target)| {
                inside(&stranger.path(), || ask(transport, target, NEVER))
            });
            let answered = targets.iter().zip(answers).filter(|(_, answer)| answer.is_some());
            answered.map(|((_, target), _)| *target).collect::<Vec<_>>()
        };
        assert_eq!(ask_all(), [], "routed to on {name}");
        let guard = |Rule(line): Rule<'_>| line.contains("oifname") && line.ends_with("drop");
        machine.load("open", &without(&machine.rules, guard));
        let answered = ask_all();
        assert_ne!(answered, [], "Docker guards {name} by itself");
        println!("{} of {} container ports on {name} but for the rule", answered.len(), targets.len());
        machine.load("rules", &machine.rules);
    }
}

/// Does something with each of many, some at a time, and keeps the order.
pub(crate) fn all<T: Sync, R: Send>(items: &[T], act: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    const AT_A_TIME: usize = 32;
    let act = &act;
    let several = |(chunk, items): (usize, &[T])| {
        thread::scope(|scope| {
            let items = (chunk * AT_A_TIME..).zip(items);
            let started: Vec<_> = items.map(|(index, item)| scope.spawn(move || act(index, item))).collect();
            let done = started.into_iter().map(|done| done.join());
            done.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
        })
    };
    items.chunks(AT_A_TIME).enumerate().flat_map(several).collect()
}

/// Tries all cases; where each came by, if a firewall could have seen it.
fn where_all_come_by(stage: &Stage, topology: &Topology, cases: &[Case<'_>]) -> Vec<Option<Seen>> {
    // As many at a time as the probe can tell apart: one for each port of a machine.
    let mut rounds: Vec<BTreeMap<_, usize>> = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let port = (case.at.node, case.target.port());
        match rounds.iter_mut().find(|round| !round.contains_key(&port)) {
            Some(round) => _ = round.insert(port, index),
            None => rounds.push([(port, index)].into()),
        }
    }
    let mut seen = vec![None; cases.len()];
    for round in rounds {
        stage.machines.values().for_each(Machine::forget);
        let round: Vec<_> = round.into_values().collect();
        let answers = all(&round, |_, &index| cases[index].ask(SOON));
        let probes: BTreeMap<_, _> = stage.machines.iter().map(|(name, m)| (name, m.seen())).collect();
        for (index, answer) in round.into_iter().zip(answers) {
            let case = &cases[index];
            let probe = &probes[&topology.node(case.at.node).name.to_string()];
            let wanted = (transport(case.endpoint.protocol), case.target.port());
            let came = probe.iter().filter(|came| (came.0, came.1) == wanted);
            let came: Vec<_> = came.map(|&(_, _, hook, source)| (hook, source)).collect();
            seen[index] = came_by(topology, case, answer, &came);
        }
    }
    seen
}

/// Holds an answer, and what the probe saw of its question, against the model.
fn came_by(
    topology: &Topology,
    case: &Case<'_>,
    answer: Option<Answer>,
    seen: &[(Seen, IpAddr)],
) -> Option<Seen> {
    let title = case.title(topology);
    let answer = answer.unwrap_or_else(|| panic!("{title}: no answer from {}", case.target));
    assert_eq!(answer.name, case.server, "{title}: somebody else answers");
    let expected = arrivals(topology, case.flow, case.at.id);
    println!("{title}: {} as {}, {seen:?}", case.target, answer.client);
    assert!(seen.len() <= 1, "{title}: came by {seen:?}");
    let &(hook, source) = seen.first()?;
    let covered = expected
        .iter()
        .any(|arrival| Seen::from(arrival.hook) == hook && holds(topology, &arrival.sources, source));
    assert!(covered, "{title}: came by {hook:?} from {source}, expected {expected:?}");
    Some(hook)
}

fn holds(topology: &Topology, sources: &Sources, address: IpAddr) -> bool {
    match sources {
        Sources::Any => true,
        Sources::Nets(nets) => nets.iter().any(|net| net.contains(&address)),
        Sources::Bridge => matches!(address, IpAddr::V4(v4) if topology.plot().bridge.v4.contains(&v4)),
    }
}

impl Case<'_> {
    /// Asks from where the client is.
    fn ask(&self, deadline: Duration) -> Option<Answer> {
        let transport = transport(self.endpoint.protocol);
        inside(&self.client, || ask(transport, self.target, deadline))
    }

    fn title(&self, topology: &Topology) -> String {
        let published = listen(topology, self.endpoint.id, self.at.id);
        let published = published.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let Self { client_name, server, endpoint, .. } = self;
        format!("{client_name} → {server} {} {} [{published}]", endpoint.name, endpoint.protocol)
    }
}

/// Every flow from each of its clients to each placement that it leads to.
fn cases<'a>(stage: &Stage, topology: &'a Topology) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for flow in topology.flows() {
        let endpoint = topology.endpoint(flow.to);
        for &id in &endpoint.at {
            let at = topology.placement(id);
            let node = topology.node(at.node);
            let server = format!("{} on {}", topology.service(at.service).name, node.name);
            let mut add = |placement, client: PathBuf, client_name: String, address: IpAddr| {
                let target = SocketAddr::from((address, endpoint.ports.first().number()));
                let server = server.clone();
                cases.push(Case { flow, endpoint, at, placement, client, client_name, target, server });
            };
            let public = node.public.into_iter().flat_map(|public| public.addresses());
            let all = node.addresses.iter().map(|address| address.ip).chain(public);
            match flow.from {
                Party::Service(service) => {
                    for &from in &topology.service(service).placements {
                        let target = dial(topology, from, endpoint.id, id).expect("a target");
                        let from = topology.placement(from);
                        let client = stage.namespace(topology, from);
                        let address = match target.host {
                            TargetHost::Ip(ip) => ip,
                            TargetHost::Container(name) => inside(&client, || lookup(name.as_str(), SOON))
                                .expect("a container's address"),
                        };
                        let place = topology.node(from.node);
                        let name = format!("{} on {}", topology.service(service).name, place.name);
                        add(Some(from.id), client, name, address);
                    }
                }
                Party::Network(network) => {
                    let other = if node.name.as_str() == "a" { "b" } else { "a" };
                    for address in node.addresses.iter().filter(|a| a.network == Some(network)) {
                        let client = stage.machines[other].namespace().path();
                        add(None, client, format!("machine {other}"), address.ip);
                    }
                }
                Party::Nets(nets) => {
                    let nets = topology.nets(nets);
                    let v6 = nets.iter().any(|net| net.addr().is_ipv6());
                    for address in all.filter(|address| address.is_ipv6() == v6) {
                        add(None, stage.stranger.path(), "stranger".to_owned(), address);
                    }
                }
                _ => {
                    let container = stage.machine(topology, at).containers.get("bridge-for-bridge");
                    for address in all {
                        add(None, stage.stranger.path(), "stranger".to_owned(), address);
                        // So does a container on the node itself, as whoever dials
                        // a public name may. Docker answers datagrams of such from
                        // the gateway's address, so they get nowhere.
                        if let Some(container) = container
                            && endpoint.protocol == Protocol::Tcp
                            && (address.is_ipv4() || topology.plot().bridge.ipv6)
                        {
                            add(None, container.namespace.clone(), "a container".to_owned(), address);
                        }
                    }
                }
            }
        }
    }
    cases
}

/// On which addresses the servers outside the container network listen.
enum Where {
    /// Where `listen` says.
    AsTold,
    /// On all.
    Everywhere,
}

/// Starts to answer on every endpoint of every placement.
fn serve(stage: &Stage, topology: &Topology, place: Where) -> Responder {
    let mut sockets = Vec::new();
    for endpoint in topology.endpoints() {
        let transport = transport(endpoint.protocol);
        let port = endpoint.ports.first().number();
        for &id in &endpoint.at {
            let at = topology.placement(id);
            let node = topology.node(at.node);
            let name = format!("{} on {}", topology.service(at.service).name, node.name);
            let any = IpAddr::from(Ipv6Addr::UNSPECIFIED);
            let mut addresses = match place {
                _ if at.attachment == Attachment::Bridge => vec![any],
                Where::AsTold => listen(topology, endpoint.id, id),
                Where::Everywhere => vec![any],
            };
            if addresses.contains(&any) {
                addresses = vec![any];
            }
            if transport == Transport::Udp
                && at.attachment != Attachment::Bridge
                && addresses.iter().any(IpAddr::is_unspecified)
            {
                // A datagram's answer comes from the address that was asked only where
                // the socket has that one.
                addresses = stage.machine(topology, at).addresses();
            }
            sockets.extend(inside(&stage.namespace(topology, at), || {
                addresses
                    .iter()
                    .map(|&address| Listening::bind(&name, transport, (address, port).into()))
                    .collect::<Vec<_>>()
            }));
        }
    }
    Responder::start(sockets)
}

/// A line of the rules that lets a port in.
struct Rule<'a>(&'a str);

impl Rule<'_> {
    fn is(&self, hook: Seen, transport: Transport, port: u16) -> bool {
        let words = match (hook, transport) {
            (Seen::Input, Transport::Tcp) => format!("tcp dport {port} goto "),
            (Seen::Input, Transport::Udp) => format!("udp dport {port} goto "),
            (Seen::Forward, Transport::Tcp) => format!("l4proto tcp ct original proto-dst {port} goto "),
            (Seen::Forward, Transport::Udp) => format!("l4proto udp ct original proto-dst {port} goto "),
        };
        self.0.contains(&words)
    }
}

/// Rules without those that are picked; one of them at least.
fn without(rules: &str, picked: impl Fn(Rule<'_>) -> bool) -> String {
    let kept: Vec<_> = rules.lines().filter(|line| !picked(Rule(line))).collect();
    assert!(kept.len() < rules.lines().count(), "there is no such rule:\n{rules}");
    kept.join("\n") + "\n"
}
