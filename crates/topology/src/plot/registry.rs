//! Where images come from.

use serde::{Deserialize, Serialize};

use crate::Mirror;
use crate::decode::{self, FromScalar, FromTable};

/// What there is to know of a registry of images. Who may pull from it is not.
///
/// ```
/// use stageplot_topology::{Plot, Registry, RegistryAccess, RegistrySpec};
///
/// let mut plot = Plot::new("live".parse()?);
/// let mirror = RegistrySpec::Mirror("mirror.example.com:5000/hub".parse()?);
/// plot.registries.insert(Registry::docker_hub(), mirror);
/// let access = RegistryAccess { http: true, ..RegistryAccess::default() };
/// plot.registries.insert("10.0.0.5:5000".parse()?, access.into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(untagged)]
#[non_exhaustive]
pub enum RegistrySpec {
    /// Who is asked in its place, for all its images: a registry that has them
    /// under the same names, maybe below a path.
    Mirror(Mirror),
    /// It is asked itself, in this way.
    Itself(RegistryAccess),
}

/// How a registry is spoken to.
///
/// ```
/// use stageplot_topology::{RegistryAccess, RegistrySpec};
///
/// let access = RegistryAccess { http: true, ..RegistryAccess::default() };
/// assert_eq!(RegistrySpec::from(access), RegistrySpec::Itself(access));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryAccess {
    /// Whether in plain HTTP. Docker on every node must then have it among the
    /// `insecure-registries` of its `daemon.json`.
    pub http: bool,
}

impl From<RegistryAccess> for RegistrySpec {
    fn from(access: RegistryAccess) -> Self {
        Self::Itself(access)
    }
}

impl FromScalar for RegistrySpec {
    const EXPECTED: &'static str = "a mirror such as \"mirror.example.com:5000\", or { http = true }";

    fn from_text(text: &str) -> Result<Self, String> {
        Mirror::from_text(text).map(Self::Mirror)
    }
}

impl FromTable for RegistrySpec {
    type Table = RegistryAccess;

    fn from_table(access: RegistryAccess) -> Result<Self, String> {
        Ok(access.into())
    }
}

impl<'de> Deserialize<'de> for RegistrySpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar_or_table(deserializer)
    }
}
