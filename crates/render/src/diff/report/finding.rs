//! What is found in a plot, and was not before.

use serde::Serialize;
use stageplot_topology::{Code, Diagnostic, Severity};

/// A finding about the second side's plot that the first's had not.
///
/// ```
/// use stageplot_render::diff::{self, Side};
/// use stageplot_topology::{Code, FieldPath, Findings};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// # let before = side(Redis::default())?;
/// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// let mut found = Findings::new();
/// found.add(Code::IdleNode, FieldPath::root().key("nodes").key("back"), "back has no role", "");
/// let (before, after) = (before.with_findings(&Findings::new()), after.with_findings(&found));
/// let diff = diff::between(&before, &after);
/// assert_eq!(diff.findings[0].to_string(), "warning idle-node: nodes.back: back has no role");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NewFinding {
    /// Its code, which `stageplot explain` documents.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The field of the plot that it is about.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
}

impl NewFinding {
    pub(in crate::diff) fn of(finding: &Diagnostic) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity,
            path: finding.location.path.to_string(),
            message: finding.message.clone(),
            help: finding.help.clone(),
        }
    }
}

impl std::fmt::Display for NewFinding {
    /// `warning tight-ports: services.sfu.rtc: … (…)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}: {}", self.severity, self.code, self.path, self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}
