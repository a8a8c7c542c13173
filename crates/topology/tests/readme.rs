//! The plots in the README are sound, and a beginner's plot has no findings.

use std::path::Path;

use stageplot_topology::{Document, Format, Plot};

#[test]
fn the_plots_of_the_readme_are_sound() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let blocks: Vec<_> =
        readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [plot, more_nodes] = blocks.as_slice() else { panic!("two examples, not {}", blocks.len()) };
    for text in [(*plot).to_owned(), format!("{plot}\n{more_nodes}")] {
        let document = Document::parse(Format::Toml, "README.md", &text).expect("TOML");
        let built = Plot::read(&document).expect("a sound plot");
        assert!(built.findings.is_empty(), "{}", built.findings);
    }
}
