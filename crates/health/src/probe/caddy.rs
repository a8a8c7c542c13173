//! Caddy: what its administration (its documentation, "API") makes of its upstreams, and
//! whom it hands requests to.

use std::collections::{BTreeMap, BTreeSet};

use hyper::header::HeaderName;
use serde::Deserialize;
use stageplot_topology::{
    Balance, Edge, Endpoint, PlacementId, SOURCES_LIMIT, ServiceId, ServiceSpec, Topology, dial,
};

use super::{Attempt, http};
use crate::{Cause, Problem};

/// One line of `GET /reverse_proxy/upstreams`.
#[derive(Deserialize)]
struct Upstream {
    address: String,
    /// How often passive checks found it wanting of late.
    #[serde(default)]
    fails: u64,
}

/// Caddy knows every upstream that the plot has for it, and none of them failed of late.
pub(super) async fn upstreams(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let target = attempt.trial.target.to_string();
    let stream = attempt.connect().await?;
    let response = attempt.ask(stream, http::request(&target, "/reverse_proxy/upstreams")?).await?;
    if !response.status.is_success() {
        let what = format!("Caddy's administration at {target} answers {}", response.status);
        return Err(Problem::failed(Cause::HttpStatus, what));
    }
    let known: Vec<Upstream> = serde_json::from_slice(&response.body).map_err(|error| {
        let what = format!("Caddy's administration at {target} answers {}: {error}", response.status);
        Problem::failed(Cause::WrongProtocol, what)
    })?;
    attempt.evidence.note("upstreams", known.len());
    let topology = attempt.scene.topology.clone();
    let has: BTreeSet<&str> = known.iter().map(|upstream| upstream.address.as_str()).collect();
    if let Some(edge) = attempt.trial.at {
        for wanted in wanted(&topology, edge) {
            if !has.contains(wanted.as_str()) {
                let what = format!("Caddy on this node has no upstream {wanted}, and the plot has it");
                return Err(Problem::failed(Cause::UpstreamUnknown, what)
                    .help("install the rendered files on this node, and reload Caddy"));
            }
        }
    }
    match known.iter().find(|upstream| upstream.fails > 0) {
        Some(upstream) => {
            let often = if upstream.fails == 1 { "once".into() } else { format!("{} times", upstream.fails) };
            let what = format!("Caddy's upstream {} failed {often} of late", upstream.address);
            Err(Problem::degraded(Cause::UpstreamDown, what))
        }
        None => Ok(()),
    }
}

/// How often Caddy is asked for each upstream that there is, at most. One of those that are
/// picked at random is left out by so many about once in ten thousand million times.
const ASKED: usize = 24;

/// Caddy hands requests to every upstream of a service.
pub(super) async fn balance(attempt: &mut Attempt<'_>, service: ServiceId) -> Result<(), Problem> {
    let topology = attempt.scene.topology.clone();
    let name = &topology.service(service).name;
    let edge = attempt.trial.at.map(|edge| (edge, &topology.service(topology.placement(edge).service).kind));
    let Some((edge, ServiceSpec::Edge(kind))) = edge else {
        return Err(Problem::not_tried(
            Cause::NotPermitted,
            format!("no edge is named that has {name} behind it"),
        ));
    };
    let behind = Edge::upstreams(&topology, topology.placement(edge).service);
    let wanted: BTreeSet<String> = behind
        .filter(|endpoint| endpoint.service == service)
        .flat_map(|endpoint| dialled(&topology, edge, endpoint))
        .collect();
    let balance = kind.balance_of(topology.service(service));
    let mut answered: BTreeMap<String, usize> = BTreeMap::new();
    for nonce in 0..wanted.len() * ASKED {
        let who = attempt.picked(name.as_str(), balance, nonce).await?;
        *answered.entry(who).or_default() += 1;
        if wanted.iter().all(|wanted| answered.contains_key(wanted)) {
            break;
        }
    }
    for (who, times) in &answered {
        attempt.evidence.note("answered", format!("{who}: {times}"));
    }
    if let Some(unused) = wanted.iter().find(|wanted| !answered.contains_key(*wanted)) {
        let times: usize = answered.values().sum();
        let what = format!("Caddy never picked {unused} for {name}, in {times} requests");
        return Err(Problem::degraded(Cause::UpstreamUnused, what));
    }
    match answered.keys().find(|who| !wanted.contains(*who)) {
        Some(strange) => {
            let what = format!("Caddy has {strange} answer for {name}, which the plot does not have there");
            Err(Problem::failed(Cause::UpstreamUnknown, what))
        }
        None => Ok(()),
    }
}

impl Attempt<'_> {
    /// Who answers one request of many for a service, as Caddy tells at its health port.
    async fn picked(&mut self, service: &str, balance: &Balance, nonce: usize) -> Result<String, Problem> {
        let target = self.trial.target.to_string();
        let path = match balance {
            Balance::UriHash => format!("/{service}?stageplot={nonce}"),
            Balance::Query(key) => {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair(key, &nonce.to_string())
                    .finish();
                format!("/{service}?{query}")
            }
            _ => format!("/{service}"),
        };
        let mut request = http::request(&target, &path)?;
        if let Balance::Header(name) = balance
            && let Ok(name) = HeaderName::try_from(name)
        {
            request.headers_mut().insert(name, nonce.into());
        }
        let stream = self.connect().await?;
        let response = self.ask(stream, request).await?;
        match response.upstream.filter(|_| response.status.is_success()) {
            Some(upstream) => Ok(upstream),
            None if response.status.is_success() => {
                let what = format!("Caddy at {target} does not tell who answers for {service}");
                Err(Problem::failed(Cause::UpstreamUnknown, what)
                    .help("install the rendered files on this node, and reload Caddy"))
            }
            None => {
                let what = format!("Caddy answers {} for {service}", response.status);
                Err(Problem::failed(Cause::UpstreamDown, what))
            }
        }
    }
}

/// The upstreams of HTTP that an edge has by the plot.
fn wanted(topology: &Topology, edge: PlacementId) -> BTreeSet<String> {
    let behind = Edge::upstreams(topology, topology.placement(edge).service);
    // Of very many an edge has a share alone, which its file has and the flows have not.
    let all = behind.filter(|endpoint| endpoint.at.len() <= SOURCES_LIMIT);
    all.flat_map(|endpoint| dialled(topology, edge, endpoint)).collect()
}

/// The upstreams of one endpoint, as an edge dials them.
fn dialled<'a>(
    topology: &'a Topology,
    edge: PlacementId,
    endpoint: &'a Endpoint,
) -> impl Iterator<Item = String> + 'a {
    let targets = endpoint.at.iter().filter_map(move |&to| dial(topology, edge, endpoint.id, to));
    targets.map(|target| target.to_string())
}
