//! What all observations of one machine come to, with the first thing to mend on top.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stageplot_topology::{ServiceId, Topology};

use crate::{Cause, Group, Observation, Outcome, Problem, Stand, Trial};

/// What all observations of one machine come to.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The stack.
    pub plot: String,
    /// Where it was tried from: a node's name, or `outside`.
    pub from: String,
    /// The worst that was seen.
    pub outcome: Outcome,
    /// How often each outcome was seen.
    pub counts: BTreeMap<Outcome, usize>,
    /// What was seen: what failed first, and of that what explains the rest; what
    /// passed last.
    pub checks: Vec<Line>,
}

/// One check of a [`Report`], in words.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// Which check it was.
    pub id: String,
    /// What it is about.
    pub group: Group,
    /// Whose it is that has to answer; none where it is the machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The node that has to answer; none where somebody else runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Where it was tried from.
    pub from: String,
    /// What was dialled, or looked at.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not pass, where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What was seen, where it did not pass.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What to do, where it did not pass and there is more to say than the cause's page does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// What was seen on the way.
    pub evidence: BTreeMap<String, String>,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
}

impl Report {
    /// Sums up what came of trials. One that nothing was told of was not tried.
    pub fn new(topology: &Topology, stand: Stand, trials: &[Trial], observations: Vec<Observation>) -> Self {
        let told: BTreeSet<_> = observations.iter().map(|observation| observation.id.clone()).collect();
        let untold = trials.iter().filter(|trial| !told.contains(&trial.id)).map(|trial| {
            let problem = Problem::not_tried(Cause::NotPermitted, "nothing was told of it");
            Observation::untold(topology, trial, problem)
        });
        let mut all: Vec<_> = untold.collect();
        all.extend(observations);
        let depth = depths(topology);
        // What others need explains what they lack; at one service, what lies deeper.
        all.sort_by_cached_key(|seen| {
            let cause = seen.problem.as_ref().map(|problem| problem.cause);
            // What is the machine's explains what services lack; what was left behind, or was
            // not brought up, explains nothing.
            let depth = match (seen.service, cause) {
                (None, Some(Cause::ContainerStale | Cause::ContainerUnknown)) => Some(usize::MAX),
                (service, _) => service.map(|service| depth.get(&service).copied().unwrap_or(usize::MAX)),
            };
            (std::cmp::Reverse(seen.outcome), depth, cause, seen.id.clone())
        });
        let mut counts = BTreeMap::new();
        for seen in &all {
            *counts.entry(seen.outcome).or_default() += 1;
        }
        Self {
            plot: topology.name().to_string(),
            from: match stand {
                Stand::Node(node) => topology.node(node).name.to_string(),
                Stand::Outside => "outside".to_owned(),
            },
            // Where nothing was tried, nothing is known.
            outcome: counts.keys().next_back().copied().unwrap_or(Outcome::NotTried),
            counts,
            checks: all.into_iter().map(|seen| Line::new(topology, seen)).collect(),
        }
    }

    /// What did not pass, the first thing to mend on top.
    pub fn problems(&self) -> impl Iterator<Item = &Line> {
        self.checks.iter().filter(|line| line.outcome != Outcome::Passed)
    }
}

impl Line {
    fn new(topology: &Topology, seen: Observation) -> Self {
        let node = seen.at.map(|at| topology.node(topology.placement(at).node).name.to_string());
        let (cause, message, help) = match seen.problem {
            Some(problem) => (Some(problem.cause), problem.message, problem.help),
            None => (None, String::new(), String::new()),
        };
        Self {
            id: seen.id,
            group: seen.group,
            service: seen.service.map(|service| topology.service(service).name.to_string()),
            node,
            from: seen.place.name(topology),
            target: seen.target,
            outcome: seen.outcome,
            cause,
            message,
            help,
            evidence: seen.evidence.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            milliseconds: (seen.took.as_secs_f64() * 100_000.0).round() / 100.0,
        }
    }
}

/// How deep each service lies: what others need comes first.
fn depths(topology: &Topology) -> BTreeMap<ServiceId, usize> {
    let mut depths = BTreeMap::new();
    for (depth, step) in topology.start_order().iter().enumerate() {
        depths.entry(step.service).or_insert(depth);
    }
    depths
}
