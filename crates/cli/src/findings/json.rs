//! Findings as JSON.

use serde::Serialize;
use stageplot_topology::{Code, Diagnostic, Findings, Severity, Span};

use super::Total;

/// What `--format json` says of a plot's findings.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    /// What the plot is called.
    plot: &'a str,
    /// The findings, in the order of the file.
    findings: Vec<Item<'a>>,
    /// How many there are.
    total: Total,
}

#[derive(Serialize)]
struct Item<'a> {
    code: Code,
    severity: Severity,
    message: &'a str,
    help: &'a str,
    /// The field, as in `services.cache.port`; empty for the whole plot.
    path: String,
    /// The place in the file: bytes from 0, line and column from 1.
    span: Option<Span>,
}

impl<'a> Report<'a> {
    /// What there is to say of the plot of that name.
    pub(crate) fn new(plot: &'a str, findings: &'a Findings) -> Self {
        Self { plot, findings: findings.iter().map(Item::from).collect(), total: Total::of(findings) }
    }
}

impl<'a> From<&'a Diagnostic> for Item<'a> {
    fn from(finding: &'a Diagnostic) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity,
            message: &finding.message,
            help: &finding.help,
            path: match finding.location.path.segments() {
                [] => String::new(),
                _ => finding.location.path.to_string(),
            },
            span: finding.location.span,
        }
    }
}
