//! Secrets of which the seals do not tell whether they changed.

use serde::Serialize;

use super::side::Side;
use crate::Seal;
use crate::summary::Sealed;

/// A secret of which it cannot be told whether it changed.
///
/// ```
/// use stageplot_render::diff::{self, Side, Untold};
/// use stageplot_render::{Custom, SealKey, Seals, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Plot, Redis, SecretError, SecretRef, SecretSource, SecretString};
/// # struct Vault;
/// # impl SecretSource for Vault {
/// #     fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
/// #         Ok("correct horse battery staple".to_owned().into())
/// #     }
/// # }
/// # let redis = Redis { password: Some(SecretRef::env("REDIS_PASSWORD")), ..Redis::default() };
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", redis)
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let key = SealKey::parse("7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47")?;
/// let seals = Seals::new(&topology, &Vault, &key)?;
/// let side = |secrets: Secrets<'_>| -> Result<Side, Box<dyn std::error::Error>> {
///     Ok(Side::of(&topology, render(&topology, secrets, &Custom::default())?)?)
/// };
/// let diff = diff::between(&side(Secrets::SEALED)?, &side(Secrets::Sealed(&seals))?);
/// let secret = &diff.secrets[0];
/// assert_eq!((secret.name.as_str(), secret.why), ("REDIS_PASSWORD", Untold::Sealed));
/// println!("{} {}", secret.name, secret.why.in_words());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct SecretDiff {
    /// Its name, as seals have it.
    pub name: String,
    /// Why it cannot be told.
    pub why: Untold,
}

/// Why it cannot be told whether a secret changed.
///
/// See [`SecretDiff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Untold {
    /// Only the second side has a seal of it.
    Sealed,
    /// Only the first side has one.
    Unsealed,
    /// The seals were made with two keys.
    OtherKey,
}

/// What two sides' seals do not tell.
#[derive(Default)]
pub(super) struct Unknown {
    pub(super) secrets: Vec<SecretDiff>,
    /// Seals of either side that the other has nothing to hold against.
    before: Vec<Seal>,
    after: Vec<Seal>,
}

impl Unknown {
    /// Finds seals that are on one side alone, or were made with another key.
    pub(super) fn find(before: &Side, after: &Side) -> Self {
        let (old, new) = (before.summary().sealed.as_ref(), after.summary().sealed.as_ref());
        let other_key = old.zip(new).is_some_and(|(old, new)| old.made_with != new.made_with);
        let mut unknown = Self::default();
        let names = old.into_iter().chain(new).flat_map(|sealed| sealed.secrets.keys());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        for name in names {
            let (Known::Named(was), Known::Named(is)) = (known(old, name), known(new, name)) else {
                continue;
            };
            let why = match (was, is) {
                (None, Some(_)) => Untold::Sealed,
                (Some(_), None) => Untold::Unsealed,
                (Some(_), Some(_)) if other_key => Untold::OtherKey,
                _ => continue,
            };
            unknown.before.extend(was);
            unknown.after.extend(is);
            unknown.secrets.push(SecretDiff { name: name.clone(), why });
        }
        unknown
    }

    /// The seals to leave out of account on the first side.
    pub(super) fn before(&self) -> Vec<String> {
        self.before.iter().map(mark).collect()
    }

    /// The same on the second.
    pub(super) fn after(&self) -> Vec<String> {
        self.after.iter().map(mark).collect()
    }
}

/// What a side says of a secret.
enum Known {
    /// It has it, with a seal or without; where it has no seals at all, it is taken to.
    Named(Option<Seal>),
    /// It has no such secret.
    Nothing,
}

fn known(sealed: Option<&Sealed>, name: &str) -> Known {
    match sealed.map(|sealed| sealed.secrets.get(name)) {
        None => Known::Named(None),
        Some(Some(seal)) => Known::Named(*seal),
        Some(None) => Known::Nothing,
    }
}

/// A seal as it stands behind the name of its secret.
fn mark(seal: &Seal) -> String {
    format!(":{seal}")
}
