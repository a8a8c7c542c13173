//! What no flow allows does not answer; and where it does, that is said.

use std::time::{Duration, Instant};

use serde_json::Value;
use stageplot_tests::{Process, Rig, stageplot};

use crate::{report, shell};

/// What all ports of three or four machines may take, over both families.
const SWEEP: Duration = Duration::from_secs(900);

const OPTIONS: &[&str] = &["--closed", "--pace", "20000"];

/// First with holes, then without.
pub(crate) fn sweep(rig: &Rig, plot: &str) {
    let nodes = ["front", "media-1", "media-2", "media-3"];
    for node in nodes {
        // So that the kernel forgets soon what nobody answered, and need not be waited for.
        shell(
            rig,
            node,
            "sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_syn_sent=5 net.netfilter.nf_conntrack_udp_timeout=5",
        );
    }
    let witness = |node: &&str| {
        let mut command = rig.command(node, stageplot().to_str().expect("a path")).expect("a machine");
        Process::start("witness", command.args(["witness", plot, "--node", node, "--for", "1h"]))
    };
    let _witnesses: Vec<_> = nodes.iter().map(witness).collect();

    // Rules that are too wide, rules that are not loaded, and a container that is routed to.
    shell(
        rig,
        "media-1",
        "nft \"insert rule inet $table input tcp dport 9999 accept; insert rule inet $table input udp dport 9997 accept\"; \
         for family in 4 6; do (nc -$family -lk 9999 >/dev/null 2>&1 & echo $! >>/tmp/strangers); done",
    );
    shell(rig, "media-3", "nft delete table inet $table");
    shell(
        rig,
        "front",
        r#"handle=$(nft -a list chain inet $table forward | sed -n 's/.*oifname "sp-live" drop.* handle //p')
           nft delete rule inet $table forward handle $handle"#,
    );
    let seen = closed(rig, plot, "media-2");
    let told = |id: &str| {
        let line =
            seen.iter().find(|line| line["id"] == *id).unwrap_or_else(|| panic!("no {id} in {seen:#?}"));
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (text("cause"), text("message"))
    };
    let own = |cause: &str, message: &str| (cause.to_owned(), message.to_owned());
    for ip in ["192.168.1.2", "fd00:1::2"] {
        assert_eq!(
            told(&format!("closed TCP of media-1: media-2 to {ip}")),
            own("port-open", "9999/tcp of media-1 accept connections, and no flow lets media-2 in there")
        );
        assert_eq!(
            told(&format!("closed UDP of media-1: media-2 to {ip}")),
            own("port-open", "9997/udp of media-1 let datagrams in, and no flow lets media-2 in there")
        );
    }
    for ip in ["192.168.1.4", "fd00:1::4"] {
        let (cause, message) = told(&format!("closed TCP of media-3: media-2 to {ip}"));
        assert_eq!(cause, "not-filtered", "{message}");
        // What its services listen on is reached as well.
        let (_, accepted) = message.rsplit_once(", and ").expect("what accepts");
        assert!(accepted.contains("5349") && accepted.ends_with(" accept them"), "{message}");
        assert_eq!(told(&format!("closed UDP of media-3: media-2 to {ip}")).0, "port-open");
    }
    let (cause, message) = told("closed containers of front: media-2 to 192.168.1.1");
    assert_eq!(cause, "container-routed", "{message}");
    assert!(message.starts_with("8080/tcp of the container 172.30.90.2"), "{message}");
    for ip in ["192.168.1.1", "fd00:1::1"] {
        assert_eq!(told(&format!("closed TCP of front: media-2 to {ip}")).0, "");
        assert_eq!(told(&format!("closed UDP of front: media-2 to {ip}")).0, "");
    }

    shell(rig, "media-1", "kill $(cat /tmp/strangers) 2>/dev/null || true; rm -f /tmp/strangers");
    for node in nodes {
        // What came through a hole a moment ago is an old acquaintance, whom rules let in.
        shell(rig, node, "load; conntrack --flush");
    }
    let seen = closed(rig, plot, "media-2");
    let ill: Vec<_> = seen.iter().filter(|line| line["outcome"] != "passed").collect();
    assert!(ill.is_empty() && seen.len() >= 12, "{ill:#?} of {}", seen.len());
    for node in nodes {
        let left = shell(rig, node, "ip rule list; ip -6 rule list");
        assert!(!left.contains("0x5350"), "{node}: {left}");
    }
}

/// What is told of ports, from a place.
fn closed(rig: &Rig, plot: &str, place: &str) -> Vec<Value> {
    let began = Instant::now();
    let report = report(rig, plot, place, OPTIONS, SWEEP);
    println!("closed, seen from {place}: {:?}", began.elapsed());
    let lines = report["checks"].as_array().cloned().unwrap_or_default();
    lines.into_iter().filter(|line| line["id"].as_str().is_some_and(|id| id.starts_with("closed "))).collect()
}
