//! Every pair of attachments, on one machine and on two, over both families.

mod case;
mod rules;
mod serve;
mod shut;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::thread;

use stageplot_tests::{Image, want};
use stageplot_topology::{
    App, Attachment, ContainerNetwork, FirewallInput, Hook, Name, NetworkSpec, NodeSpec, Opening, Plot, Port,
    Protocol, Run, Source, Topology, arrivals,
};

use self::case::{Case, cases, where_all_come_by};
use self::rules::{commands_are_what_lets_in, rules_are_what_lets_in};
use self::serve::{Where, serve};
use self::shut::{containers_are_not_routed_to, what_no_flow_allows_is_closed};
use crate::stage::{DEFAULT, IP6TABLES, Seen, Stage};

const ATTACHMENTS: [(Attachment, &str); 3] =
    [(Attachment::Host, "host"), (Attachment::Bridge, "bridge"), (Attachment::OffDocker, "process")];

/// Docker 26 as it comes. With both nodes in one network of both families, services
/// dial over IPv4, and the Internet comes over both; with IPv6 in the network and
/// IPv4 on the Internet, containers take the latter.
#[test]
fn every_pair_where_docker_leaves_ipv6_alone() {
    let mut stage = want!(Stage::new(&[Image::ECHO], DEFAULT));
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
    let mut stage = want!(Stage::new(&[Image::ECHO], IP6TABLES));
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
    let image = Image::ECHO.parse().expect("an image");
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
