//! No `.env` files, however strange, make the import panic or hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stageplot_topology::dotenv::{EnvFile, import};

fuzz_target!(|texts: (String, String)| {
    let file = |address: &str, name, text| EnvFile { address: address.parse().expect("an address"), name, text };
    let fuzzed = [file("192.168.1.1", "a.env", &texts.0), file("192.168.1.2", "b.env", &texts.1)];
    // Among files of either stack.
    for known in [LIVEKIT, FLUXCODE] {
        let imported = import(&[fuzzed[0], fuzzed[1], file("192.168.1.3", "c.env", known)]);
        if let Ok(imported) = imported {
            let _ = imported.plot.to_toml();
            let _ = imported.plot.build();
        }
    }
});

const LIVEKIT: &str = "NODES=192.168.1.1,192.168.1.2\nREDIS_HOST=192.168.1.1\nLIVEKIT_API_KEY=main\nDOMAIN=live.test\n";
const FLUXCODE: &str =
    "DATABASE_HOST=192.168.1.1\nREDIS_HOST=192.168.1.2\nJWT_SECRET=one\nADMIN_PASSWORD=two\nCADDY_ADDRESS=flux.test\n";
