//! The stage plot as it is written: the file's own structure, with typed fields.
//!
//! A [`Plot`] is read from a file ([`Plot::read`]) or built in code with the
//! methods here. It may still contradict itself; [`Plot::build`] turns it into
//! a [`Topology`], which can not.

mod access;
mod kinds;
mod mistakes;
mod network;
mod node;
mod read;
mod registry;
mod seals;
mod service;
mod write;

use std::collections::BTreeMap;

use serde::Serialize;

pub use access::{Access, Keep, Ssh};
pub use kinds::{CustomKind, CustomKinds, InvalidKind};
pub use network::{BridgeSpec, FirewallInput, FirewallSpec, NetworkSpec};
pub use node::{NodeSpec, PublicAddress};
pub use registry::{RegistryAccess, RegistrySpec};
pub use seals::SealsSpec;
pub use service::ServiceSpec;
pub use write::UnwritablePlot;

use crate::{Code, Findings, Name, Registry, Severity, Topology};

/// A stage plot: who stands where, and what plugs into what.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub struct Plot {
    /// The stack's name: part of container, network and directory names.
    pub name: Name,
    /// The directory on every machine that holds this and other stacks.
    #[schemars(default = "default_root")]
    pub root: String,
    /// A file beside the plot with `NAME=value` lines, asked for secrets that
    /// the environment does not have.
    pub secrets_file: Option<String>,
    /// A committed file with a keyed fingerprint of each secret, by which sealed
    /// renderings and diffs show *that* a secret changed, and nothing of what it is.
    pub seals: Option<SealsSpec>,
    /// A directory beside the plot: files in it take the place of the templates
    /// of the same name; those in its `files/` are added to the bundles.
    pub templates: Option<String>,
    /// The operator's way in, and what else stays open.
    #[schemars(default)]
    pub access: Access,
    /// How each node's firewall is run.
    #[schemars(default)]
    pub firewall: FirewallSpec,
    /// The container network on each node.
    #[schemars(default)]
    pub bridge: BridgeSpec,
    /// Private networks by name.
    #[schemars(default)]
    pub networks: BTreeMap<Name, NetworkSpec>,
    /// Machines by name.
    pub nodes: BTreeMap<Name, NodeSpec>,
    /// Services by name. One that is alone of its kind may also be written as a
    /// table of its kind's name at the top: `[redis]` is `[services.redis]` with
    /// `kind = "redis"`.
    pub services: BTreeMap<Name, ServiceSpec>,
    /// Registries of images by name, with the mirror that is asked in its place:
    /// `"docker.io" = "mirror.example.com:5000/hub"` takes all that comes from Docker
    /// Hub from there. Docker on every node, and whoever pins, has a `docker login`
    /// of its own.
    #[schemars(with = "BTreeMap<String, RegistrySpec>", default)]
    pub registries: BTreeMap<Registry, RegistrySpec>,
    /// How much each code of a finding matters here.
    #[schemars(with = "BTreeMap<String, Level>", default)]
    pub severity: BTreeMap<Code, Level>,
}

/// A severity that a plot sets for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Say nothing.
    Allow,
    /// Tell, as information.
    Info,
    /// Warn.
    Warning,
    /// Refuse.
    Error,
}

/// A plot that was validated, and what there is to say of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Built {
    /// The whole, free of contradiction.
    pub topology: Topology,
    /// Warnings and information; no errors.
    pub findings: Findings,
}

fn default_root() -> String {
    "/opt/stageplot".to_owned()
}

impl Plot {
    /// An empty plot.
    ///
    /// ```
    /// use stageplot_topology::{Edge, Livekit, NodeSpec, Plot, Redis, SecretRef};
    ///
    /// let topology = Plot::new("live".parse()?)
    ///     .service("edge", Edge::new("livekit.example.com".parse()?))
    ///     .service("sfu", Livekit {
    ///         keys: [("main".into(), SecretRef::env("LIVEKIT_API_SECRET"))].into(),
    ///         ..Livekit::default()
    ///     })
    ///     .service("cache", Redis::default())
    ///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge").role("sfu").role("cache"))
    ///     .build()?
    ///     .topology;
    /// assert_eq!(topology.nodes().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(name: Name) -> Self {
        Self {
            name,
            root: default_root(),
            secrets_file: None,
            seals: None,
            templates: None,
            access: Access::default(),
            firewall: FirewallSpec::default(),
            bridge: BridgeSpec::default(),
            networks: BTreeMap::new(),
            nodes: BTreeMap::new(),
            services: BTreeMap::new(),
            registries: BTreeMap::new(),
            severity: BTreeMap::new(),
        }
    }

    /// Adds or replaces a private network.
    ///
    /// # Panics
    ///
    /// Where `name` is not a [`Name`]; parse names that come from outside first.
    #[must_use]
    pub fn network(mut self, name: &str, network: NetworkSpec) -> Self {
        self.networks.insert(fixed_name(name), network);
        self
    }

    /// Adds or replaces a machine.
    ///
    /// # Panics
    ///
    /// Where `name` is not a [`Name`]; parse names that come from outside first.
    #[must_use]
    pub fn node(mut self, name: &str, node: NodeSpec) -> Self {
        self.nodes.insert(fixed_name(name), node);
        self
    }

    /// Adds or replaces a service.
    ///
    /// # Panics
    ///
    /// Where `name` is not a [`Name`]; parse names that come from outside first.
    #[must_use]
    pub fn service(mut self, name: &str, service: impl Into<ServiceSpec>) -> Self {
        self.services.insert(fixed_name(name), service.into());
        self
    }

    /// Validates the plot.
    ///
    /// # Errors
    ///
    /// All findings, where one of them is an error.
    pub fn build(&self) -> Result<Built, Findings> {
        let (topology, mut findings) = crate::resolve::resolve(self);
        self.apply_severity(&mut findings);
        findings.sort();
        if findings.has_errors() { Err(findings) } else { Ok(Built { topology, findings }) }
    }

    /// Sets the severities that the plot asks for, also for findings that came up
    /// later. A finding that is an error because nothing could be built stays one.
    pub fn apply_severity(&self, findings: &mut Findings) {
        findings.retain_mut(|finding| {
            let fixed = finding.code.is_fixed();
            let Some(level) = self.severity.get(&finding.code).filter(|_| !fixed) else { return true };
            match level {
                Level::Allow => return false,
                Level::Info => finding.severity = Severity::Info,
                Level::Warning => finding.severity = Severity::Warning,
                Level::Error => finding.severity = Severity::Error,
            }
            true
        });
    }
}

pub(crate) fn fixed_name(name: &str) -> Name {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}
