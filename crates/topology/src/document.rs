//! From the text of a plot to a tree of values that know their places.
//!
//! TOML, JSON and YAML all become the same [`Value`]s, so that what follows
//! knows one tree and every finding can say line and column. Reading is
//! bounded in size and depth before anything grows: a file of any content
//! ends in a document or in findings.

mod format;
mod hidden;
mod json;
mod lines;
mod reader;
mod redact;
mod redacted;
mod toml;
mod value;
mod yaml;

use std::fmt;
use std::ops::Range;

pub use self::format::Format;
pub(crate) use self::hidden::{is_secret_path, is_secret_text};
use self::lines::Lines;
use self::reader::Reader;
pub(crate) use self::redact::quotes_secret;
pub use self::redacted::Redacted;
pub(crate) use self::value::{Entry, Kind, Table, Value};
use crate::{Code, Diagnostic, FieldPath, Findings, Segment, Span};

/// A plot that was read: its text, and the tree of its values.
///
/// ```
/// use stageplot_topology::{Document, FieldPath, Format};
///
/// let text = "name = \"live\"\n\n[nodes.front]\nlan = \"192.168.1.1\"\n";
/// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
///
/// let lan = FieldPath::root().key("nodes").key("front").key("lan");
/// let span = document.span_of(&lan).expect("it is there");
/// assert_eq!((span.line, span.column), (4, 7));
/// assert_eq!(&document.text()[span.start..span.end], "\"192.168.1.1\"");
/// # Ok::<(), stageplot_topology::Findings>(())
/// ```
pub struct Document {
    format: Format,
    name: String,
    text: String,
    lines: Lines,
    root: Value,
}

impl Document {
    /// The size in bytes of the largest plot that is read: 16 MiB.
    ///
    /// Look at a file's size before reading it into memory.
    pub const MAX_SIZE: usize = 16 * 1024 * 1024;

    /// Reads `text`, or says everything that is wrong with its syntax.
    ///
    /// `name` is what findings call the file when they are drawn.
    ///
    /// ```
    /// use stageplot_topology::{Document, Format};
    ///
    /// let document = Document::parse(Format::Yaml, "live.yaml", "name: live\n")?;
    /// assert_eq!((document.name(), document.format()), ("live.yaml", Format::Yaml));
    ///
    /// let broken = Document::parse(Format::Toml, "stageplot.toml", "name = \"live\n").expect_err("a quote is open");
    /// for finding in &broken {
    ///     println!("{finding}"); // with its line and column
    /// }
    /// # Ok::<(), stageplot_topology::Findings>(())
    /// ```
    pub fn parse(format: Format, name: &str, text: &str) -> Result<Self, Findings> {
        if text.len() > Self::MAX_SIZE {
            return Err(Self::too_large(text.len()));
        }
        let lines = Lines::new(text);
        let mut reader = Reader::new(text, &lines);
        let root = match format {
            Format::Toml => toml::read(&mut reader),
            Format::Json => json::read(&mut reader),
            Format::Yaml => yaml::read(&mut reader),
        };
        match root {
            Some(root) if !reader.has_findings() => {
                Ok(Self { format, name: name.to_owned(), text: text.to_owned(), lines, root })
            }
            _ => {
                let mut findings = reader.into_findings();
                findings.sort();
                Err(findings)
            }
        }
    }

    /// Reads bytes, which have to be UTF-8.
    ///
    /// ```
    /// use stageplot_topology::{Document, Format};
    ///
    /// let findings = Document::parse_bytes(Format::Toml, "stageplot.toml", b"name = \"l\xefve\"").expect_err("Latin-1");
    /// assert!(findings.to_string().contains("save the file as UTF-8"));
    /// ```
    pub fn parse_bytes(format: Format, name: &str, bytes: &[u8]) -> Result<Self, Findings> {
        if bytes.len() > Self::MAX_SIZE {
            return Err(Self::too_large(bytes.len()));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(format, name, text),
            Err(error) => Err(not_utf8(bytes, error.valid_up_to())),
        }
    }

    /// What there is to say about a file of `size` bytes, which is over
    /// [`Document::MAX_SIZE`] and better not read at all.
    ///
    /// ```
    /// use stageplot_topology::Document;
    ///
    /// let size = 17 << 20; // as a file's metadata has it
    /// if size > Document::MAX_SIZE {
    ///     assert!(Document::too_large(size).to_string().contains("the file has 17 MiB"));
    /// }
    /// ```
    pub fn too_large(size: usize) -> Findings {
        let mut findings = Findings::new();
        findings.add(
            Code::Syntax,
            FieldPath::root(),
            format!(
                "the file has {} MiB, and a plot {} at most",
                size.div_ceil(1 << 20),
                Self::MAX_SIZE >> 20
            ),
            "check that this is the right file; a plot of 100,000 nodes takes about 5 MB",
        );
        findings
    }

    /// The format it was read as.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What the file is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as it was read. It may hold secrets: draw from
    /// [`Document::redacted`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with every value that may be a secret starred out.
    ///
    /// ```
    /// use stageplot_topology::{Document, Format};
    ///
    /// let text = "[redis]\npassword = \"correct horse\"\n";
    /// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
    /// assert_eq!(document.redacted().as_str(), "[redis]\npassword = ********\n");
    /// # Ok::<(), stageplot_topology::Findings>(())
    /// ```
    pub fn redacted(&self) -> Redacted {
        redact::document(&self.text, &self.root)
    }

    /// The tree.
    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// The value at `path`.
    pub(crate) fn value(&self, path: &FieldPath) -> Option<&Value> {
        let found = self.find(path);
        found.complete.then_some(found.value)
    }

    /// Where the value at `path` is written; where it is absent, the table or
    /// list that would hold it. `None` for the root of an empty text.
    pub fn span_of(&self, path: &FieldPath) -> Option<Span> {
        let found = self.find(path);
        if found.is_empty_root() {
            return None;
        }
        Some(self.lines.span(&self.text, found.value.span()))
    }

    /// Where the name of the field at `path` is written.
    ///
    /// ```
    /// use stageplot_topology::{Document, FieldPath, Format};
    ///
    /// let document = Document::parse(Format::Json, "plot.json", "{ \"name\": \"live\" }")?;
    /// let span = document.key_span_of(&FieldPath::root().key("name")).expect("it is there");
    /// assert_eq!(&document.text()[span.start..span.end], "\"name\"");
    /// # Ok::<(), stageplot_topology::Findings>(())
    /// ```
    pub fn key_span_of(&self, path: &FieldPath) -> Option<Span> {
        let found = self.find(path);
        let range = found.complete.then_some(found.key?)?;
        Some(self.lines.span(&self.text, range))
    }

    /// Gives every finding that has only a path its place in the text.
    ///
    /// The place is one line at most: a scalar, or the name of the table that
    /// the finding is about.
    ///
    /// ```
    /// use stageplot_topology::{Code, Document, FieldPath, Findings, Format};
    ///
    /// let document = Document::parse(Format::Json, "plot.json", "{\n  \"nam\": \"live\"\n}")?;
    /// let mut findings = Findings::new();
    /// findings.add(Code::UnknownField, FieldPath::root().key("nam"), "unknown field `nam`", "");
    /// document.locate(&mut findings);
    /// assert_eq!(findings.to_string(), "error[unknown-field]: 2:3: nam: unknown field `nam`");
    /// # Ok::<(), Findings>(())
    /// ```
    pub fn locate(&self, findings: &mut Findings) {
        findings.retain_mut(|diagnostic| {
            if diagnostic.location.span.is_none() {
                diagnostic.location.span = self.place_of(diagnostic);
            }
            true
        });
        findings.sort();
    }

    fn place_of(&self, diagnostic: &Diagnostic) -> Option<Span> {
        let path = &diagnostic.location.path;
        let found = self.find(path);
        // What is missing at the top stands nowhere, least of all on the first line.
        // So does what a lock has beyond the plot.
        let is_elsewhere = diagnostic.code == Code::LockUnused;
        if is_elsewhere
            || found.is_empty_root()
            || found.key.is_none() && !found.complete && self.is_root(found.value)
        {
            return None;
        }
        if let Some(range) = self.reference(diagnostic, found.value) {
            return Some(self.lines.first_line_span(&self.text, range));
        }
        let value = found.value.span();
        let spread = self.lines.line_of(value.start) != self.lines.line_of(value.end);
        let name = path.segments().last().map(|last| match last {
            Segment::Key(key) => format!("{key:?}"),
            Segment::Index(index) => index.to_string(),
        });
        let quotes_name = name.is_some_and(|name| diagnostic.message.starts_with(&name));
        let about_name = found.complete && (diagnostic.code == Code::UnknownField || quotes_name);
        // TOML headers are a table's name already.
        let range = match found.key {
            Some(key) if about_name || spread || value.is_empty() => key,
            _ => value,
        };
        Some(self.lines.first_line_span(&self.text, range))
    }

    /// Where the reference that a finding begins with stands inside its value.
    fn reference(&self, diagnostic: &Diagnostic, value: &Value) -> Option<Range<usize>> {
        let reference = diagnostic.message.split_inclusive('}').next()?;
        let inside = self.text.get(value.span()).filter(|_| reference.starts_with("${"))?;
        let start = value.span().start + inside.find(reference)?;
        Some(start..start + reference.len())
    }

    fn is_root(&self, value: &Value) -> bool {
        std::ptr::eq(value, &raw const self.root)
    }

    /// Follows `path` as far as it goes.
    fn find(&self, path: &FieldPath) -> Found<'_> {
        let mut found = Found { value: &self.root, key: None, complete: true };
        for segment in path.segments() {
            let next = match (found.value.kind(), segment) {
                (Kind::Table(table), Segment::Key(key)) => {
                    table.get(key).map(|entry| (&entry.value, Some(entry.key_span.clone())))
                }
                (Kind::List(values), Segment::Index(index)) => values.get(*index).map(|value| (value, None)),
                _ => None,
            };
            let Some((value, key)) = next else {
                found.complete = false;
                break;
            };
            found.value = value;
            found.key = key;
        }
        found
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold secrets.
        f.debug_struct("Document")
            .field("name", &self.name)
            .field("format", &self.format)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// How far a path could be followed.
struct Found<'d> {
    value: &'d Value,
    key: Option<Range<usize>>,
    complete: bool,
}

impl Found<'_> {
    fn is_empty_root(&self) -> bool {
        self.key.is_none() && self.value.span() == (0..0)
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> Findings {
    let valid = std::str::from_utf8(&bytes[..at]).unwrap_or_default();
    let mut span = Lines::new(valid).span(valid, at..at);
    span.end = at + 1;
    let help = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "the file is UTF-16; save it as UTF-8"
    } else {
        "save the file as UTF-8"
    };
    let message = format!("byte {at} (0x{:02x}) is not UTF-8", bytes[at]);
    let mut diagnostic = Diagnostic::new(Code::Syntax, FieldPath::root(), message, help);
    diagnostic.location.span = Some(span);
    let mut findings = Findings::new();
    findings.push(diagnostic);
    findings
}

#[cfg(test)]
mod tests;
