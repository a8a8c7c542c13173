//! Who runs LiveKit, and who runs Caddy.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::lists::{List, Lists};
use crate::dotenv::addresses::all;
use crate::dotenv::survey::Survey;
use crate::{Code, FieldPath, Name, Severity};

/// Which machines run what, by index.
pub(super) struct Places {
    pub(super) livekit: Vec<usize>,
    pub(super) edges: Vec<usize>,
    lists: Lists,
}

impl Places {
    /// Infers the places by the rules of the [module](super::super).
    pub(super) fn infer(survey: &mut Survey) -> Self {
        let lists = Lists::read(survey);
        compare_lists(survey, &lists);
        let livekit = livekit(survey, &lists);
        let edges = edges(survey, &lists, &livekit);
        Self { livekit, edges, lists }
    }

    pub(super) fn has_livekit(&self, machine: usize) -> bool {
        self.livekit.contains(&machine)
    }

    pub(super) fn has_edge(&self, machine: usize) -> bool {
        self.edges.contains(&machine)
    }

    /// Machines with an edge and no LiveKit.
    pub(super) fn is_front(&self, machine: usize) -> bool {
        self.has_edge(machine) && !self.has_livekit(machine)
    }

    /// Says what was inferred, and how to change it.
    pub(super) fn explain(&self, survey: &mut Survey, names: &[Name]) {
        let nodes = FieldPath::root().key("nodes");
        let how = "to change that, add or take away the role under [nodes]";
        let why = if self.lists.are_any() {
            "as NODES says"
        } else {
            "as no file has NODES, whose default is localhost"
        };
        survey.findings.add(
            Code::EnvInferred,
            nodes.clone(),
            format!("LiveKit runs on {}, {why}", all(names, &self.livekit)),
            format!("{how}: \"livekit\""),
        );
        let alone = |&m: &usize| self.lists.nodes(m).is_some_and(|list| list.is_local);
        let alone: Vec<_> = self.livekit.iter().copied().filter(alone).collect();
        if let [first, others @ ..] = alone.as_slice()
            && !others.is_empty()
        {
            // The example file has it, and is copied to the Caddy machine too.
            let message = format!("NODES is localhost here, so LiveKit runs on each: {}", all(names, &alone));
            let help = "take NODES out of the file of a machine without LiveKit; its DOMAIN says that Caddy is there";
            survey.add_as(Code::EnvInferred, Severity::Warning, (*first, "NODES"), message, help);
        }
        let fronts = self.edges.iter().any(|&edge| self.is_front(edge));
        let why = match fronts {
            true => "since DOMAIN or CADDY_UPSTREAM is set there, apart from LiveKit",
            false => "since DOMAIN is set there, and on no machine without LiveKit",
        };
        if !self.edges.is_empty() {
            survey.findings.add(
                Code::EnvInferred,
                nodes.clone(),
                format!("Caddy runs on {}, {why}", all(names, &self.edges)),
                format!("{how}: \"edge\""),
            );
        }
        for machine in survey.everyone() {
            let entry = &survey.machines[machine];
            let path = nodes.key(names[machine].as_str());
            if entry.file.is_none() {
                let message = format!("other files name {}, and no file was given for it", entry.address);
                let help = format!(
                    "give its file too: {}=FILE; if it is a machine whose file was given under another address, \
                     name that one by the address that NODES has",
                    entry.address
                );
                survey.findings.add(Code::EnvMissing, path, message, help);
            }
        }
    }
}

/// Says where the lists of LiveKit machines contradict each other.
///
/// A list of nothing but `localhost` agrees with one that holds that machine,
/// and with another machine's `localhost`.
fn compare_lists(survey: &mut Survey, lists: &Lists) {
    let told: Vec<_> = survey
        .everyone()
        .into_iter()
        .flat_map(|m| [(m, "NODES"), (m, "CADDY_UPSTREAM")])
        .filter_map(|(m, name)| {
            let upstream = lists.upstream(m);
            // Where Caddy's own list is written, NODES is what the example file had.
            let list = match name {
                "NODES" => lists.nodes(m).filter(|l| !(l.is_local && upstream.is_some())),
                _ => upstream,
            };
            Some((m, name, list?.clone()))
        })
        .collect();
    let Some((first, first_name, full)) = told.iter().find(|(_, _, list)| !list.is_local) else { return };
    let one = survey.place(*first, first_name);
    for (machine, name, list) in &told {
        let two = survey.place(*machine, name);
        let (message, help) = if list.is_local && !list.addresses.is_subset(&full.addresses) {
            (
                format!(
                    "{name} in {two} means this very machine, {}, which {first_name} in {one} lacks",
                    survey.machines[*machine].address
                ),
                "add it there; or take NODES out of this file, if no LiveKit runs here",
            )
        } else if !list.is_local && list.addresses != full.addresses {
            let differing: Vec<_> =
                list.addresses.symmetric_difference(&full.addresses).map(ToString::to_string).collect();
            (
                format!(
                    "{name} in {two} and {first_name} in {one} differ: only one has {}",
                    differing.join(", ")
                ),
                "make the lists agree",
            )
        } else if *name == "CADDY_UPSTREAM"
            && let Some(unreached) = unreached(survey, lists, full)
        {
            (
                format!(
                    "{name} in {two} sends clients to this very machine alone, {}, and {first_name} in {one} \
                     has LiveKit on {unreached} too, where no Caddy is",
                    survey.machines[*machine].address
                ),
                "list every LiveKit machine in CADDY_UPSTREAM, or take the others out of the other list",
            )
        } else {
            continue;
        };
        survey.add(Code::EnvContradiction, (*machine, name), message, help);
    }
}

/// The first of several LiveKit machines to which no client would be sent, where every
/// Caddy that has a list sends them to its own machine: one without a Caddy.
fn unreached(survey: &Survey, lists: &Lists, livekit: &List) -> Option<IpAddr> {
    let sent: BTreeSet<_> = lists.upstreams().flat_map(|list| list.addresses.iter().copied()).collect();
    let own = |address: &IpAddr| {
        let mut everyone = survey.everyone().into_iter();
        everyone.any(|m| survey.machines[m].address == *address && has_caddy(survey, lists, m))
    };
    livekit.addresses.iter().copied().find(|address| !sent.contains(address) && !own(address))
}

fn has_caddy(survey: &Survey, lists: &Lists, machine: usize) -> bool {
    survey.machines[machine].value("DOMAIN").is_some() || lists.upstream(machine).is_some()
}

fn livekit(survey: &Survey, lists: &Lists) -> Vec<usize> {
    let mut named = BTreeSet::new();
    for machine in survey.everyone() {
        let upstream = lists.upstream(machine);
        let nodes = lists.nodes(machine).filter(|list| upstream.is_none() || !list.is_local);
        named.extend(nodes.into_iter().chain(upstream).flat_map(|list| &list.addresses).copied());
    }
    let everyone = survey.everyone().into_iter();
    if !named.is_empty() {
        return everyone.filter(|&m| named.contains(&survey.machines[m].address)).collect();
    }
    // Nobody has NODES: the default is localhost, but not on what has only a domain.
    let without_domain: Vec<_> =
        everyone.clone().filter(|&m| survey.machines[m].value("DOMAIN").is_none()).collect();
    let says_key = |&&m: &&usize| survey.machines[m].value("LIVEKIT_API_KEY").is_some();
    let with_key: Vec<_> = without_domain.iter().filter(says_key).copied().collect();
    match (with_key.is_empty(), without_domain.is_empty()) {
        (false, _) => with_key,
        (true, false) => without_domain,
        (true, true) => everyone.collect(),
    }
}

fn edges(survey: &Survey, lists: &Lists, livekit: &[usize]) -> Vec<usize> {
    let candidate = |&m: &usize| has_caddy(survey, lists, m);
    let candidates: Vec<_> = survey.everyone().into_iter().filter(candidate).collect();
    let dedicated = |&m: &usize| !livekit.contains(&m) || lists.upstream(m).is_some();
    match candidates.iter().any(dedicated) {
        true => candidates.into_iter().filter(dedicated).collect(),
        false => candidates,
    }
}
