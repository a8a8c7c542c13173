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
mod probing;
mod process;
mod progress;
mod reference;
mod registries;
mod remote;
mod report;
mod screen;
mod seals;
mod secrets;
mod table;
mod write;

fn main() -> ExitCode {
    args::run().into()
}

/// `1 node`, `2 nodes`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
