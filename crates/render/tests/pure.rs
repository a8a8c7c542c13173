//! Whoever only renders compiles no network code.

use std::collections::BTreeSet;
use std::process::Command;

/// What nobody opens a socket without, here.
const SOCKETS: [&str; 8] = ["tokio", "mio", "socket2", "hyper", "reqwest", "rustls", "openssl", "bollard"];

#[test]
fn nothing_that_is_linked_opens_sockets() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--package", "stageplot-render", "--edges", "normal", "--prefix", "none"]);
    let tree = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    let tree = String::from_utf8(tree.stdout).expect("UTF-8");
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("stageplot-topology") && crates.contains("tera"), "{tree}");
    let found: Vec<_> = SOCKETS.iter().filter(|name| crates.contains(*name)).collect();
    assert!(found.is_empty(), "{found:?}");
}
