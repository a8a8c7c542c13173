//! Who is to reach what, and by which way each comes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use stageplot_tests::{Answer, ask, inside, lookup};
use stageplot_topology::{
    Endpoint, Flow, Party, Placement, PlacementId, Protocol, Sources, TargetHost, Topology, arrivals, dial,
    listen,
};

use super::all;
use crate::stage::{Machine, SOON, Seen, Stage, transport};

/// Somebody who is to reach an endpoint of a placement, as a flow says.
pub(super) struct Case<'a> {
    pub(super) flow: &'a Flow,
    pub(super) endpoint: &'a Endpoint,
    pub(super) at: Placement,
    /// Who the client is, where the plot places it.
    pub(super) placement: Option<PlacementId>,
    /// Where the client is.
    pub(super) client: PathBuf,
    pub(super) client_name: String,
    pub(super) target: SocketAddr,
    /// Who has to answer.
    pub(super) server: String,
}

/// Tries all cases; where each came by, if a firewall could have seen it.
pub(super) fn where_all_come_by(stage: &Stage, topology: &Topology, cases: &[Case<'_>]) -> Vec<Option<Seen>> {
    // As many at a time as the probe can tell apart: one for each port of a machine.
    let mut rounds: Vec<BTreeMap<_, usize>> = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let port = (case.at.node, case.target.port());
        match rounds.iter_mut().find(|round| !round.contains_key(&port)) {
            Some(round) => _ = round.insert(port, index),
            None => rounds.push([(port, index)].into()),
        }
    }
    let mut seen = vec![None; cases.len()];
    for round in rounds {
        stage.machines.values().for_each(Machine::forget);
        let round: Vec<_> = round.into_values().collect();
        let answers = all(&round, |_, &index| cases[index].ask(SOON));
        let probes: BTreeMap<_, _> = stage.machines.iter().map(|(name, m)| (name, m.seen())).collect();
        for (index, answer) in round.into_iter().zip(answers) {
            let case = &cases[index];
            let probe = &probes[&topology.node(case.at.node).name.to_string()];
            let wanted = (transport(case.endpoint.protocol), case.target.port());
            let came = probe.iter().filter(|came| (came.0, came.1) == wanted);
            let came: Vec<_> = came.map(|&(_, _, hook, source)| (hook, source)).collect();
            seen[index] = came_by(topology, case, answer, &came);
        }
    }
    seen
}

/// Holds an answer, and what the probe saw of its question, against the model.
fn came_by(
    topology: &Topology,
    case: &Case<'_>,
    answer: Option<Answer>,
    seen: &[(Seen, IpAddr)],
) -> Option<Seen> {
    let title = case.title(topology);
    let answer = answer.unwrap_or_else(|| panic!("{title}: no answer from {}", case.target));
    assert_eq!(answer.name, case.server, "{title}: somebody else answers");
    let expected = arrivals(topology, case.flow, case.at.id);
    println!("{title}: {} as {}, {seen:?}", case.target, answer.client);
    assert!(seen.len() <= 1, "{title}: came by {seen:?}");
    let &(hook, source) = seen.first()?;
    let covered = expected
        .iter()
        .any(|arrival| Seen::from(arrival.hook) == hook && holds(topology, &arrival.sources, source));
    assert!(covered, "{title}: came by {hook:?} from {source}, expected {expected:?}");
    Some(hook)
}

fn holds(topology: &Topology, sources: &Sources, address: IpAddr) -> bool {
    match sources {
        Sources::Any => true,
        Sources::Nets(nets) => nets.iter().any(|net| net.contains(&address)),
        Sources::Bridge => matches!(address, IpAddr::V4(v4) if topology.plot().bridge.v4.contains(&v4)),
    }
}

impl Case<'_> {
    /// Asks from where the client is.
    pub(super) fn ask(&self, deadline: Duration) -> Option<Answer> {
        let transport = transport(self.endpoint.protocol);
        inside(&self.client, || ask(transport, self.target, deadline))
    }

    pub(super) fn title(&self, topology: &Topology) -> String {
        let published = listen(topology, self.endpoint.id, self.at.id);
        let published = published.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let Self { client_name, server, endpoint, .. } = self;
        format!("{client_name} → {server} {} {} [{published}]", endpoint.name, endpoint.protocol)
    }
}

/// Every flow from each of its clients to each placement that it leads to.
pub(super) fn cases<'a>(stage: &Stage, topology: &'a Topology) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for flow in topology.flows() {
        let endpoint = topology.endpoint(flow.to);
        for &id in &endpoint.at {
            let at = topology.placement(id);
            let node = topology.node(at.node);
            let server = format!("{} on {}", topology.service(at.service).name, node.name);
            let mut add = |placement, client: PathBuf, client_name: String, address: IpAddr| {
                let target = SocketAddr::from((address, endpoint.ports.first().number()));
                let server = server.clone();
                cases.push(Case { flow, endpoint, at, placement, client, client_name, target, server });
            };
            let public = node.public.into_iter().flat_map(|public| public.addresses());
            let all = node.addresses.iter().map(|address| address.ip).chain(public);
            match flow.from {
                Party::Service(service) => {
                    for &from in &topology.service(service).placements {
                        let target = dial(topology, from, endpoint.id, id).expect("a target");
                        let from = topology.placement(from);
                        let client = stage.namespace(topology, from);
                        let address = match target.host {
                            TargetHost::Ip(ip) => ip,
                            TargetHost::Container(name) => inside(&client, || lookup(name.as_str(), SOON))
                                .expect("a container's address"),
                        };
                        let place = topology.node(from.node);
                        let name = format!("{} on {}", topology.service(service).name, place.name);
                        add(Some(from.id), client, name, address);
                    }
                }
                Party::Network(network) => {
                    let other = if node.name.as_str() == "a" { "b" } else { "a" };
                    for address in node.addresses.iter().filter(|a| a.network == Some(network)) {
                        let client = stage.machines[other].namespace().path();
                        add(None, client, format!("machine {other}"), address.ip);
                    }
                }
                Party::Nets(nets) => {
                    let nets = topology.nets(nets);
                    let v6 = nets.iter().any(|net| net.addr().is_ipv6());
                    for address in all.filter(|address| address.is_ipv6() == v6) {
                        add(None, stage.stranger.path(), "stranger".to_owned(), address);
                    }
                }
                _ => {
                    let container = stage.machine(topology, at).containers.get("bridge-for-bridge");
                    for address in all {
                        add(None, stage.stranger.path(), "stranger".to_owned(), address);
                        // So does a container on the node itself, as whoever dials
                        // a public name may. Docker answers datagrams of such from
                        // the gateway's address, so they get nowhere.
                        if let Some(container) = container
                            && endpoint.protocol == Protocol::Tcp
                            && (address.is_ipv4() || topology.plot().bridge.ipv6)
                        {
                            add(None, container.namespace.clone(), "a container".to_owned(), address);
                        }
                    }
                }
            }
        }
    }
    cases
}
