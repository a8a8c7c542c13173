//! The seals file: TOML, one line for each secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use stageplot_topology::{Code, Document, FieldPath, Findings};

use super::{Seal, Seals};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    version: i64,
    made_with: Seal,
    seals: BTreeMap<String, Seal>,
}

impl Seals {
    /// Reads a seals file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    pub fn read(document: &Document) -> Result<Self, Findings> {
        let mut findings = Findings::new();
        let file: Option<File> = document.decode(&mut findings);
        if let Some(file) = &file
            && file.version != VERSION
        {
            let message = format!("version {} of seals is not known here", file.version);
            let help = "another version of stageplot wrote this file: use that one";
            findings.add(Code::InvalidValue, FieldPath::root().key("version"), message, help);
        }
        document.locate(&mut findings);
        match file {
            Some(file) if !findings.has_errors() => {
                Ok(Self { made_with: Some(file.made_with), by_name: file.seals })
            }
            _ => Err(findings),
        }
    }
}

impl fmt::Display for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}version = {VERSION}")?;
        if let Some(key) = &self.made_with {
            writeln!(f, "made-with = \"{key}\"")?;
        }
        f.write_str("\n[seals]\n")?;
        self.by_name.iter().try_for_each(|(name, seal)| writeln!(f, "{} = \"{seal}\"", key(name)))
    }
}

/// A name as TOML takes it: bare, or as a basic string, which is one of JSON but
/// for the last character of ASCII.
fn key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => serde_json::Value::from(name).to_string().replace('\u{7f}', "\\u007f"),
    }
}

/// What a seals file begins with.
const HEAD: &str = "\
# What stands for each secret in sealed renderings, so that a diff shows that it
# changed. Written by `stageplot seal`: commit it; after a conflict, run it again.
";

/// The version of the file, and of what is sealed.
const VERSION: i64 = 1;
