//! The values of a topology's secrets, for checks that log in.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use stageplot_topology::{SecretRef, SecretSource, Topology};

use crate::{Cause, Problem};

/// The values of all secrets of one topology, or why one cannot be had: the checks that
/// need it are then [not tried](crate::Outcome::NotTried), and all others are.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<SecretRef, Result<SecretString, String>>);

impl Secrets {
    /// None at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks for every secret once.
    pub fn collect(topology: &Topology, source: &dyn SecretSource) -> Self {
        let mut values = BTreeMap::new();
        for (_, secret) in topology.secrets() {
            values.entry(secret.clone()).or_insert_with(|| match secret {
                SecretRef::Literal(literal) => Ok(literal.expose().to_owned().into()),
                _ => source.secret(secret).map_err(|error| error.to_string()),
            });
        }
        Self(values)
    }

    /// The value of a secret.
    pub(crate) fn get(&self, secret: &SecretRef) -> Result<&str, Problem> {
        let why = match self.0.get(secret) {
            Some(Ok(value)) => return Ok(value.expose_secret()),
            Some(Err(why)) => why.as_str(),
            None => "nobody was asked for it",
        };
        let label = secret.label();
        let problem =
            Problem::not_tried(Cause::SecretUnknown, format!("the value of {label} is not known: {why}"));
        Err(match secret {
            SecretRef::Env(name) => {
                problem.help(format!("set {name} in the environment or in the plot's secrets-file"))
            }
            _ => problem,
        })
    }

    /// A text in which the names of secrets stand in the place of their values: what
    /// others answer may hold what they were sent, as it is or as Rust quotes it.
    pub(crate) fn scrub(&self, mut text: String) -> String {
        let values = self.0.iter().filter_map(|(secret, value)| Some((secret, value.as_ref().ok()?)));
        let mut values: Vec<_> = values.map(|(secret, value)| (secret, value.expose_secret())).collect();
        // One may begin as another does.
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (secret, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
            let name = format!("({})", secret.label());
            for value in [value.to_owned(), value.escape_debug().to_string()] {
                text = text.replace(&value, &name);
                text = cut(&value, text, &name);
            }
        }
        text
    }
}

/// A text that was cut off, without the beginning of a value at its end.
fn cut(value: &str, text: String, name: &str) -> String {
    /// Whatever is shorter says nothing.
    const SHORTEST: usize = 4;
    let Some(said) = text.strip_suffix('…') else { return text };
    let beginnings = value.char_indices().map(|(end, _)| &value[..end]).rev();
    let mut beginnings = beginnings.filter(|beginning| beginning.len() >= SHORTEST);
    match beginnings.find_map(|beginning| said.strip_suffix(beginning)) {
        Some(said) => format!("{said}{name}…"),
        None => text,
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[(&str, &str)]) -> Secrets {
        let values = values.iter().map(|(name, value)| {
            (SecretRef::Env((*name).to_owned()), Ok(SecretString::from((*value).to_owned())))
        });
        Secrets(values.collect())
    }

    #[test]
    fn no_value_is_left_however_it_is_said() {
        let secrets = secrets(&[("A", "pass"), ("B", "pass\"word\\"), ("EMPTY", "")]);
        let (a, b) = (SecretRef::Env("A".into()).label(), SecretRef::Env("B".into()).label());
        for (said, left) in [
            ("no pass here", format!("no ({a}) here")),
            ("pass\"word\\ it is", format!("({b}) it is")),
            (r#""pass\"word\\""#, format!("\"({b})\"")),
            ("it is pass\"wo…", format!("it is ({b})…")),
            ("it is pas…", "it is pas…".to_owned()),
            ("nothing", "nothing".to_owned()),
        ] {
            assert_eq!(secrets.scrub(said.to_owned()), left, "{said}");
        }
    }
}
