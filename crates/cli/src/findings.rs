//! Findings as they are shown: drawn like cargo's, as JSON, as SARIF.

use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use stageplot_topology::{Code, Diagnostic, Document, Findings, Format, Redacted, Severity, Span, words};

use crate::plot::PlotFile;
use crate::screen;

pub(crate) mod json;
pub(crate) mod sarif;

/// A text that findings are about.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// What it is called.
    pub(crate) name: &'a str,
    /// The text without secrets.
    pub(crate) text: &'a Redacted,
    /// Its values and their places, where it is a plot.
    pub(crate) document: Option<&'a Document>,
}

/// Draws what there is to say of a plot.
pub(crate) fn draw(findings: &Findings, plot: &PlotFile) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let text = plot.text();
    let source = Source { name: &plot.name, text: &text, document: plot.document.as_ref() };
    draw_about(findings, &plot.name, |_| source)
}

/// Draws findings, each with its place in the text it is about, and a last line
/// that counts them; nothing where there are none.
pub(crate) fn draw_about<'a>(
    findings: &Findings,
    about: &str,
    source: impl Fn(&Diagnostic) -> Source<'a>,
) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let width = screen::width().map_or(DEFAULT_TERM_WIDTH, usize::from);
    let renderer = Renderer::styled().term_width(width);
    let mut text = String::new();
    for finding in findings {
        text.push_str(&renderer.render(&[group(finding, source(finding))]));
        text.push_str("\n\n");
    }
    let total = Total::of(findings);
    let level = match (total.errors, total.warnings) {
        (1.., _) => Level::ERROR,
        (0, 1..) => Level::WARNING,
        (0, 0) => Level::INFO,
    };
    let mut last = format!("{} in {}", total.in_words(), about);
    if total.errors > 0 {
        // What follows from an error is not told beside it.
        last.push_str("; more may show once mended");
    }
    if findings.dropped() > 0 {
        last.push_str(&format!("; the first {} are shown", Findings::LIMIT));
    }
    let mut group = Group::with_title(level.primary_title(last));
    let worst = findings.iter().map(|finding| finding.severity).max();
    if let Some(finding) = findings.iter().find(|finding| Some(finding.severity) == worst) {
        let more = format!("more about a finding: stageplot explain {}", finding.code);
        group = group.element(Level::HELP.message(more));
    }
    text.push_str(&renderer.render(&[group]));
    text.push('\n');
    screen::harmless(text)
}

/// What a code stands for, in a sentence: the first one of its page.
pub(crate) fn title(code: Code) -> String {
    let text = code.page().lines().skip_while(|line| line.is_empty() || line.starts_with('#'));
    let paragraph: Vec<_> = text.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    }
}

/// How many findings there are, of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Total {
    /// Errors, with those that were counted but not kept.
    pub(crate) errors: usize,
    /// Warnings.
    pub(crate) warnings: usize,
    /// Information.
    pub(crate) infos: usize,
    /// Findings that were counted and are not listed.
    pub(crate) unlisted: usize,
}

impl Total {
    /// Counts.
    pub(crate) fn of(findings: &Findings) -> Self {
        let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            infos: of(Severity::Info),
            unlisted: findings.dropped(),
        }
    }

    /// `2 errors and 1 warning`.
    pub(crate) fn in_words(self) -> String {
        let some = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let parts: Vec<_> = [
            some(self.errors, "error", "errors"),
            some(self.warnings, "warning", "warnings"),
            some(self.infos, "remark", "remarks"),
            some(self.unlisted, "finding more", "findings more"),
        ]
        .into_iter()
        .flatten()
        .collect();
        match parts.is_empty() {
            true => "nothing".to_owned(),
            false => words::listed(&parts),
        }
    }
}

fn group<'a>(finding: &'a Diagnostic, source: Source<'a>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(&*finding.message).id(finding.code.as_str());
    let mut group = Group::with_title(title);
    group = match finding.location.span.and_then(|span| snippet(finding, span, source)) {
        Some(snippet) => group.element(snippet),
        None if finding.location.path.segments().is_empty() => group.element(Origin::path(source.name)),
        None => group.element(Origin::path(format!("{}: {}", source.name, finding.location.path))),
    };
    if !finding.help.is_empty() {
        group = group.element(Level::HELP.message(&*finding.help));
    }
    group
}

/// The lines of a finding: its own, and the one that opens the table it is in.
///
/// A piece of the text is handed on, not the whole: a plot may have a hundred
/// thousand lines, and two hundred findings.
fn snippet<'a>(
    finding: &Diagnostic,
    span: Span,
    source: Source<'a>,
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let header = source.document.and_then(|document| header(finding, span, document));
    let text = source.text.as_str();
    let shown = |span: Span| source.text.range(span.start..span.end);
    let place = shown(span);
    let from = header.map_or(place.start, |header| shown(header).start);
    let start = text.get(..from)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(place.start..)?;
    let end = line.find('\n').map_or(text.len(), |at| place.start + at);
    let last = ceil(text, place.end).min(end).max(place.start);
    let mut snippet = Snippet::source(&text[start..end])
        .path(source.name)
        .line_start(header.unwrap_or(span).line)
        .annotation(AnnotationKind::Primary.span(place.start - start..last - start));
    if header.is_some() {
        snippet = snippet.annotation(AnnotationKind::Visible.span(from - start..from - start));
    }
    Some(snippet)
}

/// The line that opens the table of the field, where it is another line and
/// not a long way off.
fn header(finding: &Diagnostic, span: Span, document: &Document) -> Option<Span> {
    // In TOML a table's own line says which tables it is in.
    let line = document.text().get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    if document.format() == Format::Toml && document.text()[line..].starts_with('[') {
        return None;
    }
    let mut path = finding.location.path.parent()?;
    while let Some(parent) = path.parent() {
        match document.key_span_of(&path) {
            Some(header) if header.line < span.line => {
                return (span.line - header.line <= FAR).then_some(header);
            }
            _ => path = parent,
        }
    }
    None
}

/// The first character boundary from a byte on.
fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// How many lines up a table's first line is still shown.
const FAR: usize = 400;
