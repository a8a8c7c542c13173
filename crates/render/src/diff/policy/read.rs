//! Reading a policy from a file.

use std::collections::BTreeMap;

use serde::Deserialize;
use stageplot_topology::decode::{self, ByKind};
use stageplot_topology::{Code, Document, FieldPath, Findings};

use super::rule::{DeniedFile, DeniedFlow, DeniedImpact, DeniedSecret, Who};
use super::{Deny, Pattern, Place, Policy, Rule};
use crate::diff::Impact;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: BTreeMap<String, ByKind<Kind>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Opening(Flow),
    Closing(Flow),
    Impact(AtLeast),
    Rooms(Rooms),
    File(Files),
    Secret(Secrets),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Flow {
    #[serde(deserialize_with = "decode::one_or_many")]
    from: Vec<Who>,
    #[serde(deserialize_with = "decode::one_or_many")]
    nodes: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    services: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    kinds: Vec<Pattern>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AtLeast {
    at_least: Impact,
    #[serde(default, deserialize_with = "decode::one_or_many")]
    nodes: Vec<Pattern>,
    #[serde(default, deserialize_with = "decode::one_or_many")]
    services: Vec<Pattern>,
    #[serde(default, deserialize_with = "decode::one_or_many")]
    kinds: Vec<Pattern>,
    #[serde(default)]
    why: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rooms {
    #[serde(deserialize_with = "decode::one_or_many")]
    nodes: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    services: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    kinds: Vec<Pattern>,
    why: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Files {
    #[serde(deserialize_with = "decode::one_or_many")]
    files: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    fields: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    nodes: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    services: Vec<Pattern>,
    #[serde(deserialize_with = "decode::one_or_many")]
    kinds: Vec<Pattern>,
    why: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Secrets {
    #[serde(deserialize_with = "decode::one_or_many")]
    secrets: Vec<Pattern>,
    why: String,
}

impl Policy {
    /// Reads a policy; `docs/policy.md` describes the file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place.
    pub fn read(document: &Document) -> Result<Self, Findings> {
        let mut findings = Findings::new();
        let file: Option<File> = document.decode(&mut findings);
        let rules = file.map_or_else(BTreeMap::new, |file| file.rules);
        if rules.is_empty() && !findings.has_errors() {
            let help =
                "add one, such as [rules.data] with kind = \"impact\" and at-least = \"data-at-stake\"";
            let rules = FieldPath::root().key("rules");
            findings.add(Code::MissingField, rules, "a policy without rules denies nothing", help);
        }
        document.locate(&mut findings);
        match findings.has_errors() {
            true => Err(findings),
            false => Ok(Self::new(rules.into_iter().map(|(name, ByKind(kind))| (name, kind.into())))),
        }
    }
}

impl From<Kind> for Rule {
    fn from(kind: Kind) -> Self {
        let place = |nodes, services, kinds| Place { nodes, services, kinds };
        let flow = |flow: Flow| {
            let Flow { from, nodes, services, kinds, why } = flow;
            (why, DeniedFlow { from, place: place(nodes, services, kinds) })
        };
        let (why, deny) = match kind {
            Kind::Opening(it) => {
                let (why, denied) = flow(it);
                (why, Deny::Opening(denied))
            }
            Kind::Closing(it) => {
                let (why, denied) = flow(it);
                (why, Deny::Closing(denied))
            }
            Kind::Impact(AtLeast { at_least, nodes, services, kinds, why }) => {
                (why, Deny::Impact(DeniedImpact { at_least, place: place(nodes, services, kinds) }))
            }
            Kind::Rooms(Rooms { nodes, services, kinds, why }) => {
                (why, Deny::Rooms(place(nodes, services, kinds)))
            }
            Kind::File(Files { files, fields, nodes, services, kinds, why }) => {
                (why, Deny::File(DeniedFile { files, fields, place: place(nodes, services, kinds) }))
            }
            Kind::Secret(Secrets { secrets, why }) => (why, Deny::Secret(DeniedSecret { secrets })),
        };
        Self { why, deny }
    }
}
