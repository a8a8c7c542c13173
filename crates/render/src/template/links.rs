//! Which templates a template includes or extends: the engine follows them recursively, so how far
//! that goes is settled before.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_CHAIN, TemplateError};

/// Whether a text has anything that the engine renders by recursion.
pub(super) fn nests(source: &str) -> bool {
    ["include", "extends", "block", "component"].iter().any(|word| source.contains(word))
}

/// A template from which more than [`MAX_CHAIN`] templates hang in a row.
///
/// A circle that is shorter is left to the engine, which names it.
pub(super) fn too_long(sources: &BTreeMap<String, String>) -> Option<TemplateError> {
    let links: BTreeMap<&str, BTreeSet<String>> =
        sources.iter().map(|(name, source)| (name.as_str(), links(source))).collect();
    let mut lengths = BTreeMap::new();
    for name in links.keys() {
        if length(name, &links, &mut lengths, 0) > MAX_CHAIN {
            return Some(TemplateError::TooDeep { template: name.to_string() });
        }
    }
    None
}

fn length<'a>(
    name: &'a str,
    links: &'a BTreeMap<&str, BTreeSet<String>>,
    lengths: &mut BTreeMap<&'a str, usize>,
    depth: usize,
) -> usize {
    if let Some(&length) = lengths.get(name) {
        return length;
    }
    // No need to go on: the chain that led here is too long by itself.
    if depth > MAX_CHAIN {
        return MAX_CHAIN + 1;
    }
    // While it is open it counts for nothing, so that a circle ends.
    lengths.insert(name, 0);
    let next = links.get(name).into_iter().flatten();
    let longest = next.map(|next| length(next, links, lengths, depth + 1)).max().unwrap_or(0);
    lengths.insert(name, longest + 1);
    longest + 1
}

/// The names after `include` and `extends`, wherever they stand.
fn links(source: &str) -> BTreeSet<String> {
    let after =
        |word: &'static str| source.match_indices(word).map(move |(at, _)| &source[at + word.len()..]);
    after("include").chain(after("extends")).filter_map(|rest| literal(rest.trim_start())).collect()
}

fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut name = String::new();
    let mut chars = text.chars().skip(1);
    loop {
        match chars.next()? {
            c if c == quote => return Some(name),
            '\\' => name.push(chars.next()?),
            c => name.push(c),
        }
    }
}
