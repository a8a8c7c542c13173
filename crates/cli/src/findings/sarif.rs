//! Findings as SARIF 2.1.0, which code scanners and editors read.
//!
//! Section numbers are those of the OASIS standard "Static Analysis Results
//! Interchange Format (SARIF) Version 2.1.0".

use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use stageplot_topology::{Code, Diagnostic, Severity, Span};

use crate::failure::Failure;
use crate::plot::PlotFile;

/// The log of one run over one plot (§3.13).
pub(crate) fn log(plot: &PlotFile, failure: Option<&Failure>) -> impl Serialize {
    let findings = plot.findings();
    let mut rules: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    rules.sort_unstable();
    rules.dedup();
    let text = plot.text();
    // Of what could not be read, a part that is starred out counts as its stars.
    let characters = |span: Span| match &plot.document {
        Some(document) => characters(document.text(), span.start..span.end),
        None => characters(text.as_str(), text.range(span.start..span.end)),
    };
    let region = |span: Span| region(span, characters(span));
    let results = findings.iter().map(|finding| {
        let region = finding.location.span.map(region);
        result(finding, &rules, &plot.name, region)
    });
    let results: Vec<_> = results.collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stageplot",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().copied().map(rule).collect::<Vec<_>>(),
            } },
            "invocations": [invocation(plot, failure)],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Whether all was looked at (§3.20), and what could not be.
fn invocation(plot: &PlotFile, failure: Option<&Failure>) -> Value {
    let notification = |failure: &Failure| {
        let message = match failure.remedy() {
            "" => failure.message().to_owned(),
            help => format!("{}\nhelp: {help}", failure.message()),
        };
        let mut notification = json!({ "level": "error", "message": { "text": message } });
        if let Some((template, line, column)) = failure.place() {
            let mut place =
                json!({ "artifactLocation": { "uri": uri(&plot.template(template).to_string_lossy()) } });
            // The engine names no place for some.
            if line > 0 && column > 0 {
                place["region"] = json!({ "startLine": line, "startColumn": column });
            }
            notification["locations"] = json!([{ "physicalLocation": place }]);
        }
        notification
    };
    let notifications = failure.iter().flat_map(|failure| failure.all()).map(notification);
    json!({
        "executionSuccessful": failure.is_none(),
        "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
    })
}

/// A code and its page (§3.49).
fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": super::title(code) },
        "help": { "text": code.page(), "markdown": code.page() },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

/// A finding (§3.27).
fn result(finding: &Diagnostic, rules: &[Code], name: &str, region: Option<Value>) -> Value {
    let message = match finding.help.as_str() {
        "" => finding.message.clone(),
        help => format!("{}\nhelp: {help}", finding.message),
    };
    let mut place = json!({ "artifactLocation": { "uri": uri(name) } });
    if let Some(region) = region {
        place["region"] = region;
    }
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rules.binary_search(&finding.code).ok(),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [{
            "physicalLocation": place,
            "logicalLocations": [{ "fullyQualifiedName": finding.location.path.to_string(), "kind": "member" }],
        }],
    })
}

/// A stretch of the file (§3.30); the end column is one past the last.
fn region(span: Span, characters: usize) -> Value {
    json!({
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.line,
        "endColumn": span.column + characters,
        "byteOffset": span.start,
        "byteLength": span.end.saturating_sub(span.start),
    })
}

/// How many characters there are in a part of a text.
fn characters(text: &str, part: Range<usize>) -> usize {
    let end = super::ceil(text, part.end);
    text.get(part.start..end).map_or(0, |part| part.chars().count())
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// The plot's place as a URI reference (RFC 3986): relative to the working
/// directory where it lies below it, which is a repository's root in most runs.
fn uri(name: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = Path::new(name);
    let relative = path.strip_prefix(&here).unwrap_or(path).to_string_lossy();
    let mut uri = String::with_capacity(relative.len());
    if relative.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in relative.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into())
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
