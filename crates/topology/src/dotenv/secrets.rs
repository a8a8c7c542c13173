//! The secrets that a `.env` held, on their way to a file of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::survey::Survey;
use crate::{Code, FieldPath, SecretRef};

/// The secrets found in `.env` files. It prints their names and never a value.
///
/// The caller writes [`Secrets::render`] to [`Secrets::FILE`] beside the plot,
/// with mode 0600.
///
/// ```
/// use stageplot_topology::dotenv::{EnvFile, import};
///
/// let text = "DOMAIN=live.example.com\nLIVEKIT_API_KEY=main\nREDIS_PASSWORD=correct-horse\n";
/// let mut secrets = import(&[EnvFile { address: "203.0.113.10".parse()?, name: "front.env", text }])?.secrets;
/// assert_eq!(secrets.names().collect::<Vec<_>>(), ["REDIS_PASSWORD"]);
///
/// // What may be chosen anew gets a value.
/// let open: Vec<_> = secrets.open().map(str::to_owned).collect();
/// for name in &open {
///     secrets.make(name, "0123456789abcdef0123456789abcdef".to_owned()); // from a good source of chance
/// }
/// assert_eq!(secrets.made().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET"]);
/// assert_eq!(secrets.missing().count(), 0);
/// assert!(!secrets.is_empty() && secrets.render().contains("REDIS_PASSWORD='correct-horse'\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    /// Whether any value does, because all that use it get it from the plot.
    missing: BTreeMap<String, bool>,
    made: BTreeSet<String>,
}

impl Secrets {
    /// The file's name, which the imported plot has as its secrets file.
    pub const FILE: &str = "stageplot.secrets.env";

    /// The names of the secrets that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names of secrets that the plot asks for and no file has.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.missing.keys().map(String::as_str)
    }

    /// Those of the missing that may be chosen anew: what the plot's own services
    /// are given, such as LiveKit's keys and the password of its own Redis, not
    /// that of somebody else's.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.missing.iter().filter(|(_, open)| **open).map(|(name, _)| name.as_str())
    }

    /// Gives a missing secret a value that was made for it. One that has a
    /// value keeps it.
    pub fn make(&mut self, name: &str, value: String) {
        if self.missing.remove(name).is_some() {
            self.values.insert(name.to_owned(), value);
            self.made.insert(name.to_owned());
        }
    }

    /// The names of secrets that were made and not found.
    pub fn made(&self) -> impl Iterator<Item = &str> {
        self.made.iter().map(String::as_str)
    }

    /// Whether the plot asks for no secret.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.missing.is_empty()
    }

    /// The text of the secrets file: `NAME='value'` lines, and a comment for
    /// each secret that is made or missing. bash and
    /// [`Dotenv`](super::Dotenv) read it back unchanged.
    pub fn render(&self) -> String {
        let mut text =
            String::from("# Secrets of stageplot.toml. Keep this file out of version control, mode 0600.\n");
        for (name, value) in &self.values {
            if self.made.contains(name) {
                text.push_str(
                    "# New, for no .env file has it. If the machines have a value, write that one here.\n",
                );
            }
            text.push_str(name);
            text.push('=');
            quote(value, &mut text);
            text.push('\n');
        }
        for name in self.missing.keys() {
            text.push_str(&format!("# {name}=''  # no .env file has it: set it and take away the first #\n"));
        }
        text
    }

    pub(super) fn insert(&mut self, name: &str, value: String) {
        self.missing.remove(name);
        self.values.insert(name.to_owned(), value);
    }

    /// The one value that all files have for a secret, noted here. Where none has
    /// it, it is asked for all the same, if it is wanted or had a placeholder.
    pub(super) fn agreed(&mut self, survey: &mut Survey, name: &'static str, lack: Lack) -> Option<Shared> {
        let reference = SecretRef::Env(name.to_owned());
        if let Some(told) = survey.agreed(&survey.everyone(), name, secret) {
            self.insert(name, told.value);
            return Some(Shared { reference, machine: Some(told.machine) });
        }
        let was_told = survey.forgotten.contains(name);
        if !was_told && !lack.is_wanted {
            return None;
        }
        if !was_told {
            survey.findings.add(Code::EnvMissing, lack.path, lack.message, lacking(name));
        }
        self.lacks(name, lack.is_open);
        Some(Shared { reference, machine: None })
    }

    /// Notes a secret that no file has, and whether it may be chosen anew.
    pub(super) fn lacks(&mut self, name: &str, open: bool) {
        if !self.values.contains_key(name) {
            self.missing.insert(name.to_owned(), open);
        }
    }
}

/// What to say and do where no file has a secret.
pub(super) struct Lack {
    /// Whether nothing works without it.
    pub(super) is_wanted: bool,
    /// Whether any value does.
    pub(super) is_open: bool,
    /// The field that names it.
    pub(super) path: FieldPath,
    pub(super) message: &'static str,
}

/// A secret that all machines share.
pub(super) struct Shared {
    pub(super) reference: SecretRef,
    /// The first whose file has it; none where it is missing.
    pub(super) machine: Option<usize>,
}

impl Shared {
    /// Tells of each of these machines whose file lacks the secret that it is given
    /// another's.
    pub(super) fn tell(
        &self,
        survey: &mut Survey,
        name: &str,
        users: &[usize],
        (message, help): (&str, &str),
    ) {
        let Some(from) = self.machine else { return };
        let message = format!("{message}; it is given the one of {}", survey.place(from, name));
        for &user in users.iter().filter(|&&user| user != from) {
            if survey.machines[user].file.is_some() && survey.machines[user].value(name).is_none() {
                survey.add(Code::EnvChanged, (user, name), message.as_str(), help);
            }
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("names", &self.values.keys())
            .field("missing", &self.missing.keys())
            .finish_non_exhaustive()
    }
}

/// A secret as it stands. Line breaks and the like would not survive every
/// file that it is written to.
pub(super) fn secret(text: &str) -> Result<String, String> {
    match text.contains(char::is_control) {
        true => Err("a secret with a line break or a control character cannot be handed on".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// What to do about a secret that no file has.
pub(super) fn lacking(name: &str) -> String {
    format!("{} has a line for {name}: if the machines have a value, write that one there", Secrets::FILE)
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
