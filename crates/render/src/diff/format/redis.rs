//! `redis.conf`, as `sdssplitargs` in Redis's `sds.c` reads each line.

use std::collections::BTreeMap;

use crate::diff::value::{Item, Value};

/// Directives of which each line counts (`config.c`, `MULTI_ARG_CONFIG` and those that
/// add to a list); of all others the last one does.
const REPEATABLE: [&str; 6] =
    ["client-output-buffer-limit", "include", "loadmodule", "rename-command", "save", "user"];

pub(super) fn read(text: &str) -> Option<Value> {
    let mut directives: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = words(line)?.into_iter();
        let name = words.next()?.to_ascii_lowercase();
        let arguments: Vec<_> = words.collect();
        if !REPEATABLE.contains(&name.as_str()) {
            directives.insert(name, Value::Text(shown(&arguments)));
            continue;
        }
        // `save` takes any number of pairs, and nothing in quotes to forget them.
        let each = if name == "save" && arguments.len() % 2 == 0 { 2 } else { arguments.len().max(1) };
        let items = arguments.chunks(each).map(|arguments| Item::plain(shown(arguments)));
        match directives.entry(name).or_insert_with(|| Value::Bag(Vec::new())) {
            Value::Bag(all) => all.extend(items),
            _ => return None,
        }
    }
    Some(Value::Table(directives))
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
