//! No bytes make the reader of YAML panic, hang or overflow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stageplot_topology::{Document, Format};

fuzz_target!(|bytes: &[u8]| {
    let _ = Document::parse_bytes(Format::Yaml, "plot", bytes);
});
