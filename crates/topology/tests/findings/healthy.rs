//! A plot without findings, and hands to change it with.

use stageplot_topology::{
    App, Edge, HostName, ImageRef, Livekit, Name, NetworkSpec, NodeSpec, Plot, Port, Postgres, PublicAddress,
    Redis, RedisRemote, Run, SecretRef, ServiceSpec, Source, Turn,
};

/// An edge and an app on one node, LiveKit on two more, Redis on one of them.
pub(super) fn plot() -> Plot {
    Plot::new(name("live"))
        .network("lan", network("192.168.1.0/24"))
        .node("front", machine("192.168.1.1", "203.0.113.10").role("edge").role("rooms"))
        .node("media-1", machine("192.168.1.2", "203.0.113.11").role("sfu").role("cache"))
        .node("media-2", machine("192.168.1.3", "203.0.113.12").role("sfu"))
        .service("edge", Edge::new(host("live.example.com")))
        .service(
            "sfu",
            Livekit { keys: [("main".to_owned(), env("LIVEKIT_API_SECRET"))].into(), ..Livekit::default() },
        )
        .service("cache", Redis { password: Some(env("REDIS_PASSWORD")), ..Redis::default() })
        .service(
            "rooms",
            App { health: Some("/health".to_owned()), routes: vec!["/api/*".to_owned()], ..host_app(8080) },
        )
}

/// Adds a service.
pub(super) fn add(plot: &mut Plot, called: &str, service: impl Into<ServiceSpec>) {
    plot.services.insert(name(called), service.into());
}

/// Adds a network.
pub(super) fn add_network(plot: &mut Plot, called: &str, cidr: &str) {
    plot.networks.insert(name(called), network(cidr));
}

/// Adds another edge, with a name and a node of its own.
pub(super) fn add_second_edge(plot: &mut Plot) {
    add(plot, "second", Edge::new(host("second.example.com")));
    place(plot, "second", "media-2");
}

/// Places a service on a node, after those that it has.
pub(super) fn place(plot: &mut Plot, service: &str, on: &str) {
    node(plot, on).roles.push(name(service));
}

/// Takes the role that a node has last.
pub(super) fn unplace(plot: &mut Plot, on: &str) {
    node(plot, on).roles.pop();
}

pub(super) fn node<'a>(plot: &'a mut Plot, name: &str) -> &'a mut NodeSpec {
    plot.nodes.get_mut(name).expect("a node of that name")
}

pub(super) fn edge(plot: &mut Plot) -> &mut Edge {
    match plot.services.get_mut("edge") {
        Some(ServiceSpec::Edge(edge)) => edge,
        _ => unreachable!("the healthy plot has an edge"),
    }
}

pub(super) fn livekit(plot: &mut Plot) -> &mut Livekit {
    livekit_named(plot, "sfu")
}

pub(super) fn livekit_named<'a>(plot: &'a mut Plot, name: &str) -> &'a mut Livekit {
    match plot.services.get_mut(name) {
        Some(ServiceSpec::Livekit(livekit)) => livekit,
        _ => panic!("{name} is no LiveKit"),
    }
}

pub(super) fn turn(plot: &mut Plot) -> &mut Turn {
    livekit(plot).turn.as_mut().expect("the case sets TURN")
}

pub(super) fn redis(plot: &mut Plot) -> &mut Redis {
    match plot.services.get_mut("cache") {
        Some(ServiceSpec::Redis(redis)) => redis,
        _ => unreachable!("the healthy plot has a Redis"),
    }
}

/// Adds a Postgres on a node of LiveKit's, with all that replicas take, which the app needs.
pub(super) fn add_postgres(plot: &mut Plot) {
    let postgres = Postgres {
        primary: vec![name("media-2")],
        password: Some(env("POSTGRES_PASSWORD")),
        replication_password: Some(env("REPLICATION_PASSWORD")),
        ..Postgres::default()
    };
    add(plot, "db", postgres);
    place(plot, "db", "media-2");
    app(plot).needs.push(name("db"));
}

pub(super) fn postgres(plot: &mut Plot) -> &mut Postgres {
    match plot.services.get_mut("db") {
        Some(ServiceSpec::Postgres(postgres)) => postgres,
        _ => unreachable!("the case adds a Postgres"),
    }
}

pub(super) fn app(plot: &mut Plot) -> &mut App {
    match plot.services.get_mut("rooms") {
        Some(ServiceSpec::App(app)) => app,
        _ => unreachable!("the healthy plot has an app"),
    }
}

/// An app that the user starts.
pub(super) fn host_app(port: u16) -> App {
    App { run: Some(Run::Host), port: Port::new(port), ..App::default() }
}

/// A Redis that somebody else runs.
pub(super) fn remote() -> RedisRemote {
    let address = "redis.example.com:6379".parse().expect("an address");
    RedisRemote { address: Some(address), ..RedisRemote::default() }
}

pub(super) fn machine(private: &str, public: &str) -> NodeSpec {
    NodeSpec { public: Some(PublicAddress::from(ip(public))), ..NodeSpec::private(ip(private)) }
}

pub(super) fn network(cidr: &str) -> NetworkSpec {
    NetworkSpec::new([cidr.parse().expect("a network")])
}

pub(super) fn env(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

pub(super) fn file(path: &str) -> SecretRef {
    SecretRef::File(path.to_owned())
}

pub(super) fn ip(text: &str) -> std::net::IpAddr {
    text.parse().expect("an address")
}

pub(super) fn source(text: &str) -> Source {
    text.parse().expect("a source")
}

pub(super) fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

pub(super) fn host(text: &str) -> HostName {
    text.parse().expect("a host name")
}

pub(super) fn image(text: &str) -> ImageRef {
    text.parse().expect("an image")
}
