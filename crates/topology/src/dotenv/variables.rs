//! The variables of the stacks' `.env` files, and what becomes of each.

use std::collections::BTreeMap;

use super::survey::Survey;
use crate::{Code, Diagnostic, FieldPath, words};

/// A variable of a [`Stack`](super::Stack)'s `.env` files.
///
/// ```
/// use stageplot_topology::dotenv::{Meaning, Stack};
///
/// let secret = Stack::Livekit.find("REDIS_PASSWORD").expect("the scripts know it");
/// assert_eq!(secret.meaning, Meaning::Secret("redis.password"));
/// assert!(secret.is_secret());
/// for variable in Stack::Livekit.variables() {
///     if let Meaning::Dropped { why, help } = variable.meaning {
///         println!("{}: {why}; {help}", variable.name);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownVariable {
    /// Its name; one that ends with `*` stands for all that begin so.
    pub name: &'static str,
    /// What becomes of it.
    pub meaning: Meaning,
}

/// What an import makes of a variable.
///
/// See [`KnownVariable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meaning {
    /// It sets this field of the plot.
    Field(&'static str),
    /// It is a secret: this field names it, and its value goes to the secrets
    /// file alone.
    Secret(&'static str),
    /// It was read, and a plot has no place for it.
    Dropped {
        /// Why.
        why: &'static str,
        /// What to do instead.
        help: &'static str,
    },
    /// It stood in the example file, and nothing ever read it.
    Unread {
        /// What to do instead.
        help: &'static str,
    },
    /// It never did what its name says.
    Mistaken {
        /// What it really does.
        why: &'static str,
        /// What to do instead.
        help: &'static str,
    },
}

impl KnownVariable {
    /// Whether its value must not be shown or written into a plot.
    pub fn is_secret(&self) -> bool {
        matches!(self.meaning, Meaning::Secret(_))
    }
}

/// Says what there is to say of each variable in itself, once for all files.
pub(super) fn review(survey: &mut Survey) {
    let stack = survey.stack;
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, machine) in survey.machines.iter().enumerate() {
        for (name, variable) in machine.file.iter().flat_map(|file| file.iter()) {
            if !variable.value().is_empty() {
                seen.entry(name.to_owned()).or_default().push(index);
            }
        }
    }
    for (name, machines) in seen {
        let known = stack.find(&name);
        let (code, message, help) = match known.map(|v| v.meaning) {
            Some(Meaning::Field(_) | Meaning::Secret(_)) => continue,
            Some(Meaning::Dropped { why, help }) => (Code::EnvUnused, why.to_owned(), help.to_owned()),
            Some(Meaning::Unread { help }) => (
                Code::EnvUnused,
                format!("{name} was never read by {}, so it sets nothing", stack.readers()),
                help.to_owned(),
            ),
            Some(Meaning::Mistaken { why, help }) => (Code::EnvChanged, why.to_owned(), help.to_owned()),
            None => {
                let exact = stack.variables().iter().map(|v| v.name).filter(|name| !name.ends_with('*'));
                let help = match words::nearest(&name, exact) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "a variable of a program of your own belongs to env of its app".to_owned(),
                };
                let message = format!("{} know no variable {name}, so it sets nothing", stack.readers());
                (Code::EnvUnknown, message, help)
            }
        };
        let message = format!("{message}{}", survey.also(&machines));
        let location = survey.location(machines[0], &name);
        survey
            .findings
            .push(Diagnostic { location, ..Diagnostic::new(code, FieldPath::root(), message, help) });
    }
}

pub(super) const fn field(name: &'static str, field: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Field(field) }
}

pub(super) const fn secret(name: &'static str, field: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Secret(field) }
}

pub(super) const fn dropped(name: &'static str, why: &'static str, help: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Dropped { why, help } }
}

pub(super) const fn unread(name: &'static str, help: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Unread { help } }
}

pub(super) const fn mistaken(name: &'static str, why: &'static str, help: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Mistaken { why, help } }
}
