//! `stageplot verify` on four machines: green where all is well, from every node and from
//! outside; and where a fault is brought about, that fault is the first thing to mend.

mod closed;
mod faults;
mod page;
mod ssh;
mod streams;
mod views;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use faults::{FAULTS, Fault, NAMES, PRELUDE, WrongName};
use serde_json::Value;
use stageplot_tests::{Given, Program, Rig, run, stageplot, topology, wait_for, want};

const PLOT: &str = include_str!("../../plots/four.toml");

/// What a run of the command may take.
const RUN: Duration = Duration::from_secs(60);

/// How soon all is well again when a fault was mended.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn each_fault_is_the_first_thing_to_mend() {
    for program in ["faketime", "openssl", "prometheus", "promtool", "ssh-keygen", "sshd"] {
        want!(Program::named(program));
    }
    let topology = topology(PLOT);
    let mut plot = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    plot.write_all(PLOT.as_bytes()).expect("a plot");
    let plot = plot.path().to_str().expect("a path");
    let rig = want!(Rig::up(&topology, &Given::default(), &mut |_, _| ()));

    let places = ["front", "media-1", "media-2", "media-3", "outside"];
    for place in places {
        let began = Instant::now();
        let report = well(&rig, plot, place, &["--deep"]);
        let checks = report["checks"].as_array().expect("checks");
        println!("{place}: {} checks passed after {:?}", checks.len(), began.elapsed());
        assert!(checks.len() >= 10, "{place}: {report:#}");
    }

    views::look(&rig, plot);
    ssh::look(&rig, plot);
    let only = std::env::var("FAULT").unwrap_or_default();
    let missed = match only.as_str() {
        "closed" => Vec::new(),
        _ => bring_about(&rig, plot, PRELUDE, FAULTS, NAMES, &only),
    };
    for place in places {
        well(&rig, plot, place, &["--deep"]);
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    if only.is_empty() || only == "closed" {
        closed::sweep(&rig, plot);
    }
}

/// Brings faults about, one at a time, and mends them; those that are not the first thing to
/// mend. One alone, while it is being written: FAULT=part-of-its-name.
fn bring_about(
    rig: &Rig,
    plot: &str,
    prelude: &str,
    faults: &[Fault],
    names: &[WrongName],
    only: &str,
) -> Vec<String> {
    let mut missed = Vec::new();
    let mut looked_at = |name: &str, from: &str, options: &[&str], wanted: [&str; 3], began: Instant| {
        let report = verify(rig, plot, from, options);
        let first = &report["checks"][0];
        let said = ["cause", "service", "node"].map(|name| first[name].as_str().unwrap_or_default());
        println!("{name}, seen from {from}: {} after {:?}", first["message"], began.elapsed());
        if said != wanted {
            missed.push(format!("{name}: wanted {wanted:?}, and the first thing to mend is {first:#}"));
        }
    };
    for fault in faults.iter().filter(|fault| fault.name.contains(only)) {
        let began = Instant::now();
        told(rig, fault.on, prelude, fault.bring);
        let (cause, service, node) = fault.first;
        looked_at(fault.name, fault.from, fault.options, [cause, service, node], began);
        told(rig, fault.on, prelude, fault.mend);
        for place in BTreeSet::from([fault.on, fault.from]) {
            well(rig, plot, place, &[]);
        }
    }
    for WrongName { name, record: [from, to], cause, service } in
        names.iter().filter(|fault| fault.name.contains(only))
    {
        let began = Instant::now();
        rig.names().set(&rig.records().replace(from, to));
        looked_at(name, "outside", &[], [cause, service, ""], began);
        rig.names().set(rig.records());
        well(rig, plot, "outside", &[]);
    }
    missed
}

/// Lines of shell on a machine, and what they print. What is mounted stays where they begin
/// with `# mounts`; there they have no Docker.
fn shell(rig: &Rig, node: &str, lines: &str) -> String {
    told(rig, node, PRELUDE, lines)
}

/// … after other lines than [`PRELUDE`].
fn told(rig: &Rig, node: &str, prelude: &str, lines: &str) -> String {
    let mut command = match lines.starts_with("# mounts") {
        true => rig.machine(node).engine().machine().command("sh"),
        false => rig.command(node, "sh").expect("a machine"),
    };
    run(command.args(["-e", "-c", &format!("{prelude}{lines}")]), RUN).success()
}

/// Waits until a place has nothing to complain of, and returns its report.
fn well(rig: &Rig, plot: &str, place: &str, options: &[&str]) -> Value {
    let mut report = Value::Null;
    let mut tried = false;
    wait_for("all is well", SOON, || {
        // What does not become well is shown.
        if std::mem::replace(&mut tried, true) {
            println!("{place}: not well yet: {}", report["checks"][0]);
        }
        report = verify(rig, plot, place, options);
        report["outcome"] == "passed"
    });
    report
}

/// What verify reports from a place. Options with a `=` are variables.
fn verify(rig: &Rig, plot: &str, place: &str, options: &[&str]) -> Value {
    report(rig, plot, place, options, RUN)
}

fn report(rig: &Rig, plot: &str, place: &str, options: &[&str], deadline: Duration) -> Value {
    // A workstation is none of the plot's machines.
    let machine = if place == "a workstation" { "outside" } else { place };
    let mut command = rig.command(machine, stageplot().to_str().expect("a path")).expect("a machine");
    command.args(["verify", plot, "--format", "json"]);
    for option in options {
        match option.split_once('=') {
            Some((name, value)) => command.env(name, value),
            None => command.arg(option),
        };
    }
    match place {
        "outside" => command.args(["--from", "outside"]),
        "a workstation" => &mut command,
        node => command.args(["--node", node]),
    };
    run(&mut command, deadline).json()
}
