//! The picture in the README is the one that is rendered.

use std::path::Path;

use stageplot_render::diagram;
use stageplot_topology::{Document, Format, Plot};

#[test]
fn the_picture_of_the_readme_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("examples/plots/cluster/stageplot.toml")).expect("the plot");
    let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("TOML");
    let drawn = diagram::svg(&Plot::read(&document).expect("a sound plot").topology).expect("a picture");
    let picture = root.join("docs/cluster.svg");
    if std::env::var_os("STAGEPLOT_BLESS").is_some() {
        std::fs::write(&picture, &drawn).expect("written");
    }
    let shown = std::fs::read_to_string(&picture).unwrap_or_default();
    assert!(shown == drawn, "docs/cluster.svg is out of date: run this test with STAGEPLOT_BLESS=1");
}
