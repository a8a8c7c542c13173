//! Postgres: its primary and its replicas, its version, its memory, and the connections
//! that it takes.

use stageplot_topology::{App, ByteSize, Code, Plot, Postgres, PostgresRemote, Redis};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::NoPrimary,
            "services.db.primary",
            |p| {
                add_postgres(p);
                place(p, "db", "media-1");
                postgres(p).primary.clear();
            },
            |p| postgres(p).primary = vec![name("media-2")],
        ),
        case(
            Code::TwoPrimaries,
            "services.db.primary[1]",
            |p| {
                add_postgres(p);
                place(p, "db", "media-1");
                postgres(p).primary.push(name("media-1"));
            },
            |p| drop(postgres(p).primary.pop()),
        ),
        case(
            Code::ReplicaOfNothing,
            "services.db.primary",
            |p| {
                add_postgres(p);
                postgres(p).primary = vec![name("media-1")];
            },
            |p| postgres(p).primary = vec![name("media-2")],
        ),
        case(
            Code::NoPassword,
            "services.db.password",
            |p| {
                add_postgres(p);
                postgres(p).password = None;
            },
            |p| postgres(p).password = Some(env("POSTGRES_PASSWORD")),
        ),
        case(
            Code::NoPassword,
            "services.db.replication-password",
            |p| {
                add_postgres(p);
                place(p, "db", "media-1");
                postgres(p).replication_password = None;
            },
            |p| postgres(p).replication_password = Some(env("REPLICATION_PASSWORD")),
        ),
        case(
            Code::ExternalService,
            "services.db.external",
            |p| {
                add_postgres(p);
                let address = "postgres.example.com:5432".parse().expect("an address");
                postgres(p).external = Some(PostgresRemote::new(address));
            },
            |p| unplace(p, "media-2"),
        ),
        case(
            Code::PostgresMajor,
            "services.db.image",
            |p| {
                add_postgres(p);
                postgres(p).image = image("registry.example.com/postgres:pg16");
            },
            |p| postgres(p).major = Some(16),
        ),
        case(
            Code::PostgresMajor,
            "services.db.image",
            |p| {
                add_postgres(p);
                postgres(p).image = image("postgres:12.22");
            },
            |p| postgres(p).image = image("postgres:13.23"),
        ),
        case(
            Code::PostgresMajor,
            "services.db.major",
            |p| {
                add_postgres(p);
                postgres(p).major = Some(9);
            },
            |p| postgres(p).major = None,
        ),
        case(
            Code::PostgresMemory,
            "services.db.shared-buffers",
            |p| {
                add_postgres(p);
                postgres(p).limits.memory = Some(ByteSize::from_mib(200));
            },
            |p| postgres(p).shared_buffers = ByteSize::from_mib(64),
        ),
        case(
            Code::PostgresMemory,
            "services.db.shared-buffers",
            |p| {
                add_postgres(p);
                node(p, "media-2").memory = Some(ByteSize::from_mib(2048));
                postgres(p).shared_buffers = ByteSize::from_mib(1536);
            },
            |p| postgres(p).shared_buffers = ByteSize::from_mib(512),
        ),
        case(
            Code::InvalidValue,
            "services.db.shared-buffers",
            |p| {
                add_postgres(p);
                postgres(p).shared_buffers = ByteSize::from_bytes(1024);
            },
            |p| postgres(p).shared_buffers = ByteSize::from_mib(1),
        ),
        case(
            Code::InvalidValue,
            "services.db.max-connections",
            |p| {
                add_postgres(p);
                postgres(p).max_connections = 3;
            },
            |p| postgres(p).max_connections = 4,
        ),
        case(
            Code::InvalidValue,
            "services.db.user",
            |p| {
                add_postgres(p);
                postgres(p).user = Postgres::REPLICATION_ROLE.parse().expect("a name");
            },
            |p| postgres(p).user = "app".parse().expect("a name"),
        ),
        case(
            Code::TooManyConnections,
            "services.rooms.pool.db",
            |p| {
                add_postgres(p);
                app(p).pool = [(name("db"), 98)].into();
            },
            |p| postgres(p).max_connections = 101,
        ),
        case(
            Code::TooManyConnections,
            "services.rooms.pool.cache",
            |p| {
                app(p).needs.push(name("cache"));
                app(p).pool = [(name("cache"), 10_001)].into();
            },
            |p| app(p).pool = [(name("cache"), 10_000)].into(),
        ),
        case(
            Code::UnknownName,
            "services.rooms.pool.db",
            |p| {
                add_postgres(p);
                app(p).needs.clear();
                app(p).pool = [(name("db"), 10)].into();
            },
            |p| app(p).needs.push(name("db")),
        ),
        case(
            Code::WrongKind,
            "services.rooms.pool.sfu",
            |p| {
                app(p).needs.push(name("sfu"));
                app(p).pool = [(name("sfu"), 10)].into();
            },
            |p| app(p).pool.clear(),
        ),
        case(
            Code::EnvReference,
            "services.rooms.env.USER",
            |p| {
                add_postgres(p);
                app(p).needs.push(name("cache"));
                app(p).env.insert("USER".to_owned(), "${cache.user}".into());
            },
            |p| drop(app(p).env.insert("USER".to_owned(), "${db.user}@${db.database}".into())),
        ),
        case(
            Code::NodeMemory,
            "nodes.media-2.memory",
            |p| {
                add_postgres(p);
                // 128 MiB, and 4 MiB for each of 100 connections.
                node(p, "media-2").memory = Some(ByteSize::from_mib(527));
            },
            |p| node(p, "media-2").memory = Some(ByteSize::from_mib(528)),
        ),
        case(
            Code::NodeMemory,
            "nodes.media-2.memory",
            |p| {
                add_postgres(p);
                add(p, "more", Redis::default());
                livekit(p).redis = Some(name("cache"));
                place(p, "more", "media-2");
                node(p, "media-2").memory = Some(ByteSize::from_mib(1000));
            },
            |p| node(p, "media-2").memory = Some(ByteSize::from_mib(1040)),
        ),
    ]
}

/// The arithmetic is in the message, of one app and of several.
#[test]
fn the_sum_of_pools_is_told() {
    let mut plot = plot();
    add_postgres(&mut plot);
    for node in ["media-1", "media-2"] {
        place(&mut plot, "rooms", node);
    }
    app(&mut plot).pool = [(name("db"), 40)].into();
    let told =
        |plot: &Plot| crate::found(plot).iter().map(|finding| finding.message.clone()).collect::<Vec<_>>();
    assert_eq!(
        told(&plot),
        ["3 nodes × 40 connections = 120, and db takes 97 (100 less 3 for its superuser)"]
    );
    let mut other = App { port: None, ..host_app(8081) };
    other.needs = vec![name("db")];
    other.pool = [(name("db"), 10)].into();
    add(&mut plot, "jobs", other);
    place(&mut plot, "jobs", "front");
    app(&mut plot).pool = [(name("db"), 30)].into();
    assert_eq!(
        told(&plot),
        ["jobs: 1 node × 10 connections = 10, rooms: 3 nodes × 30 connections = 90; 100 together, and db \
             takes 97 (100 less 3 for its superuser)"]
    );
}

/// What takes memory is told one by one.
#[test]
fn the_sum_of_memory_is_told() {
    let mut plot = plot();
    add_postgres(&mut plot);
    postgres(&mut plot).limits.memory = Some(ByteSize::from_mib(1024));
    add(&mut plot, "more", Redis { maxmemory: ByteSize::from_mib(1024), ..Redis::default() });
    place(&mut plot, "more", "media-2");
    livekit(&mut plot).redis = Some(name("cache"));
    livekit(&mut plot).limits.memory = Some(ByteSize::from_mib(512));
    node(&mut plot, "media-2").memory = Some(ByteSize::from_mib(2048));
    assert_eq!(
        crate::found(&plot).to_string(),
        "warning[node-memory]: nodes.media-2.memory: the services on media-2 may take 2560mb together (db 1gb, \
         more 1gb and sfu 512mb), and it has 2gb (help: lower limits.memory of a service, or move one)"
    );
}
