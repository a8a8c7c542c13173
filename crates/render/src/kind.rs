//! What each kind renders. One file for each, named as in the model.

mod app;
mod companion;
mod edge;
mod egress;
mod grafana;
mod ingress;
mod ion_sfu;
mod livekit;
mod postgres;
mod prometheus;
mod redis;
mod rtmp;
mod sip;

pub(crate) use livekit::RestrictedPeers;
pub(crate) use postgres::GRACE as POSTGRES_GRACE;

use stageplot_topology::{
    Attachment, Endpoint, Node, Placement, PlacementId, Service, ServiceSpec, SocketTarget, Speaks, Topology,
    dial, listen,
};

use crate::RenderError;
use crate::artifact::{Artifact, Change};
use crate::bundle::digest_dir;
use crate::compose::Container;
use crate::secrets::Values;
use crate::template::{Template, Templates};

/// What a kind needs to render one placement.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) node: &'a Node,
    pub(crate) service: &'a Service,
    pub(crate) placement: Placement,
    pub(crate) values: &'a Values,
    pub(crate) templates: &'a Templates,
    pub(crate) restricted: &'a RestrictedPeers,
    /// Files that the user adds to this service.
    pub(crate) extra: &'a [Artifact],
}

/// What a placement contributes to its node's bundle.
pub(crate) struct Part {
    pub(crate) artifacts: Vec<Artifact>,
    /// The container, unless the user runs the service.
    pub(crate) container: Option<Container>,
}

/// The templates of all kinds.
pub(crate) const TEMPLATES: &[Template] = &[
    edge::TEMPLATE,
    redis::TEMPLATE,
    app::TEMPLATE,
    postgres::CONF,
    postgres::HBA,
    postgres::ROLES,
    postgres::START,
    rtmp::TEMPLATE,
];

/// Renders one placement.
pub(crate) fn render(scene: Scene<'_>) -> Result<Part, RenderError> {
    match &scene.service.kind {
        ServiceSpec::Edge(edge) => edge::render(scene, edge),
        ServiceSpec::Livekit(livekit) => livekit::render(scene, livekit),
        ServiceSpec::Redis(redis) => redis::render(scene, redis),
        ServiceSpec::Postgres(postgres) => postgres::render(scene, postgres),
        ServiceSpec::Prometheus(prometheus) => prometheus::render(scene, prometheus),
        ServiceSpec::Grafana(grafana) => grafana::render(scene, grafana),
        ServiceSpec::Rtmp(rtmp) => rtmp::render(scene, rtmp),
        ServiceSpec::IonSfu(sfu) => ion_sfu::render(scene, sfu),
        ServiceSpec::Ingress(ingress) => ingress::render(scene, ingress),
        ServiceSpec::Egress(egress) => egress::render(scene, egress),
        ServiceSpec::Sip(sip) => sip::render(scene, sip),
        ServiceSpec::App(app) => app::render(scene, app),
    }
}

impl Scene<'_> {
    /// Where this placement dials an endpoint: each that offers it, or of more than
    /// [`LISTED`] a share. The shares begin where the placement stands among those of
    /// its service, so that together they name all.
    pub(crate) fn targets(&self, endpoint: &Endpoint) -> impl Iterator<Item = SocketTarget> {
        let clients = &self.service.placements;
        let own = clients.binary_search(&self.placement.id).unwrap_or(0);
        share(&endpoint.at, own, clients.len())
            .filter_map(|&at| dial(self.topology, self.placement.id, endpoint.id, at))
    }

    /// The placement on this node that offers an endpoint, if there is one.
    pub(crate) fn beside(&self, endpoint: &Endpoint) -> Option<PlacementId> {
        endpoint.at.iter().copied().find(|&at| self.topology.placement(at).node == self.node.id)
    }

    /// The addresses at which it listens for what arrives at an endpoint of its own. None
    /// inside a container network: every address there is the container's own, and what
    /// reaches it is decided by the ports published.
    pub(crate) fn listens(&self, endpoint: Option<&Endpoint>) -> Option<Vec<String>> {
        let endpoint = endpoint.filter(|_| self.placement.attachment != Attachment::Bridge)?;
        let addresses = listen(self.topology, endpoint.id, self.placement.id);
        Some(addresses.iter().map(ToString::to_string).collect())
    }

    /// Puts files that are read at start into a directory named by what they
    /// hold. Returns it, and the files in place.
    pub(crate) fn at_start(&self, files: Vec<Artifact>) -> (String, Vec<Artifact>) {
        let name = self.service.name.as_str();
        let dir = digest_dir(name, &files);
        let placed = files.into_iter().map(|file| {
            let path = format!("{dir}/{}", file.path);
            Artifact { path, ..file }.read_by(name, Change::Recreate)
        });
        (dir.clone(), placed.collect())
    }
}

/// The path that answers 2xx while what listens there is well.
pub(crate) fn health(endpoint: &Endpoint) -> Option<String> {
    match &endpoint.speaks {
        Speaks::Http { health } => health.clone(),
        _ => None,
    }
}

/// How long a service may go on with what it is doing after it was told to stop, in seconds, where
/// the plot says so.
pub(crate) fn drain(kind: &ServiceSpec) -> Option<u32> {
    let drain = match kind {
        ServiceSpec::Livekit(livekit) => &livekit.drain,
        ServiceSpec::Ingress(ingress) => &ingress.drain,
        ServiceSpec::Egress(egress) => &egress.drain,
        ServiceSpec::Sip(sip) => &sip.drain,
        ServiceSpec::Edge(_)
        | ServiceSpec::Redis(_)
        | ServiceSpec::Postgres(_)
        | ServiceSpec::Prometheus(_)
        | ServiceSpec::Grafana(_)
        | ServiceSpec::Rtmp(_)
        | ServiceSpec::IonSfu(_)
        | ServiceSpec::App(_) => return None,
    };
    Some(drain.max.seconds())
}

/// The beginning of a shell's command that is handed a password by a variable, from a file.
pub(crate) fn with_password(variable: &str, file: &str) -> String {
    // A substitution drops line breaks at the end, which a password may have.
    format!("p=\"$(cat {file}; echo x)\"; {variable}=\"${{p%x}}\" ")
}

/// The share of one of several clients in what they all use: whole where it is short.
fn share<T>(all: &[T], client: usize, clients: usize) -> impl Iterator<Item = &T> {
    let clients = clients.max(1);
    let (start, length) = match all.len() {
        0..=LISTED => (0, all.len()),
        many => (client * many / clients, LISTED.max(many.div_ceil(clients))),
    };
    all.iter().cycle().skip(start).take(length)
}

/// How many of the placements that it dials a client lists before it lists a share
/// of them: with more, what every node writes about every other would grow with the
/// square of the nodes.
const LISTED: usize = 256;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn shares_name_all_and_grow_with_the_nodes_alone() {
        for (many, clients) in [(256, 3), (257, 1), (1000, 1), (1000, 7), (10_000, 10_000), (300, 10_000)] {
            let all: Vec<_> = (0..many).collect();
            let shares: Vec<Vec<_>> =
                (0..clients).map(|client| share(&all, client, clients).collect()).collect();
            let named: BTreeSet<_> = shares.iter().flatten().collect();
            assert_eq!(named.len(), many, "{many} for {clients}");
            for share in &shares {
                assert_eq!(share.iter().collect::<BTreeSet<_>>().len(), share.len(), "one is named twice");
            }
            let written: usize = shares.iter().map(Vec::len).sum();
            assert!(written <= many + (LISTED + 1) * clients, "{written} names of {many} for {clients}");
        }
        // Where both stand on all nodes, the nearest is the node's own.
        let all: Vec<_> = (0..1000).collect();
        assert_eq!(share(&all, 700, 1000).next(), Some(&700));
    }
}
