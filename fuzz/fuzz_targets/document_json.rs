//! No bytes make the reader of JSON panic, hang or overflow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stageplot_topology::{Document, Format};

fuzz_target!(|bytes: &[u8]| {
    let _ = Document::parse_bytes(Format::Json, "plot", bytes);
});
