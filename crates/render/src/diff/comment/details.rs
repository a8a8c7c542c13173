//! The details of a comment, folded.

use std::collections::{BTreeMap, BTreeSet};

use stageplot_topology::words::listed;

use super::markdown::{clean, html_code, html_name, short};
use super::page::Page;
use super::{FEW, LONGEST, SHORT, name, names};
use crate::diff::report::in_order;
use crate::diff::{Diff, FileDiff, Which};

/// Why it happens, folded.
pub(super) fn reasons(page: &mut Page, diff: &Diff) {
    let mut groups: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    // Of what cannot be told the summary says why.
    for (node, effect) in diff.effects() {
        let mut lines = vec![format!("{}: {}", effect.subject(str::to_owned), effect.in_words())];
        lines.extend(effect.reasons.iter().take(FEW).map(|reason| format!("    {}", reason.text)));
        groups.entry(lines).or_default().push(&node.name);
    }
    let mut groups: Vec<_> = groups.into_iter().map(|(lines, nodes)| (nodes, lines)).collect();
    groups.sort_by(|(nodes, lines), (others, rest)| in_order(nodes, others).then_with(|| lines.cmp(rest)));
    let lines = groups.into_iter().flat_map(|(nodes, mut lines)| {
        lines[0] = format!("on {}: {}", listed(&nodes), lines[0]);
        lines
    });
    page.reasons(first(lines.collect()));
}

/// What differs in files, each folded; where several nodes' differ alike, once.
pub(super) fn files(page: &mut Page, diff: &Diff) {
    let (for_people, files): (Vec<_>, Vec<_>) =
        diff.files().into_iter().partition(|(file, _)| file.is_for_people());
    let (plain, folded): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(file, _)| file_lines(file).is_empty());
    for (file, nodes) in folded {
        let nodes: Vec<_> = nodes.iter().map(|node| html_name(&short(node, SHORT))).collect();
        let on = if nodes.is_empty() { String::new() } else { format!(" on {}", listed(&nodes)) };
        let title = format!("{}{on}{}", html_code(&short(&file.path, SHORT)), what_of(file));
        page.file(&title, file_lines(file));
    }
    let plain = plain.iter().map(|(file, nodes)| {
        let on = if nodes.is_empty() { String::new() } else { format!(" on {}", listed(&names(nodes))) };
        format!("- {}{on}{}\n", name(&file.path), what_of(file))
    });
    page.list("\n**Files that differ as a whole**\n\n", plain.collect());
    let for_people: BTreeSet<_> = for_people.iter().map(|(file, _)| name(&file.path)).collect();
    if !for_people.is_empty() {
        let names = for_people.into_iter().collect::<Vec<_>>().join(", ");
        page.always(&format!("\nThese follow, for people to read or to run: {names}.\n"));
    }
}

/// What is to say of a file as a whole, behind its name.
fn what_of(file: &FileDiff) -> String {
    let words = file.in_words();
    if words.is_empty() { words } else { format!(" {words}") }
}

fn file_lines(file: &FileDiff) -> Vec<String> {
    let value = |sign, path: &str, value: &str| format!("{sign} {}: {}", clean(path), short(value, LONGEST));
    let fields = file.about.iter().chain(&file.fields).flat_map(|field| {
        if let Some(moves) = field.moves() {
            return [Some(value("!", &field.path, &moves)), None].into_iter().flatten();
        }
        let before = field.before.as_ref().map(|before| value("-", &field.path, before));
        let after = field.after.as_ref().map(|after| value("+", &field.path, after));
        [before, after].into_iter().flatten()
    });
    let lines = file.lines.iter().map(|line| match line.side {
        Which::Before => format!("- {}", short(&line.text, LONGEST)),
        Which::After => format!("+ {}", short(&line.text, LONGEST)),
    });
    first(fields.chain(lines).collect())
}

/// The first of many lines, and how many more there are.
fn first(mut lines: Vec<String>) -> Vec<String> {
    if let Some(more @ 1..) = lines.len().checked_sub(MANY) {
        lines.truncate(MANY);
        lines.push(format!("  and {more} more"));
    }
    lines
}

/// How many lines of one file, or reasons of all effects, are listed.
const MANY: usize = 60;
