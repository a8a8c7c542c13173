use std::fs;
use std::path::PathBuf;

use stageplot_topology::{Document, Findings, Format, Plot, Topology};

use crate::{Custom, Secrets, render};

/// Every example plot with its name.
pub(crate) fn examples() -> Vec<(String, Topology)> {
    let mut wrong = String::new();
    let mut examples = Vec::new();
    for (name, text) in example_files() {
        match read(&text) {
            Ok(topology) => examples.push((name, topology)),
            Err(findings) => wrong.push_str(&format!("{name}:\n{findings}\n")),
        }
    }
    assert!(wrong.is_empty(), "examples with findings:\n{wrong}");
    examples
}

fn example_files() -> Vec<(String, String)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    let entries = fs::read_dir(&dir).expect("the examples are there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"))
        .collect();
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(dir.join(&name).join("stageplot.toml")).expect("a plot");
        (name, text)
    };
    names.into_iter().map(read).collect()
}

/// A plot, or whatever there is to say against it.
fn read(text: &str) -> Result<Topology, Findings> {
    let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
    let built = Plot::read(&document)?;
    if built.findings.iter().next().is_none() { Ok(built.topology) } else { Err(built.findings) }
}

/// A plot without a single finding.
pub(crate) fn topology(text: &str) -> Topology {
    read(text).unwrap_or_else(|findings| panic!("{findings}"))
}

#[test]
fn every_example_renders_without_a_finding() {
    for (name, topology) in examples() {
        let rendering = render(&topology, Secrets::Sealed, &Custom::default());
        rendering.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
