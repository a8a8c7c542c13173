//! Where images come from.

use serde::{Deserialize, Serialize};

use crate::Mirror;
use crate::decode::{self, FromScalar, FromTable};

/// What there is to know of a registry of images. Who may pull from it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
