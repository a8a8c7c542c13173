//! `redis.conf`, as `sdssplitargs` in Redis's `sds.c` reads each line.

use std::collections::BTreeMap;

use crate::diff::value::{Item, Value};

/// Directives of which each line counts (`config.c`, `MULTI_ARG_CONFIG` and those that
/// add to a list); of all others the last one does.
const REPEATABLE: [&str; 5] = ["client-output-buffer-limit", "loadmodule", "rename-command", "save", "user"];

/// What stands between two files that are included: its order means nothing.
type Section = BTreeMap<String, Value>;

/// Directives by name. Where a file is included, what stands before it is apart from what
/// stands behind it: of a directive that both have, the last one counts.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut sections = vec![(None, Section::new())];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = words(line)?.into_iter();
        let name = words.next()?.to_ascii_lowercase();
        let arguments: Vec<_> = words.collect();
        if name == "include" {
            sections.push((Some(shown(&arguments)), Section::new()));
        } else if REPEATABLE.contains(&name.as_str()) {
            let (_, section) = sections.last_mut()?;
            repeated(section, name, &arguments)?;
        } else {
            sections.iter_mut().for_each(|(_, section)| drop(section.remove(&name)));
            sections.last_mut()?.1.insert(name, Value::Text(shown(&arguments)));
        }
    }
    let items = sections.into_iter().flat_map(|(include, section)| {
        let include = include.map(|file| {
            let names = vec![format!("include {file}"), "include".to_owned()];
            Item::named(names, Value::Text(file))
        });
        let directives = section.into_iter().map(|(name, value)| Item::named(vec![name], value));
        include.into_iter().chain(directives)
    });
    Some(Value::Block(String::new(), items.collect()))
}

/// Adds to a directive of which each line counts.
fn repeated(section: &mut Section, name: String, arguments: &[String]) -> Option<()> {
    const NONE: &str = "\"\"";
    // Pairs of seconds and changes; a class and its three limits.
    let each = match name.as_str() {
        "save" if arguments.len().is_multiple_of(2) => 2,
        "client-output-buffer-limit" if arguments.len().is_multiple_of(4) => 4,
        _ => arguments.len(),
    };
    let is_save = name == "save";
    let is_by_class = name == "client-output-buffer-limit";
    let Value::Bag(all) = section.entry(name).or_insert_with(|| Value::Bag(Vec::new())) else { return None };
    for arguments in arguments.chunks(each.max(1)) {
        let text = shown(arguments);
        all.retain(|item| match &item.value {
            // Nothing in quotes forgets what was there.
            Value::Text(known) if is_save => text != NONE && known != NONE,
            Value::Text(known) if is_by_class => known.split(' ').next() != text.split(' ').next(),
            _ => true,
        });
        all.push(Item::plain(text));
    }
    Some(())
}

/// Splits a line into words; none where a quote is left open.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Some(words);
        }
        let mut word = String::new();
        while let Some(c) = rest.next_if(|c| !c.is_ascii_whitespace()) {
            match c {
                '"' | '\'' => loop {
                    match rest.next()? {
                        end if end == c => break,
                        // The escape stays as it is written: it means the same on both sides.
                        '\\' if c == '"' || rest.peek() == Some(&'\'') => {
                            word.push('\\');
                            word.push(rest.next()?);
                        }
                        inside => word.push(inside),
                    }
                },
                other => word.push(other),
            }
        }
        words.push(word);
    }
}

fn shown(words: &[String]) -> String {
    let plain = |word: &String| !word.is_empty() && !word.contains(char::is_whitespace);
    let shown = words.iter().map(|word| if plain(word) { word.clone() } else { format!("\"{word}\"") });
    shown.collect::<Vec<_>>().join(" ")
}
