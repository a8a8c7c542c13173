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
use stageplot_render::diff::{self, Comment, Side, marker};
use stageplot_render::{Custom, Seals, Secrets, render};
use stageplot_topology::{Document, Findings, Format, Lock, Plot};

/// What a change may not do without somebody's saying so.
fn policy() -> Policy {
    Policy::new([
        ("internet".to_owned(), Rule::no_opening_to_internet()),
        ("data".to_owned(), Rule::no_data_at_stake()),
    ])
}

/// A file of a revision by its path from the top of the repository; none where it has no
/// such file.
fn file(revision: &str, path: &Path) -> Result<Option<Document>, Box<dyn Error>> {
    let git = |arguments: &[&str]| {
        let said = Command::new("git").args(arguments).output()?;
        match said.status.success() {
            true => Ok(said.stdout),
            false => Err(Box::<dyn Error>::from(String::from_utf8_lossy(&said.stderr).trim_end())),
        }
    };
    let path = path.to_str().ok_or("a path is not UTF-8")?;
    if git(&["ls-tree", "--full-tree", "--name-only", revision, "--", path])?.is_empty() {
        return Ok(None);
    }
    let name = format!("{revision}:{path}");
    let bytes = git(&["cat-file", "blob", &name])?;
    // Seals and locks, which are named otherwise, are TOML.
    let format = Format::from_path(Path::new(path)).unwrap_or(Format::Toml);
    let document = Document::parse_bytes(format, &name, &bytes);
    document.map(Some).map_err(|findings| told(&name, &findings))
}

/// A revision of the plot, rendered without secrets; none where it has no plot yet.
fn side(revision: &str, path: &Path) -> Result<Option<Side>, Box<dyn Error>> {
    let Some(document) = file(revision, path)? else { return Ok(None) };
    let mut built = Plot::read(&document).map_err(|findings| told(document.name(), &findings))?;
    if let Some(document) = file(revision, &path.with_extension("lock"))? {
        let locked = Lock::read(&document).and_then(|lock| built.locked(lock));
        built = locked.map_err(|findings| told(document.name(), &findings))?;
    }
    let topology = built.topology;
    let mut seals = Seals::default();
    if let Some(spec) = &topology.plot().seals
        && let Some(document) = file(revision, &path.with_file_name(&spec.file))?
    {
        seals = Seals::read(&document).map_err(|findings| told(document.name(), &findings))?;
    }
    if topology.plot().templates.is_some() {
        return Err("this program takes no templates of the plot's own; `stageplot diff` does".into());
    }
    let rendering = render(&topology, Secrets::Sealed(&seals), &Custom::default())?;
    Ok(Some(Side::of(&topology, rendering)?.with_findings(&built.findings)))
}

/// What is found in a file, for people.
fn told(name: &str, findings: &Findings) -> Box<dyn Error> {
    format!("in {name}:\n{findings}").into()
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
    let plot = Path::new(path);
    let is = side(after, plot)?.ok_or_else(|| format!("there is no {path} in {after}"))?;
    let Some(was) = side(before, plot)? else {
        let mark = marker(&is.summary().name, path);
        println!("{mark}\n## Stageplot: a new stack\n\nThere is no plot in `{before}` to compare it with.");
        return Ok(ExitCode::SUCCESS);
    };
    let diff = diff::between(&was, &is);
    let broken = policy().judge(&diff);
    // A job finds the comment on this plot again by the line that it begins with.
    print!("{}", Comment::new(&diff).plot(path).sides(before, after).broken(&broken));
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
