//! What two manifests tell of the services in them.

use std::collections::BTreeMap;

use stageplot_render::{Change, Custom, Manifest, Secrets, render};
use stageplot_topology::{Document, Format, Plot};

const PLOT: &str = r#"
name = "live"
[nodes.front]
public = "203.0.113.10"
roles = ["edge", "rooms", "sfu", "cache"]
[services.edge]
kind = "edge"
domain = "live.example.com"
network = "host"
[services.rooms]
kind = "app"
image = "registry.example.com/rooms:1"
port = 8080
health = "/health"
routes = ["/api/*"]
env = { MODE = "one" }
[services.sfu]
kind = "livekit"
keys = { main = { env = "LIVEKIT_API_SECRET" } }
[services.cache]
kind = "redis"
network = "bridge"
"#;

/// The services whose digest differs once one text is put in the place of another.
fn renewed(old: &str, new: &str) -> Vec<String> {
    assert!(PLOT.contains(old), "{old}");
    let (before, after) = (digests(PLOT), digests(&PLOT.replacen(old, new, 1)));
    after.into_iter().filter(|(name, digest)| before[name] != *digest).map(|(name, _)| name).collect()
}

fn digests(plot: &str) -> BTreeMap<String, String> {
    let document = Document::parse(Format::Toml, "stageplot.toml", plot).expect("a document");
    let topology = Plot::read(&document).expect("a sound plot").topology;
    let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("rendered");
    let file = rendering.bundles[0].artifact(Manifest::PATH).expect("a manifest");
    let manifest: Manifest<'_> = serde_json::from_slice(&file.bytes).expect("a manifest");
    assert!(manifest.services.values().all(|service| service.change == Change::Recreate));
    manifest.services.into_iter().map(|(name, service)| (name.into_owned(), service.sha256)).collect()
}

#[test]
fn a_digest_changes_with_what_its_own_container_is_made_from() {
    assert_eq!(digests(PLOT).keys().collect::<Vec<_>>(), ["cache", "edge", "rooms", "sfu"]);
    assert_eq!(renewed("rooms:1", "rooms:2"), ["rooms"]);
    assert_eq!(renewed("\"one\"", "\"two\""), ["rooms"]);
    assert_eq!(renewed("kind = \"livekit\"", "kind = \"livekit\"\ndrain = { max = \"1m\" }"), ["sfu"]);
    assert_eq!(renewed("kind = \"redis\"", "kind = \"redis\"\nmaxmemory = \"1gb\""), ["cache"]);
    let limits = "kind = \"redis\"\nlimits = { memory = \"4gb\" }";
    assert_eq!(renewed("kind = \"redis\"", limits), ["cache"]);
    // The container network is that of all who are on it.
    assert_eq!(
        renewed("[nodes.front]", "[bridge]\nv4 = \"172.29.0.0/24\"\n[nodes.front]"),
        ["cache", "rooms"]
    );
}

#[test]
fn a_digest_does_not_change_with_what_is_reloaded_or_read_by_others() {
    assert_eq!(renewed("\"/api/*\"", "\"/api/*\", \"/more/*\""), [""; 0]);
    assert_eq!(renewed("[nodes.front]", "[access]\nkeep = { port = 9100 }\n[nodes.front]"), [""; 0]);
}
