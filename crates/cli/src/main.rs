//! The `stageplot` command: reads a stage plot, says what is wrong with it, and
//! renders what every machine needs.
//!
//! The command parses, wires, prints and exits; what there is to know of
//! stacks is in `stageplot-topology` and `stageplot-render`; sockets are in
//! `stageplot-health`.

use std::process::ExitCode;

mod args;
mod command;
mod custom;
#[cfg(test)]
mod docs;
mod exit;
mod failure;
mod findings;
mod lock;
mod plot;
mod process;
mod reference;
mod registries;
mod screen;
mod seals;
mod secrets;
mod table;
mod write;

fn main() -> ExitCode {
    args::run().into()
}

/// The nearest of `known` to a mistyped name, where one is near enough.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `1 node`, `2 nodes`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `a, b and 7 more`.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
