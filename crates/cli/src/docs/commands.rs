//! The command lines of the documents, held against the command.

use std::fs;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};
use stageplot_health::Cause;
use stageplot_topology::Code;

use crate::args::Args;

#[test]
fn every_command_line_of_the_documents_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).expect("the documents");
    let mut files: Vec<_> = docs.map(|entry| entry.expect("a document").path()).collect();
    // The page about the command line is written from it, in its own notation.
    files.retain(|path| path.extension().is_some_and(|end| end == "md") && !path.ends_with("cli.md"));
    files.extend(["README.md", "README.zh-CN.md"].map(|name| root.join(name)));
    let mut pages: Vec<_> = files
        .iter()
        .map(|path| (path.display().to_string(), fs::read_to_string(path).expect("a document")))
        .collect();
    pages.extend(Code::ALL.iter().map(|code| (format!("{code}.md"), code.page().to_owned())));
    pages.extend(Cause::ALL.iter().map(|cause| (format!("{cause}.md"), cause.page().to_owned())));
    let (mut seen, mut wrong) = (0, Vec::new());
    for (name, text) in &pages {
        for Line { command, is_named } in lines(text) {
            seen += 1;
            let checked = look_up(&command, is_named);
            wrong.extend(checked.err().map(|why| format!("{name}: {command}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen} command lines were found");
}

#[test]
fn what_is_no_command_line_is_not_taken_for_one() {
    for line in [
        "stageplot shwo nodes",
        "stageplot show node",
        "stageplot explain redis-opne",
        "stageplot init --from 192.168.1.1=a.env",
        "stageplot init --from-env front=a.env",
        "stageplot render --sealde",
        "stageplot render plot --sealed",
        "stageplot check a b",
    ] {
        assert!(look_up(line, true).is_err(), "{line} passed");
    }
    assert!(
        look_up("stageplot render --sealed", true).is_ok()
            && look_up("stageplot render --sealed", false).is_err()
    );
    let text =
        "Say `stageplot check`. **To come**: `stageplot deploy`\n```sh\ncargo run -- show dns # all\n```\n";
    let found: Vec<_> = lines(text).into_iter().map(|line| (line.command, line.is_named)).collect();
    assert_eq!(found, [("stageplot check".to_owned(), true), ("stageplot show dns".to_owned(), false)]);
}

/// A command line of a document.
struct Line {
    command: String,
    /// Whether the text only speaks of it; what stands in a block is to be run.
    is_named: bool,
}

/// The command lines in code style and in code blocks, but not those that a
/// text says are to come.
fn lines(text: &str) -> Vec<Line> {
    let (mut found, mut inside) = (Vec::new(), false);
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            found.extend(command(line).map(|command| Line { command, is_named: false }));
        } else {
            let now = line.split("**To come**").next().unwrap_or_default();
            let named = now.split('`').skip(1).step_by(2).filter_map(command);
            found.extend(named.map(|command| Line { command, is_named: true }));
        }
    }
    found
}

/// A command line from `stageplot` on, without a comment.
fn command(text: &str) -> Option<String> {
    let text = text.split(" #").next().unwrap_or_default().trim();
    let own = text.strip_prefix("stageplot ").or_else(|| {
        let (run, own) = text.split_once(" -- ")?;
        run.starts_with("cargo run").then_some(own)
    });
    own.map(|own| format!("stageplot {own}"))
}

/// Says why the command would not take a line. One that only names a command
/// and options need not be complete.
fn look_up(line: &str, is_named: bool) -> Result<(), String> {
    let words: Vec<_> = line
        .split_whitespace()
        .map(|word| match word {
            "CODE" => "no-password",
            "CAUSE" => "refused",
            word => word,
        })
        .collect();
    let mut command = Args::command();
    command.build();
    match command.try_get_matches_from_mut(&words) {
        Ok(matches) => match matches.subcommand() {
            Some(("explain", explained)) => match explained.get_one::<String>("code") {
                Some(code) if code.parse::<Cause>().is_ok() => Ok(()),
                Some(code) => code.parse::<Code>().map(drop).map_err(|error| error.to_string()),
                None => Ok(()),
            },
            _ => Ok(()),
        },
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(()),
        Err(_) if is_named && only_names(&command, &words[1..]) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn only_names(command: &Command, words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return true };
    match command.find_subcommand(first) {
        Some(inner) => only_names(inner, rest),
        None => words.iter().all(|word| {
            let name = word.strip_prefix("--");
            name.is_some_and(|name| command.get_arguments().any(|arg| arg.get_long() == Some(name)))
        }),
    }
}

/// The first command of the README names no package.
#[test]
fn cargo_run_means_the_command() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    let told = cargo.args(["metadata", "--no-deps", "--format-version", "1"]).output().expect("cargo");
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let packages = told["packages"].as_array().into_iter().flatten();
    let named: Vec<_> = packages.filter_map(|package| package["default_run"].as_str()).collect();
    assert_eq!(named, ["stageplot"]);
}
