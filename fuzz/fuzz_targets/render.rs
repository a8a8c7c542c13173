//! Any plot that is accepted renders, or says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{Document, Format, Plot};

fuzz_target!(|text: &str| {
    let Ok(document) = Document::parse(Format::Toml, "stageplot.toml", text) else { return };
    let Ok(built) = Plot::read(&document) else { return };
    let _ = render(&built.topology, Secrets::SEALED, &Custom::default());
});
