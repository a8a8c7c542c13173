//! The reviewer's own rules, held against real changes.

use std::fs;
use std::path::Path;

use stageplot_render::diff::policy::{Broken, Policy};
use stageplot_render::diff::{self, Comment, Diff, Impact, Side};
use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{Document, Format, Plot};

const PLOT: &str = r#"
name = "live"

[networks.lan]
cidr = "10.0.0.0/24"

[nodes.front]
address = "10.0.0.1"
public = "203.0.113.10"
roles = ["edge", "rooms", "redis"]

[nodes.media-1]
address = "10.0.0.2"
public = "203.0.113.11"
roles = ["livekit"]

[edge]
domain = "live.example.com"

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }

[redis]
password = { env = "REDIS_PASSWORD" }

[services.rooms]
kind = "app"
image = "example.com/rooms:1"
port = 8080
routes = "/api/*"
needs = ["redis"]
"#;

fn side(plot: &str) -> Side {
    let document = Document::parse(Format::Toml, "stageplot.toml", plot).expect("TOML");
    let topology = Plot::read(&document).unwrap_or_else(|findings| panic!("{findings}")).topology;
    let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("it renders");
    Side::of(&topology, rendering).expect("it is sealed")
}

/// What these edits of the plot change.
fn change(edits: &[(&str, &str)]) -> Diff {
    let after = edits.iter().fold(PLOT.to_owned(), |plot, (from, to)| {
        assert!(plot.contains(from), "{from}");
        plot.replace(from, to)
    });
    diff::between(&side(PLOT), &side(&after))
}

fn policy(text: &str) -> Result<Policy, String> {
    let document =
        Document::parse(Format::Toml, "policy.toml", text).map_err(|findings| findings.to_string())?;
    Policy::read(&document).map_err(|findings| findings.to_string())
}

#[track_caller]
fn broken(rule: &str, diff: &Diff) -> Vec<String> {
    let policy = policy(&format!("[rules.it]\nwhy = \"ask first\"\n{rule}\n")).expect("a policy");
    let broken = policy.judge(diff);
    assert!(broken.iter().all(|broken| broken.rule == "it" && broken.why == "ask first"));
    broken.into_iter().flat_map(|broken: Broken| broken.by).collect()
}

/// An opening of the app from these sources.
fn opening(from: &str) -> Diff {
    let open = format!("[services.rooms.open.admin]\nport = 9000\nfrom = {from}\n");
    change(&[("needs = [\"redis\"]\n", &format!("needs = [\"redis\"]\n{open}"))])
}

#[test]
fn a_flow_from_the_internet_is_one_however_it_is_written() {
    let rule = "kind = \"opening\"\nfrom = \"internet\"";
    let private = [0, 10, 127];
    let public =
        (0..224).filter(|first| !private.contains(first)).map(|first| format!("\"{first}.0.0.0/8\""));
    let public = format!("[{}]", public.collect::<Vec<_>>().join(", "));
    let scattered = (0..300).map(|n| format!("\"8.{}.{}.0/24\"", n / 100, n % 100 * 2)).collect::<Vec<_>>();
    let scattered = format!("[{}]", scattered.join(", "));
    for from in [
        "\"any\"",
        "[\"0.0.0.0/0\"]",
        "[\"0.0.0.0/1\", \"128.0.0.0/1\"]",
        "[\"2000::/3\"]",
        "[\"8.0.0.0/8\"]",
        "[\"8.0.0.0/16\", \"9.9.9.9\"]",
        "[\"2001:db8::/31\"]",
        &public,
        &scattered,
    ] {
        let by = broken(rule, &opening(from));
        assert!(by.len() == 1 && by[0].contains("can now reach 9000/tcp on front"), "{from}: {by:?}");
    }
    let ours =
        "[\"10.0.0.0/8\", \"172.16.0.0/12\", \"192.168.0.0/16\", \"100.64.0.0/10\", \"169.254.0.0/16\"]";
    for from in [
        "\"lan\"",
        "[\"10.0.0.0/8\"]",
        "[\"198.51.100.7\"]",
        "[\"198.51.0.0/16\"]",
        "[\"fc00::/7\"]",
        "[\"2001:db8::/32\"]",
        ours,
    ] {
        assert_eq!(broken(rule, &opening(from)), <[&str; 0]>::default(), "{from}");
    }
    assert_eq!(broken(rule, &change(&[("port = 8080", "port = 8081")])), <[&str; 0]>::default());
}

#[test]
fn networks_that_are_few_each_are_the_internet_together() {
    let rule = "kind = \"opening\"\nfrom = \"internet\"";
    let keep = |nets: std::ops::Range<u8>| {
        let network = |n| format!("[networks.n{n}]\ncidr = \"8.{n}.0.0/16\"\n");
        let names = nets.clone().map(|n| format!("\"n{n}\"")).collect::<Vec<_>>().join(", ");
        let access = format!("[access]\nkeep = [{{ port = 9000, from = [{names}] }}]\n");
        change(&[(
            "[networks.lan]\n",
            &format!("{access}{}[networks.lan]\n", nets.map(network).collect::<String>()),
        )])
    };
    assert_eq!(broken(rule, &keep(0..1)), [""; 0]);
    assert_eq!(broken(rule, &keep(0..3)).len(), 3);
}

#[test]
fn flows_are_told_by_who_and_where() {
    let lan = opening("\"lan\"");
    for (rule, breaks) in [
        ("kind = \"opening\"", true),
        ("kind = \"opening\"\nfrom = \"network l*\"", true),
        ("kind = \"opening\"\nfrom = [\"internet\", \"service *\"]", false),
        ("kind = \"opening\"\nservices = \"rooms\"\nnodes = \"fr*\"", true),
        ("kind = \"opening\"\nservices = \"redis\"", false),
        ("kind = \"opening\"\nnodes = \"media-*\"", false),
        ("kind = \"closing\"", false),
    ] {
        assert_eq!(!broken(rule, &lan).is_empty(), breaks, "{rule}");
    }
    let port = change(&[("port = 8080", "port = 8081")]);
    assert!(!broken("kind = \"opening\"\nfrom = \"service edge\"", &port).is_empty());
    assert!(!broken("kind = \"closing\"\nfrom = \"service edge\"", &port).is_empty());
}

#[test]
fn impacts_are_denied_from_the_mildest_on() {
    let data = change(&[("[redis]\n", "[redis]\npersistence = \"none\"\n")]);
    assert_eq!(data.impact, Impact::DataAtStake);
    for at_least in ["live", "recreate", "data-at-stake"] {
        let by = broken(&format!("kind = \"impact\"\nat-least = \"{at_least}\""), &data);
        assert!(!by.is_empty(), "{at_least}");
    }
    assert!(broken("kind = \"impact\"\nat-least = \"live\"\nservices = \"livekit\"", &data).is_empty());
    assert!(broken("kind = \"rooms\"\nservices = \"livekit\"", &data).is_empty());
    let rooms = change(&[("[livekit]\n", "[livekit]\ntcp-port = 7882\n")]);
    assert!(broken("kind = \"impact\"\nat-least = \"data-at-stake\"", &rooms).is_empty());
    let by = broken("kind = \"rooms\"", &rooms);
    assert!(by.len() == 1 && by[0].starts_with("livekit on media-1: may drop rooms: "), "{by:?}");
    assert!(broken("kind = \"rooms\"\nnodes = \"front\"", &rooms).is_empty());
}

#[test]
fn files_and_fields_are_found_by_their_names() {
    let memory = change(&[("[redis]\n", "[redis]\nmaxmemory = \"256mb\"\n")]);
    for (rule, breaks) in [
        ("files = \"*redis.conf\"", true),
        ("files = \"*redis.conf\"\nfields = \"maxmemory\"", true),
        ("files = \"*redis.conf\"\nfields = [\"appendonly\", \"requirepass\"]", false),
        ("files = \"*redis.conf\"\nnodes = \"media-*\"", false),
        ("files = \"*livekit.yaml\"", false),
        ("services = \"redis\"", true),
    ] {
        let by = broken(&format!("kind = \"file\"\n{rule}"), &memory);
        assert_eq!(!by.is_empty(), breaks, "{rule}: {by:?}");
    }
    // A file that is new has every field.
    let fresh = change(&[
        ("roles = [\"livekit\"]", "roles = [\"livekit\", \"redis\"]"),
        ("[redis]\n", "[redis]\nprimary = \"front\"\n"),
    ]);
    let by = broken(
        "kind = \"file\"\nfiles = \"*redis.conf\"\nfields = \"requirepass\"\nnodes = \"media-*\"",
        &fresh,
    );
    assert!(by.len() == 1 && by[0].ends_with("redis.conf on media-1 is new"), "{by:?}");
}

#[test]
fn nothing_breaks_no_rule() {
    let same = diff::between(&side(PLOT), &side(PLOT));
    for rule in [
        "kind = \"opening\"",
        "kind = \"closing\"",
        "kind = \"impact\"\nat-least = \"none\"",
        "kind = \"file\"",
    ] {
        assert_eq!(broken(rule, &same), <[&str; 0]>::default(), "{rule}");
    }
}

#[test]
fn mistakes_are_all_told_with_their_places() {
    let text = "[rules.a]\nkind = \"openning\"\n[rules.b]\nkind = \"opening\"\nfrom = \"everybody\"\nnode = \"x\"\n\
                [rules.d]\nkind = \"file\"\nfiles = \"\"\n[rulez]\n";
    let error = policy(text).expect_err("mistakes");
    for why in [
        "2:8: rules.a.kind: expected one of `opening`, `closing`, `impact`, `rooms`, `file`, `secret`",
        "5:8: rules.b.from: \"everybody\" is not valid",
        "rules.b.node: unknown field `node` in rules.b (help: did you mean `nodes`?",
        "9:9: rules.d.files",
        "unknown field `rulez` in the file",
    ] {
        assert!(error.contains(why), "{why}:\n{error}");
    }
    let error = policy("[rules.c]\nkind = \"impact\"\n").expect_err("no impact");
    assert!(error.contains("missing field `at-least` in rules.c"), "{error}");
    assert!(policy("").expect_err("nothing").contains("missing field `rules`"));
    assert!(policy("[rules]").expect_err("nothing").contains("a policy without rules denies nothing"));
}

#[test]
fn a_comment_begins_with_what_is_broken() {
    let diff = opening("\"any\"");
    let policy =
        policy("[rules.no-internet]\nkind = \"opening\"\nfrom = \"internet\"\nwhy = \"ask @security\"")
            .expect("a policy");
    let broken = policy.judge(&diff);
    let comment = Comment::new(&diff).broken(&broken).to_string();
    assert!(comment.starts_with("## Stageplot live: recreate, 1 rule is broken\n"), "{comment}");
    assert!(
        comment
            .contains("- no-internet (ask `@security`)\n  - the Internet can now reach `9000/tcp` on front"),
        "{comment}"
    );
}

#[test]
fn the_examples_are_read() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example = fs::read_to_string(top.join("examples/policies/careful.toml")).expect("the example");
    assert_eq!(policy(&example).expect("a policy").rules.len(), 5);
    let page = fs::read_to_string(top.join("docs/policy.md")).expect("the page");
    let examples: Vec<_> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        policy(example).unwrap_or_else(|error| panic!("{error}"));
    }
    for impact in Impact::ALL {
        assert!(page.contains(&format!("`\"{impact}\"`")), "{impact} is not in docs/policy.md");
    }
}

#[test]
fn a_rule_for_what_neither_side_has_is_told() {
    let diff = opening("\"lan\"");
    let unmatched = |rule: &str| {
        let policy = policy(&format!("[rules.it]\nkind = \"rooms\"\n{rule}\n")).expect("a policy");
        policy.unmatched(&diff)
    };
    assert_eq!(unmatched("nodes = \"media-*\"\nservices = \"red*\"\nkinds = \"redis\""), [""; 0]);
    assert_eq!(
        unmatched("nodes = [\"medai-*\", \"front\"]"),
        ["rule it names nodes that neither side has: medai-*"]
    );
    assert_eq!(unmatched("kinds = \"reddis\"\nservices = \"x\"").len(), 2);
    let (texts, no_rule) = (unmatched("nodes = \"medai-*\""), []);
    let comment = Comment::new(&diff).broken(&no_rule).unmatched(&texts).to_string();
    assert!(comment.contains("**Rules that name nothing**"), "{comment}");
}

#[test]
fn rules_select_services_by_kind() {
    let data = change(&[("[redis]\n", "[redis]\npersistence = \"none\"\n")]);
    let rule = |kinds: &str| format!("kind = \"impact\"\nat-least = \"recreate\"\nkinds = {kinds}");
    assert_eq!(broken(&rule("\"redis\""), &data).len(), 1);
    assert_eq!(broken(&rule("[\"edge\", \"app\"]"), &data), [""; 0]);
    let by = broken("kind = \"opening\"\nfrom = \"any\"\nkinds = \"app\"", &opening("\"any\""));
    assert_eq!(by.len(), 1, "{by:?}");
}
