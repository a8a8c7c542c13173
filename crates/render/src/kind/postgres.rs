//! `postgres`: its configuration, the script that starts it, and the container.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;
use stageplot_topology::{
    Attachment, Endpoint, Flow, Party, Period, Postgres, SecretRef, SocketTarget, Sources, Topology,
    arrivals, dial,
};

use super::{Part, Scene, with_password};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::template::{Dialect, Template};

pub(super) const CONF: Template =
    Template::new("postgresql.conf", Dialect::PostgresConf, include_str!("../../templates/postgresql.conf"));
pub(super) const HBA: Template =
    Template::new("pg_hba.conf", Dialect::PgHba, include_str!("../../templates/pg_hba.conf"));
pub(super) const ROLES: Template =
    Template::new("roles.sql", Dialect::Sql, include_str!("../../templates/roles.sql"));
pub(super) const START: Template =
    Template::new("postgres.sh", Dialect::Shell, include_str!("../../templates/postgres.sh"));

/// Where the image's own documentation mounts configuration.
const CONFIG: &str = "/etc/postgresql";

/// Where the image's user finds what it reads at the first start, in memory.
const PRIVATE: &str = "/run/stageplot";

/// How long it may take to write down what is in memory when it is stopped.
pub(crate) const GRACE: Period = Period::from_seconds(120);

/// What the templates are given, each what it needs of it.
#[derive(Serialize)]
struct Values<'a> {
    config: &'static str,
    private: &'static str,
    /// Where the container has its data.
    volume: &'static str,
    /// The settings that the first start wrote down.
    initial: String,
    listen: String,
    port: u16,
    max_connections: u32,
    shared_buffers: String,
    max_wal_senders: usize,
    user: &'a str,
    database: &'a str,
    password: Option<&'a str>,
    /// The role that replicas log in as.
    role: &'static str,
    replication_password: Option<&'a str>,
    /// The networks that clients and replicas come from.
    clients: Vec<String>,
    replicas: Vec<String>,
    /// The primary that a replica follows.
    upstream: Option<Upstream>,
}

#[derive(Serialize)]
struct Upstream {
    host: String,
    port: u16,
    /// How `libpq` is told to log in there; the password is in its environment, for here
    /// it would be cut off where it is long (`MAXCONNINFO`).
    conninfo: String,
}

pub(super) fn render(scene: Scene<'_>, postgres: &Postgres) -> Result<Part, RenderError> {
    let Scene { topology, placement, service, .. } = scene;
    let endpoints = topology.endpoints_of(service.id);
    let own = endpoints.iter().find(|endpoint| endpoint.is_at(placement.id));
    let secret =
        |secret: &'_ Option<SecretRef>| secret.as_ref().map(|secret| scene.values.get(secret)).transpose();
    let replication_password = secret(&postgres.replication_password)?;
    let upstream = service.primary.filter(|&primary| primary != placement.id).and_then(|primary| {
        let endpoint = topology.endpoint_named(service.id, "primary")?;
        let target = dial(topology, placement.id, endpoint.id, primary)?;
        Some(Upstream::new(scene, &target))
    });
    let is_replica = upstream.is_some();
    let own_replicas = |flow: &&Flow| flow.from == Party::Service(service.id);
    let values = Values {
        config: CONFIG,
        private: PRIVATE,
        volume: volume(postgres),
        initial: format!("{}/postgresql.conf", data_dir(postgres)),
        listen: scene.listens(own).map_or_else(|| "*".to_owned(), |addresses| addresses.join(",")),
        port: postgres.port.number(),
        max_connections: postgres.max_connections,
        shared_buffers: format!("{}kB", postgres.shared_buffers.bytes() >> 10),
        // A replica takes two while it makes its copy.
        max_wal_senders: 10.max(2 * service.placements.len()),
        user: postgres.user.as_str(),
        database: postgres.database.as_str(),
        password: secret(&postgres.password)?,
        role: Postgres::REPLICATION_ROLE,
        replication_password,
        clients: networks(scene, own, true, |flow| !own_replicas(flow)),
        replicas: networks(scene, own, false, own_replicas),
        upstream,
    };
    let text = |name: &str| scene.templates.render(name, &values);
    let private = |name: &str, text: &str| Artifact::private(name, text, Owner::ROOT);
    let mut files = vec![
        Artifact::open("postgresql.conf", text("postgresql.conf")?),
        Artifact::open("pg_hba.conf", text("pg_hba.conf")?),
        Artifact::open("start.sh", text("postgres.sh")?),
    ];
    files.extend(values.password.map(|password| private("password", password)));
    match is_replica {
        true => files.extend(values.replication_password.map(|text| private("replication-password", text))),
        false => files.push(private("roles.sql", &text("roles.sql")?)),
    }
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(topology, placement, &postgres.image, &postgres.limits).grace(GRACE);
    container.command = vec!["sh".to_owned(), format!("{CONFIG}/start.sh")];
    container.volumes =
        vec![Mount::files(&dir, CONFIG), Mount::data(service.name.as_str(), volume(postgres))];
    if !is_replica {
        container.tmpfs = vec![format!("{PRIVATE}:mode=0700,size=4m")];
    }
    container.healthcheck = Some(health(postgres, is_replica));
    // It ends connections, and writes down what is in memory; at SIGTERM it would wait
    // for its clients.
    container.stop_signal = Some("SIGINT");
    // Queries that run on several processors share results here.
    container.shm_size = Some("256mb");
    Ok(Part { artifacts, container: Some(container) })
}

/// From 18 on the image has a directory for each major version in its volume.
fn volume(postgres: &Postgres) -> &'static str {
    match postgres.major_version() {
        Some(major) if major >= 18 => "/var/lib/postgresql",
        _ => "/var/lib/postgresql/data",
    }
}

fn data_dir(postgres: &Postgres) -> String {
    match postgres.major_version() {
        Some(major) if major >= 18 => format!("/var/lib/postgresql/{major}/docker"),
        _ => "/var/lib/postgresql/data".to_owned(),
    }
}

impl Upstream {
    fn new(scene: Scene<'_>, target: &SocketTarget) -> Self {
        let (host, port) = (target.host.to_string(), target.port.number());
        // By the node's name the primary tells its replicas apart.
        let conninfo = format!(
            "host={host} port={port} user={} application_name={} connect_timeout=10",
            Postgres::REPLICATION_ROLE,
            scene.node.name
        );
        Self { host, port, conninfo }
    }
}

/// The networks that connections come from: of the plot's where an address is in one,
/// anywhere else all there are.
fn networks(
    scene: Scene<'_>,
    own: Option<&Endpoint>,
    inside: bool,
    of: impl Fn(&&Flow) -> bool,
) -> Vec<String> {
    let Scene { topology, placement, .. } = scene;
    let mut nets: BTreeSet<IpNet> = BTreeSet::new();
    let flows = own.into_iter().flat_map(|own| topology.flows_to(own.id)).filter(of);
    for arrival in flows.flat_map(|flow| arrivals(topology, flow, placement.id)) {
        match arrival.sources {
            Sources::Any => nets.extend([everywhere(true), everywhere(false)]),
            Sources::Nets(sources) => nets.extend(sources.iter().map(|net| around(topology, *net))),
            Sources::Bridge => nets.extend(bridge(topology)),
        }
    }
    if inside {
        // Its own health check, and its neighbours; whoever comes by a process of Docker's
        // comes from there as well.
        nets.extend(
            [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(|ip: IpAddr| IpNet::from(ip)),
        );
    }
    if placement.attachment == Attachment::Bridge && (inside || !nets.is_empty()) {
        nets.extend(bridge(topology));
    }
    nets.iter().map(ToString::to_string).collect()
}

fn bridge(topology: &Topology) -> impl Iterator<Item = IpNet> {
    let spec = &topology.plot().bridge;
    let v6 = spec.ipv6.then_some(IpNet::V6(spec.v6));
    std::iter::once(IpNet::V4(spec.v4)).chain(v6)
}

fn around(topology: &Topology, net: IpNet) -> IpNet {
    let known = topology.networks().iter().flat_map(|network| &network.cidr);
    let known = known.filter(|cidr| cidr.contains(&net)).min_by_key(|cidr| cidr.prefix_len());
    known.copied().unwrap_or_else(|| everywhere(matches!(net, IpNet::V4(_))))
}

fn everywhere(v4: bool) -> IpNet {
    if v4 { IpNet::V4(Ipv4Net::default()) } else { IpNet::V6(Ipv6Net::default()) }
}

/// Logs in over the network as clients do, and takes nothing but the answer that is
/// wanted: `pg_isready` is content with a server that knows neither user nor database.
fn health(postgres: &Postgres, replica: bool) -> HealthCheck {
    let auth = match postgres.password {
        Some(_) => with_password("PGPASSWORD", &format!("{CONFIG}/password")),
        None => String::new(),
    };
    let Postgres { port, user, database, .. } = postgres;
    let ask = format!("{auth}PGCONNECT_TIMEOUT=3 psql -h 127.0.0.1 -p {port} -U {user} -d {database} -XAtqc");
    // A replica without its primary serves old data: that is not well.
    HealthCheck::shell(&match replica {
        false => format!("{ask} 'select 1' | grep -qx 1"),
        true => format!("{ask} 'select status from pg_stat_wal_receiver' | grep -qx streaming"),
    })
}
