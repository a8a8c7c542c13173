//! Secrets that changed, and those of which the seals do not tell it.

use serde::Serialize;

use super::side::Side;
use super::{Impact, NodeDiff};
use crate::Seal;
use crate::summary::Sealed;

/// A secret that changed, or of which it cannot be told whether it did.
///
/// ```
/// use stageplot_render::diff::{self, SecretStatus, Side};
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
/// assert_eq!((secret.name.as_str(), secret.status), ("REDIS_PASSWORD", SecretStatus::Sealed));
/// assert!(secret.status.is_untold() && diff.changed_secrets().next().is_none());
/// let untold = diff.untold_secrets().next().ok_or("a secret")?;
/// println!("whether {} changed cannot be told", untold.name);
/// let might = diff.untold_effects().map(|(node, effect)| format!("{}: {effect:?}", node.name));
/// println!("{}", might.collect::<Vec<_>>().join("\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct SecretDiff {
    /// Its name, as seals have it.
    pub name: String,
    /// What the seals tell of it.
    pub status: SecretStatus,
}

/// What the seals of both sides tell of a secret.
///
/// See [`SecretDiff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SecretStatus {
    /// That it changed.
    Changed,
    /// Nothing: only the second side has a seal of it.
    Sealed,
    /// Nothing: only the first side has one.
    Unsealed,
    /// Nothing: the seals were made with two keys.
    OtherKey,
}

impl SecretStatus {
    /// Whether it cannot be told whether the secret changed.
    pub fn is_untold(self) -> bool {
        self != Self::Changed
    }
}

/// What may happen and cannot be told: what would happen beside all else, had every
/// secret changed of which that cannot be told.
///
/// See [`SecretDiff`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Untold {
    /// The worst of it.
    pub impact: Impact,
    /// The machines, each with the effects and the files that the change has then alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeDiff>,
}

impl Untold {
    /// What `had_changed` has beside what is told.
    pub(super) fn beside(told: &[NodeDiff], had_changed: Vec<NodeDiff>) -> Self {
        let beside = |mut node: NodeDiff| {
            if let Some(told) = told.iter().find(|told| told.name == node.name) {
                node.effects.retain(|effect| !told.effects.contains(effect));
                node.files.retain(|file| !told.files.contains(file));
            }
            node.impact = node.effects.iter().map(|effect| effect.impact).max().unwrap_or_default();
            node
        };
        let mut nodes: Vec<_> = had_changed.into_iter().map(beside).collect();
        nodes.retain(|node| !(node.effects.is_empty() && node.files.is_empty()));
        Self { impact: nodes.iter().map(|node| node.impact).max().unwrap_or_default(), nodes }
    }
}

/// What two sides' seals tell, and do not.
#[derive(Default)]
pub(super) struct Secrets {
    pub(super) differ: Vec<SecretDiff>,
    /// Seals of either side that the other has nothing to hold against.
    before: Vec<Seal>,
    after: Vec<Seal>,
}

impl Secrets {
    /// Finds seals that differ, are on one side alone, or were made with another key.
    pub(super) fn compare(before: &Side, after: &Side) -> Self {
        let (old, new) = (before.summary().sealed.as_ref(), after.summary().sealed.as_ref());
        let other_key = old.zip(new).is_some_and(|(old, new)| old.made_with != new.made_with);
        let mut secrets = Self::default();
        let names = old.into_iter().chain(new).flat_map(|sealed| sealed.secrets.keys());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        for name in names {
            let (Known::Named(was), Known::Named(is)) = (known(old, name), known(new, name)) else {
                continue;
            };
            let status = match (was, is) {
                (None, Some(_)) => SecretStatus::Sealed,
                (Some(_), None) => SecretStatus::Unsealed,
                (Some(_), Some(_)) if other_key => SecretStatus::OtherKey,
                (Some(was), Some(is)) if was != is => SecretStatus::Changed,
                _ => continue,
            };
            if status.is_untold() {
                secrets.before.extend(was);
                secrets.after.extend(is);
            }
            secrets.differ.push(SecretDiff { name: name.clone(), status });
        }
        secrets
    }

    /// Whether there is a secret of which it cannot be told whether it changed.
    pub(super) fn are_untold(&self) -> bool {
        self.differ.iter().any(|secret| secret.status.is_untold())
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

/// The secrets that alone tell two texts apart, by the seals behind their names; none
/// where something else does.
pub(super) fn changed<'t>(before: &'t str, after: &'t str) -> Option<Vec<&'t str>> {
    let (old, new) = (Marks(before).collect::<Vec<_>>(), Marks(after).collect::<Vec<_>>());
    let same = old.len() == new.len()
        && old.iter().zip(&new).all(|(old, new)| (old.before, old.name) == (new.before, new.name));
    let changed = old.iter().zip(&new).filter(|(old, new)| old.seal != new.seal);
    let mut changed: Vec<_> = changed.map(|(old, _)| old.name).collect();
    changed.dedup();
    (same && !changed.is_empty()).then_some(changed)
}

/// The marks of sealed secrets in a text: `sealed:NAME:` and 32 digits, and what is before
/// each; last, what is behind all of them.
struct Marks<'t>(&'t str);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark<'t> {
    before: &'t str,
    name: &'t str,
    seal: &'t str,
}

impl<'t> Iterator for Marks<'t> {
    type Item = Mark<'t>;

    fn next(&mut self) -> Option<Mark<'t>> {
        const WORD: &str = "sealed:";
        if self.0.is_empty() {
            return None;
        }
        for (at, _) in self.0.match_indices(WORD) {
            let rest = &self.0[at + WORD.len()..];
            let ends = rest.match_indices(':').take_while(|(end, _)| *end <= LONGEST);
            let mut found = ends.filter_map(|(end, _)| {
                let seal = rest.get(end + 1..end + 1 + 32)?;
                seal.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some((&rest[..end], seal))
            });
            if let Some((name, seal)) = found.next().filter(|(name, _)| !name.contains('\n')) {
                let before = &self.0[..at];
                self.0 = &rest[name.len() + 1 + seal.len()..];
                return Some(Mark { before, name, seal });
            }
        }
        let before = std::mem::take(&mut self.0);
        Some(Mark { before, name: "", seal: "" })
    }
}

/// How many bytes a secret's name has at most, to be known as one.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_by_its_seal_alone() {
        let (one, two) = ("0".repeat(32), "1".repeat(32));
        let text = |seal: &str, rest: &str| format!("redis://:sealed:REDIS_PASSWORD:{seal}@cache{rest}");
        let (before, after) = (text(&one, ""), text(&two, ""));
        assert_eq!(changed(&before, &after), Some(vec!["REDIS_PASSWORD"]));
        assert_eq!(changed(&before, &text(&two, ":1")), None);
        assert_eq!(changed(&before, &before), None);
        assert_eq!(changed("sealed:A", "sealed:B"), None);
        assert_eq!(changed("", ""), None);
    }
}
