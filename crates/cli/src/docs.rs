//! The documents that are written from the program: each is compared with what
//! it should be, and written anew where `STAGEPLOT_BLESS` is set.

mod commands;
mod plot;
mod translations;

use std::fmt::Write as _;
use std::path::Path;

use stageplot_health::Cause;
use stageplot_topology::Code;

use crate::exit::Exit;
use crate::{command, findings, reference};

#[test]
fn the_command_line_is_documented() {
    compare("cli.md", &cli());
}

#[test]
fn the_findings_are_documented() {
    compare("diagnostics.md", &diagnostics());
}

#[test]
fn the_causes_are_documented() {
    compare("causes.md", &causes());
}

#[test]
fn the_schema_is_documented() {
    let schema = serde_json::to_string_pretty(&command::schema::schema()).expect("JSON");
    compare("schema.json", &(schema + "\n"));
}

#[test]
fn the_plot_is_documented() {
    let schema = serde_json::to_value(command::schema::schema()).expect("JSON");
    compare("plot.md", &plot::page(&schema));
}

fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("STAGEPLOT_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory to write to");
        std::fs::write(&path, text).expect("a document to write");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/{name} is out of date; write it anew: STAGEPLOT_BLESS=1 cargo test -p stageplot docs"
    );
}

/// `docs/cli.md`
fn cli() -> String {
    let mut text = String::from(
        "# The command\n\n\
         This page is written from the program; `stageplot help COMMAND` and `stageplot man` say the same.\n",
    );
    for entry in reference::entries() {
        let depth = entry.name.split(' ').count();
        let _ = write!(text, "\n{} `{}`\n\n", "#".repeat(depth + 1), entry.name);
        if !entry.is_group {
            let _ = write!(text, "```text\n{}\n```\n\n", entry.usage);
        }
        let _ = writeln!(text, "{}", escaped(&entry.about.join("\n\n")));
        for (index, parameter) in entry.parameters.iter().enumerate() {
            let help = escaped(&parameter.help.join(" "));
            let gap = if index == 0 { "\n" } else { "" };
            let _ = writeln!(text, "{gap}- `{}`: {help}", parameter.term);
        }
    }
    text.push_str("\n## Exit codes\n\n| code | when |\n|---|---|\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "| {} | {} |", exit as u8, exit.meaning());
    }
    text
}

/// `docs/diagnostics.md`
fn diagnostics() -> String {
    let mut text = String::from(
        "# Findings\n\n\
         Every finding has a code, and every code a page: cause, consequence, remedy. They stand below, and\n\
         `stageplot explain CODE` prints each. A plot sets the severity of a code in `[severity]` to `allow`,\n\
         `info`, `warning` or `error`; those marked *fixed* stay errors, because with them there is nothing\n\
         sound to render.\n\n\
         | code | severity | what it is |\n|---|---|---|\n",
    );
    for &code in Code::ALL {
        let fixed = if code.is_fixed() { ", fixed" } else { "" };
        let _ = writeln!(
            text,
            "| [`{code}`](#{code}) | {}{fixed} | {} |",
            code.severity(),
            findings::title(code).replace('|', "\\|"),
        );
    }
    text.extend(Code::ALL.iter().map(|code| below(code.page())));
    text
}

/// `docs/causes.md`
fn causes() -> String {
    let mut text = String::from(
        "# Why a check did not pass\n\n\
         `stageplot verify` gives every check that did not pass a cause, and every cause has a page: what was\n\
         seen, what may be behind it, how to mend it. They stand below, and `stageplot explain CAUSE` prints\n\
         each. Of several at one service, the one that is higher in this list explains those below it.\n\n\
         | cause | what it is |\n|---|---|\n",
    );
    for &cause in Cause::ALL {
        let _ = writeln!(text, "| [`{cause}`](#{cause}) | {} |", cause.title().replace('|', "\\|"));
    }
    text.extend(Cause::ALL.iter().map(|cause| below(cause.page())));
    text
}

/// A page as a part of another one: one level down, but for what is a comment in an
/// example.
fn below(page: &str) -> String {
    let mut text = String::from("\n");
    let mut is_example = false;
    for line in page.lines() {
        is_example ^= line.starts_with("```");
        let level = if line.starts_with('#') && !is_example { "#" } else { "" };
        let _ = writeln!(text, "{level}{line}");
    }
    text
}

/// Help as Markdown: what looks like a tag would vanish.
fn escaped(text: &str) -> String {
    text.replace('<', "\\<")
}
