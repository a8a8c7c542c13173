//! What to look at by hand, with commands that tell well from ill: none that
//! succeeds against a program that is down, or that refuses the one who asks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Serialize;
use stageplot_topology::words::listed;
use stageplot_topology::{
    Attachment, Edge, HostName, IonSfu, Node, Party, Port, Protocol, Rtmp, Scope, Service, ServiceSpec,
    Speaks, StartStep, Tls, Topology, Turn, TurnTls, listen,
};

use super::dns::{self, Record};
use super::runbook::LINES;
use crate::kind::health;

/// One thing to look at.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Check {
    /// What is looked at.
    pub(super) what: String,
    pub(super) command: String,
    /// What has to come back.
    pub(super) expect: String,
}

impl Check {
    fn new(what: impl Into<String>, command: impl Into<String>, expect: impl Into<String>) -> Self {
        Self { what: what.into(), command: command.into(), expect: expect.into() }
    }
}

/// What to look at once everything is up.
#[derive(Debug, Default, Serialize)]
pub(super) struct Checklist {
    dns: Vec<Check>,
    /// Names that lead to nodes whose public address the plot does not have.
    unknown: Vec<Unknown>,
    /// From any machine outside.
    outside: Vec<Check>,
    /// What must not answer.
    closed: Vec<String>,
    /// Whether media goes to nodes: it cannot be tried without a session.
    media: Vec<String>,
    /// What the user's service hands out to clients.
    client_urls: Vec<String>,
}

/// A name, and a node that it leads to by an address nobody told.
#[derive(Debug, Serialize)]
struct Unknown {
    name: String,
    node: String,
}

/// The nodes that a service stands on.
fn nodes<'t>(topology: &'t Topology, service: &'t Service) -> impl Iterator<Item = &'t Node> {
    service.placements.iter().map(|&id| topology.node(topology.placement(id).node))
}

/// A STUN Binding request (RFC 8489, § 5) and the first bytes of the answer.
const STUN: &str = r"printf '\000\001\000\000\041\022\244\102stageplot-id'";

impl Checklist {
    pub(super) fn new(topology: &Topology) -> Self {
        let records = dns::records(topology);
        let mut list = Self {
            dns: names(&records),
            unknown: unknown(&records),
            closed: closed(topology),
            ..Self::default()
        };
        for service in topology.services().iter().filter(|service| !service.placements.is_empty()) {
            match &service.kind {
                ServiceSpec::Edge(edge) => list.edge(topology, service, edge),
                ServiceSpec::Livekit(livekit) => {
                    for node in nodes(topology, service).take(LINES) {
                        let Some(address) = node.advertised_address() else { continue };
                        list.media.push(format!("{}: {address}, {} udp", node.name, livekit.udp));
                        if let Some(port) = livekit.tcp_port {
                            let command = format!("nc -vz -w 3 {address} {port}");
                            list.outside.push(Check::new(
                                format!("{}: media over TCP", node.name),
                                command,
                                "succeeded",
                            ));
                        }
                        if let Some(port) = livekit.turn.as_ref().and_then(|turn| turn.udp_port) {
                            let command = format!("{STUN} | nc -u -w 2 {address} {port} | od -An -tx1 -N2");
                            list.outside.push(Check::new(
                                format!("{}: TURN over UDP", node.name),
                                command,
                                "01 01",
                            ));
                        }
                    }
                    if let Some(Turn { domain: Some(domain), tls, .. }) = &livekit.turn
                        && *tls != TurnTls::Off
                    {
                        list.outside.push(certificate(domain.as_str(), 443));
                    }
                }
                ServiceSpec::Rtmp(rtmp) => {
                    let node = topology.node(topology.placement(service.placements[0]).node);
                    if let Some(address) = node.advertised_address() {
                        let command = format!("nc -vz -w 3 {address} {}", rtmp.port);
                        list.outside.push(Check::new(format!("{}: RTMP", node.name), command, "succeeded"));
                    }
                    list.client_urls.extend(topology.publish_url(service.id));
                }
                ServiceSpec::Ingress(ingress) => {
                    for node in nodes(topology, service).take(LINES) {
                        let Some(address) = node.advertised_address() else { continue };
                        if let Some(port) = ingress.rtmp_port {
                            let command = format!("nc -vz -w 3 {address} {port}");
                            let what = format!("{}: RTMP", node.name);
                            list.outside.push(Check::new(what, command, "succeeded"));
                        }
                        if ingress.whip_port.is_some() {
                            list.media.push(format!("{}: {address}, {} udp", node.name, ingress.udp));
                        }
                    }
                    list.client_urls.extend(topology.publish_url(service.id));
                    list.client_urls.extend(topology.whip_url(service.id));
                }
                ServiceSpec::Sip(sip) => {
                    for node in nodes(topology, service).take(LINES) {
                        let Some(address) = node.advertised_address() else { continue };
                        let ports = [Some(sip.port), sip.tls.as_ref().map(|tls| tls.port)];
                        for port in ports.into_iter().flatten() {
                            let command = format!("nc -vz -w 3 {address} {port}");
                            let what = format!("{}: SIP", node.name);
                            list.outside.push(Check::new(what, command, "succeeded"));
                        }
                        list.media.push(format!("{}: {address}, {} udp", node.name, sip.rtp));
                    }
                }
                ServiceSpec::Redis(_)
                | ServiceSpec::Egress(_)
                | ServiceSpec::Postgres(_)
                | ServiceSpec::Prometheus(_)
                | ServiceSpec::Grafana(_)
                | ServiceSpec::IonSfu(_)
                | ServiceSpec::App(_) => {}
            }
        }
        list.outside.truncate(2 * LINES);
        list.media.truncate(LINES);
        list
    }

    fn edge(&mut self, topology: &Topology, service: &Service, edge: &Edge) {
        let code = |insecure: &str, url: String| {
            format!("curl -sS{insecure} -o /dev/null -w '%{{http_code}}\\n' {url}")
        };
        let livekit = topology.flows_from(service.id).find_map(|flow| {
            let target = topology.service(topology.endpoint(flow.to).service);
            match &target.kind {
                ServiceSpec::Livekit(livekit) => Some((target.id, livekit)),
                _ => None,
            }
        });
        let reaches_rtc = livekit.is_some_and(|(_, livekit)| {
            livekit.routes.is_empty() || livekit.routes.iter().any(|route| route == "/rtc/*")
        });
        let Some(site) = topology.public_url(service.id) else { return };
        // Nobody trusts Caddy's own authority but those who were told to.
        let insecure = if edge.is_https() && edge.tls == Tls::Internal { " --insecure" } else { "" };
        if let Some(domain) = edge.domain.as_ref().filter(|_| edge.is_https()) {
            if edge.http_port.number() == 80 {
                let command = code("", format!("http://{domain}/"));
                self.outside.push(Check::new("Port 80 sends clients to HTTPS", command, "308"));
            }
            self.outside.push(certificate(domain.as_str(), edge.https_port.number()));
        }
        if reaches_rtc {
            let command = code(insecure, format!("{site}/rtc/validate"));
            self.outside.push(Check::new("LiveKit through the edge; it asks for a token", command, "401"));
        }
        self.client_urls.extend(livekit.and_then(|(id, _)| topology.public_url(id)));
    }
}

/// What to look at on the nodes after a step of the start.
pub(super) fn of_step(topology: &Topology, step: &StartStep, compose: &str) -> Vec<Check> {
    let service = topology.service(step.service);
    let name = service.name.as_str();
    let mut checks = match &service.kind {
        ServiceSpec::Redis(redis) => {
            let port = redis.port;
            let auth = match redis.password {
                Some(_) => "REDISCLI_AUTH=\"$(cat /usr/local/etc/redis/password)\" ",
                None => "",
            };
            let ask =
                |what: &str| format!("{compose} exec -T {name} sh -c '{auth}redis-cli -p {port} {what}'");
            match step.replicas {
                false => vec![Check::new("", ask("ping"), "PONG")],
                true => {
                    vec![Check::new("", ask("info replication | grep link_status"), "master_link_status:up")]
                }
            }
        }
        ServiceSpec::Postgres(postgres) => {
            let ask = |what: &str| {
                let (user, database) = (&postgres.user, &postgres.database);
                format!(
                    "{compose} exec -T {name} psql -p {} -U {user} -d {database} -XAtc '{what}'",
                    postgres.port
                )
            };
            match step.replicas {
                false => vec![Check::new("", ask("select 1"), "1")],
                true => vec![Check::new("", ask("select status from pg_stat_wal_receiver"), "streaming")],
            }
        }
        ServiceSpec::Livekit(livekit) => {
            vec![Check::new("", format!("curl -sS http://127.0.0.1:{}/", livekit.port), "OK")]
        }
        ServiceSpec::Edge(_) => {
            let behind = topology.flows_from(service.id).map(|flow| topology.endpoint(flow.to));
            let asked = behind.filter(|endpoint| matches!(endpoint.speaks, Speaks::Http { health: Some(_) }));
            let asked = asked.map(|endpoint| {
                let target = &topology.service(endpoint.service).name;
                let url = format!("http://127.0.0.1:{}/{target}", Edge::HEALTH_PORT);
                let command = format!("{compose} exec -T {name} wget -q -O /dev/null {url} && echo well");
                Check::new("", command, "well")
            });
            asked.collect()
        }
        ServiceSpec::Prometheus(prometheus) => {
            let url = format!("http://127.0.0.1:{}/-/ready", prometheus.port);
            vec![Check::new("", format!("{compose} exec -T {name} wget -q -O - {url}"), "Ready")]
        }
        ServiceSpec::Grafana(grafana) => {
            let path = topology.endpoint_named(service.id, "http").and_then(health).unwrap_or_default();
            let url = format!("http://127.0.0.1:{}{path}", grafana.port);
            vec![Check::new("", format!("{compose} exec -T {name} wget -q -O - {url}"), "ok")]
        }
        ServiceSpec::IonSfu(sfu) => {
            let url = format!("http://127.0.0.1:{}/metrics", sfu.metrics.unwrap_or(IonSfu::METRICS_PORT));
            let ask = format!("{compose} exec -T {name} wget -q -O /dev/null {url} && echo well");
            vec![Check::new("", ask, "well")]
        }
        ServiceSpec::Rtmp(_) => {
            let url = format!("http://127.0.0.1:{}/stat", Rtmp::STATUS_PORT);
            vec![Check::new("", format!("{compose} exec -T {name} wget -q -O - {url}"), "<rtmp>")]
        }
        ServiceSpec::Ingress(_) | ServiceSpec::Egress(_) => {
            let port = topology.endpoint_named(service.id, "health").map(|health| health.ports.first());
            let ask = |port: Port| {
                format!("{compose} exec -T {name} wget -q -O /dev/null http://127.0.0.1:{port}/ && echo well")
            };
            port.map(|port| Check::new("", ask(port), "well")).into_iter().collect()
        }
        ServiceSpec::Sip(sip) => {
            vec![Check::new(
                "",
                format!("curl -sS -o /dev/null -w '%{{http_code}}\\n' http://127.0.0.1:{}/", sip.health_port),
                "200",
            )]
        }
        ServiceSpec::App(app) => {
            let Some(port) = app.port else { return Vec::new() };
            let status = |url: &str| format!("curl -sS -o /dev/null -w '%{{http_code}}\\n' '{url}'");
            let of_address = |node: &str, address: IpAddr| match &app.health {
                Some(path) => Check::new(node, status(&format!("http://{}{path}", at(address, port))), "200"),
                None => Check::new(node, format!("nc -vz -w 3 {address} {port}"), "succeeded"),
            };
            match (off_docker(topology, step), &app.health) {
                (true, _) => {
                    let addresses = listens(topology, step).into_iter().flat_map(|(node, addresses)| {
                        addresses.into_iter().map(move |address| (node, asked(address)))
                    });
                    addresses.take(LINES).map(|(node, address)| of_address(node, address)).collect()
                }
                (false, Some(path)) => {
                    let url = format!("'http://127.0.0.1:{port}{path}'");
                    let ask = format!("{compose} exec -T {name} wget -q -O /dev/null {url} && echo well");
                    vec![Check::new("", ask, "well")]
                }
                (false, None) => Vec::new(),
            }
        }
    };
    checks.sort();
    checks.dedup();
    checks
}

/// Whether the user starts what is started in a step.
pub(super) fn off_docker(topology: &Topology, step: &StartStep) -> bool {
    step.placements.iter().all(|&id| topology.placement(id).attachment == Attachment::OffDocker)
}

/// The addresses that a service of the user's own, which the plot does not start, has to
/// listen on for HTTP, by node.
pub(super) fn listens<'a>(topology: &'a Topology, step: &StartStep) -> Vec<(&'a str, Vec<IpAddr>)> {
    let Some(http) = topology.endpoint_named(step.service, "http") else { return Vec::new() };
    let placements = step.placements.iter();
    let listens = placements.map(|&at| {
        let node = topology.node(topology.placement(at).node);
        (node.name.as_str(), listen(topology, http.id, at))
    });
    listens.collect()
}

/// An address and a port, as a URL has them.
pub(super) fn at(address: IpAddr, port: Port) -> SocketAddr {
    SocketAddr::new(address, port.number())
}

/// Where one asks what listens on an address: all addresses are none to ask.
fn asked(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    }
}

fn certificate(name: &str, port: u16) -> Check {
    Check::new(
        format!("The certificate of {name}: whose, and until when"),
        format!(
            "openssl s_client -connect {name}:{port} -servername {name} </dev/null 2>/dev/null | \
             openssl x509 -noout -subject -issuer -enddate"
        ),
        "notAfter=",
    )
}

/// Every name resolves to what `dns.txt` says.
fn names(records: &Records<'_>) -> Vec<Check> {
    let checks = records.iter().flat_map(|(name, record)| {
        ["A", "AAAA"].into_iter().filter_map(move |kind| {
            let addresses = record.addresses.iter().filter(|&&ip| dns::kind(ip) == kind);
            let addresses: Vec<_> = addresses.map(ToString::to_string).collect();
            let expect = listed(&addresses);
            (!addresses.is_empty())
                .then(|| Check::new(name.as_str(), format!("dig +short {name} {kind}"), expect))
        })
    });
    checks.take(LINES).collect()
}

/// What `dns.txt` cannot say.
fn unknown(records: &Records<'_>) -> Vec<Unknown> {
    let unknown = records.iter().flat_map(|(name, record)| {
        record.unknown.iter().map(|node| Unknown { name: name.to_string(), node: node.clone() })
    });
    unknown.take(LINES).collect()
}

type Records<'a> = BTreeMap<&'a HostName, Record>;

/// Attempts that must fail: TCP ports that no flow opens to the Internet.
fn closed(topology: &Topology) -> Vec<String> {
    let attempts = topology.nodes().iter().flat_map(|node| {
        let address = node.public.and_then(|public| public.addresses().next());
        let endpoints = topology.placements_on(node.id).flat_map(move |placement| {
            let endpoints = topology.endpoints_of(placement.service).iter();
            endpoints.filter(move |endpoint| endpoint.is_at(placement.id))
        });
        let private = endpoints.filter(|endpoint| {
            endpoint.protocol == Protocol::Tcp
                && endpoint.scope != Scope::Loopback
                && topology.flows_to(endpoint.id).all(|flow| flow.from != Party::Internet)
        });
        private
            .filter_map(move |endpoint| Some(format!("nc -vz -w 3 {} {}", address?, endpoint.ports.first())))
    });
    attempts.take(LINES).collect()
}
