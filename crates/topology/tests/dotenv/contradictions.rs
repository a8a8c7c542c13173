//! Files that say different things of one.

use crate::{contradiction, plot};

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
