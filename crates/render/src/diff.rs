//! What changes between two renderings, field by field, and what that does to what
//! runs: to machines, to services, to the people in a room.
//!
//! Both sides are sealed: a diff needs no secret and holds none. Comments, order
//! and format are no difference where they mean nothing.
//!
//! ```
//! use stageplot_render::diff::{self, Impact, Side};
//! use stageplot_render::{Custom, Secrets, render};
//! use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
//!
//! let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
//!     let topology = Plot::new("live".parse()?)
//!         .service("cache", redis)
//!         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
//!         .build()?
//!         .topology;
//!     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
//! };
//! let before = side(Redis::default())?;
//! let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
//!
//! let diff = diff::between(&before, &after);
//! assert_eq!(diff.impact, Impact::DataAtStake);
//! assert!(diff::between(&before, &before).is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use stageplot_topology::words::natural;

mod comment;
mod contents;
mod data;
mod effects;
mod files;
mod flows;
mod format;
mod impact;
mod names;
mod people;
mod placement;
pub mod policy;
mod records;
mod report;
mod rooms;
mod secret;
mod sequence;
mod services;
mod shut_out;
mod side;
mod value;
mod words;

pub use comment::{Comment, GITHUB_LIMIT, GITLAB_LIMIT, marker};
pub use impact::{Effect, Impact, Reason};
pub use people::People;
pub use records::{Record, RecordChanges};
pub use report::{
    Diff, FieldChange, FileDiff, FlowChange, LineChange, Move, NewFinding, NodeDiff, ServiceDiff, Status,
    Which,
};
pub use secret::{SecretDiff, SecretStatus, Untold};
pub use shut_out::ShutOut;
pub use side::{Side, SideError};

use contents::Contents;
use files::Files;
use names::Names;
use placement::{COMPOSE, Compose, Here, Placement};
use report::Known;
use secret::Secrets;

/// Compares two sides.
///
/// Takes time in proportion to the files, and to the size of those that differ; no
/// pair of machines is ever looked at.
///
/// ```
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
/// let diff = diff::between(&before, &after);
/// for node in &diff.nodes {
///     for file in &node.files {
///         for field in &file.fields {
///             println!("{}: {} was {:?} and is {:?}", file.path, field.path, field.before, field.after);
///         }
///     }
/// }
/// assert_eq!(diff.nodes[0].name, "front");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn between(before: &Side, after: &Side) -> Diff {
    let names = Names::find(before, after);
    let secrets = Secrets::compare(before, after);
    let (opened, closed) = flows::compare(before, after, &names);
    let mut diff = Diff {
        name: after.summary().name.clone(),
        stack: stack(before, after),
        nodes: nodes(before, after, &names, &secrets),
        services: services::compare(before, after, &names),
        opened,
        closed,
        overview: overview(before, after),
        records: records::compare(before, after),
        known: Known::of([before.summary(), after.summary()]),
        ..Diff::default()
    };
    diff.shut_out = shut_out::find(&diff.closed, after.summary());
    let worst = diff.nodes.iter().map(|node| node.impact).max().unwrap_or_default();
    diff.impact = if diff.is_empty() { Impact::None } else { worst.max(Impact::Live) };
    // What is found does nothing by itself.
    diff.findings = findings(before, after);
    if secrets.are_untold() {
        let had_changed = nodes(before, after, &names, &Secrets::default());
        diff.untold = Some(Untold::beside(&diff.nodes, had_changed));
    }
    // What is told of a secret does nothing by itself; what reads it is among the files.
    diff.secrets = secrets.differ;
    sort(&mut diff);
    diff.rooms = rooms::sentences(&diff.nodes, &diff.services, after.summary());
    diff
}

/// Puts machines into the order in which people look for them.
fn sort(diff: &mut Diff) {
    let untold = diff.untold.iter_mut().map(|untold| &mut untold.nodes);
    for nodes in untold.chain([&mut diff.nodes]) {
        nodes.sort_by(|a, b| natural(&a.name, &b.name));
    }
    let flows = diff.opened.iter_mut().chain(&mut diff.closed);
    let of_flows = flows.flat_map(|flow| [&mut flow.nodes, &mut flow.from_nodes]);
    let of_services = diff.services.iter_mut().flat_map(|service| [&mut service.to, &mut service.from]);
    let shut_out = diff.shut_out.iter_mut().map(|it| &mut it.nodes);
    for names in of_flows.chain(of_services).chain(shut_out) {
        names.sort_by(|a, b| natural(a, b));
    }
}

/// What is found in the second plot and was not in the first.
fn findings(before: &Side, after: &Side) -> Vec<NewFinding> {
    let (Some(old), Some(new)) = (&before.findings, &after.findings) else { return Vec::new() };
    new.iter().filter(|finding| !old.contains(finding)).cloned().collect()
}

/// The stack's own fields.
fn stack(before: &Side, after: &Side) -> Vec<FieldChange> {
    let (before, after) = (before.summary(), after.summary());
    let fields = [("directory", &before.directory, &after.directory), ("name", &before.name, &after.name)];
    let differ = fields.into_iter().filter(|(_, before, after)| before != after);
    differ
        .map(|(name, before, after)| FieldChange::new(name, Some(before.clone()), Some(after.clone())))
        .collect()
}

/// The files about the whole.
fn overview(before: &Side, after: &Side) -> Vec<FileDiff> {
    let paths: BTreeSet<_> = before.overview.keys().chain(after.overview.keys()).collect();
    let compare = |path: &String| {
        let (old, new) = (before.overview.get(path), after.overview.get(path));
        let (before, after) = (old.and_then(side::File::bytes), new.and_then(side::File::bytes));
        let (status, contents) = match (before, after) {
            (Some(before), Some(after)) => (Status::Changed, Contents::compare(path, before, after)),
            (Some(_), None) => (Status::Removed, Contents::other()),
            (None, Some(_)) => (Status::Added, Contents::other()),
            (None, None) => return None,
        };
        let contents = Some(contents).filter(|contents| contents.differ)?;
        Some(FileDiff { edited: side::edited(old, new), ..FileDiff::new(path, status, contents) })
    };
    paths.into_iter().filter_map(compare).collect()
}

/// All machines that differ.
fn nodes(before: &Side, after: &Side, names: &Names, secrets: &Secrets) -> Vec<NodeDiff> {
    let without = (&*secrets.before(), &*secrets.after());
    let old: BTreeMap<&str, &str> = before.nodes().map(|name| (names.node(name), name)).collect();
    let all: BTreeSet<&str> = old.keys().copied().chain(after.nodes()).collect();
    let (old_services, new_services) = (placed(before), placed(after));
    let pair = |name: &&str| {
        let was = old.get(name).copied();
        let is = after.nodes.contains_key(*name).then_some(*name);
        let (old_services, new_services) =
            (was.and_then(|was| old_services.get(was)), is.and_then(|is| new_services.get(is)));
        Machine { before, after, names, without, was, is }.compare(old_services, new_services)
    };
    all.iter().filter_map(pair).collect()
}

/// The services of each machine.
fn placed(side: &Side) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut placed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, service) in &side.summary().services {
        for node in &service.nodes {
            placed.entry(node).or_default().insert(name);
        }
    }
    placed
}

/// A machine on both sides.
struct Machine<'a> {
    before: &'a Side,
    after: &'a Side,
    names: &'a Names,
    /// The seals of each side that are left out of account.
    without: (&'a [String], &'a [String]),
    /// What it is called on each side, where it is there.
    was: Option<&'a str>,
    is: Option<&'a str>,
}

impl<'a> Machine<'a> {
    fn compare(
        &self,
        old_services: Option<&BTreeSet<&'a str>>,
        new_services: Option<&BTreeSet<&'a str>>,
    ) -> Option<NodeDiff> {
        let old = self.was.and_then(|was| self.before.nodes.get(was));
        let new = self.is.and_then(|is| self.after.nodes.get(is));
        if let (Some(old), Some(new)) = (old, new)
            && self.was == self.is
            && old.is_like(new)
        {
            return None;
        }
        // A service by its name on the second side.
        let called =
            |name: &str| Some(self.names.service(name)).filter(|new| *new != name).map(str::to_owned);
        let old = old.map(|node| Files::of(node, self.without.0, called)).unwrap_or_default();
        let new = new.map(|node| Files::of(node, self.without.1, |_| None)).unwrap_or_default();
        let files = old.compare(&new);
        let effects = self.effects((&old, old_services), (&new, new_services), &files);
        let status = match (self.was, self.is) {
            (None, _) => Status::Added,
            (_, None) => Status::Removed,
            (was, is) if was != is => Status::Renamed,
            _ if files.is_empty() => return None,
            _ => Status::Changed,
        };
        Some(NodeDiff {
            name: self.is.or(self.was)?.to_owned(),
            was: self.was.filter(|_| status == Status::Renamed).map(str::to_owned),
            status,
            impact: effects.first().map_or(Impact::None, |effect| effect.impact),
            effects,
            files,
        })
    }

    /// What happens to the machine and its services, the worst first.
    fn effects(&self, old: OnMachine<'_, 'a>, new: OnMachine<'_, 'a>, files: &[FileDiff]) -> Vec<Effect> {
        let ((old_files, old_services), (new_files, new_services)) = (old, new);
        let (old_compose, new_compose) = (compose(old_files), compose(new_files));
        let mut services: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
        for name in old_services.into_iter().flatten() {
            services.entry(self.names.service(name)).or_default().0 = Some(name);
        }
        for name in new_services.into_iter().flatten() {
            services.entry(name).or_default().1 = Some(name);
        }
        let of_service = |(name, (was, is)): (&str, (Option<&str>, Option<&str>))| {
            let before = was.zip(self.was);
            let after = is.zip(self.is);
            let placement = Placement {
                name,
                before: before.and_then(|(name, node)| Here::new(self.before, name, node, &old_compose)),
                after: after.and_then(|(name, node)| Here::new(self.after, name, node, &new_compose)),
                files,
                names: self.names,
                machine_is_gone: self.is.is_none(),
                elsewhere_before: self.before.summary().services.get(name),
            };
            let caddyfile = old_files.bytes(&format!("live/{name}/Caddyfile"));
            effects::of_service(&placement, caddyfile.as_deref().and_then(streams_stay))
        };
        let mut effects: Vec<_> = services.into_iter().filter_map(of_service).collect();
        if self.was.is_some() && self.is.is_some() {
            effects.extend(effects::of_machine(files));
        }
        effects.sort_by_key(|effect| std::cmp::Reverse(effect.impact));
        effects
    }
}

/// The files of a machine, and its services.
type OnMachine<'f, 'a> = (&'f Files<'a>, Option<&'f BTreeSet<&'a str>>);

/// What a machine's `compose.yaml` says.
fn compose(files: &Files<'_>) -> Compose {
    let read = || {
        let bytes = files.bytes(COMPOSE)?;
        serde_saphyr::from_str::<Json>(std::str::from_utf8(&bytes).ok()?).ok()
    };
    match read() {
        Some(compose) => Compose::Read(compose),
        None if files.names(COMPOSE) => Compose::Lost,
        None => Compose::None,
    }
}

/// How long a Caddy with this configuration keeps streams when it reads another one.
fn streams_stay(caddyfile: &[u8]) -> Option<&str> {
    let mut words = std::str::from_utf8(caddyfile).ok()?.split_whitespace();
    words.find(|word| *word == "stream_close_delay")?;
    words.next()
}
