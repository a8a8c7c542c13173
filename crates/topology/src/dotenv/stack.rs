//! Whose `.env` files they are.

use super::survey::Machine;
use super::variables::KnownVariable;
use super::{fluxcode, livekit};
use crate::{Code, Diagnostic, FieldPath, Findings, words};

/// The stacks whose `.env` files an [`import`](super::import) reads.
///
/// ```
/// use stageplot_topology::dotenv::Stack;
///
/// assert_eq!(Stack::Livekit.find("SMTP_HOST").map(|variable| variable.name), Some("SMTP_*"));
/// assert!(Stack::Fluxcode.find("SMTP_HOST").is_none());
/// assert!(Stack::Fluxcode.find("JWT_SECRET").is_some_and(|variable| variable.is_secret()));
/// for stack in Stack::ALL {
///     println!("{stack}: {} variables", stack.variables().len());
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stack {
    /// LiveKit behind Caddy, as shell scripts deployed it.
    Livekit,
    /// FluxCode with Postgres and Redis, as Compose files deployed it.
    Fluxcode,
}

impl Stack {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Livekit, Self::Fluxcode];

    /// Every variable of its files, in the order of the example file.
    pub fn variables(self) -> &'static [KnownVariable] {
        match self {
            Self::Livekit => livekit::VARIABLES,
            Self::Fluxcode => fluxcode::VARIABLES,
        }
    }

    /// The entry for a name, an exact one before one with a `*`.
    pub fn find(self, name: &str) -> Option<&'static KnownVariable> {
        let all = self.variables();
        let prefix =
            |v: &&KnownVariable| v.name.strip_suffix('*').is_some_and(|begin| name.starts_with(begin));
        all.iter().find(|v| v.name == name).or_else(|| all.iter().find(prefix))
    }

    /// Who reads the files.
    pub(super) fn readers(self) -> &'static str {
        match self {
            Self::Livekit => "the scripts",
            Self::Fluxcode => "FluxCode's Compose files",
        }
    }

    /// The stack that most variables of these files are of, and of each file; those of
    /// two stacks make no plot together.
    pub(super) fn of(machines: &[Machine], findings: &mut Findings) -> Self {
        let of_files: Vec<_> =
            machines.iter().filter_map(|machine| Some((machine, Self::of_file(machine)?))).collect();
        let Some((first, (stack, names))) = of_files.first() else { return Self::Livekit };
        if let Some((other, (theirs, their_names))) = of_files.iter().find(|(_, (other, _))| other != stack)
            && let (Some(file), [name, ..]) = (&other.file, their_names.as_slice())
        {
            let message = format!(
                "this file is {theirs}'s, by {}, and {} is {stack}'s, by {}",
                words::listed(their_names),
                first.file_name(),
                words::listed(names),
            );
            let help =
                "make a plot of each stack, in a directory of its own: stageplot init DIR --from-env …";
            findings.push(Diagnostic {
                location: file.location(name),
                ..Diagnostic::new(Code::EnvContradiction, FieldPath::root(), message, help)
            });
        }
        *stack
    }

    /// The stack of one file with the variables that say so; none where nothing does.
    fn of_file(machine: &Machine) -> Option<(Self, Vec<&str>)> {
        let names = |stack: Self| -> Vec<&str> {
            let others = || Self::ALL.iter().filter(move |other| **other != stack);
            let file = machine.file.iter().flat_map(|file| file.iter()).map(|(name, _)| name);
            let file = file.filter(|name| !ANYBODYS.contains(name));
            file.filter(|name| stack.find(name).is_some() && others().all(|other| other.find(name).is_none()))
                .collect()
        };
        let of = Self::ALL.iter().map(|&stack| (stack, names(stack)));
        // Of several with as many the first is meant.
        let most = of.reduce(|most, other| if other.1.len() > most.1.len() { other } else { most })?;
        (!most.1.is_empty()).then_some(most)
    }
}

/// What the file of any program may have.
const ANYBODYS: &[&str] = &["DEBUG", "LANG", "TZ"];

impl std::fmt::Display for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Livekit => "LiveKit",
            Self::Fluxcode => "FluxCode",
        })
    }
}
