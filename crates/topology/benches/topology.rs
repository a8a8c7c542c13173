//! How long a plot takes to read and to work out: `cargo bench -p stageplot-topology`.

use std::fmt::Write as _;

use divan::{Bencher, black_box};
use stageplot_topology::{Document, Format, NodeId, Plot, Topology, dial, firewall};

fn main() {
    divan::main();
}

/// How many nodes the plots have.
const NODES: [usize; 3] = [10, 100, 1000];

/// An edge and Redis in front, all other nodes for media.
fn plot(nodes: usize) -> String {
    let mut text = include_str!("media.toml").to_owned();
    for index in 1..nodes {
        let (high, low) = (index >> 8, index & 0xff);
        let _ = write!(
            text,
            "\n[nodes.media-{index:05}]\naddress = \"10.0.{high}.{low}\"\npublic = \"20.0.{high}.{low}\"\nroles = [\"sfu\"]\n"
        );
    }
    text
}

fn document(nodes: usize) -> Document {
    Document::parse(Format::Toml, "stageplot.toml", &plot(nodes)).expect("a document")
}

fn topology(nodes: usize) -> Topology {
    Plot::read(&document(nodes)).expect("a sound plot").topology
}

fn middle(topology: &Topology) -> NodeId {
    topology.nodes()[topology.nodes().len() / 2].id
}

#[divan::bench(args = NODES)]
fn parse(bencher: Bencher<'_, '_>, nodes: usize) {
    let text = plot(nodes);
    bencher.bench(|| Document::parse(Format::Toml, "stageplot.toml", black_box(&text)));
}

#[divan::bench(args = NODES)]
fn read_and_validate(bencher: Bencher<'_, '_>, nodes: usize) {
    let document = document(nodes);
    bencher.bench(|| Plot::read(black_box(&document)));
}

/// One node's rules: what it takes must not depend on how many nodes there are.
#[divan::bench(args = NODES)]
fn firewall_of_a_node(bencher: Bencher<'_, '_>, nodes: usize) {
    let topology = topology(nodes);
    let node = middle(&topology);
    bencher.bench(|| firewall(black_box(&topology), node));
}

/// One client's way to Redis: neither must this.
#[divan::bench(args = NODES)]
fn dial_redis(bencher: Bencher<'_, '_>, nodes: usize) {
    let topology = topology(nodes);
    let redis = topology.service_named("cache").expect("Redis");
    let endpoint = topology.endpoint_named(redis.id, "primary").expect("its port");
    let client = topology.placements_on(middle(&topology)).next().expect("a media server");
    bencher.bench(|| dial(black_box(&topology), client.id, endpoint.id, endpoint.at[0]));
}
