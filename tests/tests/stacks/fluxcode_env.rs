//! FluxCode's own `.env` files, made into a plot that is up: three machines of a LAN
//! without a domain, where the site has the application's port.

use std::collections::BTreeSet;
use std::time::Duration;

use stageplot_tests::{Given, Output, Rig, run, topology, want};
use stageplot_topology::dotenv::{Dotenv, EnvFile, import};

const INFRA: &str = include_str!("../../../crates/topology/tests/dotenv/fluxcode/infra.env");
const APP: &str = include_str!("../../../crates/topology/tests/dotenv/fluxcode/app.env");
const NODE: &str = include_str!("../../../crates/topology/tests/dotenv/fluxcode/node.env");

/// What a command may take.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn imported_files_are_a_stack_that_works() {
    // The image that is to be had here.
    let [app, node] = [APP, NODE].map(|text| text.replace("fluxcode:v1.0.1", "fluxcode:1"));
    let app = app.replace("=flux.mine.cn", "=").replace("HTTP_PORT=80\n", "HTTP_PORT=8080\n");
    let file =
        |address: &str, name, text| EnvFile { address: address.parse().expect("an address"), name, text };
    let files =
        [file("10.0.0.10", "infra", INFRA), file("10.0.0.11", "app", &app), file("10.0.0.12", "node", &node)];
    let imported = import(&files).expect("files that agree");
    let (secrets, _) = Dotenv::read("secrets", &imported.secrets.render());
    let secrets = secrets.iter().map(|(name, secret)| (name.to_owned(), secret.value().to_owned())).collect();
    let topology = topology(&imported.plot.to_toml().expect("TOML"));
    let given = Given { secrets, ..Given::default() };
    let rig = want!(Rig::up(&topology, &given, &mut |_, _| ()));

    assert_eq!(ask(&rig, "node", &["/health"]).json(), serde_json::json!({ "status": "ok" }));
    // Without a cookie both take their turn, with one database and one Redis.
    let visits: Vec<_> = (0..6).map(|_| ask(&rig, "infra", &["-X", "POST", "/api/visits"]).json()).collect();
    let nodes: BTreeSet<_> = visits.iter().map(|visit| visit["node"].to_string()).collect();
    assert_eq!(nodes.len(), 2, "{visits:?}");
    assert!(visits.iter().all(|visit| visit["for_good"].is_i64() && visit["of_late"].is_i64()), "{visits:?}");
    // As many as the files say.
    let pools = ask(&rig, "infra", &["/api/pools"]).json();
    assert!(pools["postgres"].as_u64().is_some_and(|held| (5..=10).contains(&held)), "{pools}");
    // The password that was in the files lets in.
    let login = r#"{ "email": "admin@fluxcode.local", "password": "a-password-of-the-admin" }"#;
    let signed = ["-f", "-H", "content-type: application/json", "-d", login, "/api/login"];
    assert!(ask(&rig, "node", &signed).json()["token"].is_string());
    // The further node is there for the entry alone.
    let reaches = |from: &str| {
        let mut nc = rig.command(from, "nc").expect("a machine");
        run(nc.args(["-zw2", "10.0.0.12", "8080"]), SOON).succeeded()
    };
    assert!(reaches("entry") && !reaches("infra"));
}

/// Asks the site from a machine of the LAN; the last word is a path.
fn ask(rig: &Rig, from: &str, words: &[&str]) -> Output {
    let (path, words) = words.split_last().expect("a path");
    let mut curl = rig.command(from, "curl").expect("a machine");
    run(curl.args(["-sS"]).args(words).arg(format!("http://10.0.0.11:8080{path}")), SOON)
}
