//! No `.env` files, however strange, make the import panic or hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stageplot_topology::dotenv::{EnvFile, import};

fuzz_target!(|texts: (String, String)| {
    let file = |address: &str, name, text| EnvFile { address: address.parse().expect("an address"), name, text };
    let imported = import(&[file("192.168.1.1", "a.env", &texts.0), file("192.168.1.2", "b.env", &texts.1)]);
    if let Ok(imported) = imported {
        let _ = imported.plot.to_toml();
        let _ = imported.plot.build();
    }
});
