//! A template of the user's, whatever it says, renders within bounds or is
//! refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stageplot_render::template::{Dialect, Template, Templates};

fuzz_target!(|input: (u8, String)| {
    let (choice, source) = input;
    let dialect = Dialect::ALL[usize::from(choice) % Dialect::ALL.len()];
    let template = Template::from_text("fuzzed".to_owned(), dialect, source);
    let Ok(templates) = Templates::new([template]) else { return };
    let values = std::collections::BTreeMap::from([("name", "a \"b\" 'c' $d {e}\n")]);
    let _ = templates.render("fuzzed", &values);
});
