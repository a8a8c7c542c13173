//! One rule of a policy.

use serde::Deserialize;
use stageplot_topology::decode::{self, FromScalar};

use super::Pattern;
use crate::diff::Impact;
use crate::summary::Party;

/// A rule: what is denied, and why.
///
/// ```
/// use stageplot_render::diff::Impact;
/// use stageplot_render::diff::policy::{DeniedImpact, Deny, Pattern, Rule};
///
/// let mut denied = DeniedImpact::new(Impact::Drain);
/// denied.place.nodes.push(Pattern::new("media-*"));
/// let mut rule = Rule::new(Deny::Impact(denied));
/// rule.why = "ask who is on the air".to_owned();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The reviewer's reason, shown where the rule is broken.
    pub why: String,
    /// What is denied.
    pub deny: Deny,
}

/// What a rule denies.
///
/// See [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deny {
    /// That a flow opens.
    Opening(DeniedFlow),
    /// That a flow closes.
    Closing(DeniedFlow),
    /// An impact, and all that are worse.
    Impact(DeniedImpact),
    /// That people in a room may be thrown out, or can no longer join one.
    Rooms(Place),
    /// That a file changes, or fields of it.
    File(DeniedFile),
    /// That a secret changes, or that it cannot be told whether it does.
    Secret(DeniedSecret),
}

/// Where a rule holds; everywhere, unless it names nodes, services or kinds.
///
/// ```
/// use stageplot_render::diff::policy::{Deny, Pattern, Place, Rule};
///
/// let mut place = Place::default();
/// place.kinds.push(Pattern::new("livekit"));
/// place.nodes.extend(["media-1", "media-2"].map(Pattern::new));
/// let rule = Rule::new(Deny::Rooms(place));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The nodes.
    pub nodes: Vec<Pattern>,
    /// The services; where there are some, the rule is not about the machine itself.
    pub services: Vec<Pattern>,
    /// The kinds of services, `redis`; the same holds.
    pub kinds: Vec<Pattern>,
}

/// Flows that a rule denies.
///
/// ```
/// use stageplot_render::diff::policy::{DeniedFlow, Deny, Pattern, Rule, Who};
///
/// let mut denied = DeniedFlow::default();
/// denied.from.extend([Who::Internet, Who::Network(Pattern::new("guests"))]);
/// denied.place.kinds.push(Pattern::new("redis"));
/// let rule = Rule::new(Deny::Opening(denied));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeniedFlow {
    /// Who connects; anybody and anything where there is none.
    pub from: Vec<Who>,
    /// What is connected to.
    pub place: Place,
}

/// An impact that a rule denies.
///
/// See [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeniedImpact {
    /// The mildest that is denied.
    pub at_least: Impact,
    /// Where.
    pub place: Place,
}

/// Changes of files that a rule denies.
///
/// ```
/// use stageplot_render::diff::policy::{DeniedFile, Deny, Pattern, Rule};
///
/// let mut denied = DeniedFile::default();
/// denied.files.push(Pattern::new("services/*/livekit.yaml"));
/// denied.fields.push(Pattern::new("keys.*"));
/// let rule = Rule::new(Deny::File(denied));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeniedFile {
    /// The files, by their paths in the bundle; all where there is none.
    pub files: Vec<Pattern>,
    /// The fields; any change where there is none. A file that is new or gone, or has
    /// lines and no fields, counts as if all of its fields changed.
    pub fields: Vec<Pattern>,
    /// Where.
    pub place: Place,
}

/// Changes of secrets that a rule denies.
///
/// ```
/// use stageplot_render::diff::policy::{DeniedSecret, Deny, Pattern, Rule};
///
/// let mut denied = DeniedSecret::default();
/// denied.secrets.push(Pattern::new("REDIS_*"));
/// let rule = Rule::new(Deny::Secret(denied));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeniedSecret {
    /// The secrets, by their names; all where there is none.
    pub secrets: Vec<Pattern>,
}

/// Who connects.
///
/// See [`DeniedFlow`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// Anybody: also whoever connects from more than a few addresses of the Internet.
    Internet,
    /// A network of the plot by its name, or networks of addresses, as `10.0.0.0/8`.
    Network(Pattern),
    /// A service of the plot by its name.
    Service(Pattern),
}

impl Rule {
    /// A rule without a reason.
    pub fn new(deny: Deny) -> Self {
        Self { why: String::new(), deny }
    }

    /// Denies that a flow from the Internet opens.
    pub fn no_opening_to_internet() -> Self {
        let deny = DeniedFlow { from: vec![Who::Internet], ..DeniedFlow::default() };
        Self::new(Deny::Opening(deny))
    }

    /// Denies that data is at stake.
    pub fn no_data_at_stake() -> Self {
        Self::new(Deny::Impact(DeniedImpact::new(Impact::DataAtStake)))
    }

    /// Denies that people in a room may be thrown out, or can no longer join one.
    pub fn no_dropped_rooms() -> Self {
        Self::new(Deny::Rooms(Place::default()))
    }
}

impl DeniedImpact {
    /// Everywhere.
    pub fn new(at_least: Impact) -> Self {
        Self { at_least, place: Place::default() }
    }
}

impl Who {
    /// Whether a party is meant; of many networks together, [`wide`](super::wide) tells it.
    pub(super) fn is(&self, party: &Party) -> bool {
        match (self, party) {
            (Self::Internet, Party::Internet) => true,
            (Self::Network(pattern), Party::Network { name, .. }) => pattern.matches(name),
            (Self::Network(pattern), Party::Nets(nets)) => nets.iter().any(|net| pattern.matches(net)),
            (Self::Service(pattern), Party::Service(name)) => pattern.matches(name),
            _ => false,
        }
    }
}

impl FromScalar for Who {
    const EXPECTED: &'static str =
        "\"internet\", \"network NAME\" or \"service NAME\", with * for any part of a name";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            // What a plot writes for it is `any`.
            None if matches!(text, "internet" | "any") => Ok(Self::Internet),
            Some(("network", name)) => Pattern::from_text(name).map(Self::Network),
            Some(("service", name)) => Pattern::from_text(name).map(Self::Service),
            _ => Err("nobody connects under this name".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar(deserializer)
    }
}
