//! The text of a `.env` file, as bash and Docker Compose read it.
//!
//! Where the two differ, the reading that loses nothing is taken: a bare value
//! with spaces is whole, as in Compose; a backslash in double quotes escapes
//! what bash lets it escape, and is itself elsewhere. Nothing is ever run, and
//! no message repeats a value: it may be a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::reader::{Reader, is_name};
use crate::{Code, Diagnostic, FieldPath, Findings, Location, Severity, Span};

/// The variables of one `.env` file.
///
/// ```
/// use stageplot_topology::dotenv::Dotenv;
///
/// let (env, findings) = Dotenv::read("a.env", "export DOMAIN='live.example.com' # ours\nREDIS_PASSWORD=  # none\n");
/// assert!(findings.is_empty());
/// assert_eq!(env.get("DOMAIN").map(|variable| variable.value()), Some("live.example.com"));
/// assert_eq!(env.get("REDIS_PASSWORD").map(|variable| variable.value()), Some(""));
/// for (name, variable) in env.iter() {
///     println!("{} sets {name} in line {}", env.name(), variable.span().line);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Dotenv {
    name: String,
    variables: BTreeMap<String, Variable>,
}

/// One variable of a `.env` file. It prints without its value.
///
/// See [`Dotenv`].
#[derive(Clone)]
pub struct Variable {
    value: String,
    span: Span,
    /// Earlier variables that the value was put together from.
    sources: BTreeSet<String>,
}

impl Dotenv {
    /// The largest text and the largest value, in bytes. No `.env` comes near
    /// them; what does is another file, or values that double one another.
    pub const MAX_TEXT: usize = 1 << 20;
    /// See [`Dotenv::MAX_TEXT`].
    pub const MAX_VALUE: usize = 1 << 16;

    /// Reads a file's text; `name` is what findings call it.
    ///
    /// Every line that can be read is, whatever is wrong with others. A variable
    /// that is set twice has its last value.
    pub fn read(name: &str, text: &str) -> (Self, Findings) {
        let mut env = Self { name: name.to_owned(), variables: BTreeMap::new() };
        let mut findings = Findings::new();
        if text.len() > Self::MAX_TEXT {
            let message = format!("{} bytes are too many for a .env file", text.len());
            findings.add(Code::Syntax, env.path(), message, "name the file with the machine's settings");
            return (env, findings);
        }
        let mut reader = Reader::new(text);
        while reader.at < text.len() {
            env.read_line(&mut reader, &mut findings);
        }
        (env, findings)
    }

    /// What findings call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A variable, where the file sets it, to an empty value too.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// All variables, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// Forgets a variable.
    pub(super) fn remove(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Puts another value in the place of a variable's.
    pub(super) fn replace(&mut self, name: &str, value: &str) {
        if let Some(variable) = self.variables.get_mut(name) {
            value.clone_into(&mut variable.value);
        }
    }

    /// Where a variable of this file stands.
    pub(super) fn location(&self, name: &str) -> Location {
        Location { path: self.path().key(name), span: self.get(name).map(|variable| variable.span) }
    }

    fn path(&self) -> FieldPath {
        FieldPath::root().key(self.name.as_str())
    }

    fn read_line(&mut self, reader: &mut Reader<'_>, findings: &mut Findings) {
        let (start, line) = (reader.at, reader.line);
        let end = reader.end_of_line();
        let mark = |from: usize, to: usize| Span {
            start: from,
            end: to,
            line,
            column: reader.text[start..from].trim_start_matches('\u{feff}').chars().count() + 1,
        };
        let content = &reader.text[start..end];
        let indent = content.len() - content.trim_start().len();
        let mut from = start + indent;
        let mut rest = &reader.text[from..end];
        if let Some(exported) = rest.strip_prefix("export").filter(|r| r.starts_with([' ', '\t'])) {
            rest = exported.trim_start();
            from = end - rest.len();
        }
        let mut error = |path: FieldPath, span: Span, message: &str, help: &str| {
            findings.push(Diagnostic {
                location: Location { path, span: Some(span) },
                ..Diagnostic::new(Code::Syntax, FieldPath::root(), message, help)
            });
        };
        let Some(equals) = rest.find('=').filter(|_| !rest.starts_with('#')) else {
            let nothing = rest.is_empty() || rest.starts_with('#');
            // `export NAME` alone hands on what is set already.
            let exported = from > start + indent && is_name(rest.trim_end());
            if !nothing && !exported {
                error(
                    self.path(),
                    mark(from, end),
                    "this line sets no variable",
                    "write NAME=value, or # before a comment",
                );
            }
            reader.skip_to(end);
            return;
        };
        let name = rest[..equals].trim_end();
        if !is_name(name) {
            error(
                self.path(),
                mark(from, from + equals),
                "what stands before = cannot name a variable",
                "use letters, digits and underscores, no digit first",
            );
            reader.skip_to(end);
            return;
        }
        reader.at = from + equals + 1;
        match reader.value(end, &self.variables) {
            Ok(value) => {
                let span = mark(from, reader.at);
                let location = Location { path: self.path().key(name), span: Some(span) };
                if let Some(earlier) = self.variables.get(name) {
                    findings.push(Diagnostic {
                        location: location.clone(),
                        ..Diagnostic::new(
                            Code::EnvDuplicate,
                            FieldPath::root(),
                            format!(
                                "{name} was set in line {} already; this later line counts",
                                earlier.span.line
                            ),
                            "keep one of the two",
                        )
                    });
                }
                if std::mem::take(&mut reader.dollar) {
                    findings.push(Diagnostic {
                        location,
                        severity: Severity::Warning,
                        ..Diagnostic::new(
                            Code::EnvChanged,
                            FieldPath::root(),
                            "a shell replaces part of this value by something that this file does not say; it is taken as it stands",
                            "write the value in single quotes as it is meant",
                        )
                    });
                }
                let sources = std::mem::take(&mut reader.sources);
                self.variables.insert(name.to_owned(), Variable { value, span, sources });
            }
            Err((message, help)) => {
                error(self.path().key(name), mark(from, end), message, help);
                // A quote left open takes the file's rest along; the lines are read for themselves.
                (reader.at, reader.line, reader.dollar) = (start, line, false);
                reader.sources.clear();
                reader.skip_to(end);
                return;
            }
        }
        let end = reader.end_of_line();
        reader.skip_to(end);
    }
}

impl Variable {
    /// The value, without quotes.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where the file sets it.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The variables whose values went into this one.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable(line {})", self.span.line)
    }
}
