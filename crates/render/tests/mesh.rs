//! A need of everybody for everybody costs what its nodes cost, not what their pairs would.

use std::net::Ipv4Addr;

use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{
    App, Code, Findings, Livekit, NetworkSpec, NodeSpec, Plot, Port, Redis, Run, SecretRef, Topology, Turn,
};

/// Every other address from this one on, so that none are one network.
fn scattered(first: [u8; 4], n: u32) -> std::net::IpAddr {
    Ipv4Addr::from(u32::from(Ipv4Addr::from(first)) + n * 2 + 1).into()
}

/// An app that needs itself, on so many nodes; each with an address in one network, or on the
/// Internet alone.
fn mesh(nodes: u32, lan: bool) -> Result<Topology, Findings> {
    let needs = vec!["mesh".parse().expect("a name")];
    let app = App { run: Some(Run::Host), port: Some(Port::fixed(9000)), needs, ..App::default() };
    let mut plot = Plot::new("live".parse().expect("a name")).service("mesh", app);
    if lan {
        let cidr = vec!["10.64.0.0/16".parse().expect("a network")];
        plot.networks.insert("lan".parse().expect("a name"), NetworkSpec { cidr });
    }
    for n in 0..nodes {
        let spec = NodeSpec::public(scattered([8, 8, 0, 0], n)).role("mesh");
        let spec = if lan { spec.address(scattered([10, 64, 0, 0], n)) } else { spec };
        plot = plot.node(&format!("peer-{n}"), spec);
    }
    plot.build().map(|built| built.topology)
}

/// Relays, each of which meets all others, on so many nodes of the Internet.
fn relays(nodes: u32) -> Topology {
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let keys = [("main".to_owned(), secret("LIVEKIT_API_SECRET"))].into();
    let turn = Some(Turn { udp_port: Some(Port::fixed(3478)), ..Turn::default() });
    let mut plot = Plot::new("live".parse().expect("a name"))
        .service("sfu", Livekit { keys, turn, ..Livekit::default() })
        .service("cache", Redis { password: Some(secret("REDIS_PASSWORD")), ..Redis::default() })
        .node("store", NodeSpec::public(Ipv4Addr::new(9, 9, 9, 9).into()).role("cache"));
    for n in 0..nodes {
        plot = plot.node(&format!("peer-{n}"), NodeSpec::public(scattered([8, 8, 0, 0], n)).role("sfu"));
    }
    plot.build().unwrap_or_else(|findings| panic!("{findings}")).topology
}

fn bytes(topology: &Topology) -> usize {
    let rendering = render(topology, Secrets::SEALED, &Custom::default()).expect("it renders");
    let of_nodes = rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
    of_nodes.chain(&rendering.overview).map(|file| file.bytes.len()).sum()
}

#[track_caller]
fn is_linear(some: &Topology, twice: &Topology) {
    let (some, twice) = (bytes(some), bytes(twice));
    assert!(twice * 10 <= some * 21, "{some} bytes, and {twice} for twice the nodes");
}

const MANY: u32 = 260;

#[test]
fn a_mesh_in_one_network_is_linear() {
    let of = |nodes| mesh(nodes, true).unwrap_or_else(|findings| panic!("{findings}"));
    is_linear(&of(MANY), &of(2 * MANY));
}

#[test]
fn a_mesh_over_the_internet_is_refused_where_it_would_not_be() {
    for nodes in [MANY, 2 * MANY] {
        let findings = mesh(nodes, false).expect_err("it would grow with the square");
        assert!(findings.iter().any(|finding| finding.code == Code::ScatteredPeers), "{findings}");
    }
    assert!(mesh(256, false).is_ok());
}

#[test]
fn relays_over_the_internet_are_linear() {
    is_linear(&relays(MANY), &relays(2 * MANY));
}
