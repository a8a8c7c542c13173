//! Stage plots to render.

use std::fs;
use std::path::{Path, PathBuf};

use stageplot_topology::{Document, Format, Plot, Topology};

/// Every example plot by name, in the order of names.
///
/// # Panics
///
/// If there is none, or one does not build.
pub fn examples() -> Vec<(String, Topology)> {
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/plots"));
    let entries = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("failed to read {}: {error}", directory.display()));
    let mut plots: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path().join("stageplot.toml"))
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.parent().and_then(|parent| parent.file_name()).unwrap_or_default();
            let text = fs::read_to_string(&path).expect("a plot");
            (name.to_string_lossy().into_owned(), topology(&text))
        })
        .collect();
    plots.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(!plots.is_empty(), "no plots in {}", directory.display());
    plots
}

/// The topology of a plot in TOML.
///
/// # Panics
///
/// If it has errors, with all of them.
#[track_caller]
pub fn topology(text: &str) -> Topology {
    let built = Document::parse(Format::Toml, "stageplot.toml", text).and_then(|plot| Plot::read(&plot));
    built.unwrap_or_else(|findings| panic!("{findings}\n{text}")).topology
}

/// A plot of one machine, `front`, that runs all of `edge`, `rooms`, `sfu` and `cache`: the
/// services, as they are given. It is installed below `root`.
pub fn on_front(root: &Path, services: &str) -> String {
    format!(
        r#"
name = "live"
root = "{}"

[nodes.front]
public = "203.0.113.10"
roles = ["edge", "rooms", "sfu", "cache"]
{services}"#,
        root.display()
    )
}
