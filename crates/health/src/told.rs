//! What came of a check on another machine, as it is handed over.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stageplot_topology::Topology;

use crate::{Cause, Evidence, Observation, Outcome, Problem, Secrets, Trial};

/// An [`Observation`] on its way from one machine to another, where the trial is known
/// by its id.
///
/// ```
/// use stageplot_health::{Stand, Told, trials};
/// use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// let node = topology.node_named("front").ok_or("a node")?.id;
/// let trials = trials(&topology, Stand::Node(node), false);
/// let line = format!(r#"{{ "id": "{}", "evidence": [], "microseconds": 250 }}"#, trials[0].id);
/// let told: Told = serde_json::from_str(&line)?;
/// let trial = trials.iter().find(|trial| trial.id == told.id).ok_or("a trial")?;
/// assert!(told.observation(&topology, trial).problem.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// The trial.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<ToldProblem>,
    evidence: Vec<(String, String)>,
    microseconds: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct ToldProblem {
    outcome: Outcome,
    cause: String,
    message: String,
    help: String,
}

impl From<&Observation> for Told {
    fn from(seen: &Observation) -> Self {
        let problem = seen.problem.as_ref().map(|problem| ToldProblem {
            outcome: problem.outcome,
            cause: problem.cause.to_string(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        });
        let evidence = seen.evidence.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let microseconds = u64::try_from(seen.took.as_micros()).unwrap_or(u64::MAX);
        Self { id: seen.id.clone(), problem, evidence: evidence.collect(), microseconds }
    }
}

impl Told {
    /// What the trial saw, here.
    pub fn observation(self, topology: &Topology, trial: &Trial) -> Observation {
        let answer = match self.problem {
            None => Ok(()),
            // A cause of another version has no page here.
            Some(told) => Err(Problem {
                outcome: told.outcome,
                cause: told.cause.parse().unwrap_or(Cause::ProgramAbsent),
                message: told.message,
                help: told.help,
            }),
        };
        let took = Duration::from_micros(self.microseconds);
        // Secrets were taken out where they were known.
        Observation::new(topology, trial, answer, Evidence::of(self.evidence), took, &Secrets::none())
    }
}
