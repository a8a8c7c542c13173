//! Rules for a change, and the comment that a reviewer reads.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::place::{PLOT, Place};

/// A place with a plot, and one in which Redis keeps nothing and TURN opens.
fn place() -> Place {
    let place = Place::with("before.toml", PLOT);
    let after = PLOT.replace("[redis]\n", "[redis]\npersistence = \"none\"\n");
    place.write("after.toml", after.replace("[livekit]\n", "[livekit]\nturn = { udp-port = 3478 }\n"));
    place.write("same.toml", format!("# The same.\n{PLOT}"));
    place.write("policy.toml", include_str!("../../../../examples/policies/careful.toml"));
    place
}

const CHANGE: [&str; 3] = ["diff", "before.toml", "after.toml"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[test]
fn a_broken_rule_is_told_in_every_format() {
    let place = place();
    let ended = place.run(&with(&CHANGE, &["--policy", "policy.toml"])).code(3);
    ended
        .prints("Rules that are broken")
        .prints("data: take a backup first, and say so in the pull request")
        .prints("internet: whoever is on call")
        .prints("the Internet can now reach 3478/udp on main");
    let ended = place.run(&with(&CHANGE, &["--policy", "policy.toml", "--format", "json"])).code(3);
    let json: Value = serde_json::from_str(&ended.out).expect("JSON");
    let rules =
        json["broken"].as_array().expect("rules").iter().map(|rule| rule["rule"].as_str().expect("a name"));
    assert_eq!(rules.collect::<Vec<_>>(), ["data", "internet", "redis-stays", "rooms"]);
    assert!(json["broken"][1]["by"][0].as_str().is_some_and(|by| by.contains("3478/udp")));
    let ended = place.run(&with(&CHANGE, &["--policy", "policy.toml", "--format", "markdown"])).code(3);
    assert!(
        ended.out.starts_with(
            "<!-- stageplot live after.toml -->\n## Stageplot live: data at stake, 4 rules are broken\n"
        ),
        "{}",
        ended.out
    );
}

#[test]
fn the_exit_code_says_whether_a_rule_is_broken() {
    let place = place();
    for (args, code) in [
        (&["--deny", "internet"][..], 3),
        (&["--deny", "data,rooms"], 3),
        (&["--deny", "data", "--deny", "internet", "--policy", "policy.toml"], 3),
        (&[], 2),
    ] {
        place.run(&with(&CHANGE, args)).code(code);
    }
    place.run(&with(&CHANGE, &["--deny", "internet"])).code(3).prints("--deny internet");
    let small = PLOT.replace("[redis]\n", "[redis]\nmaxmemory = \"256mb\"\n");
    place.write("after.toml", small);
    place.run(&with(&CHANGE, &["--deny", "internet,data,rooms"])).code(2).prints("No rule is broken.");
    let same = ["diff", "before.toml", "same.toml", "--policy", "policy.toml"];
    place.run(&same).code(0).prints("No changes.").prints("No rule is broken.");
    let ended = place.run(&with(&same, &["--format", "json"])).code(0);
    let json: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(json["broken"], Value::Array(Vec::new()), "that rules were looked at shows");
}

#[test]
fn a_policy_with_mistakes_compares_nothing() {
    let place = place();
    place.write("policy.toml", "[rules.internet]\nkind = \"openning\"\n");
    let ended = place.run(&with(&CHANGE, &["--policy", "policy.toml"])).code(1);
    assert_eq!(ended.out, "");
    ended
        .says("--> policy.toml:2:8")
        .says("did you mean `opening`?")
        .says("nothing was compared: policy.toml is no policy");
    place.run(&with(&CHANGE, &["--policy", "none.toml"])).code(1).says("failed to read none.toml");
    place.write("policy.toml", "");
    place.run(&with(&CHANGE, &["--policy", "policy.toml"])).code(1).says("missing field `rules` in the file");
}

/// The comment of a change of the example cluster, as it is kept in `tests/diff`.
/// `STAGEPLOT_BLESS=1` takes what is said over.
#[test]
fn a_comment_reads_well() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cluster =
        fs::read_to_string(crates.join("../../examples/plots/cluster/stageplot.toml")).expect("a plot");
    let place = Place::with("before.toml", &cluster);
    let after = cluster
        .replace("primary  = \"media-1\"", "primary  = \"media-2\"")
        .replace("selector =", "turn     = { udp-port = 3478 }\nselector =");
    place.write("after.toml", after);
    place.write("policy.toml", include_str!("../../../../examples/policies/careful.toml"));
    let ended = place.run(&with(&CHANGE, &["--policy", "policy.toml", "--format", "markdown"])).code(3);
    let kept = crates.join("tests/diff/comment.md");
    if std::env::var_os("STAGEPLOT_BLESS").is_some() {
        fs::write(&kept, &ended.out).expect("written");
    }
    assert_eq!(ended.out, fs::read_to_string(kept).unwrap_or_default(), "STAGEPLOT_BLESS=1 takes it over");
    let ended = place.run(&with(&CHANGE, &["--format", "markdown", "--summary"])).code(2);
    assert!(!ended.out.contains("<details>") && ended.out.contains("**Cut:**").eq(&false));
}
