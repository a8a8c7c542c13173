//! The firewall: `stageplot.nft`, by nft on a machine of its own, and `ufw.sh`, by ufw
//! with files of its own.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Namespace, Output, Program, Root, Station, nft_load, run, topology, ufw_load, want};

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
            fs::write(&path, rendered.replacen("port '", "port '7", 1).replacen("allow '", "allow '7", 1))
                .expect("a corrupted one");
            assert!(!sh(station, &root).succeeded(), "{what}: a port that there is none of is taken");
        }
    }
    assert!(scripts > 1);
    println!("{scripts} scripts, {rules} rules");
}

/// A plot whose only node is guarded by ufw.
fn guarded(ssh_from: &str, keep: &str) -> String {
    format!(
        "name = \"guarded\"\n[firewall]\ninput = \"ufw\"\n[access]\nssh = {{ from = {ssh_from} }}\n\
         keep = [{keep}]\n[networks.lan]\ncidr = [\"10.9.0.0/24\", \"fd09::/64\"]\n[nodes.one]\n\
         address = [\"10.9.0.1\", \"fd09::1\"]\nroles = [\"redis\"]\n[redis]\nnetwork = \"host\"\n"
    )
}

#[test]
fn what_the_plot_no_longer_wants_is_closed_and_the_users_own_rules_stay() {
    want!(Program::named("ufw"));
    let keep = "{ port = 9100, why = \"metrics: one's own\" }, { port = \"9200-9210\", from = \"lan\" }, \
                { port = 9300 }, { port = 9400 }, { port = 9500 }";
    let before = guarded("[\"198.51.100.0/24\", \"2001:db8:1::/48\"]", keep);
    let after = guarded("[\"198.51.100.0/24\"]", "{ port = 9300 }, { port = 9500, why = \"renamed\" }");
    let stage = want!(want!(Example::new("before", topology(&before))).stage());
    let changed = want!(want!(Example::new("after", topology(&after))).stage());
    let station = stage.station("one");
    let root = want!(Root::new());
    let own = [
        &["allow", "7000/tcp", "comment", "my own, ünd stageplot guarded: too"][..],
        // The same as the plot's: without a comment, with one, and narrower by a limit.
        &["allow", "9100/tcp"][..],
        &["limit", "9400/tcp", "comment", "mine"][..],
        &["allow", "log", "from", "10.9.0.0/24", "to", "any", "port", "9200:9210", "proto", "tcp"][..],
    ];
    for rule in own {
        ufw(station, &root, rule);
    }
    let shown = |root: &Root| {
        let added = ufw(station, root, &["show", "added"]);
        added.lines().filter(|line| line.starts_with("ufw ")).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let mine = shown(&root);
    let open = |port: &str| {
        let chains = [("iptables", "ufw-user-input"), ("ip6tables", "ufw6-user-input")];
        let lists = chains.map(|(program, chain)| station.machine().run(program, &["-S", chain]).success());
        lists.iter().any(|list| {
            list.lines().any(|rule| {
                rule.contains(&format!("--dports {port} ")) || rule.contains(&format!("--dport {port} "))
            })
        })
    };

    sh(station, &root).success();
    let with_all = shown(&root);
    assert!(with_all.is_superset(&mine), "{with_all:#?}");
    assert!(["22", "9100", "9300", "9400", "9500"].into_iter().all(&open), "{with_all:#?}");
    assert!(with_all.iter().any(|rule| rule.contains("2001:db8:1::/48")), "{with_all:#?}");
    sh(station, &root).success();
    assert_eq!(shown(&root), with_all);

    // What changed since, in the same place.
    let script = changed.station("one").installed().release().join("firewall/ufw.sh");
    fs::copy(script, station.installed().release().join("firewall/ufw.sh")).expect("copied");
    let said = sh(station, &root);
    assert!(said.succeeded(), "{said:?}");
    let left = shown(&root);
    assert!(left.is_superset(&mine), "{left:#?}");
    let ours: Vec<_> = left.difference(&mine).map(String::as_str).collect();
    assert_eq!(
        ours,
        [
            "ufw allow 9300/tcp comment 'stageplot guarded: keep: kept open'",
            "ufw allow 9500/tcp comment 'stageplot guarded: keep: renamed'",
            "ufw allow from 198.51.100.0/24 to any port 22 proto tcp comment 'stageplot guarded: ssh: the \
             operator\u{2019}s way in'",
        ]
    );
    assert!(["22", "7000", "9100", "9300", "9400", "9500"].into_iter().all(&open), "{left:#?}");

    // Nor is anything closed where ufw has other words for the rules than the script.
    let path = station.installed().release().join("firewall/ufw.sh");
    let rendered = fs::read_to_string(&path).expect("a script");
    let foreign = rendered.replace("allow '9500/tcp'", "allow proto tcp from any to any port 9600");
    assert_ne!(foreign, rendered);
    fs::write(&path, foreign).expect("one in other words");
    let said = sh(station, &root);
    assert!(!said.succeeded() && open("9500") && open("9600"), "{said:?}");
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
    ufw_load(station, root).expect("a script")
}

fn ufw(station: &Station, root: &Root, arguments: &[&str]) -> String {
    run(root.command(station.machine(), "ufw").args(arguments), SOON).success()
}

/// The rules that the script names, for IPv4 and for IPv6, in the words of ufw's own
/// files.
fn named(station: &Station) -> [BTreeSet<String>; 2] {
    let script = fs::read_to_string(station.installed().release().join("firewall/ufw.sh")).expect("a script");
    let mark = script.lines().find_map(|line| line.strip_prefix("mark=")).expect("a mark").trim_matches('\'');
    let mut rules = [BTreeSet::new(), BTreeSet::new()];
    for line in script.lines().filter_map(|line| line.strip_prefix("\t\"$1\" '")) {
        let (comment, rule) = line.split_once("' allow ").expect("a reason, and a rule");
        let words: Vec<_> = rule.split_whitespace().map(|word| word.trim_matches('\'')).collect();
        let after = |word| words.iter().position(|own| *own == word).map(|at| words[at + 1]);
        let interface = after("on").map(|interface| format!("_{interface}")).unwrap_or_default();
        let (from, port, protocol) = match words[..] {
            [from_anybody] => {
                let (port, protocol) = from_anybody.split_once('/').expect("a protocol");
                ("any", port, protocol)
            }
            _ => (
                after("from").expect("a source"),
                after("port").expect("a port"),
                after("proto").expect("a protocol"),
            ),
        };
        for (rules, (any, sign)) in rules.iter_mut().zip([("0.0.0.0/0", '.'), ("::/0", ':')]) {
            if from == "any" || from.contains(sign) {
                let source = if from == "any" { any } else { from };
                rules.insert(format!(
                    "{protocol} {port} {any} any {source} in{interface} # {mark}: {comment}"
                ));
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
