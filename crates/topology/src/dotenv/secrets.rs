//! The secrets that a `.env` held, on their way to a file of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The secrets found in `.env` files. It prints their names and never a value.
///
/// The caller writes [`Secrets::render`] to [`Secrets::FILE`] beside the plot,
/// with mode 0600.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    missing: BTreeSet<String>,
}

impl Secrets {
    /// The file's name, which the imported plot has as its secrets file.
    pub const FILE: &str = "stageplot.secrets.env";

    /// The names of the secrets that were found.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names of secrets that the plot asks for and no file has.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.missing.iter().map(String::as_str)
    }

    /// Whether the plot asks for no secret.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.missing.is_empty()
    }

    /// The text of the secrets file: `NAME='value'` lines, and a comment for
    /// each secret that is missing. bash and
    /// [`Dotenv`](super::Dotenv) read it back unchanged.
    pub fn render(&self) -> String {
        let mut text =
            String::from("# Secrets of stageplot.toml. Keep this file out of version control, mode 0600.\n");
        for (name, value) in &self.values {
            text.push_str(name);
            text.push('=');
            quote(value, &mut text);
            text.push('\n');
        }
        for name in &self.missing {
            text.push_str(&format!("# {name}=''  # no .env file has it: set it and take away the first #\n"));
        }
        text
    }

    pub(super) fn insert(&mut self, name: &str, value: String) {
        self.missing.remove(name);
        self.values.insert(name.to_owned(), value);
    }

    pub(super) fn lacks(&mut self, name: &str) {
        if !self.values.contains_key(name) {
            self.missing.insert(name.to_owned());
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("names", &self.values.keys())
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

/// Single quotes take everything but themselves. A value that holds one is
/// written in double quotes, with a backslash before what is not itself there.
fn quote(value: &str, text: &mut String) {
    if !value.contains('\'') {
        text.push('\'');
        text.push_str(value);
        text.push('\'');
        return;
    }
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}
