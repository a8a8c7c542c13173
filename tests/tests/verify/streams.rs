//! The same for live streaming: nginx for RTMP, two SFUs, Postgres with a copy, Redis, an
//! application and Prometheus on six machines.

use serde_json::{Value, json};
use stageplot_tests::{Given, Rig, run, topology, want};

use crate::faults::{Fault, WrongName};
use crate::{RUN, bring_about, well};

const PLOT: &str = include_str!("../../../examples/plots/hybrid/stageplot.toml");

const PRELUDE: &str = r#"
stack=/opt/stageplot/microvibe
compose() { docker compose --progress quiet --project-directory $stack --file $stack/current/compose.yaml "$@"; }
# shut HOOK MATCH…: packets that match go nowhere.
shut() {
  hook=$1; shift
  nft "add table inet strict; add chain inet strict f { type filter hook $hook priority -5; }; add rule inet strict f $* drop"
}
open() { nft delete table inet strict; }
# caddy SCRIPT: the edge goes on with a configuration that sed changed.
caddy() {
  docker exec microvibe-edge-1 sh -c 'sed "$1" /etc/caddy/Caddyfile >/tmp/Caddyfile &&
    ! cmp -s /etc/caddy/Caddyfile /tmp/Caddyfile && caddy reload --config /tmp/Caddyfile --adapter caddyfile' sh "$1"
}
uncaddy() { docker exec microvibe-edge-1 caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile --force; }
# nginx SCRIPT: nginx goes on with a configuration that sed changed.
nginx() {
  config=$(echo $stack/services/streams/*/nginx.conf)
  cp -p $config /tmp/stageplot-tests.conf; sed -i "$1" $config
  ! cmp -s $config /tmp/stageplot-tests.conf; docker restart --time 1 microvibe-streams-1 >/dev/null; sleep 1
}
unnginx() { cat /tmp/stageplot-tests.conf >$(echo $stack/services/streams/*/nginx.conf); docker restart --time 1 microvibe-streams-1 >/dev/null; }
psql() { docker exec microvibe-db-1 psql --username microvibe --dbname ${DB-microvibe} --quiet --command "$@"; }
# hba SCRIPT: Postgres goes on with rules for logins that sed changed.
hba() {
  rules=$(docker exec microvibe-db-1 psql --username microvibe --no-align --tuples-only --command 'SHOW hba_file')
  docker exec microvibe-db-1 sh -c 'sed "$1" $2 >/tmp/rules && ! cmp -s $2 /tmp/rules' sh "$1" $rules
  psql "ALTER SYSTEM SET hba_file = '/tmp/rules'"; docker restart --time 1 microvibe-db-1 >/dev/null; sleep 2
}
unhba() { psql "ALTER SYSTEM RESET hba_file"; docker restart --time 1 microvibe-db-1 >/dev/null; }
"#;

pub(crate) const FAULTS: &[Fault] = &[
    // RTMP.
    Fault {
        name: "nginx is stopped",
        on: "ingest",
        bring: "docker stop --time 1 microvibe-streams-1",
        mend: "docker start microvibe-streams-1",
        from: "ingest",
        options: &[],
        first: ("container-stopped", "streams", "ingest"),
    },
    Fault {
        name: "nginx is paused",
        on: "ingest",
        bring: "docker pause microvibe-streams-1",
        mend: "docker unpause microvibe-streams-1",
        from: "outside",
        options: &[],
        first: ("no-answer", "streams", "ingest"),
    },
    Fault {
        name: "the port for RTMP is closed in front of the machine",
        on: "ingest",
        bring: "shut prerouting tcp dport 1935",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "streams", "ingest"),
    },
    Fault {
        name: "another program answers where publishers come in",
        on: "ingest",
        bring: "docker stop --time 1 microvibe-streams-1; \
                (socat TCP-LISTEN:1935,fork,reuseaddr SYSTEM:'echo SSH-2.0-tests; sleep 5' >/dev/null 2>&1 & echo $! >/tmp/stageplot-stranger); sleep 1",
        mend: "kill $(cat /tmp/stageplot-stranger); rm /tmp/stageplot-stranger; docker start microvibe-streams-1",
        from: "outside",
        options: &[],
        first: ("wrong-protocol", "streams", "ingest"),
    },
    Fault {
        name: "nginx has another application than publishers are told",
        on: "ingest",
        bring: "nginx 's|application live|application vod|'",
        mend: "unnginx",
        from: "ingest",
        options: &[],
        first: ("other-setting", "streams", "ingest"),
    },
    Fault {
        name: "nginx asks nobody who may publish",
        on: "ingest",
        bring: "nginx '/on_publish /d'",
        mend: "unnginx",
        from: "outside",
        options: &["--deep"],
        first: ("publish-unasked", "streams", "ingest"),
    },
    Fault {
        name: "nginx asks where no application is",
        on: "ingest",
        bring: "nginx 's|server 10.0.0.11:8080|server 10.0.0.11:8089|'",
        mend: "unnginx",
        from: "outside",
        options: &["--deep"],
        first: ("publish-refused", "streams", "ingest"),
    },
    Fault {
        name: "the application does not know the stream for trials",
        on: "ingest",
        bring: "true",
        mend: "true",
        from: "outside",
        options: &["--deep", "TRIAL_STREAM=nobody-gave-this-out"],
        first: ("publish-refused", "streams", "ingest"),
    },
    Fault {
        name: "nginx makes no HLS",
        on: "ingest",
        bring: "nginx 's|hls on;|hls off;|'",
        mend: "unnginx",
        from: "outside",
        options: &["--deep"],
        first: ("stream-missing", "streams", "ingest"),
    },
    Fault {
        name: "nginx lets nobody play",
        on: "ingest",
        bring: "nginx 's|live on;|live on; deny play all;|'",
        mend: "unnginx",
        from: "outside",
        options: &["--deep"],
        first: ("stream-missing", "streams", "ingest"),
    },
    Fault {
        name: "the edge sends players elsewhere",
        on: "front",
        bring: "caddy 's|path `/hls/|path `/video/|'",
        mend: "uncaddy",
        from: "outside",
        options: &["--deep"],
        first: ("stream-missing", "streams", "ingest"),
    },
    Fault {
        name: "nginx serves HLS on its loopback alone",
        on: "ingest",
        bring: "nginx 's|listen 0.0.0.0:8081|listen 127.0.0.1:8081|'",
        mend: "unnginx",
        from: "front",
        options: &[],
        first: ("refused", "streams", "ingest"),
    },
    Fault {
        name: "the edge has another address for HLS",
        on: "front",
        bring: "caddy 's|10.0.0.12:8081|10.0.0.99:8081|'",
        mend: "uncaddy",
        from: "front",
        options: &[],
        first: ("upstream-unknown", "edge", "front"),
    },
    // SFUs.
    Fault {
        name: "an SFU was killed",
        on: "media-1",
        bring: "docker kill microvibe-sfu-1",
        mend: "docker start microvibe-sfu-1",
        from: "media-1",
        options: &[],
        first: ("container-stopped", "sfu", "media-1"),
    },
    Fault {
        name: "an SFU is paused, as the application sees it",
        on: "media-2",
        bring: "docker pause microvibe-sfu-1",
        mend: "docker unpause microvibe-sfu-1",
        from: "front",
        options: &[],
        first: ("no-answer", "sfu", "media-2"),
    },
    Fault {
        name: "the application cannot reach an SFU's signalling",
        on: "media-1",
        bring: "shut input tcp dport 7777",
        mend: "open",
        from: "front",
        options: &[],
        first: ("silence", "sfu", "media-1"),
    },
    Fault {
        name: "something else speaks where an SFU should",
        on: "media-2",
        bring: "docker stop --time 1 microvibe-sfu-1; \
                (python3 -m http.server --bind 0.0.0.0 7777 >/dev/null 2>&1 & echo $! >/tmp/stageplot-stranger); sleep 1",
        mend: "kill $(cat /tmp/stageplot-stranger); rm /tmp/stageplot-stranger; docker start microvibe-sfu-1",
        from: "front",
        options: &[],
        first: ("wrong-protocol", "sfu", "media-2"),
    },
    Fault {
        name: "an SFU's TURN is closed over UDP",
        on: "media-1",
        bring: "shut input udp dport 3478",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "sfu", "media-1"),
    },
    Fault {
        name: "an SFU's TURN is closed over TCP",
        on: "media-2",
        bring: "shut input tcp dport 3478",
        mend: "open",
        from: "outside",
        options: &[],
        first: ("silence", "sfu", "media-2"),
    },
    // Postgres.
    Fault {
        name: "Postgres is stopped",
        on: "data",
        bring: "docker stop --time 1 microvibe-db-1",
        mend: "docker start microvibe-db-1",
        from: "data",
        options: &[],
        first: ("container-stopped", "db", "data"),
    },
    Fault {
        name: "Postgres is paused",
        on: "data",
        bring: "docker pause microvibe-db-1",
        mend: "docker unpause microvibe-db-1",
        from: "front",
        options: &[],
        first: ("no-answer", "db", "data"),
    },
    Fault {
        name: "the firewall lets nobody to Postgres",
        on: "data",
        bring: "shut prerouting tcp dport 5432",
        mend: "open",
        from: "front",
        options: &[],
        first: ("silence", "db", "data"),
    },
    Fault {
        name: "the application's user has another password",
        on: "data",
        bring: "psql \"ALTER ROLE microvibe PASSWORD 'another-one-0123456789'\"",
        mend: "psql \"ALTER ROLE microvibe PASSWORD '$POSTGRES_PASSWORD'\"",
        from: "front",
        options: &[],
        first: ("password-rejected", "db", "data"),
    },
    Fault {
        name: "Postgres lets everybody in, without a password",
        on: "data",
        bring: "hba 's|scram-sha-256|trust|'",
        mend: "unhba",
        from: "front",
        options: &[],
        first: ("password-ignored", "db", "data"),
    },
    Fault {
        name: "Postgres takes fewer connections than the plot says",
        on: "data",
        bring: "psql 'ALTER SYSTEM SET max_connections = 50'; docker restart --time 1 microvibe-db-1; \
                compose up --detach --wait db; sleep 8",
        mend: "psql 'ALTER SYSTEM RESET max_connections'; docker restart --time 1 microvibe-db-1",
        from: "data",
        options: &[],
        first: ("other-setting", "db", "data"),
    },
    Fault {
        name: "the copy of Postgres is stopped, as the primary sees it",
        on: "standby",
        bring: "docker stop --time 1 microvibe-db-1",
        mend: "docker start microvibe-db-1",
        from: "data",
        options: &[],
        first: ("replica-link", "db", "data"),
    },
    Fault {
        name: "the copy of Postgres cannot reach its primary",
        on: "data",
        bring: "shut prerouting ip saddr 10.0.0.14 tcp dport 5432",
        mend: "open",
        from: "standby",
        options: &[],
        first: ("silence", "db", "data"),
    },
    // The application, Redis, Prometheus.
    Fault {
        name: "the application is stopped, as nginx sees it",
        on: "front",
        bring: "docker stop --time 1 microvibe-api-1",
        mend: "docker start microvibe-api-1",
        from: "ingest",
        options: &[],
        first: ("silence", "api", "front"),
    },
    Fault {
        name: "Redis is paused, and the application says that it is not well",
        on: "data",
        bring: "docker pause microvibe-cache-1",
        mend: "docker unpause microvibe-cache-1",
        from: "front",
        options: &[],
        first: ("no-answer", "cache", "data"),
    },
    Fault {
        name: "Prometheus cannot reach an SFU's metrics",
        on: "media-2",
        bring: "shut input tcp dport 8100",
        mend: "open",
        from: "data",
        options: &[],
        first: ("silence", "sfu", "media-2"),
    },
];

pub(crate) const NAMES: &[WrongName] = &[
    WrongName {
        name: "the name for publishers leads to the edge",
        record: ["push.example.com. 300 IN A 203.0.113.11", "push.example.com. 300 IN A 203.0.113.10"],
        cause: "name-elsewhere",
        service: "streams",
    },
    WrongName {
        name: "nobody knows the name for publishers",
        record: ["push.example.com.", "elsewhere.example.com."],
        cause: "name-unknown",
        service: "streams",
    },
];

#[test]
fn each_fault_of_streams_is_the_first_thing_to_mend() {
    let trial = "done = \"/api/v1/live/auth/publish_done\", trial = { env = \"TRIAL_STREAM\" } }";
    let text = PLOT.replace("done = \"/api/v1/live/auth/publish_done\" }", trial);
    assert_ne!(text, PLOT);
    let rig = want!(Rig::up(&topology(&text), &Given::default(), &mut |_, _| ()));
    // A stream for trials has to be made first.
    let trial: &str = format!("TRIAL_STREAM={}", stream(&rig)).leak();
    let plot = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(plot.path(), text).expect("a plot");
    let plot = plot.path().to_str().expect("a path");
    for place in ["front", "ingest", "media-1", "media-2", "data", "standby", "outside"] {
        let report = well(&rig, plot, place, &["--deep", trial]);
        let checks = report["checks"].as_array().expect("checks");
        println!("{place}: {} checks passed", checks.len());
    }
    let faults: Vec<_> =
        FAULTS.iter().map(|fault| Fault { options: known(fault.options, trial), ..*fault }).collect();
    let only = std::env::var("FAULT").unwrap_or_default();
    let missed = bring_about(&rig, plot, PRELUDE, &faults, NAMES, &only);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Options with the stream for trials, where they name no other.
fn known(options: &'static [&'static str], trial: &'static str) -> &'static [&'static str] {
    match options.iter().any(|option| option.starts_with("TRIAL_STREAM=")) {
        true => options,
        false => [options, &[trial]].concat().leak(),
    }
}

/// The stream of a room that the application made, with its key.
fn stream(rig: &Rig) -> String {
    let mut curl = rig.command("outside", "curl").expect("a place");
    let wanted = json!({ "title": "trials", "push_protocol": "rtmp" }).to_string();
    curl.args(["-sSf", "-H", "content-type: application/json", "-d", &wanted]);
    let answer: Value = run(curl.arg("https://live.example.com/api/v1/live/create"), RUN).json();
    answer["data"]["stream_key"].as_str().expect("a key").to_owned()
}
