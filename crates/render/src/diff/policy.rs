//! The reviewer's own rules: what a change may not do.
//!
//! ```
//! use stageplot_render::diff::policy::{Broken, Policy, Rule};
//! use stageplot_render::diff::{self, Side};
//! # use stageplot_render::{Custom, Secrets, render};
//! # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
//! # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
//! #     let topology = Plot::new("live".parse()?)
//! #         .service("cache", redis)
//! #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
//! #         .build()?
//! #         .topology;
//! #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
//! # };
//! # let before = side(Redis::default())?;
//! # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
//! let policy = Policy::new([
//!     ("data".to_owned(), Rule::no_data_at_stake()),
//!     ("rooms".to_owned(), Rule::no_dropped_rooms()),
//!     ("internet".to_owned(), Rule::no_opening_to_internet()),
//! ]);
//! let broken = policy.judge(&diff::between(&before, &after));
//! for Broken { rule, by, .. } in &broken {
//!     println!("{rule} is broken: {}", by.join("; "));
//! }
//! let rules: Vec<_> = broken.iter().map(|broken| broken.rule.as_str()).collect();
//! assert_eq!(rules, ["data", "rooms"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use serde::Serialize;
use stageplot_topology::words::listed;

use super::report::Known;
use super::{Diff, Effect, FileDiff, FlowChange, NodeDiff, SecretStatus, ShutOut, Status, words};

mod pattern;
mod read;
mod rule;
mod wide;

pub use pattern::Pattern;
pub use rule::{DeniedFile, DeniedFlow, DeniedImpact, DeniedSecret, Deny, Place, Rule, Who};

/// Rules for a diff, by name.
///
/// ```
/// use stageplot_render::diff::policy::Policy;
/// use stageplot_render::diff::{self, Side};
/// use stageplot_render::{Custom, Secrets, render};
/// use stageplot_topology::{Document, Format, NodeSpec, Persistence, Plot, Redis};
///
/// let policy = Policy::read(&Document::parse(Format::Toml, "policy.toml", r#"
///     [rules.data]
///     kind = "impact"
///     at-least = "data-at-stake"
///     why = "ask the one who has the backups"
/// "#)?)?;
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// let before = side(Redis::default())?;
/// let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// let broken = policy.judge(&diff::between(&before, &after));
/// assert_eq!(broken[0].rule, "data");
/// assert!(policy.judge(&diff::between(&before, &before)).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// What is denied, by the rule's name.
    pub rules: BTreeMap<String, Rule>,
}

/// A rule that a diff breaks.
///
/// See [`Policy`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Broken {
    /// The rule's name.
    pub rule: String,
    /// The reviewer's reason for it; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What breaks it, each in words; never empty.
    pub by: Vec<String>,
}

impl Policy {
    /// A policy of these rules.
    pub fn new(rules: impl IntoIterator<Item = (String, Rule)>) -> Self {
        Self { rules: rules.into_iter().collect() }
    }

    /// The rules that a diff breaks, by name.
    pub fn judge(&self, diff: &Diff) -> Vec<Broken> {
        let judged = self.rules.iter().map(|(name, rule)| Broken {
            rule: name.clone(),
            why: rule.why.clone(),
            by: rule.deny.broken_by(diff),
        });
        judged.filter(|broken| !broken.by.is_empty()).collect()
    }

    /// What rules name that neither side has, and so can break none of them, each in a
    /// sentence: `rule media names nodes that neither side has: medai-*`.
    ///
    /// ```
    /// use stageplot_render::diff::policy::{Deny, Pattern, Place, Policy, Rule};
    /// use stageplot_render::diff::{self, Side};
    /// # use stageplot_render::{Custom, Secrets, render};
    /// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
    /// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
    /// #     let topology = Plot::new("live".parse()?)
    /// #         .service("cache", redis)
    /// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #         .build()?
    /// #         .topology;
    /// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
    /// # };
    /// # let before = side(Redis::default())?;
    /// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
    /// let mut place = Place::default();
    /// place.nodes.push(Pattern::new("fornt"));
    /// let policy = Policy::new([("front".to_owned(), Rule::new(Deny::Rooms(place)))]);
    /// let unmatched = policy.unmatched(&diff::between(&before, &after));
    /// assert_eq!(unmatched, ["rule front names nodes that neither side has: fornt"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unmatched(&self, diff: &Diff) -> Vec<String> {
        let nodes: Vec<_> = diff.known.nodes.iter().collect();
        let services: Vec<_> = diff.known.services.keys().collect();
        let kinds: Vec<_> = diff.known.services.values().flatten().collect();
        let of_rule = |(name, rule): (&String, &Rule)| {
            let place = rule.deny.place().cloned().unwrap_or_default();
            let from = rule.deny.from();
            let from_services = from.iter().filter_map(|who| match who {
                Who::Service(pattern) => Some(pattern),
                _ => None,
            });
            let from_services: Vec<_> = from_services.cloned().collect();
            let named = [
                ("nodes", &place.nodes, &nodes),
                ("services", &place.services, &services),
                ("services in from", &from_services, &services),
                ("kinds", &place.kinds, &kinds),
            ];
            let unmatched = named.into_iter().filter_map(|(what, patterns, known)| {
                let lost = patterns.iter().filter(|pattern| !known.iter().any(|name| pattern.matches(name)));
                let lost: Vec<_> = lost.map(ToString::to_string).collect();
                (!lost.is_empty())
                    .then(|| format!("rule {name} names {what} that neither side has: {}", listed(&lost)))
            });
            unmatched.collect::<Vec<_>>()
        };
        self.rules.iter().flat_map(of_rule).collect()
    }
}

impl Deny {
    /// Where it holds; none where it is about no place.
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Opening(rule) | Self::Closing(rule) => Some(&rule.place),
            Self::Impact(rule) => Some(&rule.place),
            Self::Rooms(place) => Some(place),
            Self::File(rule) => Some(&rule.place),
            Self::Secret(_) => None,
        }
    }

    /// Who is denied; nobody by name where it is about no flows.
    fn from(&self) -> &[Who] {
        match self {
            Self::Opening(rule) | Self::Closing(rule) => &rule.from,
            Self::Impact(_) | Self::Rooms(_) | Self::File(_) | Self::Secret(_) => &[],
        }
    }

    /// What of a diff is denied, in words.
    fn broken_by(&self, diff: &Diff) -> Vec<String> {
        match self {
            Self::Opening(rule) => {
                rule.of(&diff.opened, &diff.known).into_iter().map(FlowChange::opens).collect()
            }
            Self::Closing(rule) => {
                rule.of(&diff.closed, &diff.known).into_iter().map(FlowChange::closes).collect()
            }
            Self::Impact(rule) => {
                let denied = |effect: &Effect| effect.impact >= rule.at_least;
                effects(diff, &rule.place, denied, |effect| {
                    format!("{}: {}", effect.impact.in_words(), told(effect))
                })
            }
            Self::Rooms(place) => {
                let denied = |effect: &Effect| effect.drops_rooms;
                let mut broken = effects(diff, place, denied, |it| format!("may drop rooms: {}", it.text));
                let is_here = |it: &&ShutOut| {
                    it.nodes.iter().any(|node| place.covers(Some(node), Some(&it.service), &diff.known))
                };
                broken.extend(diff.shut_out.iter().filter(is_here).map(ToString::to_string));
                broken
            }
            Self::File(rule) => {
                let of = |nodes: &[NodeDiff]| {
                    let files = nodes.iter().flat_map(|node| node.files.iter().map(move |it| (node, it)));
                    let broken = files.filter_map(|(node, it)| rule.broken_by(Some(node), it, &diff.known));
                    broken.collect::<Vec<_>>()
                };
                let could_be = diff.untold.iter().filter(|_| was_told(diff));
                let untold = could_be.flat_map(|untold| of(&untold.nodes)).map(untold);
                let overview = diff.overview.iter();
                let overview = overview.filter_map(|file| rule.broken_by(None, file, &diff.known));
                of(&diff.nodes).into_iter().chain(untold).chain(overview).collect()
            }
            Self::Secret(rule) => {
                let denied = diff.secrets.iter().filter(|secret| rule.covers(&secret.name));
                denied.map(|secret| format!("{} {}", secret.name, secret.status.in_words())).collect()
            }
        }
    }
}

/// What happens, and the worst reason for it.
fn told(effect: &Effect) -> String {
    match effect.reasons.first() {
        Some(reason) => format!("{} ({})", effect.text, reason.text),
        None => effect.text.clone(),
    }
}

/// Whether there is a secret of which it could be told until now whether it changes. That
/// of others it cannot is as it was: a first seal takes nothing from the reviewer.
fn was_told(diff: &Diff) -> bool {
    let mut secrets = diff.untold_secrets();
    secrets.any(|secret| secret.status != SecretStatus::Sealed)
}

/// What is denied, and would happen if a secret had changed of which nobody can tell it.
fn untold(denied: String) -> String {
    format!("{denied}; that is if a secret changed, which cannot be told")
}

/// The denied effects of a place, in words.
fn effects(
    diff: &Diff,
    place: &Place,
    denied: impl Fn(&Effect) -> bool,
    words: impl Fn(&Effect) -> String,
) -> Vec<String> {
    let is_denied = |(node, effect): &(&NodeDiff, &Effect)| {
        denied(effect) && place.covers(Some(&node.name), effect.service.as_deref(), &diff.known)
    };
    let in_words = |(node, effect): (&NodeDiff, &Effect)| {
        let subject = effect.service.as_deref().unwrap_or("the machine");
        format!("{subject} on {}: {}", node.name, words(effect))
    };
    let could_be = diff.untold_effects().filter(|_| was_told(diff));
    let untold = could_be.filter(is_denied).map(in_words).map(untold);
    diff.effects().filter(is_denied).map(in_words).chain(untold).collect()
}

impl Place {
    /// Whether it is about this node and service; what has none of either is covered
    /// where the rule names none.
    fn covers(&self, node: Option<&str>, service: Option<&str>, known: &Known) -> bool {
        let among = |patterns: &[Pattern], name: Option<&str>| {
            patterns.is_empty() || name.is_some_and(|name| patterns.iter().any(|it| it.matches(name)))
        };
        let kinds = service.and_then(|service| known.services.get(service));
        let is_of_kind = self.kinds.is_empty()
            || kinds.is_some_and(|kinds| kinds.iter().any(|kind| among(&self.kinds, Some(kind))));
        among(&self.nodes, node) && among(&self.services, service) && is_of_kind
    }
}

impl DeniedFlow {
    /// The flows that are denied.
    fn of<'f>(&self, flows: &'f [FlowChange], known: &Known) -> Vec<&'f FlowChange> {
        let is_here = |flow: &FlowChange| {
            flow.nodes.iter().any(|node| self.place.covers(Some(node), flow.service.as_deref(), known))
        };
        let flows = flows.iter().filter(|flow| is_here(flow)).collect();
        if self.from.is_empty() {
            return flows;
        }
        let internet = self.from.contains(&Who::Internet).then(|| wide::from_internet(&flows));
        let is_from = |flow: &FlowChange| {
            let is_internet = internet.as_ref().is_some_and(|internet| internet.contains(flow));
            is_internet || self.from.iter().any(|from| from.is(&flow.from))
        };
        flows.into_iter().filter(|flow| is_from(flow)).collect()
    }
}

impl DeniedSecret {
    fn covers(&self, name: &str) -> bool {
        self.secrets.is_empty() || self.secrets.iter().any(|pattern| pattern.matches(name))
    }
}

impl DeniedFile {
    /// What is denied of a file, in words.
    fn broken_by(&self, node: Option<&NodeDiff>, file: &FileDiff, known: &Known) -> Option<String> {
        let node = node.map(|node| node.name.as_str());
        let is_ours = self.place.covers(node, file.service.as_deref(), known)
            && (self.files.is_empty() || self.files.iter().any(|pattern| pattern.matches(&file.path)));
        if !is_ours {
            return None;
        }
        let at = node.map_or_else(|| file.path.clone(), |node| format!("{} on {node}", file.path));
        let denied = file.about.iter().chain(&file.fields).filter(|field| {
            self.fields.is_empty() || self.fields.iter().any(|pattern| pattern.matches(&field.path))
        });
        let denied: Vec<_> = denied.collect();
        match file.status {
            Status::Added => Some(format!("{at} is new")),
            Status::Removed => Some(format!("{at} is gone")),
            _ if !denied.is_empty() => Some(format!("{at}: {}", words::fields_in_words(&denied, ""))),
            // A file without fields may hold any.
            _ if self.fields.is_empty() || !file.lines.is_empty() => Some(format!("{at} differs")),
            _ => None,
        }
    }
}
