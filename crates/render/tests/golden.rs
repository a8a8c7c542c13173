//! Every example renders to the tree that is kept beside this file.
//!
//! A change of what is rendered shows here, file by file, and is taken over with
//! `STAGEPLOT_BLESS=1 cargo test -p stageplot-render --test golden`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_topology::{Document, Format, Plot};

#[test]
fn every_example_renders_to_its_golden_tree() {
    let mut wrong = Vec::new();
    for (name, text) in examples() {
        let tree = tree(&rendered(&text));
        let golden = golden().join(&name);
        if std::env::var_os("STAGEPLOT_BLESS").is_some() {
            bless(&golden, &tree);
        }
        let kept = kept(&golden);
        for path in tree.keys().chain(kept.keys()) {
            match (kept.get(path), tree.get(path)) {
                (Some(kept), Some(rendered)) if kept == rendered => {}
                (Some(kept), Some(rendered)) => {
                    wrong.push(format!("{name}/{path} differs{}", first(kept, rendered)))
                }
                (None, _) => wrong.push(format!("{name}/{path} is new")),
                (_, None) => wrong.push(format!("{name}/{path} is rendered no more")),
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "take it over with STAGEPLOT_BLESS=1 if it is meant:\n{}", wrong.join("\n"));
}

#[test]
fn no_golden_tree_is_of_an_example_that_is_gone() {
    let examples: Vec<_> = examples().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(golden()).expect("golden trees") {
        let name = entry.expect("a tree").file_name().to_string_lossy().into_owned();
        assert!(examples.contains(&name), "tests/golden/{name} belongs to no example");
    }
}

fn examples() -> Vec<(String, String)> {
    let plots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    let directories = fs::read_dir(plots).expect("the examples");
    let mut examples: Vec<_> = directories
        .map(|entry| {
            let path = entry.expect("an example").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path.join("stageplot.toml")).expect("its plot"))
        })
        .collect();
    examples.sort();
    assert!(examples.len() > 10, "the examples are there");
    examples
}

fn rendered(text: &str) -> Rendering {
    let document = Document::parse(Format::Toml, "stageplot.toml", text).expect("TOML");
    let topology = Plot::read(&document).expect("a sound plot").topology;
    render(&topology, Secrets::SEALED, &Custom::default()).expect("it renders")
}

/// All files by path, as they are written to a directory.
fn tree(rendering: &Rendering) -> BTreeMap<String, Vec<u8>> {
    let bundles = rendering.bundles.iter().flat_map(|bundle| {
        bundle.artifacts.iter().map(|file| (format!("{}/{}", bundle.node, file.path), file.bytes.clone()))
    });
    let overview = rendering.overview.iter().map(|file| (file.path.clone(), file.bytes.clone()));
    bundles.chain(overview).collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn kept(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("within").to_string_lossy().into_owned();
                files.insert(name, fs::read(&path).expect("a golden file"));
            }
        }
    }
    files
}

fn bless(directory: &Path, tree: &BTreeMap<String, Vec<u8>>) {
    if directory.exists() {
        fs::remove_dir_all(directory).expect("the old tree goes");
    }
    for (path, bytes) in tree {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, bytes).expect("written");
    }
}

/// The first line that differs.
fn first(kept: &[u8], rendered: &[u8]) -> String {
    let (kept, rendered) = (String::from_utf8_lossy(kept), String::from_utf8_lossy(rendered));
    let mut lines = kept.lines().zip(rendered.lines()).enumerate();
    match lines.find(|(_, (kept, rendered))| kept != rendered) {
        Some((at, (kept, rendered))) => format!(" at line {}:\n  -{kept}\n  +{rendered}", at + 1),
        None => " in its length".to_owned(),
    }
}
