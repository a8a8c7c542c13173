//! Whose files they are.

use stageplot_topology::Code;
use stageplot_topology::dotenv::Stack;

use crate::fluxcode::{APP, INFRA};
use crate::{found, read};

#[test]
fn variables_say_whose_files_they_are() {
    let livekit = fixture!("single");
    for (text, stack) in [
        (livekit, Stack::Livekit),
        ("", Stack::Livekit),
        ("REDIS_PASSWORD=p\n", Stack::Livekit),
        ("JWT_SECRET=ours\nNODES=localhost\nDOMAIN=a.test\n", Stack::Livekit),
        (INFRA, Stack::Fluxcode),
        ("POSTGRES_PASSWORD=p\nREDIS_PASSWORD=p\nLANG=C\nTZ=UTC\n", Stack::Fluxcode),
    ] {
        let import = read(&[("10.0.0.10", text)]).expect("a plot");
        assert_eq!(import.stack, stack, "{text}");
    }
    // What might be of either is as the others are.
    let import = read(&[("10.0.0.10", "REDIS_PASSWORD=a-password-of-redis\n"), ("10.0.0.11", APP)]);
    assert_eq!(import.expect("a plot").stack, Stack::Fluxcode);
}

#[test]
fn files_of_two_stacks_are_no_plot() {
    let livekit = fixture!("media-alone");
    for machines in
        [[("10.0.0.10", INFRA), ("10.0.0.11", livekit)], [("10.0.0.12", INFRA), ("10.0.0.11", livekit)]]
    {
        let findings = read(&machines).expect_err("two stacks");
        let told = found(&findings, Code::EnvContradiction).join("\n");
        assert!(told.contains("FluxCode's, by ") && told.contains("LiveKit's, by "), "{told}");
        assert!(told.contains("in a directory of its own"), "{told}");
    }
}
