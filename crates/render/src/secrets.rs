//! Where the values of secrets come from while a topology is rendered.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret as _, SecretString};
use stageplot_topology::{Code, Findings, SecretError, SecretRef, SecretSource, Topology};

use crate::summary::Sealed;
use crate::{RenderError, SealKey, Seals, judge, seals};

/// How secrets are rendered.
///
/// ```
/// use stageplot_render::{Custom, Secrets, render};
/// use stageplot_topology::{NodeSpec, Plot, Redis, SecretError, SecretRef, SecretSource, SecretString};
///
/// struct Vault;
///
/// impl SecretSource for Vault {
///     fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
///         Ok("correct horse battery staple".to_owned().into())
///     }
/// }
///
/// # let redis = Redis { password: Some(SecretRef::env("REDIS_PASSWORD")), ..Redis::default() };
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", redis)
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// for (secrets, password) in [(Secrets::SEALED, "sealed:REDIS_PASSWORD"), (Secrets::From(&Vault), "correct horse")] {
///     let rendering = render(&topology, secrets, &Custom::default())?;
///     let files = &rendering.bundles[0].artifacts;
///     assert!(files.iter().any(|file| String::from_utf8_lossy(&file.bytes).contains(password)));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Secrets<'a> {
    /// By name: the label of each stands in its place, and its seal beside it
    /// where it has one. Needs no value, and is the same wherever it is rendered.
    Sealed(&'a Seals),
    /// By value.
    From(&'a dyn SecretSource),
}

impl Secrets<'static> {
    /// By name, without seals.
    pub const SEALED: Self = Self::Sealed(&seals::NONE);
}

/// The values of all secrets of one topology.
pub(crate) struct Values {
    values: BTreeMap<SecretRef, SecretString>,
    /// What there is to say of them that is no error.
    findings: Findings,
    /// Whether names stand in the place of values.
    sealed: bool,
    /// Beside which seals, where there are some.
    with_seals: Option<Sealed>,
}

impl Values {
    /// Asks for every secret once, in the order of fields.
    ///
    /// # Errors
    ///
    /// A finding for each secret that cannot be had, and for each that LiveKit
    /// or a file format cannot take.
    pub(crate) fn collect(topology: &Topology, secrets: Secrets<'_>) -> Result<Self, Findings> {
        let mut findings = Findings::new();
        let mut values: BTreeMap<SecretRef, SecretString> = BTreeMap::new();
        let mut asked = BTreeSet::new();
        for (path, secret) in topology.secrets() {
            // Once, also where it cannot be had: it may be a program that takes its time.
            if !asked.insert(secret) {
                continue;
            }
            match value(secret, secrets) {
                Ok(value) => {
                    values.insert(secret.clone(), value);
                }
                Err(error) => findings.add(
                    Code::SecretMissing,
                    path,
                    format!("the value of {} cannot be had: {error}", secret.label()),
                    match secret {
                        SecretRef::Env(name) => format!(
                            "set {name} in the environment or in the plot's secrets-file; or render with \
                             --sealed, which needs no values"
                        ),
                        _ => "provide it, or render with --sealed, which needs no values".to_owned(),
                    },
                ),
            }
        }
        if let Secrets::From(_) = secrets {
            let value = |secret: &SecretRef| values.get(secret).map(|value| value.expose_secret());
            // Of those that stand in the plot everything was said when it was built.
            findings.append(topology.review_secrets(|secret| match secret {
                SecretRef::Literal(_) => None,
                _ => value(secret),
            }));
            judge::secrets(topology, value, &mut findings);
        }
        if findings.has_errors() {
            Err(findings)
        } else {
            let with_seals = match secrets {
                Secrets::Sealed(seals) if !values.is_empty() => seals.sum_up(topology),
                _ => None,
            };
            let sealed = matches!(secrets, Secrets::Sealed(_)) && !values.is_empty();
            Ok(Self { sealed, with_seals, values, findings })
        }
    }

    /// Whether the names of secrets stand in the place of their values, so that
    /// what is rendered is to be compared and not to be run.
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The seals that stand beside the names of secrets, where there are some.
    pub(crate) fn with_seals(&self) -> Option<&Sealed> {
        self.with_seals.as_ref()
    }

    /// Whether there is a value of a secret that may be written into a file.
    pub(crate) fn are_told(&self) -> bool {
        !self.sealed && !self.values.is_empty()
    }

    /// What there is to say of the values that is no error.
    pub(crate) fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The seals of the values, where they are values and not names.
    pub(crate) fn seals(&self, topology: &Topology, key: &SealKey) -> Seals {
        Seals::of(topology, self.values.iter().map(|(secret, value)| (secret, value.expose_secret())), key)
    }

    /// The value of a secret that [`Topology::secrets`] lists.
    ///
    /// # Errors
    ///
    /// Where it lists no such secret: an empty value would be a wrong one.
    pub(crate) fn get(&self, secret: &SecretRef) -> Result<&str, RenderError> {
        let value = self.values.get(secret).map(|value| value.expose_secret());
        value.ok_or_else(|| {
            RenderError::Format(format!("{} is not among the topology's secrets", secret.label()))
        })
    }
}

fn value(secret: &SecretRef, secrets: Secrets<'_>) -> Result<SecretString, SecretError> {
    match (secrets, secret) {
        (Secrets::Sealed(seals), _) => Ok(match seals.get(secret) {
            Some(seal) => format!("sealed:{}:{seal}", secret.label()),
            None => format!("sealed:{}", secret.label()),
        }
        .into()),
        (Secrets::From(_), SecretRef::Literal(literal)) => Ok(literal.expose().to_owned().into()),
        (Secrets::From(source), _) => source.secret(secret),
    }
}
