//! Where the seals of a plot's secrets are, and the key that they are made with.

use serde::{Deserialize, Serialize};

use crate::SecretRef;

/// Seals: a committed file with a fingerprint of each secret.
///
/// In a sealed rendering the name of a secret stands in the place of its value.
/// With seals a fingerprint stands beside the name, so that a diff shows *that* a
/// secret changed, on every machine alike, with or without the secrets at hand.
///
/// Who has the file alone learns which secrets changed, when, and whether one
/// came back to an earlier value. To try a guess against it takes the key; so the
/// key is kept where the secrets are, and never beside the file.
///
/// ```
/// use stageplot_topology::{Plot, SealsSpec, SecretRef};
///
/// let seals = SealsSpec { file: "live.seals".to_owned(), ..SealsSpec::new(SecretRef::env("SEALS_KEY")) };
/// let plot = Plot { seals: Some(seals), ..Plot::new("live".parse()?) };
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "{ key = { env = \"SEALS_KEY\" } }")]
pub struct SealsSpec {
    /// The file with the seals, beside the plot and committed with it;
    /// `stageplot seal` writes it.
    #[serde(default = "default_file")]
    pub file: String,
    /// The key that they are made with, kept with the secrets: 32 random bytes
    /// or more in hexadecimal, as `openssl rand -hex 32` prints them.
    pub key: SecretRef,
}

impl SealsSpec {
    /// Seals in `stageplot.seals`, made with this key.
    pub fn new(key: SecretRef) -> Self {
        Self { file: default_file(), key }
    }
}

fn default_file() -> String {
    "stageplot.seals".to_owned()
}
