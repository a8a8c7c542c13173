//! Seals: fingerprints of secrets that show *that* a secret changed.
//!
//! A seal is an HMAC-SHA-256 of the secret's value, cut to 128 bits as RFC 2104
//! allows. What is sealed is bound to the plot and to the secret's name, each part
//! with its length before it, so that one value under two names has two seals.
//! The seals are committed, the key is kept with the secrets: without it a guess
//! cannot be tried, and a sealed rendering needs the seals alone.

use std::collections::{BTreeMap, BTreeSet};

use stageplot_topology::{Code, FieldPath, Findings, SecretRef, SecretSource, Topology};

use crate::secrets::{Secrets, Values};
use crate::summary::Sealed;

mod file;
mod key;
mod seal;

pub use key::{InvalidSealKey, SealKey};
pub use seal::{InvalidSeal, Seal};

/// The seals of a plot's secrets, as its seals file has them.
///
/// It prints as the text of that file: TOML, one line for each secret, by name.
///
/// ```
/// use stageplot_render::{Custom, SealKey, Seals, Secrets, render};
/// use stageplot_topology::{Document, Format, NodeSpec, Plot, Redis, SecretError, SecretRef, SecretSource};
///
/// struct Vault;
///
/// impl SecretSource for Vault {
///     fn secret(&self, _: &SecretRef) -> Result<secrecy::SecretString, SecretError> {
///         Ok("correct horse".to_owned().into())
///     }
/// }
///
/// let password = SecretRef::env("REDIS_PASSWORD");
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis { password: Some(password.clone()), ..Redis::default() })
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
///
/// // Where the secrets are:
/// let key = SealKey::parse("7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47")?;
/// let file = Seals::new(&topology, &Vault, &key)?.to_string();
///
/// // Where they are not:
/// let seals = Seals::read(&Document::parse(Format::Toml, "stageplot.seals", &file)?)?;
/// let rendering = render(&topology, Secrets::Sealed(&seals), &Custom::default())?;
/// let mark = format!("sealed:REDIS_PASSWORD:{}", seals.get(&password).expect("it has a seal"));
/// let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&mark);
/// assert!(rendering.bundles[0].artifacts.iter().any(|file| holds(&file.bytes)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seals {
    /// Which key they were made with; none where there are none.
    made_with: Option<Seal>,
    by_name: BTreeMap<String, Seal>,
}

/// None at all.
pub(crate) static NONE: Seals = Seals { made_with: None, by_name: BTreeMap::new() };

impl Seals {
    /// The seals of a topology's secrets as they are now, each asked for once.
    ///
    /// A secret that stands in the plot itself gets none: it has no name.
    ///
    /// # Errors
    ///
    /// A finding for each secret that cannot be had, or that LiveKit would refuse.
    pub fn new(topology: &Topology, source: &dyn SecretSource, key: &SealKey) -> Result<Self, Findings> {
        Ok(Values::collect(topology, Secrets::From(source))?.seals(topology, key))
    }

    /// The seals of these values.
    pub(crate) fn of<'v>(
        topology: &Topology,
        values: impl Iterator<Item = (&'v SecretRef, &'v str)>,
        key: &SealKey,
    ) -> Self {
        let plot = topology.name().as_str();
        let by_name = values.filter(|(secret, _)| has_name(secret)).map(|(secret, value)| {
            let name = secret.label();
            let seal = key.seal(&["stageplot seal 1", plot, &name, value]);
            (name, seal)
        });
        Self { made_with: Some(key.seal(&["stageplot seal key 1"])), by_name: by_name.collect() }
    }

    /// The seal of a secret, where it has one.
    pub fn get(&self, secret: &SecretRef) -> Option<&Seal> {
        self.by_name.get(&secret.label()).filter(|_| has_name(secret))
    }

    /// Every seal with the name of its secret, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Seal)> {
        self.by_name.iter().map(|(name, seal)| (name.as_str(), seal))
    }

    /// What a sealed rendering tells of them; nothing where there are none.
    pub(crate) fn sum_up(&self, topology: &Topology) -> Option<Sealed> {
        let seals = topology.secrets().into_iter().filter(|(_, secret)| has_name(secret));
        let secrets = seals.map(|(_, secret)| (secret.label(), self.get(secret).copied())).collect();
        Some(Sealed { made_with: self.made_with?, secrets })
    }

    /// What there is to say of the seals: secrets without one, seals without a
    /// secret, and, where the seals of the present values are at hand, those that
    /// differ from them.
    pub fn review(&self, topology: &Topology, present: Option<&Self>) -> Findings {
        let field = FieldPath::root().key("seals");
        let mut findings = Findings::new();
        let mut find = |code, path, message: String, help| {
            topology.judge(code, path, message, help).into_iter().for_each(|finding| findings.push(finding));
        };
        let made_with = present.and_then(|present| present.made_with);
        let other_key = self.made_with.is_some() && made_with.is_some() && self.made_with != made_with;
        if other_key {
            let message = "the seals were made with another key: whether secrets changed cannot be told";
            find(Code::SealStale, field.key("key"), message.to_owned(), SEAL);
        }
        let mut seen = BTreeSet::new();
        for (path, secret) in topology.secrets() {
            let name = secret.label();
            if !seen.insert(secret) {
                continue;
            }
            match (self.get(secret), present.and_then(|present| present.get(secret))) {
                (None, _) if !has_name(secret) => {
                    let message = "a secret in the plot itself gets no seal: that it changes does not show";
                    find(Code::SealMissing, path, message.to_owned(), OUT);
                }
                (None, _) => {
                    let message = format!("{name} has no seal: that it changes does not show");
                    find(Code::SealMissing, path, message, SEAL);
                }
                (Some(sealed), Some(now)) if sealed != now && !other_key => {
                    find(Code::SealStale, path, format!("{name} is not what was sealed"), SEAL);
                }
                _ => {}
            }
        }
        let named: BTreeSet<_> = seen.into_iter().map(SecretRef::label).collect();
        for name in self.by_name.keys().filter(|name| !named.contains(*name)) {
            let message = format!("{name} has a seal, and the plot names no such secret");
            find(Code::SealUnused, field.clone(), message, SEAL);
        }
        findings
    }
}

/// Whether a secret has a name to be sealed under.
fn has_name(secret: &SecretRef) -> bool {
    !matches!(secret, SecretRef::Literal(_))
}

/// How to mend what is wrong with seals.
const SEAL: &str = "run `stageplot seal` where the secrets and the key are, and commit the seals file";

/// How to mend that a secret has no name.
const OUT: &str = "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", …] }";
