//! `stageplot verify` on four machines: green where all is well, from every node and from
//! outside; and where a fault is brought about, that fault is the first thing to mend.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use stageplot_tests::{Given, Output, Rig, run, stageplot, topology, wait_for, want};

const PLOT: &str = include_str!("../plots/four.toml");

/// What a run of the command may take.
const RUN: Duration = Duration::from_secs(60);

/// How soon all is well again when a fault was mended.
const SOON: Duration = Duration::from_secs(60);

/// A fault, and what verify says of it.
struct Fault {
    name: &'static str,
    /// Where it is brought about, by a line of shell.
    on: &'static str,
    bring: &'static str,
    mend: &'static str,
    /// Where it is looked for, and how.
    from: &'static str,
    options: &'static [&'static str],
    /// The first thing to mend: cause, service, and the node where there is one.
    first: (&'static str, &'static str, &'static str),
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "Redis is stopped",
        on: "media-1",
        bring: "docker stop live-cache-1",
        mend: "docker start live-cache-1",
        from: "media-1",
        options: &[],
        first: ("container-stopped", "cache", "media-1"),
    },
    Fault {
        name: "Redis is paused",
        on: "media-1",
        bring: "docker pause live-cache-1",
        mend: "docker unpause live-cache-1",
        from: "media-2",
        options: &[],
        first: ("no-answer", "cache", "media-1"),
    },
    Fault {
        name: "Redis has another password",
        on: "media-1",
        bring: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli CONFIG SET requirepass other"#,
        mend: r#"docker exec -e REDISCLI_AUTH=other live-cache-1 redis-cli CONFIG SET requirepass "$REDIS_PASSWORD""#,
        from: "media-2",
        options: &[],
        first: ("password-rejected", "cache", "media-1"),
    },
    Fault {
        name: "Redis answers without a password",
        on: "media-1",
        bring: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli CONFIG SET requirepass """#,
        mend: r#"docker exec live-cache-1 redis-cli CONFIG SET requirepass "$REDIS_PASSWORD""#,
        from: "media-2",
        options: &[],
        first: ("password-ignored", "cache", "media-1"),
    },
    Fault {
        name: "Redis was made a replica",
        on: "media-1",
        bring: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli REPLICAOF 192.168.1.99 6379"#,
        mend: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli REPLICAOF NO ONE"#,
        from: "media-1",
        options: &[],
        first: ("redis-role", "cache", "media-1"),
    },
    Fault {
        name: "Redis drops live state",
        on: "media-1",
        bring: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli CONFIG SET maxmemory-policy allkeys-lru"#,
        mend: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli CONFIG SET maxmemory-policy noeviction"#,
        from: "media-1",
        options: &[],
        first: ("redis-setting", "cache", "media-1"),
    },
    Fault {
        name: "Redis keeps no log of writes",
        on: "media-1",
        bring: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli CONFIG SET appendonly no"#,
        mend: r#"docker exec -e REDISCLI_AUTH="$REDIS_PASSWORD" live-cache-1 redis-cli CONFIG SET appendonly yes"#,
        from: "media-1",
        options: &[],
        first: ("redis-setting", "cache", "media-1"),
    },
    Fault {
        name: "the firewall lets nobody to Redis",
        on: "media-1",
        bring: "nft add table inet strict; nft add chain inet strict f '{ type filter hook forward priority -5; }'; \
                nft add rule inet strict f meta l4proto tcp ct original proto-dst 6379 drop",
        mend: "nft delete table inet strict",
        from: "media-3",
        options: &[],
        first: ("silence", "cache", "media-1"),
    },
    Fault {
        name: "LiveKit was killed",
        on: "media-2",
        bring: "docker kill live-sfu-1",
        mend: "docker start live-sfu-1",
        from: "media-2",
        options: &[],
        first: ("container-stopped", "sfu", "media-2"),
    },
    Fault {
        name: "LiveKit is paused",
        on: "media-3",
        bring: "docker pause live-sfu-1; sleep 6",
        mend: "docker unpause live-sfu-1",
        from: "media-1",
        options: &[],
        first: ("node-missing", "cache", "media-1"),
    },
    Fault {
        name: "signalling is closed to the edge",
        on: "media-2",
        bring: "nft add table inet strict; nft add chain inet strict i '{ type filter hook input priority -5; }'; \
                nft add rule inet strict i tcp dport 7880 drop",
        mend: "nft delete table inet strict",
        from: "front",
        options: &[],
        first: ("silence", "sfu", "media-2"),
    },
    Fault {
        name: "ICE over TCP is closed",
        on: "media-2",
        bring: "nft add table inet strict; nft add chain inet strict i '{ type filter hook input priority -5; }'; \
                nft add rule inet strict i tcp dport 7881 drop",
        mend: "nft delete table inet strict",
        from: "outside",
        options: &[],
        first: ("silence", "sfu", "media-2"),
    },
    Fault {
        name: "TURN is closed",
        on: "media-3",
        bring: "nft add table inet strict; nft add chain inet strict i '{ type filter hook input priority -5; }'; \
                nft add rule inet strict i udp dport 3478 drop",
        mend: "nft delete table inet strict",
        from: "outside",
        options: &[],
        first: ("silence", "sfu", "media-3"),
    },
    Fault {
        name: "media ports are closed",
        on: "media-1",
        bring: "nft add table inet strict; nft add chain inet strict i '{ type filter hook input priority -5; }'; \
                nft add rule inet strict i udp dport 50000-60000 drop",
        mend: "nft delete table inet strict",
        from: "outside",
        options: &["--deep"],
        first: ("silence", "sfu", "media-1"),
    },
    Fault {
        name: "the edge is stopped",
        on: "front",
        bring: "docker stop live-edge-1",
        mend: "docker start live-edge-1",
        from: "front",
        options: &[],
        first: ("container-stopped", "edge", "front"),
    },
    Fault {
        name: "HTTPS is closed",
        on: "front",
        bring: "nft add table inet strict; nft add chain inet strict i '{ type filter hook input priority -5; }'; \
                nft add rule inet strict i tcp dport 443 drop",
        mend: "nft delete table inet strict",
        from: "outside",
        options: &[],
        first: ("silence", "edge", "front"),
    },
    Fault {
        name: "HTTP/3 is closed",
        on: "front",
        bring: "nft add table inet strict; nft add chain inet strict i '{ type filter hook input priority -5; }'; \
                nft add rule inet strict i udp dport 443 drop",
        mend: "nft delete table inet strict",
        from: "outside",
        options: &[],
        first: ("silence", "edge", "front"),
    },
    Fault {
        name: "the edge forgot its upstreams",
        on: "front",
        bring: r#"curl -fsS -X DELETE http://127.0.0.1:2019/config/apps/http/servers"#,
        mend: "docker restart live-edge-1",
        from: "front",
        options: &[],
        first: ("upstream-unknown", "edge", "front"),
    },
    Fault {
        name: "the business service is paused",
        on: "front",
        bring: "docker pause live-rooms-1",
        mend: "docker unpause live-rooms-1",
        from: "front",
        options: &[],
        first: ("container-paused", "rooms", "front"),
    },
    Fault {
        name: "a stranger's container is left",
        on: "media-2",
        bring: "docker create --name stranger --label com.docker.compose.project=live \
                --label com.docker.compose.service=old livekit/livekit-server:v1.13.5",
        mend: "docker rm --force stranger",
        from: "media-2",
        options: &[],
        first: ("container-unknown", "", ""),
    },
    Fault {
        name: "the API secret is another one",
        on: "media-2",
        bring: "true",
        mend: "true",
        from: "media-2",
        options: &["LIVEKIT_API_SECRET=0123456789abcdef0123456789abcdef"],
        first: ("key-rejected", "sfu", "media-2"),
    },
    Fault {
        name: "nobody says the password",
        on: "media-2",
        bring: "true",
        mend: "true",
        from: "media-2",
        options: &["REDIS_PASSWORD="],
        first: ("secret-unknown", "cache", "media-1"),
    },
    Fault {
        name: "nobody trusts the authority",
        on: "front",
        bring: "true",
        mend: "true",
        from: "outside",
        options: &["SSL_CERT_FILE=/etc/ssl/certs/ISRG_Root_X1.pem", "SSL_CERT_DIR=/nowhere"],
        first: ("certificate-untrusted", "edge", "front"),
    },
];

#[test]
fn each_fault_is_the_first_thing_to_mend() {
    let topology = topology(PLOT);
    let mut plot = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    plot.write_all(PLOT.as_bytes()).expect("a plot");
    let plot = plot.path().to_str().expect("a path");
    let rig = want!(Rig::up(&topology, &Given::default(), &mut |_, _| ()));

    let places = ["front", "media-1", "media-2", "media-3", "outside"];
    for place in places {
        let began = Instant::now();
        let report = well(&rig, plot, place, &["--deep"]);
        let checks = report["checks"].as_array().expect("checks");
        println!("{place}: {} checks passed after {:?}", checks.len(), began.elapsed());
        assert!(checks.len() >= 10, "{place}: {report:#}");
    }

    let mut missed = Vec::new();
    for fault in FAULTS {
        let began = Instant::now();
        shell(&rig, fault.on, fault.bring);
        let report = verify(&rig, plot, fault.from, fault.options);
        let first = &report["checks"][0];
        let text = |name: &str| first[name].as_str().unwrap_or_default().to_owned();
        let said = (text("cause"), text("service"), text("node"));
        let wanted = (fault.first.0.to_owned(), fault.first.1.to_owned(), fault.first.2.to_owned());
        println!("{}, seen from {}: {} after {:?}", fault.name, fault.from, text("message"), began.elapsed());
        if said != wanted {
            missed
                .push(format!("{}: wanted {wanted:?}, and the first thing to mend is {first:#}", fault.name));
        }
        shell(&rig, fault.on, fault.mend);
        for place in places {
            well(&rig, plot, place, &[]);
        }
    }

    // A name that leads to another node.
    let began = Instant::now();
    rig.names().set(&rig.records().replace("203.0.113.10", "203.0.113.12"));
    let report = verify(&rig, plot, "outside", &[]);
    println!("a name leads elsewhere: {} after {:?}", report["checks"][0]["message"], began.elapsed());
    if report["checks"][0]["cause"] != "name-elsewhere" {
        missed.push(format!("a name leads elsewhere: {:#}", report["checks"][0]));
    }
    rig.names().set(rig.records());
    well(&rig, plot, "outside", &[]);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A line of shell on a machine.
fn shell(rig: &Rig, node: &str, line: &str) {
    let mut command = rig.command(node, "sh").expect("a machine");
    run(command.args(["-e", "-c", line]), RUN).success();
}

/// Waits until a place has nothing to complain of, and returns its report.
fn well(rig: &Rig, plot: &str, place: &str, options: &[&str]) -> Value {
    let mut report = Value::Null;
    let mut tried = false;
    wait_for("all is well", SOON, || {
        // What does not become well is shown.
        if std::mem::replace(&mut tried, true) {
            println!("{place}: not well yet: {}", report["checks"][0]);
        }
        report = verify(rig, plot, place, options);
        report["outcome"] == "passed"
    });
    report
}

/// What verify reports from a place. Options with a `=` are variables.
fn verify(rig: &Rig, plot: &str, place: &str, options: &[&str]) -> Value {
    let mut command = rig.command(place, stageplot().to_str().expect("a path")).expect("a machine");
    command.args(["verify", plot, "--format", "json"]);
    for option in options {
        match option.split_once('=') {
            Some((name, value)) => command.env(name, value),
            None => command.arg(option),
        };
    }
    match place {
        "outside" => command.args(["--from", "outside"]),
        node => command.args(["--node", node]),
    };
    let Output { stdout, stderr, .. } = run(&mut command, RUN);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"))
}
