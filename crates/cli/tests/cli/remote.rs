//! What `verify --via ssh` hands over, and what is made of it there. The ssh of these tests
//! keeps what it is told; the real one has its tests with the machines.

use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::place::{Ended, Place};

#[test]
fn authorities_go_along_with_the_order() {
    let place = Place::with_plot();
    let made = rcgen::generate_simple_self_signed(["tests.example.com".to_owned()]).expect("a certificate");
    let authority = made.cert.pem();
    place.write("authority.pem", &authority);
    place.write("bin/ssh", "#!/bin/sh\ncase \"$*\" in *node-checks*) cat >order.json ;; esac\nexit 3\n");
    fs::set_permissions(place.at("bin/ssh"), Permissions::from_mode(0o755)).expect("an executable");
    let path = env::var("PATH").unwrap_or_default();
    let arguments = ["verify", "--node", "main", "--via", "ssh", "--trust", "authority.pem"];
    let ended = place
        .command(&arguments)
        .env("PATH", format!("{}:{path}", place.at("bin").display()))
        .env("LIVEKIT_API_SECRET", "a-secret-of-thirty-two-characters")
        .output()
        .expect("the command runs");
    Ended::from(ended).code(2);
    let mut order: Value = serde_json::from_str(&place.read("order.json")).expect("an order");
    assert_eq!(order["trusted"], json!([authority]), "{order:#}");

    // There, it is read; nothing is kept of it.
    place.write("tmp/.keep", "");
    let there = |order: &Value| {
        place.write("order.json", order.to_string());
        let order = File::open(place.at("order.json")).expect("an order");
        let mut command = place.command(&["node-checks"]);
        let ended = command.stdin(order).env("TMPDIR", place.at("tmp")).output().expect("the command runs");
        assert_eq!(fs::read_dir(place.at("tmp")).expect("a directory").count(), 1);
        Ended::from(ended)
    };
    order["trials"] = json!(["memory: main"]);
    there(&order).code(0).prints("memory: main");
    order["trusted"] = json!([authority, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]);
    there(&order).code(1).says("failed to read the certificate");
}
