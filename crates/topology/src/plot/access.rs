//! The operator's way in, and what else is never closed.

use serde::{Deserialize, Serialize};

use crate::{Port, PortRange, Protocol, Source};

/// What stays open beside the flows.
///
/// ```
/// use stageplot_topology::{Access, Keep, Plot, Port, Ssh};
///
/// let access = Access {
///     ssh: Ssh { from: vec!["198.51.100.0/24".parse()?], ..Ssh::default() },
///     keep: vec![Keep::new(Port::fixed(9100))],
///     ..Access::default()
/// };
/// let plot = Plot { access, ..Plot::new("live".parse()?) };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ ssh = { from = \"198.51.100.0/24\" } }"
)]
pub struct Access {
    /// SSH, by which the operator reaches every node.
    pub ssh: Ssh,
    /// Where clients come from: who the edge, media and TURN are open to.
    /// Anybody, unless the stack serves a network of its own.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub clients: Vec<Source>,
    /// Ports of programs that the plot does not know.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Keep>")]
    pub keep: Vec<Keep>,
}

impl Default for Access {
    fn default() -> Self {
        Self { ssh: Ssh::default(), clients: anybody(), keep: Vec::new() }
    }
}

/// How the operator reaches every node.
///
/// ```
/// use stageplot_topology::{Port, Ssh};
///
/// let ssh = Ssh { port: Port::fixed(2222), ..Ssh::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ from = \"198.51.100.0/24\" }"
)]
pub struct Ssh {
    /// The port of the SSH server.
    pub port: Port,
    /// Where operators come from.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
}

impl Default for Ssh {
    fn default() -> Self {
        Self { port: Port::fixed(22), from: vec![Source::Any] }
    }
}

/// A port that stays open for a program that the plot does not know.
///
/// ```
/// use stageplot_topology::{Keep, Port};
///
/// let exporter = Keep {
///     from: vec!["10.0.0.0/24".parse()?],
///     why: "node exporter".to_owned(),
///     ..Keep::new(Port::fixed(9100))
/// };
/// # Ok::<(), stageplot_topology::InvalidSource>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "{ port = 9100, from = \"10.0.0.0/24\", why = \"node exporter\" }"
)]
pub struct Keep {
    /// The port, or a range.
    pub port: PortRange,
    /// Its protocol.
    #[serde(default = "tcp")]
    pub protocol: Protocol,
    /// Who may reach it.
    #[serde(default = "anybody", deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// What it is for; written beside the rule.
    #[serde(default)]
    pub why: String,
}

impl Keep {
    /// A TCP port, or a range, that anybody may reach.
    pub fn new(port: impl Into<PortRange>) -> Self {
        Self { port: port.into(), protocol: tcp(), from: anybody(), why: String::new() }
    }
}

fn tcp() -> Protocol {
    Protocol::Tcp
}

fn anybody() -> Vec<Source> {
    vec![Source::Any]
}
