//! Where images come from.

use serde::{Deserialize, Serialize};

use crate::Mirror;
use crate::value::string_or_table;

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

impl std::str::FromStr for RegistrySpec {
    type Err = crate::InvalidMirror;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::Mirror)
    }
}

impl From<RegistryAccess> for RegistrySpec {
    fn from(access: RegistryAccess) -> Self {
        Self::Itself(access)
    }
}

string_or_table!(
    RegistrySpec,
    "a mirror such as \"mirror.example.com:5000\", or a table with http",
    RegistryAccess
);
