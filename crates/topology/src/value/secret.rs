//! Where a secret's value comes from. Values themselves never enter the model.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decode::{self, FromScalar, FromTable};

/// Where the value of a secret comes from when a plot is rendered.
///
/// The model holds the reference alone, so a topology can be printed, compared
/// and sent about freely. Two fields with equal references share one secret.
///
/// ```
/// use stageplot_topology::{Literal, SecretRef};
///
/// let password = SecretRef::env("REDIS_PASSWORD");
/// let key = SecretRef::File("turn.key".to_owned());
/// assert_eq!((password.label(), key.label()), ("REDIS_PASSWORD".to_owned(), "file turn.key".to_owned()));
///
/// // What stands in the plot itself is had by asking for it, and never printed.
/// let literal = Literal::new("correct horse");
/// assert_eq!(literal.expose(), "correct horse");
/// assert!(!format!("{:?}", SecretRef::Literal(literal)).contains("horse"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SecretRef {
    /// An environment variable, or a line of the plot's secrets file.
    Env(String),
    /// The content of a file, less one newline at its end; the path is
    /// relative to the plot.
    File(String),
    /// What a program prints, less one newline at its end; run without a shell.
    Command(#[schemars(with = "super::OneOrMany<String>")] Vec<String>),
    /// The value itself, written in the plot, where everybody who can read the
    /// plot can read it: a finding says so.
    #[schemars(untagged)]
    Literal(Literal),
}

impl SecretRef {
    /// A variable of the environment.
    pub fn env(name: impl Into<String>) -> Self {
        Self::Env(name.into())
    }

    /// What stands in the place of the value in a sealed rendering and in
    /// messages: which secret it is, never what it is.
    ///
    /// ```
    /// use stageplot_topology::SecretRef;
    ///
    /// let password = SecretRef::env("REDIS_PASSWORD");
    /// assert_eq!(password.label(), "REDIS_PASSWORD");
    /// let literal = SecretRef::Literal(stageplot_topology::Literal::new("correct horse"));
    /// assert_eq!(format!("{literal:?}"), "SecretRef(a literal in the plot)");
    /// ```
    pub fn label(&self) -> String {
        match self {
            Self::Env(name) => name.clone(),
            Self::File(path) => format!("file {path}"),
            Self::Command(words) => match words.as_slice() {
                // An argument may be a secret itself. Two commands have two labels.
                [program, _, ..] => format!("command {program} ******** ({:08x})", digest(words)),
                words => format!("command {}", words.concat()),
            },
            Self::Literal(_) => "a literal in the plot".to_owned(),
        }
    }
}

/// Tells commands apart whose arguments are not shown: FNV-1a, folded to 32 bits.
fn digest(words: &[String]) -> u32 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0xff]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    #[expect(clippy::cast_possible_truncation, reason = "both halves are folded into one")]
    let folded = (hash ^ (hash >> 32)) as u32;
    folded
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({})", self.label())
    }
}

/// A secret written in the plot. It prints as a placeholder.
///
/// See [`SecretRef`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[schemars(transparent)]
pub struct Literal(String);

impl Literal {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether a value is what documents have where one of one's own belongs, such
/// as `your_secret`, `changeme` and `<password>`.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().to_lowercase().replace(['-', ' '], "_");
    let angled = value.starts_with('<') && value.ends_with('>');
    let says_so = value.starts_with("your_")
        || value.starts_with("你的")
        || matches!(
            value.as_str(),
            "changeme" | "change_me" | "change_this" | "replace_me" | "placeholder" | "todo" | "fixme"
        );
    let crossed = value.len() >= 3 && value.chars().all(|c| matches!(c, 'x' | '*' | '.' | '…'));
    angled || says_so || crossed
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Literal(…)")
    }
}

impl Serialize for Literal {
    /// A plot that holds a literal cannot be written out again with it: the
    /// placeholder stands in its place.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("…")
    }
}

/// [`SecretRef`] as a table.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecretTable {
    env: Option<String>,
    file: Option<String>,
    #[serde(default)]
    command: Option<Words>,
}

/// A command's words, of which one may stand by itself.
#[derive(Deserialize)]
#[serde(transparent)]
struct Words(#[serde(deserialize_with = "super::one_or_many")] Vec<String>);

impl FromScalar for SecretRef {
    const EXPECTED: &'static str = "a table that says where the secret comes from: { env = \"NAME\" }, \
                                    { file = \"PATH\" } or { command = [\"PROGRAM\", …] }";

    fn from_text(value: &str) -> Result<Self, String> {
        Ok(Self::Literal(Literal::new(value)))
    }
}

impl FromTable for SecretRef {
    type Table = SecretTable;

    fn from_table(table: SecretTable) -> Result<Self, String> {
        match (table.env, table.file, table.command) {
            (Some(name), None, None) => {
                let valid = !name.is_empty()
                    && !name.starts_with(|c: char| c.is_ascii_digit())
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if valid {
                    Ok(Self::Env(name))
                } else {
                    Err("`env` names no environment variable\n\
                         help: use letters, digits and underscores, no digit first"
                        .to_owned())
                }
            }
            (None, Some(path), None) if path.is_empty() => {
                Err("`file` names no file\nhelp: write its path, relative to the plot".to_owned())
            }
            (None, Some(path), None) => Ok(Self::File(path)),
            (None, None, Some(Words(words))) => match words.first().map(|program| program.trim()) {
                None | Some("") => Err("`command` names no program\n\
                     help: write the program and its arguments: [\"PROGRAM\", \"ARGUMENT\"]"
                    .to_owned()),
                // A path may have spaces in it.
                Some(program)
                    if program
                        .split_whitespace()
                        .next()
                        .is_some_and(|first| first.len() < program.len() && !first.contains('/')) =>
                {
                    Err("`command` has its program and arguments in one word, and is run without a shell\n\
                         help: write each word by itself: [\"PROGRAM\", \"ARGUMENT\"]"
                        .to_owned())
                }
                Some(_) => Ok(Self::Command(words)),
            },
            _ => Err("a secret comes from exactly one place\nhelp: write one of `env`, `file` and `command`"
                .to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar_or_table(deserializer)
    }
}
