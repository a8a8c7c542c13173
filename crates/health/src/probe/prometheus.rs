//! Prometheus: what it asks answers it.

use serde::Deserialize;

use super::{Attempt, http};
use crate::{Cause, Problem};

/// What `/api/v1/targets` answers, as far as it is looked at
/// (<https://prometheus.io/docs/prometheus/latest/querying/api/#targets>).
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    active_targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    scrape_url: String,
    health: String,
    #[serde(default)]
    last_error: String,
}

/// Everything that it is told to ask was asked, and answered.
pub(super) async fn targets(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let host = attempt.trial.target.to_string();
    let stream = attempt.connect().await?;
    let response = attempt.ask(stream, http::request(&host, "/api/v1/targets?state=active")?).await?;
    if !response.status.is_success() {
        attempt.evidence.note("body", String::from_utf8_lossy(&response.body));
        let what = format!("Prometheus at {host} answers {} when asked for its targets", response.status);
        return Err(Problem::failed(Cause::HttpStatus, what));
    }
    let Ok(Answer { data }) = serde_json::from_slice(&response.body) else {
        attempt.evidence.note("body", String::from_utf8_lossy(&response.body));
        return Err(Problem::failed(
            Cause::WrongProtocol,
            format!("{host} lists no targets, as Prometheus does"),
        ));
    };
    let all = data.active_targets.len();
    attempt.evidence.note("targets", all);
    let wanted = attempt.wanted();
    if all < wanted {
        let what = format!(
            "Prometheus asks {all} targets, and the plot has {wanted}: it runs with another configuration"
        );
        return Err(Problem::failed(Cause::TargetDown, what));
    }
    match data.active_targets.iter().find(|target| target.health == "down") {
        Some(down) => {
            let what = format!("{} does not show its metrics: {}", down.scrape_url, down.last_error);
            Err(Problem::failed(Cause::TargetDown, what))
        }
        // Not asked yet, since it started.
        None if data.active_targets.iter().any(|target| target.health != "up") => {
            let what = "Prometheus has just started, and has not asked everybody yet";
            Err(Problem::not_tried(Cause::ContainerStarting, what))
        }
        None => Ok(()),
    }
}

impl Attempt<'_> {
    /// How many targets the plot gives this Prometheus, itself among them.
    fn wanted(&self) -> usize {
        let topology = &self.scene.topology;
        let scraped = self.trial.service.map(|service| topology.scraped(service)).unwrap_or_default();
        1 + scraped.iter().map(|(endpoint, _)| topology.endpoint(*endpoint).at.len()).sum::<usize>()
    }
}
