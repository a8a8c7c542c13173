//! Coded findings about a stage plot.
//!
//! Reading and validating a plot never stops at the first problem: every room
//! adds to one [`Findings`], and the command draws them all at once.

use std::fmt;

use serde::Serialize;

use crate::{Code, FieldPath};

/// One finding about a stage plot.
///
/// ```
/// use stageplot_topology::{Code, Diagnostic, FieldPath, Location, Severity};
///
/// let path = FieldPath::root().key("services").key("rooms").key("image");
/// let finding = Diagnostic::new(Code::FloatingImage, path.clone(), "rooms may change", "write a tag");
/// assert_eq!(finding.severity, Severity::Warning);
/// assert_eq!(finding.location, Location { path, span: None });
/// assert_eq!(
///     finding.to_string(),
///     "warning[floating-image]: services.rooms.image: rooms may change (help: write a tag)",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The stable code that `stageplot explain` documents.
    pub code: Code,
    /// How much it matters; a plot may set it per code.
    pub severity: Severity,
    /// Where the value stands.
    pub location: Location,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl Diagnostic {
    /// A finding of the code's usual severity about the value at `path`.
    pub fn new(code: Code, path: FieldPath, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            location: Location { path, span: None },
            message: message.into(),
            help: help.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}: {}", self.severity, self.code, self.location, self.message)?;
        if !self.help.is_empty() {
            write!(f, " (help: {})", self.help)?;
        }
        Ok(())
    }
}

/// How much a finding matters.
///
/// See [`Diagnostic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the plot works.
    Info,
    /// The plot works, and may hurt.
    Warning,
    /// The plot is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Where a finding stands: a field path always, a span where there is a file.
///
/// See [`Diagnostic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The field, in every format and for plots built in code.
    pub path: FieldPath,
    /// The place in the file that was read.
    pub span: Option<Span>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Some(span) => write!(f, "{}:{}: {}", span.line, span.column, self.path),
            None => self.path.fmt(f),
        }
    }
}

/// A stretch of a source file.
///
/// ```
/// use stageplot_topology::{Document, FieldPath, Format};
///
/// let document = Document::parse(Format::Toml, "stageplot.toml", "name = \"live\"\nroot = \"/srv\"\n")?;
/// let root = document.span_of(&FieldPath::root().key("root")).expect("it is there");
/// assert_eq!((root.start, root.end), (21, 27));
/// assert_eq!((root.line, root.column), (2, 8));
/// # Ok::<(), stageplot_topology::Findings>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte, from 0.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
}

/// Findings collected while a plot is read and validated.
///
/// The number kept is bounded, so that a generated plot with a mistake in each
/// of 100,000 nodes is answered in one screen and not in a gigabyte.
///
/// ```
/// use stageplot_topology::{Code, Document, Format, Plot};
///
/// let text = "name = \"live\"\n[nodes.front]\nadress = \"10.0.0.1\"\n";
/// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
/// let Err(findings) = Plot::read(&document) else { panic!("a field is misspelt") };
/// for finding in &findings {
///     println!("{finding}");
///     println!("{}", finding.code.page()); // as `stageplot explain` shows it
/// }
/// let misspelt = findings.iter().find(|finding| finding.code == Code::UnknownField);
/// let place = misspelt.and_then(|finding| finding.location.span).ok_or("a place")?;
/// assert_eq!((place.line, place.column), (3, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Findings {
    kept: Vec<Diagnostic>,
    dropped: usize,
}

impl Findings {
    /// How many findings are kept; more are counted only.
    pub const LIMIT: usize = 200;

    /// No findings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding, or counts it once [`Findings::LIMIT`] are kept.
    ///
    /// Errors are never crowded out by milder findings.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.kept.len() < Self::LIMIT {
            self.kept.push(diagnostic);
            return;
        }
        self.dropped += 1;
        if diagnostic.severity == Severity::Error
            && let Some(milder) = self.kept.iter().rposition(|d| d.severity < Severity::Error)
        {
            self.kept.remove(milder);
            self.kept.push(diagnostic);
        }
    }

    /// Adds a finding of the code's usual severity.
    ///
    /// ```
    /// use stageplot_topology::{Code, Diagnostic, FieldPath, Findings};
    ///
    /// let mut findings = Findings::new();
    /// findings.add(Code::UnknownField, FieldPath::root().key("nam"), "unknown field `nam`", "did you mean `name`?");
    /// let mut others = Findings::new();
    /// others.push(Diagnostic::new(Code::SshOpen, FieldPath::root().key("access"), "SSH is open", ""));
    /// findings.append(others);
    /// assert_eq!((findings.iter().count(), findings.dropped()), (2, 0));
    /// assert!(findings.has_errors() && !findings.is_empty());
    /// ```
    pub fn add(&mut self, code: Code, path: FieldPath, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::new(code, path, message, help));
    }

    /// Takes over all findings of `other`.
    pub fn append(&mut self, other: Self) {
        self.dropped += other.dropped;
        for diagnostic in other.kept {
            self.push(diagnostic);
        }
    }

    /// Whether a plot with these findings is refused.
    pub fn has_errors(&self) -> bool {
        self.kept.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many findings were counted but not kept.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The findings kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.kept.iter()
    }

    /// The findings kept, to change severities or locations.
    pub(crate) fn retain_mut(&mut self, keep: impl FnMut(&mut Diagnostic) -> bool) {
        self.kept.retain_mut(keep);
    }

    /// Orders the findings: by place in the file, then path, then code.
    pub(crate) fn sort(&mut self) {
        self.kept.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.location.span.map_or(usize::MAX, |s| s.start);
            (place(a), &a.location.path, a.code, &a.message).cmp(&(
                place(b),
                &b.location.path,
                b.code,
                &b.message,
            ))
        });
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, diagnostic) in self.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        if self.dropped > 0 {
            write!(f, "\nand {} more findings", self.dropped)?;
        }
        Ok(())
    }
}

/// As they are read by people: this is what a program's `main` prints of an error.
impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Findings {}
