//! Caddy's administration (its documentation, "API"): what it makes of its upstreams.

use std::collections::BTreeSet;

use serde::Deserialize;
use stageplot_topology::{PlacementId, Topology, dial};

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
            let what =
                format!("Caddy's upstream {} failed {} times of late", upstream.address, upstream.fails);
            Err(Problem::degraded(Cause::UpstreamDown, what))
        }
        None => Ok(()),
    }
}

/// The upstreams of HTTP that an edge has by the plot.
fn wanted(topology: &Topology, edge: PlacementId) -> BTreeSet<String> {
    let service = topology.placement(edge).service;
    let endpoints = topology.flows_from(service).map(|flow| topology.endpoint(flow.to));
    let http = endpoints.filter(|endpoint| matches!(endpoint.name.as_ref(), "http" | "signal"));
    http.flat_map(|endpoint| {
        // Of very many an edge has a share alone, which its file has and the flows have not.
        let all = endpoint.at.iter().take_while(|_| endpoint.at.len() <= stageplot_topology::SOURCES_LIMIT);
        all.filter_map(|&to| dial(topology, edge, endpoint.id, to)).map(|target| target.to_string())
    })
    .collect()
}
