//! Files that say different things of one.

use stageplot_topology::Code;

use crate::{contradiction, found, nodes, plot, read};

#[test]
fn contradictions_name_both_lines_and_no_secret() {
    let base = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\n";
    let with = |line: &str| format!("{base}{line}\n");
    let cases = [
        ("DOMAIN=a.example.com", "DOMAIN=b.example.com"),
        ("REDIS_PASSWORD=hunter2hunter2", "REDIS_PASSWORD=hunter3hunter3"),
        ("REDIS_PORT=6379", "REDIS_PORT=6380"),
        ("LIVEKIT_LOG_LEVEL=info", "LIVEKIT_LOG_LEVEL=debug"),
        ("LIVEKIT_API_KEY=k\nLIVEKIT_API_SECRET=hunter2", "LIVEKIT_API_KEY=k\nLIVEKIT_API_SECRET=hunter3"),
    ];
    for (one, two) in cases {
        let message = contradiction(&[("10.0.0.1", &with(one)), ("10.0.0.2", &with(two))]);
        let line = 2 + one.lines().count();
        for place in [format!("10.0.0.1 line {line}"), format!("10.0.0.2 line {line}")] {
            assert!(message.contains(&place), "{message}");
        }
        assert!(!message.contains("hunter"), "{message}");
    }
}

#[test]
fn places_that_contradict_each_other() {
    let listed = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\n";
    let other = "NODES=10.0.0.1,10.0.0.3\nREDIS_HOST=10.0.0.1\n";
    assert!(contradiction(&[("10.0.0.1", listed), ("10.0.0.2", other)]).contains("10.0.0.2, 10.0.0.3"));
    let local = "DOMAIN=a.example.com\nNODES=localhost\n";
    assert!(contradiction(&[("10.0.0.1", listed), ("10.0.0.9", local)]).contains("this very machine"));
    let own = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=localhost\n";
    assert!(contradiction(&[("10.0.0.1", own), ("10.0.0.2", own)]).contains("one on 10.0.0.1"));
    // A machine's own localhost agrees with a list that has it.
    plot(&[("10.0.0.1", "NODES=localhost\nREDIS_HOST=redis\n"), ("10.0.0.2", listed)]);
}

#[test]
fn the_example_file_on_every_machine_is_told_how_to_mend() {
    let copied = "DOMAIN=rtc.test\nNODES=localhost\nREDIS_HOST=redis\n";
    let files = [("10.0.0.1", copied), ("10.0.0.2", copied)];
    assert!(
        contradiction(&files)
            .contains("take REDIS_HOST and NODES out of the file of a machine with Caddy alone")
    );
    // Half of it: two machines that each mean themselves.
    let half = copied.replace("REDIS_HOST=redis\n", "");
    let import = read(&[("10.0.0.1", &half), ("10.0.0.2", copied)]).expect("a plot");
    let warned = found(&import.findings, Code::EnvInferred).join("\n");
    assert!(warned.contains("warning[env-inferred]: 2:1: \"10.0.0.1\".NODES"), "{warned}");
    // As the help says.
    let front = read(&[("10.0.0.1", "DOMAIN=rtc.test\n"), ("10.0.0.2", copied)]).expect("a plot");
    assert_eq!(nodes(&front.plot), ["front 10.0.0.1 edge", "media 10.0.0.2 livekit,redis"]);
}
