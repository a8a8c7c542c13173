//! How long a diff and its comment take: `cargo bench -p stageplot-render --bench diff`.

use std::net::Ipv4Addr;

use divan::{Bencher, black_box};
use stageplot_render::diff::policy::{Policy, Rule};
use stageplot_render::diff::{self, Comment, Diff, Side};
use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{Edge, Livekit, NodeSpec, Plot, Redis, SecretRef};

fn main() {
    divan::main();
}

/// How many nodes the plots have.
const NODES: [u32; 3] = [10, 100, 1000];

/// An edge and Redis in front, all other nodes for media; Redis at a port.
fn side(nodes: u32, port: u16) -> Side {
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let keys = [("main".to_owned(), secret("LIVEKIT_API_SECRET"))].into();
    let ip = |first: u32, index: u32| Ipv4Addr::from(first + index).into();
    let at = |index: u32| NodeSpec::public(ip(0x6440_0000, index)).address(ip(0x0a00_0000, index));
    let port = stageplot_topology::Port::fixed(port);
    let redis = Redis { password: Some(secret("REDIS_PASSWORD")), port, ..Redis::default() };
    let mut plot = Plot::new("live".parse().expect("a name"))
        .service("edge", Edge::new("livekit.example.com".parse().expect("a host")))
        .service("sfu", Livekit { keys, ..Livekit::default() })
        .service("cache", redis)
        .node("front", at(1).role("edge").role("cache"));
    for index in 2..=nodes {
        plot = plot.node(&format!("media-{index:05}"), at(index).role("sfu"));
    }
    let topology = plot.build().expect("a sound plot").topology;
    let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("it renders");
    Side::of(&topology, rendering).expect("it is sealed")
}

/// What differs on every node.
fn change(nodes: u32) -> Diff {
    diff::between(&side(nodes, 6379), &side(nodes, 6380))
}

/// Two sides of which nothing differs: most of what a CI compares.
#[divan::bench(args = NODES)]
fn nothing_changes(bencher: Bencher<'_, '_>, nodes: u32) {
    let (before, after) = (side(nodes, 6379), side(nodes, 6379));
    bencher.bench(|| assert!(diff::between(black_box(&before), black_box(&after)).is_empty()));
}

/// A port that every node dials: each has files that differ.
#[divan::bench(args = NODES)]
fn every_node_changes(bencher: Bencher<'_, '_>, nodes: u32) {
    let (before, after) = (side(nodes, 6379), side(nodes, 6380));
    bencher.bench(|| diff::between(black_box(&before), black_box(&after)));
}

/// Machines that are new: half of them.
#[divan::bench(args = NODES)]
fn nodes_come(bencher: Bencher<'_, '_>, nodes: u32) {
    let (before, after) = (side(nodes / 2, 6379), side(nodes, 6379));
    bencher.bench(|| diff::between(black_box(&before), black_box(&after)));
}

/// A comment for a pull request, as long as it may be.
#[divan::bench(args = NODES)]
fn comment(bencher: Bencher<'_, '_>, nodes: u32) {
    let diff = change(nodes);
    bencher.bench(|| Comment::new(black_box(&diff)).to_string());
}

/// The rules that most reviewers have.
#[divan::bench(args = NODES)]
fn rules(bencher: Bencher<'_, '_>, nodes: u32) {
    let diff = change(nodes);
    let policy = Policy::new([
        ("internet".to_owned(), Rule::no_opening_to_internet()),
        ("data".to_owned(), Rule::no_data_at_stake()),
        ("rooms".to_owned(), Rule::no_dropped_rooms()),
    ]);
    bencher.bench(|| policy.judge(black_box(&diff)));
}
