//! Redis: the password, the role, replication, memory, saves, and what LiveKit's nodes say
//! there of themselves.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;
use stageplot_health::Cause::*;
use stageplot_health::Trial;
use stageplot_topology::Probe;

use crate::checks::{Checks, Stranger};
use crate::server::{Line, Manner, Server, filled};
use crate::stage::{Case, End, PASSWORD, Stage};

/// Every check that is asked in plain RESP.
const KINDS: [&str; 6] = ["ping", "primary", "replica", "room", "persistence", "nodes"];

pub(crate) fn trial(stage: &Stage, kind: &str, at: SocketAddr) -> Trial {
    let is = |probe: &Probe| match kind {
        "ping" => matches!(probe, Probe::RedisPing { .. }),
        "primary" => matches!(probe, Probe::RedisPrimary { .. }),
        "replica" => matches!(probe, Probe::RedisReplication),
        "room" => matches!(probe, Probe::RedisRoom { .. }),
        "persistence" => matches!(probe, Probe::RedisPersistence { .. }),
        _ => matches!(probe, Probe::LivekitNodes { .. }),
    };
    stage.trial(is, at)
}

const ITEM: &[u8] = &filled::<{ 7 + 1000 + 2 }>(b"$1000\r\n");

/// Whoever listens where Redis should be, and does not speak its protocol to the end.
const STRANGERS: &[Stranger] = &[
    ("mute", Manner::Mute, NoAnswer),
    ("silence in a word", Manner::Says(b"+P"), TooSlow),
    ("silence in a text", Manner::Says(b"$99\r\nabc"), TooSlow),
    ("drips", Manner::Drips(b"$1000\r\n"), TooSlow),
    ("closes at once", Manner::Breaks(b""), ClosedEarly),
    ("closes in a word", Manner::Breaks(b"+O"), ClosedEarly),
    ("closes in a text", Manner::Breaks(b"$99\r\nabc"), ClosedEarly),
    ("resets", Manner::Resets, ClosedEarly),
    ("SSH", Manner::First(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), WrongProtocol),
    ("HTTP", Manner::Says(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), WrongProtocol),
    ("TLS", Manner::Says(b"\x15\x03\x03\x00\x02\x02\x32"), WrongProtocol),
    ("PostgreSQL", Manner::Says(b"E\x00\x00\x00\x88SFATAL\x00"), WrongProtocol),
    ("a list within lists", Manner::Floods(b"", b"*1\r\n"), WrongProtocol),
    ("a word without end", Manner::Floods(b"+", b"y"), TooMuch),
    ("a text without end", Manner::Floods(b"$536870912\r\n", b"y"), TooMuch),
    ("a list without end", Manner::Floods(b"*2147483647\r\n", ITEM), TooMuch),
    ("a text of no length that is one", Manner::Says(b"$99999999999999999999\r\n"), WrongProtocol),
    ("a list of no length that is one", Manner::Says(b"*-7\r\n"), WrongProtocol),
    ("nothing", Manner::Says(b"$-1\r\n"), WrongProtocol),
    ("a number", Manner::Says(b":1\r\n"), WrongProtocol),
    ("another word", Manner::Says(b"+QUEUED\r\n"), WrongProtocol),
    ("NOAUTH", Manner::Says(b"-NOAUTH Authentication required.\r\n"), PasswordRejected),
    (
        "WRONGPASS",
        Manner::Says(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        PasswordRejected,
    ),
    ("NOPERM", Manner::Says(b"-NOPERM this user has no permissions\r\n"), PasswordRejected),
    (
        "no password at all",
        Manner::Says(
            b"-ERR AUTH <password> called without any password configured for the default user.\r\n",
        ),
        PasswordIgnored,
    ),
    ("no more clients", Manner::Refuses(b"-ERR max number of clients reached\r\n"), TooManyClients),
    ("protected mode", Manner::Refuses(b"-DENIED Redis is running in protected mode\r\n"), OtherSetting),
    ("a failed save", Manner::Says(b"-MISCONF Redis is configured to save RDB snapshots\r\n"), RedisSave),
    ("a primary that is gone", Manner::Says(b"-MASTERDOWN Link with MASTER is down\r\n"), ReplicaLink),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_redis_passes_no_check_of_it() {
    Checks { kinds: &KINDS, trial, strangers: STRANGERS }.hold(&Stage::behind_https()).await;
}

const PRIMARY: &str = "role:master\r\nconnected_slaves:1\r\n\
    slave0:ip=203.0.113.11,port=6379,state=online,offset=700,lag=0\r\nmaster_repl_offset:714\r\n";
const REPLICA: &str = "role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:3\r\n";
const MEMORY: &str = "used_memory:1000000\r\nmaxmemory:536870912\r\nmaxmemory_policy:noeviction\r\n";
const PERSISTENCE: &str = "loading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:1\r\n\
    aof_last_bgrewrite_status:ok\r\naof_last_write_status:ok\r\n";

/// Servers that speak RESP and know the password: the kind of check, what is other in
/// what an honest one says, the end.
const SPEAKERS: &[(&str, &str, &str, End)] = &[
    ("ping", "", "", End::Passed),
    ("ping", "+PONG", "+pong", End::Failed(WrongProtocol)),
    ("ping", "+PONG", "$0\r\n", End::Failed(WrongProtocol)),
    ("ping", "+PONG", ":1", End::Failed(WrongProtocol)),
    ("ping", "+PONG", "-LOADING Redis is loading the dataset in memory", End::Degraded(StillStarting)),
    ("ping", "-NOAUTH Authentication required.", "+PONG", End::Failed(PasswordIgnored)),
    ("ping", "-NOAUTH Authentication required.", "-ERR no", End::Failed(WrongProtocol)),
    ("primary", "", "", End::Passed),
    ("primary", PRIMARY, REPLICA, End::Failed(WrongRole)),
    ("primary", PRIMARY, "", End::Failed(WrongRole)),
    ("primary", "role:master", "role:sentinel", End::Failed(WrongRole)),
    ("primary", "connected_slaves:1", "connected_slaves:0", End::Degraded(ReplicaLink)),
    ("primary", "connected_slaves:1", "connected_slaves:-1", End::Degraded(ReplicaLink)),
    ("primary", "connected_slaves:1", "connected_slaves:18446744073709551615", End::Degraded(ReplicaLag)),
    ("primary", "state=online", "state=wait_bgsave", End::Degraded(ReplicaLag)),
    ("primary", "offset:714", "offset:99999999999", End::Degraded(ReplicaLag)),
    ("primary", "offset=700,", "", End::Degraded(ReplicaLag)),
    ("primary", "slave0:", "slave7:", End::Degraded(ReplicaLag)),
    ("primary", "master_repl_offset", "offset", End::Failed(WrongProtocol)),
    ("replica", "", "", End::Passed),
    ("replica", REPLICA, PRIMARY, End::Failed(WrongRole)),
    ("replica", REPLICA, "", End::Failed(WrongRole)),
    ("replica", "status:up", "status:down", End::Failed(ReplicaLink)),
    ("replica", "status:up", "status:upside", End::Failed(ReplicaLink)),
    ("replica", "ago:3", "ago:3600", End::Degraded(ReplicaLag)),
    ("replica", "ago:3", "ago:-1", End::Degraded(ReplicaLag)),
    ("room", "", "", End::Passed),
    ("room", MEMORY, "", End::Failed(WrongProtocol)),
    ("room", "used_memory:1000000", "used_memory:536870912", End::Failed(RedisFull)),
    ("room", "used_memory:1000000", "used_memory:18446744073709551615", End::Failed(RedisFull)),
    ("room", "used_memory:1000000", "used_memory:530000000", End::Degraded(RedisFull)),
    ("room", "used_memory:1000000", "used_memory:none", End::Failed(WrongProtocol)),
    ("room", "maxmemory:536870912", "maxmemory:0", End::Degraded(OtherSetting)),
    ("room", "noeviction", "allkeys-lru", End::Degraded(OtherSetting)),
    ("room", "connected_clients:9", "connected_clients:9999", End::Degraded(TooManyClients)),
    ("room", "connected_clients:9", "", End::Failed(WrongProtocol)),
    ("room", "maxclients:10000", "", End::Passed),
    ("persistence", "", "", End::Passed),
    ("persistence", PERSISTENCE, "", End::Degraded(OtherSetting)),
    ("persistence", "aof_enabled:1", "aof_enabled:0", End::Degraded(OtherSetting)),
    ("persistence", "bgsave_status:ok", "bgsave_status:err", End::Failed(RedisSave)),
    ("persistence", "write_status:ok", "write_status:err", End::Failed(RedisSave)),
    ("persistence", "bgrewrite_status:ok", "", End::Failed(RedisSave)),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_says_is_held_against_the_plot() {
    let stage = &Stage::behind_https();
    stage
        .hold(SPEAKERS.iter().map(|(kind, honest, other, end)| async move {
            let server = Server::new(move |line| {
                let (kind, honest, other) = (*kind, *honest, *other);
                async move { serve(line, &|words, known| answer(kind, words, known, honest, other)).await }
            })
            .await;
            Case::new(format!("{kind}, {honest} → {other}"), trial(stage, kind, server.at), *end).by(server)
        }))
        .await;
}

/// What a sound server says, but for one thing.
fn answer(kind: &str, words: &[String], known: bool, honest: &str, other: &str) -> Vec<u8> {
    let alter = |text: &str| if honest.is_empty() { text.to_owned() } else { text.replace(honest, other) };
    let text = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["AUTH", PASSWORD] => return b"+OK\r\n".to_vec(),
        ["AUTH", ..] => return b"-WRONGPASS invalid username-password pair\r\n".to_vec(),
        _ if !known => return format!("{}\r\n", alter("-NOAUTH Authentication required.")).into_bytes(),
        ["PING"] => return format!("{}\r\n", alter("+PONG")).into_bytes(),
        ["INFO", "replication"] if kind == "replica" => REPLICA,
        ["INFO", "replication"] => PRIMARY,
        ["INFO", "memory"] => MEMORY,
        ["INFO", "clients"] => "connected_clients:9\r\nmaxclients:10000\r\n",
        ["INFO", "persistence"] => PERSISTENCE,
        _ => return b"-ERR unknown command\r\n".to_vec(),
    };
    let text = alter(text);
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

/// Reads commands, and says what is to be said to each by whoever has logged in or not.
pub(crate) async fn serve(mut line: Line, answer: &(dyn Fn(&[String], bool) -> Vec<u8> + Sync)) {
    let mut known = false;
    loop {
        // A client on this machine sends a command in one piece.
        let heard = line.hear().await;
        if heard.is_empty() {
            return;
        }
        let heard = String::from_utf8_lossy(&heard).into_owned();
        let mut words = Vec::new();
        for text in heard.split("\r\n").filter(|text| !text.is_empty() && !text.starts_with('$')) {
            match text.strip_prefix('*') {
                Some(_) if !words.is_empty() => {
                    known |= reply(&mut line, &words, known, answer).await;
                    words.clear();
                }
                Some(_) => {}
                None => words.push(text.to_owned()),
            }
        }
        known |= reply(&mut line, &words, known, answer).await;
    }
}

async fn reply(
    line: &mut Line,
    words: &[String],
    known: bool,
    answer: &(dyn Fn(&[String], bool) -> Vec<u8> + Sync),
) -> bool {
    let answer = answer(words, known);
    line.say(&answer).await;
    words.first().is_some_and(|word| word == "AUTH") && answer.starts_with(b"+OK")
}

/// What a node of LiveKit says of itself, as `livekit_internal.proto` has it.
#[derive(Clone, PartialEq, prost::Message)]
struct Node {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    ip: String,
    #[prost(message, optional, tag = "4")]
    stats: Option<Stats>,
    #[prost(int32, tag = "6")]
    state: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Stats {
    #[prost(int64, tag = "2")]
    updated_at: i64,
}

/// A node as Redis hands it out: where, how many seconds ago, in which state.
fn node(ip: &str, ago: i64, state: i32) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    let stats = Stats { updated_at: i64::try_from(now).expect("a time").saturating_sub(ago) };
    Node { id: "ND_1".to_owned(), ip: ip.to_owned(), stats: Some(stats), state }.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_livekit_is_there_serves_and_has_the_right_time() {
    const OWN: &str = "203.0.113.11";
    let stage = &Stage::behind_https();
    let nodes: Vec<(&str, Vec<Vec<u8>>, End)> = vec![
        ("honest", vec![node(OWN, 1, 1)], End::Passed),
        ("started anew", vec![node(OWN, 900, 2), node(OWN, 1, 1)], End::Passed),
        ("by IPv6 too", vec![node("203.0.113.11,2001:db8::1", 1, 1)], End::Passed),
        ("none", vec![], End::Failed(NodeMissing)),
        ("another", vec![node("192.0.2.1", 1, 1)], End::Failed(NodeMissing)),
        ("garbage", vec![b"\xff\xff\xff\xff".to_vec(), vec![0; 4096]], End::Failed(NodeMissing)),
        ("half of it", vec![node(OWN, 1, 1)[..9].to_vec()], End::Failed(NodeMissing)),
        ("an address that is none", vec![node("203.0.113", 1, 1)], End::Failed(NodeMissing)),
        ("died", vec![node(OWN, 60, 1)], End::Failed(NodeMissing)),
        ("from before time", vec![node(OWN, i64::MAX, 1)], End::Failed(NodeMissing)),
        ("clock ahead", vec![node(OWN, -40, 1)], End::Failed(ClockSkew)),
        ("clock at the end of time", vec![node(OWN, i64::MIN, 1)], End::Failed(ClockSkew)),
        ("draining", vec![node(OWN, 1, 2)], End::Degraded(NodeDraining)),
        ("starting", vec![node(OWN, 1, 0)], End::Degraded(LivekitUnready)),
        ("in no state", vec![node(OWN, 1, -7)], End::Degraded(LivekitUnready)),
    ];
    stage
        .hold(nodes.into_iter().map(|(name, nodes, end)| async move {
            let mut told = format!("*{}\r\n", nodes.len()).into_bytes();
            for node in nodes {
                told.extend(format!("${}\r\n", node.len()).into_bytes());
                told.extend(node);
                told.extend(b"\r\n");
            }
            let server = Server::new(move |line| {
                let told = told.clone();
                async move {
                    let answer = |words: &[String], known| match words {
                        [word, _] if word == "HVALS" => told.clone(),
                        _ => answer("ping", words, known, "", ""),
                    };
                    serve(line, &answer).await;
                }
            })
            .await;
            Case::new(name, trial(stage, "nodes", server.at), end).by(server)
        }))
        .await;
}
