//! `stageplot render`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use serde_json::Value;

use crate::place::{PLOT, Place};

const TWO: &str = r#"name = "live"

[access]
ssh = { from = "any" }

[nodes.a]
address = "10.0.0.1"
public = "203.0.113.10"
roles = ["edge", "livekit"]

[nodes.b]
address = "10.0.0.2"
public = "203.0.113.11"
roles = ["livekit", "redis"]

[edge]
domain = "livekit.example.com"

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }

[redis]
password = { env = "REDIS_PASSWORD" }
"#;

#[test]
fn every_node_has_a_directory() {
    let place = Place::with("stageplot.toml", TWO);
    let ended = place.run(&["render", "--sealed", "--out", "out"]).code(0);
    assert_eq!(ended.out, "");
    let ended = ended.says("Rendered 2 nodes to out, without secrets");
    for file in ["a/compose.yaml", "b/compose.yaml", "a/README.md", "dns.txt"] {
        assert!(place.at("out").join(file).is_file(), "{file}: {}", ended.err);
    }
    let again = place.run(&["render", "--sealed", "--out", "out", "--format", "json"]).code(0);
    assert_eq!(again.err, "");
    let summary: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(summary["created"], serde_json::json!([]));
    assert_eq!(summary["sealed"], true);
    assert_eq!(summary["nodes"][1]["name"], "b");
    let manifest = fs::read(place.at("out/b/manifest.json")).expect("the manifest");
    assert!(
        !manifest.is_empty() && summary["nodes"][1]["release"].as_str().is_some_and(|hex| hex.len() == 64)
    );
}

#[test]
fn a_second_render_writes_what_changed_alone() {
    let media = |n: usize| format!("[nodes.m{n}]\npublic = \"203.0.113.{n}\"\nroles = [\"livekit\"]\n");
    let plot = TWO.to_owned() + &(20..60).map(media).collect::<String>();
    let place = Place::with("stageplot.toml", plot.as_str());
    let identities = || {
        let mut found = BTreeMap::new();
        let mut open = vec![place.at("out")];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry")) {
                let (path, meta) = (entry.path(), entry.metadata().expect("its metadata"));
                if meta.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(place.at("out")).expect("inside").display().to_string();
                    found.insert(name, (meta.ino(), meta.mtime(), meta.mtime_nsec()));
                }
            }
        }
        found.remove(".stageplot.json").expect("the index");
        found
    };
    let render = || -> Value {
        let ended = place.run(&["render", "--sealed", "--out", "out", "--format", "json"]).code(0);
        serde_json::from_str(&ended.out).expect("JSON")
    };
    render();
    let before = identities();
    assert!(before.len() > 42 * 4);
    render();
    assert_eq!(identities(), before, "nothing changed, and something was written");

    place.write("stageplot.toml", plot.replace("203.0.113.30", "203.0.113.130"));
    let said = render();
    let after = identities();
    let touched = after.iter().filter(|(path, identity)| before.get(*path) != Some(identity));
    let touched: BTreeSet<&str> = touched.map(|(path, _)| path.as_str()).collect();
    let told = [&said["created"], &said["changed"]].into_iter().filter_map(Value::as_array).flatten();
    assert_eq!(touched, told.filter_map(Value::as_str).collect());
    assert!(touched.iter().any(|path| path.starts_with("m30/services/")));
    assert!(!touched.iter().any(|path| path.starts_with("m31/services/")));
}

#[test]
fn one_node_leaves_the_others() {
    let place = Place::with("stageplot.toml", TWO);
    place.run(&["render", "--sealed", "--out", "out"]).code(0);
    let before = place.read("out/a/compose.yaml");
    place.write("stageplot.toml", TWO.replace("[redis]", "[redis]\nport = 6380"));
    let ended = place.run(&["render", "--sealed", "--out", "out", "--node", "b"]).code(0);
    ended.says("Rendered 1 node").says("~ b/compose.yaml");
    assert_eq!(place.read("out/a/compose.yaml"), before);
    assert!(place.at("out/dns.txt").is_file());
    place.run(&["render", "--sealed", "--out", "out", "--node", "c"]).code(1).says("no node \"c\"");
}

#[test]
fn nothing_of_others_is_lost() {
    let place = Place::with_plot();
    place.write("out/main/compose.yaml", "mine");
    place.write("out/notes", "mine too");
    let ended = place.run(&["render", "--sealed", "--out", "out"]).code(1);
    ended.says("not written by stageplot: main/compose.yaml").says("--overwrite");
    assert_eq!(place.read("out/main/compose.yaml"), "mine");
    place.run(&["render", "--sealed", "--out", "out", "--overwrite"]).code(0);
    assert_ne!(place.read("out/main/compose.yaml"), "mine");
    assert_eq!(place.read("out/notes"), "mine too");

    fs::set_permissions(place.at("out/dns.txt"), fs::Permissions::from_mode(0o644)).expect("its mode");
    place.write("out/dns.txt", "edited");
    place.run(&["render", "--sealed", "--out", "out"]).code(1).says("edited since");
    assert_eq!(place.read("out/dns.txt"), "edited");
}

#[test]
fn an_output_directory_that_cannot_be_is_said_so() {
    let place = Place::with_plot();
    place.run(&["render", "--sealed", "--out", "no/such/out"]).code(1).says("create the parent directory");
    place.run(&["render", "--sealed", "--out", "stageplot.toml"]).code(1).says("it is not a directory");
    place.run(&["render", "--sealed", "--out", "/"]).code(1);
    assert_eq!(place.read("stageplot.toml"), PLOT);
    assert_eq!(place.names(), ["stageplot.toml"]);
}

#[test]
fn a_plot_with_errors_renders_nothing() {
    let place = Place::with("stageplot.toml", PLOT.replace("\"redis\"]", "\"rdis\"]"));
    place.run(&["render", "--sealed", "--out", "out"]).code(2).says("did you mean redis?");
    assert_eq!(place.names(), ["stageplot.toml"]);
}
