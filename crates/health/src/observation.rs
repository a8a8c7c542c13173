//! What came of a check.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stageplot_topology::{PlacementId, ServiceId, Topology};

use crate::secrets::Secrets;
use crate::{Cause, Group, Place, Subject, Trial};

/// What a check saw.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observation {
    /// Which trial it was, by its [id](crate::Trial::id).
    pub id: String,
    /// What the check is about.
    pub group: Group,
    /// What the check follows from.
    pub subject: Subject,
    /// Where it was tried from.
    pub place: Place,
    /// Whose it is that has to answer; none where it is the machine's.
    pub service: Option<ServiceId>,
    /// The placement that has to answer; none where somebody else runs it.
    pub at: Option<PlacementId>,
    /// What was dialled, or looked at.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not pass, where it did not.
    pub problem: Option<Problem>,
    /// What was seen on the way. No secret is among it.
    pub evidence: Evidence,
    /// How long it took.
    pub took: Duration,
}

impl Observation {
    /// That a trial saw nothing, and why.
    ///
    /// See [`Told`](crate::Told).
    pub fn untold(topology: &Topology, trial: &Trial, problem: Problem) -> Self {
        Self::new(topology, trial, Err(problem), Evidence::default(), Duration::ZERO, &Secrets::none())
    }

    /// What a trial saw, without the values of secrets: what others answer may hold what
    /// they were sent.
    pub(crate) fn new(
        topology: &Topology,
        trial: &Trial,
        answer: Result<(), Problem>,
        evidence: Evidence,
        took: Duration,
        secrets: &Secrets,
    ) -> Self {
        let problem = answer.err().map(|problem| Problem {
            message: secrets.scrub(line(&problem.message)),
            help: secrets.scrub(problem.help),
            ..problem
        });
        let (service, at) = trial.answers(problem.as_ref().map(|problem| problem.cause));
        let evidence = evidence.0.into_iter().map(|(name, value)| (name, secrets.scrub(value)));
        Self {
            id: trial.id.clone(),
            group: Group::of(topology, trial),
            subject: trial.subject,
            place: trial.place,
            service,
            at,
            target: trial.target.to_string(),
            outcome: problem.as_ref().map_or(Outcome::Passed, |problem| problem.outcome),
            problem,
            evidence: Evidence(evidence.collect()),
            took,
        }
    }
}

/// How a check ended. What could not be looked at has not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// All is as the plot has it.
    Passed,
    /// It works, and something about it will hurt.
    Degraded,
    /// It could not be tried from here, so nothing is known.
    NotTried,
    /// It does not work.
    Failed,
}

impl Outcome {
    /// As a word of a table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Degraded => "degraded",
            Self::NotTried => "not tried",
            Self::Failed => "failed",
        }
    }
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What that makes of the check.
    pub outcome: Outcome,
    /// The cause, which has a page.
    pub cause: Cause,
    /// What was seen, in words that fit "KIND: {message}".
    pub message: String,
    /// What to do, where more can be said than the cause's page does.
    pub help: String,
}

impl Problem {
    /// Something does not work.
    pub fn failed(cause: Cause, message: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, cause, message: message.into(), help: String::new() }
    }

    /// Something works, and will hurt.
    pub fn degraded(cause: Cause, message: impl Into<String>) -> Self {
        Self { outcome: Outcome::Degraded, ..Self::failed(cause, message) }
    }

    /// Something kept us from looking.
    pub fn not_tried(cause: Cause, message: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotTried, ..Self::failed(cause, message) }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.message)
    }
}

/// What a check saw on the way, by name, in the order in which it was seen.
///
/// What others send is cut to a line of [`Evidence::LONGEST`] characters without
/// control characters: a report is no place for somebody else's escape sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(Vec<(Cow<'static, str>, String)>);

impl Evidence {
    /// How many characters of a value are kept.
    pub const LONGEST: usize = 400;

    /// What was noted on another machine.
    pub(crate) fn of(noted: Vec<(String, String)>) -> Self {
        Self(noted.into_iter().map(|(name, value)| (name.into(), line(&value))).collect())
    }

    /// Notes something down.
    pub fn note(&mut self, name: &'static str, value: impl fmt::Display) {
        self.0.push((name.into(), line(&value)));
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_str()))
    }

    /// What was noted by a name last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A value as one line of bounded length.
pub(crate) fn line(value: &dyn fmt::Display) -> String {
    let mut line = Line(String::new(), 0);
    // It fails where enough is said.
    let _ = write!(line, "{value}");
    if line.1 > Evidence::LONGEST {
        line.0.push('…');
    }
    line.0
}

struct Line(String, usize);

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.1 += 1;
            if self.1 > Evidence::LONGEST {
                return Err(fmt::Error);
            }
            self.0.push(if c.is_control() { '·' } else { c });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_send_becomes_a_line() {
        let mut evidence = Evidence::default();
        evidence.note("body", format!("a\u{1b}[31m\n{}", "ü".repeat(500)));
        let body = evidence.get("body").expect("a note");
        assert!(body.starts_with("a·[31m·ü") && body.ends_with("ü…"));
        assert_eq!(body.chars().count(), Evidence::LONGEST + 1);
    }
}
