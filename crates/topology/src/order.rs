//! In which order services start: what others need comes first.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Party, PlacementId, Service, ServiceId, ServiceSpec, Topology};

/// Placements of one service that may start at the same time.
///
/// ```
/// use stageplot_topology::{NetworkSpec, NodeSpec, Plot, Redis, SecretRef};
///
/// let password = Some(SecretRef::env("REDIS_PASSWORD"));
/// let topology = Plot::new("live".parse()?)
///     .network("lan", NetworkSpec::new(["10.0.0.0/24".parse()?]))
///     .service("cache", Redis { primary: vec!["b".parse()?], password, ..Redis::default() })
///     .node("a", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .node("b", NodeSpec::private("10.0.0.2".parse()?).role("cache"))
///     .build()?
///     .topology;
/// for step in topology.start_order() {
///     let on = step.placements.iter().map(|&id| &topology.node(topology.placement(id).node).name);
///     println!("start {} on {:?}", topology.service(step.service).name, on.collect::<Vec<_>>());
/// }
/// let [primary, replica] = topology.start_order().try_into().expect("two steps");
/// assert!(!primary.replicas && replica.replicas);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartStep {
    /// What starts.
    pub service: ServiceId,
    /// Where, by node.
    pub placements: Vec<PlacementId>,
    /// Whether these follow a primary that an earlier step started.
    pub replicas: bool,
}

impl Topology {
    /// The order in which to start everything: the flows, reversed.
    ///
    /// A primary starts before its replicas, a service before those that need
    /// it. Where services need each other, as LiveKit sends events through the
    /// edge that sends it requests, the one further from the clients starts
    /// first: it is the edge that can wait. To stop, go backwards.
    ///
    /// ```
    /// use stageplot_topology::{Edge, Livekit, NodeSpec, Plot, Redis, SecretRef};
    ///
    /// let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// let topology = Plot::new("live".parse()?)
    ///     .service("a-edge", Edge::new("livekit.example.com".parse()?))
    ///     .service("b-sfu", Livekit { keys, ..Livekit::default() })
    ///     .service("c-cache", Redis::default())
    ///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("a-edge").role("b-sfu").role("c-cache"))
    ///     .build()?
    ///     .topology;
    /// let order = topology.start_order();
    /// let names: Vec<_> = order.iter().map(|step| topology.service(step.service).name.as_str()).collect();
    /// assert_eq!(names, ["c-cache", "b-sfu", "a-edge"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_order(&self) -> Vec<StartStep> {
        let steps: Vec<_> = self.services().iter().flat_map(steps).collect();
        let rank = |index: usize| (distance(&self.service(steps[index].service).kind), index);
        let mut needs = needs(self, &steps);
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
        for (index, needs) in needs.iter().enumerate() {
            needs.iter().for_each(|&need| needed_by[need].push(index));
        }
        let mut waiting: BTreeSet<_> = (0..steps.len()).map(rank).collect();
        let mut ready: BTreeSet<_> =
            waiting.iter().copied().filter(|step| needs[step.1].is_empty()).collect();
        let mut order = Vec::with_capacity(steps.len());
        // Where nothing is ready a circle is left, and somebody has to begin.
        while let Some(step) = ready.pop_first().or_else(|| waiting.first().copied()) {
            waiting.remove(&step);
            order.push(step.1);
            for &client in &needed_by[step.1] {
                needs[client].remove(&step.1);
                if needs[client].is_empty() && waiting.contains(&rank(client)) {
                    ready.insert(rank(client));
                }
            }
        }
        let mut steps: Vec<_> = steps.into_iter().map(Some).collect();
        order.into_iter().filter_map(|index| steps[index].take()).collect()
    }
}

/// The steps of one service, in no order yet but that a primary comes first.
fn steps(service: &Service) -> Vec<StartStep> {
    let step = |placements, replicas| StartStep { service: service.id, placements, replicas };
    let (primary, others) = service.placements.iter().partition(|&&at| Some(at) == service.primary);
    let steps = [step(primary, false), step(others, service.primary.is_some())];
    steps.into_iter().filter(|step| !step.placements.is_empty()).collect()
}

/// For each step those that it needs, itself not among them.
fn needs(topology: &Topology, steps: &[StartStep]) -> Vec<BTreeSet<usize>> {
    let mut of_service: BTreeMap<ServiceId, Vec<usize>> = BTreeMap::new();
    let mut of_placement: BTreeMap<PlacementId, usize> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        of_service.entry(step.service).or_default().push(index);
        of_placement.extend(step.placements.iter().map(|&at| (at, index)));
    }
    let mut needs = vec![BTreeSet::new(); steps.len()];
    for flow in topology.flows() {
        let Party::Service(client) = flow.from else { continue };
        let targets: BTreeSet<_> =
            topology.endpoint(flow.to).at.iter().filter_map(|at| of_placement.get(at).copied()).collect();
        for &index in of_service.get(&client).into_iter().flatten() {
            needs[index].extend(targets.iter().copied().filter(|&target| target != index));
        }
    }
    // A primary needs none of its replicas.
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| !step.replicas) {
        needs[index].retain(|&need| steps[need].service != step.service);
    }
    needs
}

/// How far a kind stands from the clients, the furthest first.
fn distance(kind: &ServiceSpec) -> u8 {
    match kind {
        ServiceSpec::Redis(_) | ServiceSpec::Postgres(_) => 0,
        ServiceSpec::Livekit(_) | ServiceSpec::Rtmp(_) | ServiceSpec::IonSfu(_) => 1,
        ServiceSpec::App(_) | ServiceSpec::Ingress(_) | ServiceSpec::Egress(_) | ServiceSpec::Sip(_) => 2,
        ServiceSpec::Edge(_) | ServiceSpec::Prometheus(_) | ServiceSpec::Grafana(_) => 3,
    }
}
