//! The stage plot as it is written: the file's own structure, with typed fields.
//!
//! A [`Plot`] is read from a file ([`Plot::read`]) or built in code with the
//! methods here. It may still contradict itself; [`Plot::build`] turns it into
//! a [`Topology`], which cannot.

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
///
/// ```
/// use stageplot_topology::{Code, Level, NodeSpec, Plot, Redis};
///
/// let plot = Plot {
///     root: "/srv/stacks".to_owned(),
///     severity: [(Code::SshOpen, Level::Allow)].into(),
///     ..Plot::new("live".parse()?)
/// };
/// let plot = plot
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"));
/// assert!(plot.build()?.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
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
///
/// See [`Plot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
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
///
/// ```
/// use stageplot_topology::{Built, NodeSpec, Plot, Redis};
///
/// let plot = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"));
/// let Built { topology, findings, .. } = plot.build()?;
/// for finding in &findings {
///     eprintln!("{finding}"); // such as that clients talk to the edge in the clear
/// }
/// assert_eq!(topology.nodes()[0].name.as_str(), "front");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// ```
    /// use stageplot_topology::{NetworkSpec, NodeSpec, Plot};
    ///
    /// let lan = NetworkSpec::new(["10.0.0.0/24".parse()?]);
    /// let plot = Plot::new("live".parse()?)
    ///     .network("lan", lan)
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?));
    /// assert_eq!(plot.build()?.topology.networks().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// ```
    /// use stageplot_topology::{NodeSpec, Plot};
    ///
    /// let mut plot = Plot::new("live".parse()?);
    /// for number in 1..=3 {
    ///     let address = format!("203.0.113.{number}").parse()?;
    ///     plot = plot.node(&format!("media-{number}"), NodeSpec::public(address).role("livekit"));
    /// }
    /// assert_eq!(plot.nodes.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// ```
    /// use stageplot_topology::{App, Plot, Port, Redis, ServiceSpec};
    ///
    /// let plot = Plot::new("live".parse()?)
    ///     .service("cache", Redis::default())
    ///     .service("rooms", App::host().port(Port::fixed(8080)));
    /// assert!(matches!(plot.services["rooms"], ServiceSpec::App(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// ```
    /// use stageplot_topology::{Code, NodeSpec, Plot, Redis};
    ///
    /// let plot = Plot::new("live".parse()?).node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"));
    /// let Err(findings) = plot.build() else { panic!("the role is of no service") };
    /// assert!(findings.iter().any(|finding| finding.code == Code::UnknownName));
    ///
    /// let built = plot.service("cache", Redis::default()).build()?;
    /// assert!(!built.findings.has_errors());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// use stageplot_topology::{Code, FieldPath, Findings, Level, Plot};
    ///
    /// let mut plot = Plot::new("live".parse()?);
    /// plot.severity.insert(Code::SealStale, Level::Error);
    /// let mut findings = Findings::new();
    /// findings.add(Code::SealStale, FieldPath::root().key("seals"), "REDIS_PASSWORD is not what was sealed", "");
    /// assert!(!findings.has_errors());
    /// plot.apply_severity(&mut findings);
    /// assert!(findings.has_errors());
    /// # Ok::<(), stageplot_topology::InvalidName>(())
    /// ```
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
