//! Renders two git revisions of a plot, and prints what the change does, as a comment
//! for the pull request:
//!
//! ```sh
//! cargo run -p pull-request-comment -- origin/main HEAD stageplot.toml >comment.md
//! ```
//!
//! Exits with 0, or with 3 where the change breaks one of the rules below, or with 1 where
//! it cannot tell. `stageplot diff --format markdown` does the same; a program of one's own
//! may know kinds of its own as well, or rules that no file can state.

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use stageplot_render::diff::policy::{Policy, Rule};
use stageplot_render::diff::{self, Comment, Side};
use stageplot_render::{Custom, Seals, Secrets, render};
use stageplot_topology::{Document, Findings, Format, Plot};

/// What a change may not do without somebody's saying so.
fn policy() -> Policy {
    Policy::new([
        ("internet".to_owned(), Rule::no_opening_to_internet()),
        ("data".to_owned(), Rule::no_data_at_stake()),
    ])
}

/// A file of a revision by its path from the top of the repository; none where it has no
/// such file.
fn file(revision: &str, path: &str) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let git = |arguments: &[&str]| {
        let said = Command::new("git").args(arguments).output()?;
        match said.status.success() {
            true => Ok(said.stdout),
            false => Err(Box::<dyn Error>::from(String::from_utf8_lossy(&said.stderr).trim_end())),
        }
    };
    let listed = git(&["ls-tree", "--full-tree", "--name-only", revision, "--", path])?;
    if listed.is_empty() {
        return Ok(None);
    }
    git(&["cat-file", "blob", &format!("{revision}:{path}")]).map(Some)
}

/// A revision of the plot, rendered without secrets; none where it has no plot yet.
fn side(revision: &str, path: &str) -> Result<Option<Side>, Box<dyn Error>> {
    let Some(bytes) = file(revision, path)? else { return Ok(None) };
    let name = format!("{revision}:{path}");
    let format = Format::from_path(Path::new(path)).ok_or("the plot is not called .toml, .json or .yaml")?;
    let built = Document::parse_bytes(format, &name, &bytes).and_then(|document| Plot::read(&document));
    let topology = built.map_err(|findings| told(&name, &findings))?.topology;
    if topology.plot().templates.is_some() {
        return Err("this program takes no templates of the plot's own; `stageplot diff` does".into());
    }
    let seals = match &topology.plot().seals {
        None => Seals::default(),
        Some(spec) => {
            let path = Path::new(path).with_file_name(&spec.file);
            let path = path.to_str().ok_or("the path of the seals is not UTF-8")?;
            let bytes = file(revision, path)?.unwrap_or_default();
            let read = Document::parse_bytes(Format::Toml, path, &bytes).and_then(|file| Seals::read(&file));
            read.map_err(|findings| told(path, &findings))?
        }
    };
    let rendering = render(&topology, Secrets::Sealed(&seals), &Custom::default())?;
    Ok(Some(Side::of(&topology, rendering)?))
}

/// What is found in a file, for people.
fn told(name: &str, findings: &Findings) -> String {
    format!("in {name}:\n{findings}")
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    // An option would be git's.
    let plain = arguments.iter().all(|argument| !argument.starts_with('-'));
    let ([before, after, path], true) = (arguments.as_slice(), plain) else {
        return Err(
            "usage: pull-request-comment BEFORE AFTER PLOT, where BEFORE and AFTER are revisions".into()
        );
    };
    let after = side(after, path)?.ok_or_else(|| format!("there is no {path} in {after}"))?;
    let Some(before) = side(before, path)? else {
        println!("## Stageplot: a new stack\n\nThere is no plot in `{before}` to compare it with.");
        return Ok(ExitCode::SUCCESS);
    };
    let diff = diff::between(&before, &after);
    let broken = policy().judge(&diff);
    print!("{}", Comment::new(&diff).broken(&broken));
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
