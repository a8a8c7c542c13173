//! The values of a topology's secrets, for checks that log in.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use stageplot_topology::{SecretRef, SecretSource, Topology};

use crate::{Cause, Problem};

/// The values of all secrets of one topology, or why one cannot be had: the checks that
/// need it are then [not tried](crate::Outcome::NotTried), and all others are.
#[derive(Default)]
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
    /// others answer may hold what they were sent.
    pub(crate) fn scrub(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (secret, value)| match value {
            Ok(value) if text.contains(value.expose_secret()) && !value.expose_secret().is_empty() => {
                text.replace(value.expose_secret(), &format!("({})", secret.label()))
            }
            _ => text,
        })
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
