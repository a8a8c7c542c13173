//! The command line, gone through once for all that describes it: the manual
//! page and `docs/cli.md`.

use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory as _};

use crate::args::Args;

/// One command: `stageplot`, `stageplot check`, `stageplot show nodes`.
pub(crate) struct Entry {
    /// Its name, from `stageplot` on.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/cli.md is written by a test"))]
    pub(crate) name: String,
    /// How it is called.
    pub(crate) usage: String,
    /// What it does: a sentence, and paragraphs after it.
    pub(crate) about: Vec<String>,
    /// Its arguments and options.
    pub(crate) parameters: Vec<Parameter>,
    /// Whether other commands stand below it.
    pub(crate) is_group: bool,
}

/// An argument or an option.
pub(crate) struct Parameter {
    /// How it is written: `-o, --out <DIR>`.
    pub(crate) term: String,
    /// What it does, its values and its default: paragraphs.
    pub(crate) help: Vec<String>,
}

/// Every command, those of a group after it.
pub(crate) fn entries() -> Vec<Entry> {
    let mut root = Args::command();
    root.build();
    let mut entries = Vec::new();
    collect(&mut root, "", &mut entries);
    entries
}

fn collect(command: &mut Command, parent: &str, entries: &mut Vec<Entry>) {
    let name = format!("{parent} {}", command.get_name()).trim_start().to_owned();
    let usage = command.render_usage().to_string();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let is_root = parent.is_empty();
    let shown = |arg: &&Arg| {
        !arg.is_hide_set()
            && !matches!(arg.get_id().as_str(), "help" | "version")
            && (is_root || !arg.is_global_set())
    };
    entries.push(Entry {
        usage: usage.trim_start_matches("Usage:").trim().to_owned(),
        about: about.split("\n\n").map(sentence).collect(),
        parameters: command.get_arguments().filter(shown).map(parameter).collect(),
        is_group: command.has_subcommands(),
        name: name.clone(),
    });
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        collect(inner, &name, entries);
    }
}

fn parameter(arg: &Arg) -> Parameter {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut help: Vec<_> = help.split("\n\n").map(sentence).collect();
    let values = arg.get_possible_values();
    let takes_value = arg.get_action().takes_values();
    let values: Vec<_> = values.iter().filter(|value| takes_value && !value.is_hide_set()).collect();
    if !values.is_empty() {
        let value = |value: &&PossibleValue| match value.get_help() {
            Some(help) => format!("{} ({})", value.get_name(), lower(&help.to_string())),
            None => value.get_name().to_owned(),
        };
        help.push(format!("One of: {}.", values.iter().map(value).collect::<Vec<_>>().join(", ")));
    }
    let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value && !default.is_empty() && !arg.is_hide_default_value_set() {
        help.push(format!("Default: {}.", default.join(" ")));
    }
    Parameter { term: term(arg), help }
}

/// A text with a full stop; clap's own style is without.
fn sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    if text.ends_with(['.', ':', '?']) { text } else { text + "." }
}

/// A text that goes on within a sentence: `For people` becomes `for people`.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn term(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    let flags = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    let value = match arg.get_action().takes_values() {
        true if flags.is_empty() && !arg.is_required_set() => value.replace('<', "[").replace('>', "]"),
        true => value,
        false => String::new(),
    };
    format!("{flags} {value}").trim().to_owned()
}
