//! Files of one's own: an inventory for each machine, and the configuration of
//! a Prometheus that knows all LiveKit servers of the plot.

use serde_json::json;
use stageplot_render::{Artifact, ArtifactSource, SourceError};
use stageplot_topology::{Attachment, Node, Service, ServiceSpec, Topology};

pub(crate) struct Monitoring;

impl ArtifactSource for Monitoring {
    /// `inventory.json`: what runs here, for whoever keeps a list of machines.
    fn of_node(&self, topology: &Topology, node: &Node) -> Result<Vec<Artifact>, SourceError> {
        let services = topology.placements_on(node.id).map(|placement| {
            let service = topology.service(placement.service);
            let ports = topology.endpoints_of(service.id).iter();
            let ports = ports.filter(|endpoint| endpoint.is_at(placement.id));
            let ports: Vec<_> = ports.map(|port| format!("{}/{}", port.ports, port.protocol)).collect();
            json!({
                "name": service.name,
                "kind": service.kind.kind(),
                "container": placement.attachment != Attachment::OffDocker,
                "ports": ports,
            })
        });
        let inventory = json!({
            "stack": topology.name(),
            "node": node.name,
            "address": node.main_address(),
            "services": services.collect::<Vec<_>>(),
        });
        Ok(vec![Artifact::open("inventory.json", format!("{inventory:#}\n"))])
    }

    /// What the image of Prometheus reads in `/etc/prometheus`, which is where files of a
    /// service called `prometheus` are. JSON is YAML as well.
    fn of_service(
        &self,
        topology: &Topology,
        _: &Node,
        service: &Service,
    ) -> Result<Vec<Artifact>, SourceError> {
        if service.name.as_str() != "prometheus" {
            return Ok(Vec::new());
        }
        let targets = topology.services().iter().flat_map(|service| livekits(topology, service));
        let scrape = json!({
            "job_name": "livekit",
            "file_sd_configs": [{ "files": ["/etc/prometheus/livekit.json"] }],
        });
        let config = json!({ "global": { "scrape_interval": "15s" }, "scrape_configs": [scrape] });
        Ok(vec![
            Artifact::open("prometheus.yml", format!("{config:#}\n")),
            Artifact::open("livekit.json", format!("{:#}\n", targets.collect::<serde_json::Value>())),
        ])
    }
}

/// The targets of a LiveKit's metrics, as `file_sd` has them.
fn livekits(topology: &Topology, service: &Service) -> Vec<serde_json::Value> {
    let ServiceSpec::Livekit(livekit) = &service.kind else { return Vec::new() };
    let Some(metrics) = &livekit.metrics else { return Vec::new() };
    let nodes = service.placements.iter().map(|&placement| topology.node(topology.placement(placement).node));
    let target = |node: &Node| {
        let address = node.main_address()?;
        let socket = std::net::SocketAddr::new(address, metrics.port.number());
        let labels = json!({ "stack": topology.name(), "node": node.name, "service": service.name });
        Some(json!({ "targets": [socket.to_string()], "labels": labels }))
    };
    nodes.filter_map(target).collect()
}
