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
        ("REDIS_MAXMEMORY=1gb", "REDIS_MAXMEMORY=2gb"),
        ("REDIS_MAXMEMORY_POLICY=noeviction", "REDIS_MAXMEMORY_POLICY=volatile-lru"),
        ("REDIS_DB=0", "REDIS_DB=1"),
        ("LIVEKIT_LOG_LEVEL=info", "LIVEKIT_LOG_LEVEL=debug"),
        ("LIVEKIT_API_KEY=k1", "LIVEKIT_API_KEY=k2"),
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
    // A Caddy that sends clients to its own machine alone, and another LiveKit without one.
    let upstream = format!("DOMAIN=a.example.com\nCADDY_UPSTREAM=10.0.0.1:7880\n{listed}");
    let message = contradiction(&[("10.0.0.1", &upstream), ("10.0.0.2", listed)]);
    assert!(message.contains("has LiveKit on 10.0.0.2 too, where no Caddy is"), "{message}");
    let local = upstream.replace("10.0.0.1:7880", "localhost:7880");
    plot(&[("10.0.0.1", &local), ("10.0.0.2", &local)]);
    let front = "DOMAIN=a.example.com\nCADDY_UPSTREAM=10.0.0.1:7880\n";
    let message = contradiction(&[("10.0.0.9", front), ("10.0.0.1", listed)]);
    assert!(message.contains("only one has 10.0.0.2"), "{message}");
    // A machine's own localhost agrees with a list that has it.
    plot(&[("10.0.0.1", "NODES=localhost\nREDIS_HOST=redis\n"), ("10.0.0.2", listed)]);
}

/// Whichever machines say it, and whether the Redis is ours or not.
#[test]
fn all_are_told_at_once() {
    let file = |redis: &str, number: u8| {
        format!(
            "DOMAIN={number}.rtc.test\nNODES=10.0.0.1,10.0.0.2\nREDIS_HOST={redis}\nREDIS_PORT=637{number}\n\
             REDIS_DB={number}\nREDIS_PASSWORD=p{number}\nREDIS_MAXMEMORY={number}gb\n\
             REDIS_MAXMEMORY_POLICY=all{}\nLIVEKIT_API_KEY=k{number}\nLIVEKIT_LOG_LEVEL={}\n\
             LIVEKIT_EMPTY_TIMEOUT={number}\nTURN_DOMAIN={number}.turn.test\n",
            ["keys-lru", "keys-lfu"][usize::from(number - 1)],
            ["info", "debug"][usize::from(number - 1)],
        )
    };
    for [one, two] in [["10.0.0.1", "10.0.0.2"], ["localhost", "redis"], ["redis.test", "10.0.0.2"]] {
        let findings = read(&[("10.0.0.1", &file(one, 1)), ("10.0.0.2", &file(two, 2))]).expect_err("errors");
        let told = found(&findings, Code::EnvContradiction).join("\n");
        for name in [
            "DOMAIN",
            "REDIS_HOST",
            "REDIS_PORT",
            "REDIS_DB",
            "REDIS_PASSWORD",
            "REDIS_MAXMEMORY is",
            "REDIS_MAXMEMORY_POLICY",
            "LIVEKIT_API_KEY",
            "LIVEKIT_LOG_LEVEL",
            "LIVEKIT_EMPTY_TIMEOUT",
            "TURN_DOMAIN",
        ] {
            assert!(told.contains(name), "{name}: {told}");
        }
    }
    // A machine without LiveKit contradicts one with it too.
    let front = "DOMAIN=a.test\nLIVEKIT_LOG_LEVEL=info\n";
    let media = "NODES=localhost\nLIVEKIT_LOG_LEVEL=debug\n";
    assert!(contradiction(&[("10.0.0.1", front), ("10.0.0.2", media)]).contains("LIVEKIT_LOG_LEVEL"));
}

#[test]
fn what_changes_is_told_once_however_many_machines_say_it() {
    let file =
        "NODES=10.0.0.1,10.0.0.2,10.0.0.3:7881\nREDIS_HOST=10.0.0.1\nLIVEKIT_CONFIG=/etc/livekit.yaml\n";
    let replica = format!("{file}REDIS_SLAVE_OF=10.0.0.1 6379\n");
    let import = read(&[("10.0.0.1", file), ("10.0.0.2", &replica), ("10.0.0.3", &replica)]).expect("a plot");
    let mut told = found(&import.findings, Code::EnvChanged);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().any(|text| text.contains("7881") && text.contains("in 2 files more")), "{told:#?}");
    told.retain(|text| text.contains("REDIS_SLAVE_OF"));
    assert!(told[0].contains("in one file more"), "{told:#?}");
}

#[test]
fn two_livekit_machines_are_not_told_of_caddy_first() {
    let own = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=localhost\n";
    let message = contradiction(&[("10.0.0.1", own), ("10.0.0.2", own)]);
    assert!(message.contains("all machines share one Redis") && !message.contains("Caddy"), "{message}");
    let copied = format!("DOMAIN=rtc.test\n{own}");
    let message = contradiction(&[("10.0.0.1", &copied), ("10.0.0.2", &copied)]);
    let [both, alone] = ["where both run LiveKit", "Caddy alone"].map(|part| message.find(part));
    assert!(both.is_some() && both < alone, "{message}");
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
