//! How long rendering takes, by part: `cargo bench -p stageplot-render`.

use std::net::Ipv4Addr;

use divan::{Bencher, black_box};
use serde_json::json;
use stageplot_render::output::{Options, OutputFile, Writer};
use stageplot_render::template::{Dialect, Template, Templates};
use stageplot_render::{Custom, Renderer, Secrets, render};
use stageplot_topology::{Edge, Livekit, NodeSpec, Plot, Redis, SecretRef, Topology};

fn main() {
    divan::main();
}

/// How many nodes the plots have.
const NODES: [u32; 3] = [10, 100, 1000];

/// An edge and Redis in front, all other nodes for media.
fn topology(nodes: u32) -> Topology {
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let keys = [("main".to_owned(), secret("LIVEKIT_API_SECRET"))].into();
    let ip = |first: u32, index: u32| Ipv4Addr::from(first + index).into();
    let at = |index: u32| NodeSpec::public(ip(0x6440_0000, index)).address(ip(0x0a00_0000, index));
    let mut plot = Plot::new("live".parse().expect("a name"))
        .service("edge", Edge::new("livekit.example.com".parse().expect("a host")))
        .service("sfu", Livekit { keys, ..Livekit::default() })
        .service("cache", Redis { password: Some(secret("REDIS_PASSWORD")), ..Redis::default() })
        .node("front", at(1).role("edge").role("cache"));
    for index in 2..=nodes {
        plot = plot.node(&format!("media-{index:05}"), at(index).role("sfu"));
    }
    plot.build().expect("a sound plot").topology
}

/// All templates loaded: what every process pays once.
#[divan::bench]
fn load_templates(bencher: Bencher<'_, '_>) {
    let (topology, custom) = (topology(2), Custom::default());
    bencher.bench(|| Renderer::new(&topology, Secrets::SEALED, black_box(&custom)).is_ok());
}

/// One node's bundle: what it takes must not depend on how many nodes there are.
#[divan::bench(args = NODES)]
fn bundle_of_a_node(bencher: Bencher<'_, '_>, nodes: u32) {
    let (topology, custom) = (topology(nodes), Custom::default());
    let renderer = Renderer::new(&topology, Secrets::SEALED, &custom).expect("templates");
    let node = &topology.nodes()[topology.nodes().len() / 2];
    bencher.bench(|| renderer.bundle(black_box(node)));
}

/// Everything, on all cores.
#[divan::bench(args = NODES)]
fn everything(bencher: Bencher<'_, '_>, nodes: u32) {
    let (topology, custom) = (topology(nodes), Custom::default());
    bencher.bench(|| render(black_box(&topology), Secrets::SEALED, &custom));
}

/// A table of rules, as its template and dialect write it.
#[divan::bench(args = [10, 100, 1000])]
fn nftables(bencher: Bencher<'_, '_>, rules: u32) {
    const TEMPLATE: Template = Template::new(
        "rules.nft",
        Dialect::Nftables,
        "table inet t {\n{% for rule in rules %}\tip saddr { {{ rule.from }} } tcp dport {{ rule.port }} accept comment {{ rule.why }}\n{% endfor %}}\n",
    );
    let templates = Templates::new([TEMPLATE]).expect("a sound template");
    let rule =
        |port: u32| json!({ "from": "10.0.0.0/8", "port": port.to_string(), "why": "metrics from the LAN" });
    let values = json!({ "rules": (0..rules).map(rule).collect::<Vec<_>>() });
    bencher.bench(|| templates.render("rules.nft", black_box(&values)).expect("it renders"));
}

/// A directory of so many files that holds them already.
#[divan::bench(args = [100, 1000])]
fn write_again(bencher: Bencher<'_, '_>, files: usize) {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("out");
    let bytes = vec![b'x'; 1000];
    let write = || {
        let writer = Writer::open(&dir, Options::default()).expect("a writer");
        for index in 0..files {
            let path = format!("node-{}/file-{index}", index / 10);
            writer.put(&OutputFile::new(&path, &bytes, 0o644).expect("a path")).expect("it is staged");
        }
        writer.finish().expect("it is written")
    };
    write();
    bencher.bench(|| assert!(write().is_noop()));
}
