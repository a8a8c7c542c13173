//! Whether the rules are what lets in.

use std::collections::BTreeSet;

use stageplot_tests::Transport;
use stageplot_topology::Topology;

use super::all;
use super::case::Case;
use crate::stage::{NEVER, SOON, Seen, Stage, transport};

/// Takes away every other rule: what needs it gets no answer, all else does. Then
/// the rest, and then all: what comes by no firewall is answered even so.
pub(super) fn rules_are_what_lets_in(
    stage: &Stage,
    topology: &Topology,
    cases: &[Case<'_>],
    seen: &[Option<Seen>],
    guarded: fn(Seen) -> bool,
) {
    let key = |case: &Case<'_>, hook: Seen| {
        (case.at.node, hook, transport(case.endpoint.protocol), case.target.port())
    };
    let needed: BTreeSet<_> = cases
        .iter()
        .zip(seen)
        .filter_map(|(case, seen)| Some(key(case, seen.filter(|&hook| guarded(hook))?)))
        .collect();
    let takes: [fn(usize) -> bool; 3] = [|index| index % 2 == 0, |index| index % 2 == 1, |_| true];
    for takes in takes {
        let taken = needed.iter().enumerate().filter(|(index, _)| takes(*index)).map(|(_, key)| *key);
        let taken: BTreeSet<_> = taken.collect();
        for (name, machine) in &stage.machines {
            let node = topology.node_named(name).expect("a node").id;
            let own: Vec<_> = taken.iter().filter(|key| key.0 == node).collect();
            let is_taken = |rule: Rule<'_>| {
                own.iter().any(|&&(_, hook, transport, port)| rule.is(hook, transport, port))
            };
            machine.load("without", &without(&machine.rules, is_taken));
        }
        let answers = all(cases, |index, case| {
            let open = seen[index].is_none_or(|hook| !taken.contains(&key(case, hook)));
            (open, case.ask(if open { SOON } else { NEVER }))
        });
        for (case, (open, answer)) in cases.iter().zip(answers) {
            let title = case.title(topology);
            assert_eq!(answer.is_some(), open, "{title}: {answer:?} while its rule is there: {open}");
        }
    }
    for machine in stage.machines.values() {
        machine.load("rules", &machine.rules);
    }
}

/// Takes away what ufw was told: what ends on a machine itself gets no answer, all
/// else does.
pub(super) fn commands_are_what_lets_in(
    stage: &Stage,
    topology: &Topology,
    cases: &[Case<'_>],
    seen: &[Option<Seen>],
) {
    let families = [("iptables", "ufw-user-input"), ("ip6tables", "ufw6-user-input")];
    for machine in stage.machines.values() {
        for (program, chain) in families {
            machine.namespace().run(program, &["--flush", chain]).success();
        }
    }
    let answers = all(cases, |index, case| {
        let open = seen[index] != Some(Seen::Input);
        (open, case.ask(if open { SOON } else { NEVER }))
    });
    for (case, (open, answer)) in cases.iter().zip(answers) {
        assert_eq!(answer.is_some(), open, "{}: {answer:?}", case.title(topology));
    }
    for machine in stage.machines.values() {
        machine.command_ufw();
    }
}

/// A line of the rules that lets a port in.
pub(super) struct Rule<'a>(pub(super) &'a str);

impl Rule<'_> {
    fn is(&self, hook: Seen, transport: Transport, port: u16) -> bool {
        let words = match (hook, transport) {
            (Seen::Input, Transport::Tcp) => format!("tcp dport {port} goto "),
            (Seen::Input, Transport::Udp) => format!("udp dport {port} goto "),
            (Seen::Forward, Transport::Tcp) => format!("l4proto tcp ct original proto-dst {port} goto "),
            (Seen::Forward, Transport::Udp) => format!("l4proto udp ct original proto-dst {port} goto "),
        };
        self.0.contains(&words)
    }
}

/// Rules without those that are picked; one of them at least.
pub(super) fn without(rules: &str, picked: impl Fn(Rule<'_>) -> bool) -> String {
    let kept: Vec<_> = rules.lines().filter(|line| !picked(Rule(line))).collect();
    assert!(kept.len() < rules.lines().count(), "there is no such rule:\n{rules}");
    kept.join("\n") + "\n"
}
