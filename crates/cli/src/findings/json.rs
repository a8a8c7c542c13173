//! Findings as JSON.

use serde::Serialize;
use stageplot_topology::{Code, Diagnostic, Severity, Span};

use super::Total;
use crate::plot::PlotFile;

/// What `--format json` says of a plot's findings.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    /// What the plot is called.
    plot: &'a str,
    /// How many images are locked, where the plot is sound.
    locked: Option<usize>,
    /// Whether registries were asked: without, no tag is known to be unmoved.
    online: bool,
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
    /// What there is to say of a plot.
    pub(crate) fn new(plot: &'a PlotFile, online: bool) -> Self {
        let findings = plot.findings();
        Self {
            plot: &plot.name,
            locked: plot.built.as_ref().ok().map(|built| built.topology.locked_count()),
            online: online && plot.built.is_ok(),
            findings: findings.iter().map(Item::from).collect(),
            total: Total::of(findings),
        }
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
