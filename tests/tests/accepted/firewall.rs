//! The firewall: `stageplot.nft`, by nft on a machine of its own, and `ufw.sh`, by ufw
//! with files of its own.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Namespace, Output, Program, Root, Station, nft_load, run, want};

use super::Example;

const SOON: Duration = Duration::from_secs(60);

#[test]
fn every_table_is_loaded_again_and_again() {
    want!(Program::named("nft"));
    let mut loaded = 0;
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for (node, station) in stage.stations() {
            let (what, machine) = (format!("{}, {node}", example.name), station.machine());
            let file = station.installed().release().join("firewall/stageplot.nft");
            nft_load(station).success();
            let once = listed(machine);
            nft_load(station).success();
            assert_eq!(listed(machine), once, "{what}: not the same when loaded twice");
            let rendered = fs::read_to_string(&file).expect("a table");
            assert_eq!(lets_in(machine), rendered.matches("goto let_in").count(), "{what}");

            // What is refused leaves what is there as it is.
            fs::write(&file, rendered.replace("policy accept", "policy allow")).expect("a corrupted one");
            nft_load(station).failure();
            assert_eq!(listed(machine), once, "{what}: half of a refused file is loaded");
            loaded += 1;
        }
    }
    println!("{loaded} tables");
}

fn listed(machine: &Namespace) -> String {
    machine.run("nft", &["list", "ruleset"]).success()
}

/// How many rules the kernel has that let something in.
fn lets_in(machine: &Namespace) -> usize {
    let json = machine.run("nft", &["--json", "list", "ruleset"]).success();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let statements = json["nftables"].as_array().into_iter().flatten();
    let rules = statements.filter_map(|statement| statement["rule"]["expr"].as_array());
    rules.filter(|expressions| expressions.iter().any(|part| part["goto"]["target"] == "let_in")).count()
}

#[test]
fn every_ufw_script_sets_the_rules_it_names() {
    want!(Program::named("ufw"));
    let (mut scripts, mut rules) = (0, 0);
    for example in want!(Example::all()) {
        if !example.uses_ufw() {
            continue;
        }
        let stage = want!(example.stage());
        for (node, station) in stage.stations() {
            let what = format!("{}, {node}", example.name);
            let root = want!(Root::new());
            let script = sh(station, &root);
            assert!(script.succeeded(), "{what}: {script:?}");
            let wanted = named(station);
            is_kept(&kept(&root), &wanted, &what);
            let bare = wanted.each_ref().map(without_reasons);
            assert_eq!(loaded(station), bare.each_ref().map(BTreeSet::len), "{what}");
            let status = ufw(station, &root, &["status", "verbose"]);
            assert!(status.contains("Status: active"), "{what}: {status}");
            assert!(status.contains("Default: deny (incoming), allow (outgoing)"), "{what}: {status}");
            // Again, as an operator may, changes nothing.
            sh(station, &root).success();
            is_kept(&kept(&root), &wanted, &what);
            (scripts, rules) = (scripts + 1, rules + bare[0].len() + bare[1].len());

            let path = station.installed().release().join("firewall/ufw.sh");
            let rendered = fs::read_to_string(&path).expect("a script");
            fs::write(&path, rendered.replacen("port '", "port '7", 1)).expect("a corrupted one");
            assert!(!sh(station, &root).succeeded(), "{what}: a port that there is none of is taken");
        }
    }
    assert!(scripts > 1);
    println!("{scripts} scripts, {rules} rules");
}

/// Every rule is kept, with its reason: one of them where the script has several.
#[track_caller]
fn is_kept(kept: &[BTreeSet<String>; 2], wanted: &[BTreeSet<String>; 2], what: &str) {
    for (kept, wanted) in kept.iter().zip(wanted) {
        assert_eq!(without_reasons(kept), without_reasons(wanted), "{what}");
        assert!(kept.is_subset(wanted), "{what}: {kept:#?} of {wanted:#?}");
    }
}

fn without_reasons(rules: &BTreeSet<String>) -> BTreeSet<&str> {
    rules.iter().filter_map(|rule| Some(rule.split_once(" # ")?.0)).collect()
}

/// Runs the script where nothing but the copy of ufw's files in here is changed.
fn sh(station: &Station, root: &Root) -> Output {
    root.bind(&station.installed().directory(), "/run/stageplot");
    let mut command = root.command(station.machine(), "sh");
    run(command.arg("/run/stageplot/current/firewall/ufw.sh"), SOON)
}

fn ufw(station: &Station, root: &Root, arguments: &[&str]) -> String {
    run(root.command(station.machine(), "ufw").args(arguments), SOON).success()
}

/// The rules that the script names, for IPv4 and for IPv6, in the words of ufw's own
/// files.
fn named(station: &Station) -> [BTreeSet<String>; 2] {
    let script = fs::read_to_string(station.installed().release().join("firewall/ufw.sh")).expect("a script");
    let mut rules = [BTreeSet::new(), BTreeSet::new()];
    for line in script.lines().filter(|line| line.starts_with("ufw allow ")) {
        let (rule, comment) = line.split_once(" comment ").expect("a comment");
        let words: Vec<_> = rule.split_whitespace().map(|word| word.trim_matches('\'')).collect();
        let after = |word| words.iter().position(|own| *own == word).map(|at| words[at + 1]);
        let interface = after("on").map(|interface| format!("_{interface}")).unwrap_or_default();
        let from = after("from").expect("a source");
        let (protocol, port) = (after("proto").expect("a protocol"), after("port").expect("a port"));
        for (rules, (any, sign)) in rules.iter_mut().zip([("0.0.0.0/0", '.'), ("::/0", ':')]) {
            if from == "any" || from.contains(sign) {
                let source = if from == "any" { any } else { from };
                let comment = comment.trim_matches('\'');
                rules.insert(format!("{protocol} {port} {any} any {source} in{interface} # {comment}"));
            }
        }
    }
    rules
}

/// The rules that ufw keeps.
fn kept(root: &Root) -> [BTreeSet<String>; 2] {
    ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"].map(|file| {
        let text = fs::read_to_string(root.path(file)).expect("ufw's rules");
        let rules = text.lines().filter_map(|line| line.strip_prefix("### tuple ### allow "));
        rules
            .map(|rule| {
                let (rule, comment) = rule.split_once(" comment=").expect("a comment");
                format!("{rule} # {}", from_hex(comment))
            })
            .collect()
    })
}

/// How many rules of ufw's users the kernel has, for IPv4 and for IPv6.
fn loaded(station: &Station) -> [usize; 2] {
    [("iptables", "ufw-user-input"), ("ip6tables", "ufw6-user-input")].map(|(program, chain)| {
        let rules = station.machine().run(program, &["-S", chain]).success();
        rules.lines().filter(|line| line.starts_with("-A ")).count()
    })
}

fn from_hex(text: &str) -> String {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    let bytes = (0..text.len()).step_by(2).map(digit).collect();
    String::from_utf8(bytes).expect("text")
}
