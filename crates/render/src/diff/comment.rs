//! A diff as a comment on a pull request or a merge request.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use stageplot_topology::words::listed;

use super::policy::Broken;
use super::report::in_order;
use super::{Diff, FieldChange, FlowChange, Impact, People, ServiceDiff, Status};

mod details;
mod markdown;
mod marker;
mod page;
#[cfg(test)]
mod tests;

use markdown::{code, sentence, short};

pub use marker::marker;
use page::Page;

/// The longest comment that GitHub takes, in characters.
///
/// See [`Comment`].
pub const GITHUB_LIMIT: usize = 65_536;

/// The longest comment that GitLab takes, in characters.
///
/// See [`Comment`].
pub const GITLAB_LIMIT: usize = 1_000_000;

/// A diff as a comment on a pull request or a merge request, in Markdown: first what a
/// reviewer has to know, then, folded, the details.
///
/// No name and no value of the plot can act in it: not as Markdown, HTML, a mention, a
/// reference or a link. It has at most so many bytes as it was told; what does not fit
/// is left out from its end, and it says so.
///
/// ```
/// use stageplot_render::diff::{self, Comment, GITHUB_LIMIT, GITLAB_LIMIT, Side};
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
///
/// let diff = diff::between(&before, &after);
/// let comment = Comment::new(&diff).plot("stageplot.toml").sides("main", "HEAD").limit(GITHUB_LIMIT);
/// let comment = comment.to_string();
/// // A marker comes first, by which a job finds it again.
/// assert!(comment.contains("\n## Stageplot live: data at stake\n"));
/// let longer = Comment::new(&diff).limit(GITLAB_LIMIT);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    diff: &'a Diff,
    plot: Option<&'a str>,
    sides: Option<(&'a str, &'a str)>,
    broken: Option<&'a [Broken]>,
    unmatched: &'a [String],
    summary: bool,
    limit: usize,
}

impl<'a> Comment<'a> {
    /// The smallest limit that is heeded.
    pub const MIN_LIMIT: usize = 6_000;

    /// A comment that GitHub takes.
    pub fn new(diff: &'a Diff) -> Self {
        Self {
            diff,
            plot: None,
            sides: None,
            broken: None,
            unmatched: &[],
            summary: false,
            limit: GITHUB_LIMIT,
        }
    }

    /// The same, that begins with its [`marker`], so that a job finds it again: the comment
    /// on the plot at this path.
    #[must_use]
    pub fn plot(mut self, path: &'a str) -> Self {
        self.plot = Some(path);
        self
    }

    /// The same, with what the two sides are called, such as revisions.
    #[must_use]
    pub fn sides(mut self, before: &'a str, after: &'a str) -> Self {
        self.sides = Some((before, after));
        self
    }

    /// The same, with the rules of a policy that the diff breaks; that it breaks none is
    /// said as well.
    #[must_use]
    pub fn broken(mut self, broken: &'a [Broken]) -> Self {
        self.broken = Some(broken);
        self
    }

    /// The same, with what [`Policy::unmatched`](super::policy::Policy::unmatched) says.
    #[must_use]
    pub fn unmatched(mut self, unmatched: &'a [String]) -> Self {
        self.unmatched = unmatched;
        self
    }

    /// The same without what is folded, or with it.
    ///
    /// ```
    /// use stageplot_render::diff::policy::{Policy, Rule};
    /// use stageplot_render::diff::{self, Comment, GITLAB_LIMIT, Side};
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
    /// let policy = Policy::new([("data".to_owned(), Rule::no_data_at_stake())]);
    /// let diff = diff::between(&before, &after);
    /// let (broken, unmatched) = (policy.judge(&diff), policy.unmatched(&diff));
    /// let comment = Comment::new(&diff).limit(GITLAB_LIMIT).broken(&broken).unmatched(&unmatched);
    /// let (whole, short) = (comment.to_string(), comment.summary(true).to_string());
    /// assert!(whole.contains("<details>") && !short.contains("<details>"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn summary(mut self, alone: bool) -> Self {
        self.summary = alone;
        self
    }

    /// The same, of at most so many bytes, and [`Comment::MIN_LIMIT`] at least.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes.max(Self::MIN_LIMIT);
        self
    }

    fn page(&self) -> Page {
        let mut page = Page::new(self.limit);
        if let Some(path) = self.plot {
            page.always(&(marker(&self.diff.name, path) + "\n"));
        }
        let stack = match self.diff.name.as_str() {
            "" => String::new(),
            stack => format!(" {}", name(stack)),
        };
        page.always(&format!("## Stageplot{stack}: {}\n", heading(self.diff, self.broken)));
        if let Some((before, after)) = self.sides {
            page.always(&format!(
                "\nFrom {} to {}.\n",
                code(&short(before, SHORT)),
                code(&short(after, SHORT))
            ));
        }
        if let Some(broken) = self.broken {
            policy(&mut page, broken);
        }
        let unmatched = self.unmatched.iter().map(|text| format!("- {}\n", sentence(&short(text, LONGEST))));
        page.list("\n**Rules that name nothing**\n\n", unmatched.collect());
        if self.diff.is_empty() {
            return page;
        }
        title(&mut page, self.diff);
        untold(&mut page, self.diff);
        secrets(&mut page, self.diff);
        people(&mut page, self.diff);
        records(&mut page, self.diff);
        flows(&mut page, self.diff);
        findings(&mut page, self.diff);
        machines(&mut page, self.diff);
        services(&mut page, self.diff);
        if !self.summary {
            details::reasons(&mut page, self.diff);
            details::files(&mut page, self.diff);
        }
        page
    }
}

impl std::fmt::Display for Comment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.page().finish())
    }
}

/// The one thing to know.
fn heading(diff: &Diff, broken: Option<&[Broken]>) -> String {
    let worst = match (diff.impact, &diff.untold) {
        _ if diff.is_empty() => "nothing changes".to_owned(),
        (Impact::None, None) => "nothing happens".to_owned(),
        (Impact::None, Some(_)) => "what happens cannot be told".to_owned(),
        (impact, None) => impact.in_words().to_owned(),
        (impact, Some(_)) => format!("{}, and more that cannot be told", impact.in_words()),
    };
    match broken {
        Some([_]) => format!("{worst}, 1 rule is broken"),
        Some([_, _, ..]) => format!("{worst}, {} rules are broken", broken.map_or(0, <[_]>::len)),
        _ => worst,
    }
}

/// How much changes, and where the worst of it.
fn title(page: &mut Page, diff: &Diff) {
    let nodes = match diff.nodes.len() {
        0 if diff.untold.is_some() => return,
        0 => return page.always("\nNothing changes on any node.\n"),
        1 => "Changes on 1 node".to_owned(),
        count => format!("Changes on {count} nodes"),
    };
    let places = diff.worst(name);
    let exposed = match diff.exposed() {
        exposed if exposed.is_empty() => exposed,
        exposed => format!(" **{exposed}.**"),
    };
    page.always(&match places.is_empty() {
        true => format!("\n{nodes}.{exposed}\n"),
        false => format!("\n{nodes}, at worst **{}**: {places}.{exposed}\n", diff.impact.in_words()),
    });
}

/// What cannot be told, and what may happen for all that is known.
fn untold(page: &mut Page, diff: &Diff) {
    let Some(untold) = &diff.untold else { return };
    let secrets = diff.untold_secrets();
    let lines = secrets.map(|it| format!("- {} {}\n", name(&it.name), it.status.in_words()));
    page.list("\n**What cannot be told**\n\n", lines.collect());
    let places = diff.untold_worst(name);
    page.always(&match places.is_empty() {
        true => "\nNothing here reads them.\n".to_owned(),
        false => format!(
            "\nIf they changed, at worst **{}**: {places}. All else here is told as if they had not.\n",
            untold.impact.in_words()
        ),
    });
}

/// The rules that are broken, and what breaks them.
fn policy(page: &mut Page, broken: &[Broken]) {
    if broken.is_empty() {
        page.always("\nNo rule of the policy is broken.\n");
        return;
    }
    let lines = broken.iter().map(|broken| {
        let why = match broken.why.as_str() {
            "" => String::new(),
            why => format!(" ({})", sentence(&short(why, LONGEST))),
        };
        let mut line = format!("- {}{why}\n", name(&broken.rule));
        for by in broken.by.iter().take(FEW) {
            line.push_str(&format!("  - {}\n", sentence(&short(by, LONGEST))));
        }
        if let Some(more @ 1..) = broken.by.len().checked_sub(FEW) {
            line.push_str(&format!("  - and {more} more\n"));
        }
        line
    });
    page.list("\n**Rules that are broken**\n\n", lines.collect());
}

/// What people in a room will notice.
fn people(page: &mut Page, diff: &Diff) {
    let (people, untold) = (diff.people(), diff.untold_people());
    let is_calm = people.is_empty() && diff.rooms.is_empty() && diff.shut_out.is_empty();
    if is_calm && diff.untold.is_none() {
        page.always("\nNobody in a room is thrown out.\n");
        return;
    }
    let nobody = people.is_empty() && diff.untold.is_none();
    let nobody = nobody.then(|| "- nobody is thrown out\n".to_owned());
    let shut_out = diff.shut_out.iter().map(ToString::to_string);
    let sentences = shut_out.chain(diff.rooms.iter().cloned());
    let sentences = sentences.map(|text| format!("- {}\n", sentence(&short(&text, LONGEST))));
    let line =
        |it: &People<'_>| format!("{} on {}: {}\n", name(it.service), listed(&names(&it.nodes)), it.text);
    let lines = people.iter().map(|it| format!("- {}", line(it)));
    let untold = untold.iter().map(|it| format!("- if a secret changed: {}", line(it)));
    let lines = nobody.into_iter().chain(lines).chain(sentences).chain(untold);
    page.list("\n**People in rooms**\n\n", lines.collect());
}

/// DNS records to set and to remove.
fn records(page: &mut Page, diff: &Diff) {
    let set = diff.records.set.iter().map(|record| format!("+ {record}"));
    let remove = diff.records.remove.iter().map(|record| format!("- {record}"));
    page.code("\n**DNS: records to set (+) and to remove (-)**\n\n", set.chain(remove).collect());
    let warnings = diff.records.warnings().map(|text| format!("- {}\n", sentence(&short(&text, LONGEST))));
    page.list("\n", warnings.collect());
}

/// Secrets that changed.
fn secrets(page: &mut Page, diff: &Diff) {
    let changed: Vec<_> = diff.changed_secrets().map(name).collect();
    if !changed.is_empty() {
        page.always(&format!("\n**Secrets:** {} changed.\n", listed(&changed)));
    }
}

/// Flows that open and close.
fn flows(page: &mut Page, diff: &Diff) {
    let opened = diff.opened.iter().map(|flow| format!("+ {}", FlowChange::opens(flow)));
    let closed = diff.closings().map(|closes| format!("- {closes}"));
    page.code("\n**Flows that open (+) and close (-)**\n\n", opened.chain(closed).collect());
}

/// What is found in the plot, and was not before.
fn findings(page: &mut Page, diff: &Diff) {
    let findings = diff.findings.iter().map(|it| format!("- {}\n", sentence(&short(&it.to_string(), TOLD))));
    page.list("\n**New findings**\n\n", findings.collect());
}

/// What happens on machines, the worst first; what is the same on several, once.
fn machines(page: &mut Page, diff: &Diff) {
    let mut groups: BTreeMap<(Reverse<Impact>, String, String), Vec<&str>> = BTreeMap::new();
    for (node, effect) in diff.effects().filter(|(_, effect)| effect.impact > Impact::Live) {
        let data = effect.reasons.iter().filter(|reason| reason.impact == Impact::DataAtStake);
        let data = data.take(FEW).map(|reason| format!("  - {}\n", sentence(&short(&reason.text, LONGEST))));
        let text = sentence(&short(&effect.in_words(), LONGEST));
        let what = format!("{text}\n{}", data.collect::<String>());
        groups.entry((Reverse(effect.impact), effect.subject(name), what)).or_default().push(&node.name);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|((worst, ..), nodes), ((other, ..), others)| {
        worst.cmp(other).then_with(|| in_order(nodes, others))
    });
    let lines = groups.iter().map(|((Reverse(impact), subject, what), nodes)| {
        format!("- **{}**: {subject} on {}: {what}", impact.in_words(), listed(&names(nodes)))
    });
    let gone = diff.nodes.iter().filter(|node| node.status == Status::Removed);
    let gone = gone.map(|node| {
        format!("- {} is gone: what is there stays as it is until somebody takes it down\n", name(&node.name))
    });
    page.list("\n**What happens**\n\n", lines.chain(gone).collect());
}

/// Services that come, go and move, and the stack's own fields.
fn services(page: &mut Page, diff: &Diff) {
    let stack = diff.stack.iter().map(|field| format!("- the stack: {}\n", changed(field)));
    let services = diff.services.iter().map(|service| format!("- {}\n", service_line(service)));
    page.list("\n**Services**\n\n", stack.chain(services).collect());
}

fn service_line(service: &ServiceDiff) -> String {
    let called = name(&service.name);
    let mut parts = match (service.status, &service.was) {
        (Status::Added, _) => vec![format!("is new ({})", name(&service.kind))],
        (Status::Removed, _) => vec![format!("is gone ({})", name(&service.kind))],
        (Status::Renamed, Some(was)) => vec![format!("was called {}", name(was))],
        _ => Vec::new(),
    };
    let on = |nodes: &[String]| listed(&names(&nodes.iter().map(String::as_str).collect::<Vec<_>>()));
    if !service.to.is_empty() {
        parts.push(format!("comes to {}", on(&service.to)));
    }
    if !service.from.is_empty() && service.status != Status::Removed {
        parts.push(format!("leaves {}", on(&service.from)));
    }
    parts.extend(service.fields.iter().take(FEW).map(changed));
    format!("{called} {}", parts.join("; "))
}

fn changed(field: &FieldChange) -> String {
    let side = |value: &Option<String>| match value {
        Some(value) => markdown::name(&short(value, LONGEST)),
        None => "nothing".to_owned(),
    };
    format!("{} from {} to {}", name(&field.path), side(&field.before), side(&field.after))
}

/// A name as it stands everywhere.
fn name(name: &str) -> String {
    markdown::name(&short(name, SHORT))
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|it| name(it)).collect()
}

/// How many characters of a name are shown.
const SHORT: usize = 80;

/// How many characters of a value or a sentence are shown.
const LONGEST: usize = 500;

/// How many characters of a finding are shown.
const TOLD: usize = 400;

/// How many of one thing are listed in the summary.
const FEW: usize = 10;
