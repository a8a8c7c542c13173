//! The Compose project of a trial: one container for each node, and the node's own
//! containers in its network.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::Serialize;
use stageplot_topology::{
    Attachment, Livekit, LivekitVersion, Node, Party, Placement, Port, Protocol, Scope, ServiceSpec, Topology,
};

use super::{Door, TryoutError, address};
use crate::Artifact;
use crate::compose::{Container, HealthCheck, Logging, Project};

/// A trial, node by node.
pub(super) struct Stage {
    pub(super) project: Trial,
    pub(super) doors: Vec<Door>,
    subnet: Ipv4Net,
    /// Names that lead to nodes, with the nodes' addresses.
    hosts: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Trial {
    name: String,
    services: BTreeMap<String, Service>,
    networks: BTreeMap<&'static str, Network>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, Volume>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Service {
    Node(Box<Keeper>),
    Placed(Box<Container>),
}

/// The container that plays a node: it does nothing but have a network.
#[derive(Serialize)]
struct Keeper {
    image: String,
    command: Vec<String>,
    hostname: String,
    init: bool,
    cap_add: [&'static str; 1],
    networks: BTreeMap<&'static str, Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<String>,
    extra_hosts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<String>,
    healthcheck: HealthCheck,
    stop_grace_period: &'static str,
    logging: Logging,
}

#[derive(Serialize)]
struct Address {
    ipv4_address: String,
}

#[derive(Serialize)]
struct Network {
    ipam: Ipam,
}

#[derive(Serialize)]
struct Ipam {
    config: [Pool; 1],
}

#[derive(Serialize)]
struct Pool {
    subnet: String,
}

/// As Docker makes it where nothing is said.
#[derive(Serialize)]
struct Volume {}

/// The image that plays nodes. It has `ip` and `chown`.
const IMAGE: &str = "busybox:1.37";

/// The network that all nodes share.
const NETWORK: &str = "nodes";

impl Stage {
    pub(super) fn new(topology: &Topology, subnet: Ipv4Net, names: BTreeMap<String, String>) -> Self {
        let pool = Pool { subnet: subnet.to_string() };
        let ip = |node: &str| topology.nodes().iter().position(|known| known.name.as_str() == node);
        let hosts =
            names.iter().filter_map(|(name, node)| Some(format!("{name}={}", address(subnet, ip(node)?)?)));
        Self {
            project: Trial {
                name: format!("try-{}", topology.name()),
                services: BTreeMap::new(),
                networks: [(NETWORK, Network { ipam: Ipam { config: [pool] } })].into(),
                volumes: BTreeMap::new(),
            },
            doors: Vec::new(),
            subnet,
            hosts: hosts.collect(),
        }
    }

    /// Adds a node with its containers.
    pub(super) fn place(
        &mut self,
        topology: &Topology,
        node: &Node,
        project: Project,
        port: &mut dyn FnMut(Port) -> Option<Port>,
    ) -> Result<(), TryoutError> {
        listen_apart(topology, node)?;
        let first = self.doors.len();
        let mut hosts = self.hosts.clone();
        let mut keeper_volumes = Vec::new();
        let mut owners = Vec::new();
        let mut containers = project.services;
        for placement in topology.placements_on(node.id) {
            let service = topology.service(placement.service);
            let media = self.open(topology, node, placement, port)?;
            let Some(mut container) = containers.remove(service.name.as_str()) else { continue };
            if placement.attachment == Attachment::Bridge {
                hosts.push(format!("{}=127.0.0.1", service.name));
            }
            if let (ServiceSpec::Livekit(livekit), Some(media)) = (&service.kind, media) {
                container.command.extend(media.flags(livekit));
            }
            for (volume, owner) in container.move_into(node.name.as_str()) {
                if let Some(owner) = owner {
                    owners.push(format!("chown {owner} /data/{volume}"));
                    keeper_volumes.push(format!("{volume}:/data/{volume}"));
                }
                self.project.volumes.insert(volume, Volume {});
            }
            // Its volumes are the app's own.
            let migration = service.migration().and_then(|name| containers.remove(name.as_str()));
            if let Some((name, mut container)) = service.migration().zip(migration) {
                container.move_into(node.name.as_str());
                let name = format!("{}.{name}", node.name);
                self.project.services.insert(name, Service::Placed(Box::new(container)));
            }
            let name = format!("{}.{}", node.name, service.name);
            self.project.services.insert(name, Service::Placed(Box::new(container)));
        }
        let ports = self.doors[first..].iter().map(|door| {
            let protocol = if door.protocol == Protocol::Udp { "udp" } else { "tcp" };
            format!("127.0.0.1:{}:{}/{protocol}", door.outside, door.inside)
        });
        let index = topology.nodes().iter().position(|known| known.id == node.id).unwrap_or_default();
        let crowded = TryoutError::Crowded { subnet: self.subnet, nodes: topology.nodes().len() };
        let ip = address(self.subnet, index).ok_or(crowded)?;
        // Where a container reaches its node from a network of its own.
        let gateway = topology.bridge_gateway();
        owners.push(format!("ip address add {gateway}/32 dev lo"));
        owners.push("touch /ready".to_owned());
        let keeper = Keeper {
            image: topology.pulled(&IMAGE.parse().expect("a reference; a test parses it")).to_string(),
            command: ["sh", "-c", &format!("{} && exec sleep 2147483647", owners.join(" && "))]
                .map(str::to_owned)
                .to_vec(),
            hostname: node.name.to_string(),
            init: true,
            cap_add: ["NET_ADMIN"],
            networks: [(NETWORK, Address { ipv4_address: ip.to_string() })].into(),
            ports: ports.collect(),
            extra_hosts: hosts,
            volumes: keeper_volumes,
            healthcheck: HealthCheck::shell("test -e /ready"),
            stop_grace_period: "1s",
            logging: Logging::default(),
        };
        self.project.services.insert(node.name.to_string(), Service::Node(Box::new(keeper)));
        Ok(())
    }

    /// Opens doors to what clients reach of a placement. Of a LiveKit the two for media are
    /// returned: it is told of them, for it tells clients.
    fn open(
        &mut self,
        topology: &Topology,
        node: &Node,
        placement: Placement,
        port: &mut dyn FnMut(Port) -> Option<Port>,
    ) -> Result<Option<Media>, TryoutError> {
        let service = topology.service(placement.service);
        let mut media = Media::default();
        for endpoint in topology.endpoints_of(service.id) {
            let mut flows = topology.flows_to(endpoint.id);
            let is_open = flows.any(|flow| !matches!(flow.from, Party::Service(_)));
            if !is_open || !endpoint.is_at(placement.id) {
                continue;
            }
            let inside = endpoint.ports.first();
            let is_told = match service.kind {
                ServiceSpec::Edge(_) => true,
                ServiceSpec::Rtmp(_) | ServiceSpec::Ingress(_) => endpoint.name == "rtmp",
                _ => false,
            };
            let is_first = service.placements.first() == Some(&placement.id);
            let outside = match is_told && is_first {
                // Reserved when the plot was made, for it is part of the address that people are told.
                true => inside,
                false => {
                    port(inside).ok_or_else(|| TryoutError::NoPort { service: service.name.to_string() })?
                }
            };
            let is_media = matches!(endpoint.name.as_ref(), "media" | "ice-tcp");
            match endpoint.name.as_ref() {
                "media" => media.udp = Some(outside),
                "ice-tcp" => media.tcp = Some(outside),
                _ => {}
            }
            self.doors.push(Door {
                service: service.name.to_string(),
                endpoint: endpoint.name.to_string(),
                node: node.name.to_string(),
                protocol: endpoint.protocol,
                outside,
                // A client is told this port, and dials it.
                inside: if is_media { outside } else { inside },
                is_site: matches!(endpoint.speaks, stageplot_topology::Speaks::Http { .. }),
            });
        }
        let is_livekit = matches!(service.kind, ServiceSpec::Livekit(_));
        Ok(is_livekit.then_some(media))
    }
}

/// Where clients on this machine send media to.
#[derive(Clone, Copy, Default)]
struct Media {
    tcp: Option<Port>,
    udp: Option<Port>,
}

impl Media {
    /// What LiveKit is told, in place of what its file says.
    fn flags(self, livekit: &Livekit) -> Vec<String> {
        let ip = match livekit.version < LivekitVersion::TAKES_TWO_FAMILIES {
            true => "--rtc.node_ip",
            false => "--rtc.node_ip.ipv4",
        };
        let mut flags = vec![ip.to_owned(), "127.0.0.1".to_owned()];
        for (flag, port) in [("--udp-port", self.udp), ("--rtc.tcp_port", self.tcp)] {
            flags.extend(port.into_iter().flat_map(|port| [flag.to_owned(), port.to_string()]));
        }
        flags
    }
}

/// What has a network of its own on a machine shares one here: nobody may want a port that
/// another has.
fn listen_apart(topology: &Topology, node: &Node) -> Result<(), TryoutError> {
    let mut taken: BTreeMap<(bool, Port), &str> = BTreeMap::new();
    for placement in topology.placements_on(node.id) {
        let service = topology.service(placement.service);
        for endpoint in topology.endpoints_of(service.id) {
            if !endpoint.is_at(placement.id) || endpoint.scope == Scope::Loopback {
                continue;
            }
            let key = (endpoint.protocol == Protocol::Udp, endpoint.ports.first());
            let first = *taken.entry(key).or_insert(service.name.as_str());
            if first != service.name.as_str() {
                return Err(TryoutError::Shared {
                    node: node.name.to_string(),
                    first: first.to_owned(),
                    second: service.name.to_string(),
                    port: key.1,
                });
            }
        }
    }
    Ok(())
}

/// A file of a node where a container of any user can read it.
pub(super) fn shared(node: &Node, file: Artifact) -> Artifact {
    let mode = if file.mode & 0o111 == 0 { 0o644 } else { 0o755 };
    Artifact { path: format!("{}/{}", node.name, file.path), ..file }.mode(mode)
}
