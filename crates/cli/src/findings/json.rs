//! Findings as JSON.

use serde::Serialize;
use stageplot_topology::{Code, Diagnostic, Findings, Severity, Span};

use super::Total;
use crate::failure::Failure;
use crate::plot::PlotFile;

/// What `--format json` says of a plot's findings.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    /// What the plot is called.
    plot: &'a str,
    /// Whether all was looked at. Where something could not be, nobody knows whether
    /// the plot is well.
    complete: bool,
    /// What could not be looked at, and why.
    failures: Vec<Failed<'a>>,
    /// How many images are locked, where the plot is sound.
    locked: Option<usize>,
    /// Whether registries were asked: without, no tag is known to be unmoved.
    online: bool,
    /// The findings, in the order of the file.
    findings: Vec<Item<'a>>,
    /// How many there are.
    total: Total,
}

/// What could not be looked at.
#[derive(Serialize)]
struct Failed<'a> {
    message: &'a str,
    help: &'a str,
    /// The file that it is about, where it is one place in one.
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
}

/// Findings in a list, as in a [`Report`].
pub(crate) fn items(findings: &Findings) -> Vec<Item<'_>> {
    findings.iter().map(Item::from).collect()
}

/// A finding.
#[derive(Serialize)]
pub(crate) struct Item<'a> {
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
    pub(crate) fn new(plot: &'a PlotFile, online: bool, failure: Option<&'a Failure>) -> Self {
        Self::of(plot, plot.findings(), online, failure)
    }

    /// What there is to say of a plot, with these for all its findings.
    pub(crate) fn of(
        plot: &'a PlotFile,
        findings: &'a Findings,
        online: bool,
        failure: Option<&'a Failure>,
    ) -> Self {
        let failed = |failure: &'a Failure| Failed {
            message: failure.message(),
            help: failure.remedy(),
            file: failure.place().map(|(template, ..)| plot.template(template).display().to_string()),
            line: failure.place().map(|(_, line, _)| line),
            column: failure.place().map(|(.., column)| column),
        };
        Self {
            plot: &plot.name,
            complete: failure.is_none(),
            failures: failure.iter().flat_map(|failure| failure.all()).map(failed).collect(),
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
