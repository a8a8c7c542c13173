//! Random plots, for tests of tools that embed the crate (feature `arbitrary`).
//!
//! A plot from [`plot`] is what an operator might write: addresses are distinct,
//! names are known, secrets are referred to. It may still contradict itself,
//! for two services can meet on one port or two nodes share no network, so a
//! test that wants a topology asks [`topology`], which keeps those that build.
//!
//! ```
//! use proptest::prelude::*;
//! use stageplot_topology::{arbitrary, firewall};
//!
//! // Whatever the plot, the operator's way in comes first.
//! proptest!(ProptestConfig::with_cases(16), |(topology in arbitrary::topology())| {
//!     for node in topology.nodes() {
//!         prop_assert!(firewall(&topology, node.id)[0].reason.starts_with("ssh"));
//!     }
//! });
//! ```

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::{
    App, Balance, ContainerNetwork, Edge, Egress, EnvValue, FirewallInput, Grafana, Identifier, ImageRef,
    Ingress, IonSfu, IonTurn, Livekit, LivekitVersion, Metrics, Name, NetworkSpec, NodeSpec, OnPublish,
    Opening, Period, Plot, Port, PortRange, Postgres, PostgresRemote, Prometheus, Protocol, PublicAddress,
    Recording, Redis, RedisRemote, Registry, RegistryAccess, RegistrySpec, Rtmp, Run, S3, SecretRef,
    ServiceSpec, Sip, Source, Sticky, Tls, Topology, Turn, TurnTls,
};

/// How many nodes a random plot has at most.
///
/// See [`plot`].
pub const MAX_NODES: usize = 6;

/// Plots of one to [`MAX_NODES`] nodes in up to three private networks, with
/// edges, LiveKit, Redis, Postgres and apps placed and attached in every way.
///
/// ```
/// use proptest::prelude::*;
/// use stageplot_topology::arbitrary;
///
/// proptest!(ProptestConfig::with_cases(16), |(plot in arbitrary::plot())| {
///     prop_assert!((1..=arbitrary::MAX_NODES).contains(&plot.nodes.len()));
///     // It holds no secret's value, and so can be written.
///     prop_assert!(plot.to_toml().is_ok());
/// });
/// ```
pub fn plot() -> impl Strategy<Value = Plot> {
    let shape = (1..=MAX_NODES, 0..=3usize, any::<bool>());
    shape.prop_flat_map(|(nodes, networks, dual)| {
        let names: Vec<String> = (1..=nodes).map(|number| format!("node-{number}")).collect();
        let nodes: Vec<_> = (0..nodes).map(|index| node(index, networks)).collect();
        (nodes, services(names), select(vec![FirewallInput::Nftables, FirewallInput::Ufw]), registries())
            .prop_map(move |(nodes, services, input, registries)| {
                let mut plot = Plot::new(fixed("random"));
                plot.firewall.input = input;
                plot.registries = registries;
                for index in 0..networks {
                    plot = plot.network(&network_name(index), network(index, dual));
                }
                for (index, node) in nodes.into_iter().enumerate() {
                    plot = plot.node(&format!("node-{}", index + 1), node);
                }
                for (name, service, on) in services {
                    for node in &on {
                        if let Some(node) = plot.nodes.get_mut(node.as_str()) {
                            node.roles.push(fixed(&name));
                        }
                    }
                    plot = plot.service(&name, service);
                }
                plot
            })
    })
}

/// Topologies of random plots that have no errors.
///
/// ```
/// use proptest::prelude::*;
/// use stageplot_topology::arbitrary;
///
/// proptest!(ProptestConfig::with_cases(16), |(topology in arbitrary::topology())| {
///     // What was built once is built again.
///     prop_assert!(topology.plot().build().is_ok());
/// });
/// ```
pub fn topology() -> impl Strategy<Value = Topology> {
    plot().prop_filter_map("a plot without errors", |plot| plot.build().ok().map(|built| built.topology))
}

/// The same plot, with the roles of each node in another order: what a plot
/// means must not depend on it.
///
/// ```
/// use proptest::prelude::*;
/// use stageplot_topology::arbitrary;
///
/// let pairs = arbitrary::plot().prop_flat_map(|plot| (Just(plot.clone()), arbitrary::shuffled(plot)));
/// proptest!(ProptestConfig::with_cases(16), |((plot, shuffled) in pairs)| {
///     prop_assert_eq!(plot.build().is_ok(), shuffled.build().is_ok());
/// });
/// ```
pub fn shuffled(plot: Plot) -> impl Strategy<Value = Plot> {
    let roles: Vec<_> = plot.nodes.values().map(|node| Just(node.roles.clone()).prop_shuffle()).collect();
    roles.prop_map(move |roles| {
        let mut plot = plot.clone();
        for (node, roles) in plot.nodes.values_mut().zip(roles) {
            node.roles = roles;
        }
        plot
    })
}

/// No registries, or a mirror that speaks plain HTTP.
fn registries() -> impl Strategy<Value = BTreeMap<Registry, RegistrySpec>> {
    let mirror = "10.0.0.200:5000/hub".parse().expect("the mirror is valid");
    let registry = |text: &str| text.parse::<Registry>().expect("registries here are valid");
    let both = [
        (Registry::docker_hub(), RegistrySpec::Mirror(mirror)),
        (registry("10.0.0.200:5000"), RegistryAccess { http: true }.into()),
    ];
    prop_oneof![3 => Just(BTreeMap::new()), 1 => Just(both.into())]
}

fn network_name(index: usize) -> String {
    format!("lan-{index}")
}

/// `10.0.INDEX.0/24`, and where `dual` is set an IPv6 network beside it.
fn network(index: usize, dual: bool) -> NetworkSpec {
    let v4 = IpAddr::V4(private_v4(index, 0));
    let v6 = IpAddr::V6(private_v6(index, 0));
    let nets = [(v4, 24), (v6, 64)].into_iter().take(if dual { 2 } else { 1 });
    NetworkSpec::new(nets.filter_map(|(ip, length)| ipnet::IpNet::new(ip, length).ok()))
}

fn private_v4(network: usize, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, u8::try_from(network).unwrap_or(u8::MAX), host)
}

fn private_v6(network: usize, host: u8) -> Ipv6Addr {
    let network = u16::try_from(network).unwrap_or(u16::MAX);
    Ipv6Addr::new(0xfd00, 0xd8, 0, network, 0, 0, 0, host.into())
}

/// A node in some of the networks, by IPv4, IPv6 or both, with or without a
/// public address that may be another machine's.
fn node(index: usize, networks: usize) -> impl Strategy<Value = NodeSpec> {
    let host = u8::try_from(index + 1).unwrap_or(u8::MAX);
    let all: Vec<usize> = (0..networks.max(1)).collect();
    // The first network holds nearly every node, or few plots would build.
    let membership = prop_oneof![
        4 => Just(vec![0]),
        3 => subsequence(all.clone(), 1..=all.len()),
        1 => Just(Vec::new()),
    ];
    let families = prop_oneof![5 => Just((true, false)), 2 => Just((true, true)), 1 => Just((false, true))];
    let public = prop_oneof![
        1 => Just((false, false)),
        4 => Just((true, false)),
        2 => Just((true, true)),
        1 => Just((false, true)),
    ];
    let bound = prop_oneof![3 => Just(true), 1 => Just(false)];
    (membership, families, public, bound).prop_map(
        move |(networks, (v4, v6), (public_v4, public_v6), bound)| {
            let mut node = NodeSpec::default();
            for network in networks {
                node.address.extend(v4.then(|| IpAddr::from(private_v4(network, host))));
                node.address.extend(v6.then(|| IpAddr::from(private_v6(network, host))));
            }
            // A node has one address at least.
            let public_v4 = public_v4 || (node.address.is_empty() && !public_v6);
            if public_v4 || public_v6 {
                node.public = Some(PublicAddress {
                    v4: public_v4.then(|| Ipv4Addr::new(203, 0, 113, host)),
                    v6: public_v6.then(|| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host.into())),
                    bound,
                });
            }
            node
        },
    )
}

/// A service, its name, and the nodes that it stands on.
type Placed = (String, ServiceSpec, Vec<String>);

fn services(nodes: Vec<String>) -> impl Strategy<Value = Vec<Placed>> {
    let on = move |least: usize| {
        let least = least.min(nodes.len());
        subsequence(nodes.clone(), least..=nodes.len())
    };
    // Two edges stand side by side, on ports of their own.
    let edges = (edge("edge-a", 0), edge("edge-b", 8000), any::<bool>(), on(1));
    let edges = edges.prop_map(|(first, second, two, on)| {
        let mut edges: Vec<Placed> = vec![("edge-a".to_owned(), first.into(), on.clone())];
        if two {
            edges.push(("edge-b".to_owned(), second.into(), on));
        }
        edges
    });
    let redis = (redis(), on(1), any::<prop::sample::Index>());
    let postgres = (postgres(), on(1), any::<prop::sample::Index>());
    let sfus = (livekit(), on(1));
    let apps = (app("app-a", 9000), on(1), app("app-b", 9100), on(1));
    let numbers = (prometheus(), on(1), prop::option::of((grafana(), on(1))));
    let streams = (rtmp(), on(1), ion_sfu(), on(1));
    let companions = (ingress(), on(1), egress(), on(1), sip(), on(1), any::<[bool; 3]>());
    let present = prop::array::uniform8(prop_oneof![4 => Just(true), 1 => Just(false)]);
    // On the heap: so many in one value would not fit a thread's stack, unoptimised.
    let (edges, sfus, apps, streams) = (edges.boxed(), sfus.boxed(), apps.boxed(), streams.boxed());
    let (redis, postgres, numbers) = (redis.boxed(), postgres.boxed(), numbers.boxed());
    (edges, redis, postgres, sfus, apps, numbers, streams, companions.boxed(), present).prop_map(
        |(edges, redis, postgres, sfu, apps, numbers, streams, companions, present)| {
            let [edge, cache, db, media, business, watched, streamed, relayed] = present;
            let (rtmp, rtmp_on, ion, ion_on) = streams;
            let mut all: Vec<Placed> = if edge { edges } else { Vec::new() };
            if cache {
                let (mut redis, on, primary) = redis;
                let on = if redis.external.is_some() { Vec::new() } else { on };
                if !on.is_empty() {
                    redis.primary = vec![fixed(&on[primary.index(on.len())])];
                }
                all.push(("cache".to_owned(), redis.into(), on));
            }
            if db {
                let (mut postgres, on, primary) = postgres;
                let on = if postgres.external.is_some() { Vec::new() } else { on };
                if !on.is_empty() {
                    postgres.primary = vec![fixed(&on[primary.index(on.len())])];
                }
                all.push(("db".to_owned(), postgres.into(), on));
            }
            if media {
                let (sfu, on) = sfu;
                all.push(("sfu".to_owned(), sfu.into(), on));
            }
            if business {
                let (first, first_on, second, second_on) = apps;
                all.push(("app-a".to_owned(), first.into(), first_on));
                all.push(("app-b".to_owned(), second.into(), second_on));
            }
            if watched {
                let (prometheus, on, boards) = numbers;
                all.push(("numbers".to_owned(), prometheus.into(), on));
                let boards = boards.map(|(grafana, on)| ("boards".to_owned(), grafana.into(), on));
                all.extend(boards);
            }
            if streamed {
                all.push(("streams".to_owned(), rtmp.into(), rtmp_on.into_iter().take(1).collect()));
            }
            if relayed {
                all.push(("ion".to_owned(), ion.into(), ion_on));
            }
            // They work for a LiveKit that has a Redis.
            if media && cache {
                let (ingress, ingress_on, egress, egress_on, sip, sip_on, [takes, records, calls]) =
                    companions;
                let ingress = takes.then(|| ("ingress", ingress.into(), ingress_on));
                let egress = records.then(|| ("recorder", egress.into(), egress_on));
                let sip = calls.then(|| ("calls", sip.into(), sip_on));
                let working = [ingress, egress, sip].into_iter().flatten();
                all.extend(working.map(|(name, service, on)| (name.to_owned(), service, on)));
            }
            join(&mut all);
            all
        },
    )
}

/// Joins services by name: what needs one of a kind names it, and needs of what
/// is not there are dropped.
fn join(all: &mut [Placed]) {
    let names: Vec<String> = all.iter().map(|(name, ..)| name.clone()).collect();
    let has_edge = names.iter().any(|name| name == "edge-a");
    for (name, service, _) in all {
        match service {
            ServiceSpec::Livekit(livekit) => {
                livekit.edge = has_edge.then(|| fixed("edge-a"));
                if !has_edge
                    && let Some(turn) = &mut livekit.turn
                    && turn.tls == TurnTls::Edge
                {
                    turn.tls = TurnTls::Off;
                }
            }
            ServiceSpec::Rtmp(rtmp) => {
                rtmp.on_publish = rtmp.on_publish.take().filter(|_| names.iter().any(|name| name == "app-a"));
                (rtmp.hls, rtmp.dash) = (rtmp.hls && has_edge, rtmp.dash && has_edge);
                rtmp.edge = (rtmp.hls || rtmp.dash).then(|| fixed("edge-a"));
            }
            ServiceSpec::Grafana(grafana) => {
                grafana.route = grafana.route.take().filter(|_| has_edge);
                grafana.edge = grafana.route.is_some().then(|| fixed("edge-a"));
            }
            ServiceSpec::Ingress(ingress) => {
                ingress.whip_port = ingress.whip_port.filter(|_| has_edge);
                ingress.edge = ingress.whip_port.and(has_edge.then(|| fixed("edge-a")));
            }
            ServiceSpec::App(app) => {
                if !has_edge {
                    app.routes.clear();
                }
                // Two edges stand together, so the second app may use the other.
                let edge = names.iter().rev().find(|edge| edge.starts_with("edge") && name == "app-b");
                let edge = edge.map_or("edge-a", String::as_str);
                app.edge = (!app.routes.is_empty()).then(|| fixed(edge));
                app.needs.retain(|need| names.iter().any(|name| need == name.as_str()));
                app.pool.retain(|service, _| app.needs.contains(service));
            }
            _ => {}
        }
    }
}

fn edge(name: &'static str, offset: u16) -> impl Strategy<Value = Edge> {
    let shape = (network_of_container(), any::<bool>(), any::<bool>(), balance(), any::<bool>());
    shape.prop_map(move |(network, http3, https, balance, access_log)| {
        let domain = format!("{name}.example.com").parse().ok();
        let tls = if https { Tls::Internal } else { Tls::Off };
        let (http_port, https_port) = (Port::fixed(80 + offset), Port::fixed(443 + offset));
        let image = fixed_image("registry.example.com/caddy-l4:2.11");
        Edge {
            domain,
            tls,
            http_port,
            https_port,
            http3,
            metrics: access_log.then(|| Port::fixed(9180 + u16::from(offset > 0))),
            balance,
            access_log,
            network,
            image,
            layer4: true,
            ..Edge::default()
        }
    })
}

fn balance() -> impl Strategy<Value = Balance> {
    let secret = Some(SecretRef::env("COOKIE_SECRET"));
    let sticky = Sticky { secret, max_age: Some(Period::from_seconds(3600)), ..Sticky::by("sticky") };
    select(vec![
        Balance::LeastConn,
        Balance::RoundRobin,
        Balance::Random,
        Balance::RandomChoose(2),
        Balance::First,
        Balance::IpHash,
        Balance::ClientIpHash,
        Balance::UriHash,
        Balance::Header("X-Room".to_owned()),
        Balance::Query("room name".to_owned()),
        Balance::Cookie(Sticky::by("sticky")),
        Balance::Cookie(sticky),
    ])
}

fn redis() -> impl Strategy<Value = Redis> {
    let addresses = ["redis.example.com:7000", "redis.example.net:7000", "198.51.100.9:7001"];
    let addresses = || addresses.iter().filter_map(|address| address.parse().ok()).collect();
    let remote = select(vec![
        RedisRemote { address: "redis.example.com:6379".parse().ok(), ..RedisRemote::default() },
        RedisRemote { cluster: addresses(), ..RedisRemote::default() },
        RedisRemote {
            sentinels: addresses(),
            sentinel_master: Some("live".to_owned()),
            ..RedisRemote::default()
        },
    ]);
    let external = prop::option::weighted(0.2, remote);
    (network_of_container(), external).prop_map(|(network, external)| {
        let password = Some(SecretRef::env("REDIS_PASSWORD"));
        Redis { password, network, external, ..Redis::default() }
    })
}

fn postgres() -> impl Strategy<Value = Postgres> {
    let address = "postgres.example.com:5432".parse().ok();
    let external = prop::option::weighted(0.2, Just(address.map(PostgresRemote::new)));
    let image = select(vec!["postgres:16-alpine", "postgres:17", "postgres:18-alpine"]);
    (network_of_container(), external, image).prop_map(|(network, external, image)| Postgres {
        database: Identifier::fixed("rooms"),
        password: Some(SecretRef::env("POSTGRES_PASSWORD")),
        replication_password: Some(SecretRef::env("REPLICATION_PASSWORD")),
        network,
        external: external.flatten(),
        image: fixed_image(image),
        ..Postgres::default()
    })
}

fn prometheus() -> impl Strategy<Value = Prometheus> {
    (sources(), any::<bool>()).prop_map(|(from, open)| Prometheus {
        from: if open { from } else { Vec::new() },
        ..Prometheus::default()
    })
}

fn grafana() -> impl Strategy<Value = Grafana> {
    (sources(), any::<[bool; 2]>()).prop_map(|(from, [open, handed_out])| Grafana {
        from: if open { from } else { Vec::new() },
        route: handed_out.then(|| "/grafana".to_owned()),
        ..Grafana::new(SecretRef::env("GRAFANA_PASSWORD"))
    })
}

/// One that asks the first app, which may not be there: see [`join`].
fn rtmp() -> impl Strategy<Value = Rtmp> {
    let record = select(vec![Recording::Off, Recording::Overwrite, Recording::Unique]);
    let asked = OnPublish {
        done: Some("/hooks/done".to_owned()),
        ..OnPublish::ask(fixed("app-a"), "/hooks/publish")
    };
    let asked = prop::option::of(Just(asked));
    let from = prop::option::of(sources());
    (network_of_container(), record, asked, from, any::<[bool; 2]>()).prop_map(
        |(network, record, on_publish, from, [hls, dash])| Rtmp {
            from: from.unwrap_or_default(),
            on_publish,
            hls,
            dash,
            record,
            network,
            domain: "rtmp.example.com".parse().ok(),
            ..Rtmp::default()
        },
    )
}

fn ion_sfu() -> impl Strategy<Value = IonSfu> {
    // Values of users' passwords are few: random ones would have to be made for them.
    let secret = Some(SecretRef::env("TURN_SECRET"));
    let turn = prop::option::of(Just(IonTurn { port: Port::fixed(3479), secret, ..IonTurn::default() }));
    let udp = select(vec![PortRange::fixed(5000, 5200), PortRange::fixed(5000, 5000)]);
    (network_of_container(), turn, udp, any::<bool>()).prop_map(|(network, turn, udp, watched)| {
        // Of a range, each port is published by a process of its own.
        let udp = if network == ContainerNetwork::Bridge { PortRange::fixed(5000, 5000) } else { udp };
        IonSfu {
            turn: turn.filter(|_| network == ContainerNetwork::Host),
            udp,
            stun: vec!["stun:stun.example.com:3478".to_owned()],
            metrics: watched.then(|| Port::fixed(8101)),
            network,
            ..IonSfu::default()
        }
    })
}

/// One behind the first edge, which may not be there: see [`join`].
fn ingress() -> impl Strategy<Value = Ingress> {
    let udp = select(vec![PortRange::fixed(7891, 7891), PortRange::fixed(7891, 7899)]);
    let from = prop::option::of(sources());
    (network_of_container(), udp, from, any::<[bool; 3]>()).prop_map(
        |(network, udp, from, [rtmp, whip, watched])| Ingress {
            rtmp_port: rtmp.then_some(Port::fixed(1936)),
            from: from.unwrap_or_default(),
            domain: "publish.example.com".parse().ok(),
            whip_port: whip.then_some(Port::fixed(8085)),
            udp,
            use_external_ip: true,
            metrics: watched.then_some(Port::fixed(8941)),
            network,
            ..Ingress::default()
        },
    )
}

fn egress() -> impl Strategy<Value = Egress> {
    let bucket = S3 {
        endpoint: "https://s3.example.com".parse().ok(),
        access_key: Some(SecretRef::env("S3_ACCESS_KEY")),
        secret_key: Some(SecretRef::env("S3_SECRET_KEY")),
        path_style: true,
        ..S3::new("recordings")
    };
    let s3 = prop::option::of(Just(bucket));
    (network_of_container(), s3, any::<[bool; 2]>()).prop_map(|(network, s3, [directory, watched])| Egress {
        directory,
        s3,
        metrics: watched.then_some(Port::fixed(8942)),
        network,
        ..Egress::default()
    })
}

fn sip() -> impl Strategy<Value = Sip> {
    let from = prop::option::of(sources());
    (from, any::<bool>()).prop_map(|(from, watched)| Sip {
        from: from.unwrap_or_default(),
        use_external_ip: true,
        metrics: watched.then_some(Port::fixed(8943)),
        ..Sip::default()
    })
}

fn livekit() -> impl Strategy<Value = Livekit> {
    let udp = select(vec![
        PortRange::fixed(50000, 60000),
        PortRange::fixed(7882, 7882),
        PortRange::fixed(7882, 7890),
    ]);
    let turn = prop::option::of(prop_oneof![
        2 => Just(TurnTls::Off),
        1 => Just(TurnTls::Direct),
        1 => Just(TurnTls::Edge),
    ]);
    let tcp = prop::option::weighted(0.8, Just(Port::fixed(7881)));
    let metrics = prop::option::of(sources());
    (udp, turn, tcp, metrics, select(LivekitVersion::SUPPORTED.to_vec())).prop_map(
        |(udp, turn, tcp_port, metrics, version)| Livekit {
            version,
            keys: [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into(),
            udp,
            tcp_port,
            turn: turn.map(|tls| Turn {
                domain: "turn.example.com".parse().ok(),
                tls,
                cert: Some(SecretRef::File("turn.crt".to_owned())),
                key: Some(SecretRef::File("turn.key".to_owned())),
                ..Turn::default()
            }),
            metrics: metrics.map(|from| Metrics { from, ..Metrics::default() }),
            use_external_ip: true,
            ..Livekit::default()
        },
    )
}

fn app(name: &'static str, port: u16) -> impl Strategy<Value = App> {
    let attached = select(vec![None, Some(ContainerNetwork::Host), Some(ContainerNetwork::Bridge)]);
    let needs =
        subsequence(vec!["cache", "db", "sfu", "edge-a", "app-a", "app-b", "streams", "ion", "calls"], 0..=3);
    let open = prop::option::of((sources(), select(vec![Protocol::Tcp, Protocol::Udp])));
    let shape = (any::<[bool; 3]>(), attached, needs, open, prop::option::of(balance()));
    shape.prop_map(move |([host, routed, migrates], network, needs, open, balance)| {
        let image = fixed_image("registry.example.com/app:1.4");
        let opening =
            |(from, protocol)| (fixed("extra"), Opening { port: Port::fixed(port + 1), protocol, from });
        App {
            run: host.then_some(Run::Host),
            image: (!host).then_some(image),
            working_dir: (!host && routed).then(|| "/app/data".to_owned()),
            migrate: if migrates && !host { vec!["migrate".to_owned()] } else { Vec::new() },
            network: network.filter(|_| !host),
            port: Port::new(port),
            health: Some("/health".to_owned()),
            metrics: routed.then(|| "/metrics".to_owned()),
            routes: if routed { vec![format!("/{name}/*")] } else { Vec::new() },
            needs: needs.into_iter().filter(|need| *need != name).map(fixed).collect(),
            open: open.map(opening).into_iter().collect(),
            balance: balance.filter(|_| routed),
            pool: [(fixed("db"), 10)].into(),
            // What stands in for it listens where it is told to.
            env: [("PORT".to_owned(), EnvValue::Text(port.to_string()))].into(),
            ..App::default()
        }
    })
}

fn sources() -> impl Strategy<Value = Vec<Source>> {
    let nets = ["198.51.100.0/24", "2001:db8:1::/48", "198.51.100.7"];
    let any = Just(vec![Source::Any]);
    let some = subsequence(nets.to_vec(), 1..=3)
        .prop_map(|nets| nets.into_iter().filter_map(|net| net.parse().ok()).collect::<Vec<_>>());
    prop_oneof![any, some]
}

fn network_of_container() -> impl Strategy<Value = ContainerNetwork> {
    select(vec![ContainerNetwork::Host, ContainerNetwork::Bridge])
}

fn fixed_image(text: &str) -> ImageRef {
    text.parse().expect("images here are valid")
}

fn fixed(name: &str) -> Name {
    name.parse().expect("names here are valid")
}
