//! A plot that was broken by one slip is mended with nothing but the messages:
//! one slip is one finding, it stands where the slip is, and its help tells what
//! to write.

use std::path::Path;

use stageplot_topology::{Document, Findings, Format, Plot};

/// The plot of the README, with one text in the place of another.
fn broken(text: &str, by: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let plot = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a plot");
    assert_eq!(plot.matches(text).count(), 1, "{text:?} stands once in the README's plot");
    plot.replace(text, by)
}

fn findings(format: Format, text: &str) -> Findings {
    match Document::parse(format, "stageplot", text) {
        Ok(document) => match Plot::read(&document) {
            Ok(built) => built.findings,
            Err(findings) => findings,
        },
        Err(findings) => findings,
    }
}

/// Each slip, its code, what is marked, and words that the help has.
const SLIPS: &[(&str, &str, &str, &str, &str)] = &[
    ("\"10.0.0.1\"", "10.0.0.1", "syntax", ".0.1", "double quotes"),
    ("\"redis\"]\n\n[edge]", "\"redis\"\n\n[edge]", "syntax", "roles   = [", "close it with ]"),
    ("9100, from", "9100 from", "syntax", "9100 from", "put a comma"),
    ("\"node exporter\"", "\"node \"exporter\"\"", "syntax", "", "written \\\""),
    ("domain =", "balance = \"sticky\"\ndomain =", "invalid-value", "\"sticky\"", "a table with cookie"),
    (
        "domain =",
        "balance = { max-age = \"1h\" }\ndomain =",
        "invalid-value",
        "{ max-age = \"1h\" }",
        "set cookie",
    ),
    ("domain =", "balance = { random = 1 }\ndomain =", "invalid-value", "{ random = 1 }", "2 or more"),
    (
        "domain =",
        "balance = { cookie = \"a\", query = \"b\" }\ndomain =",
        "invalid-value",
        "{ cookie = \"a\", query = \"b\" }",
        "set one of",
    ),
    ("health =", "health:", "syntax", ":", "name = value"),
    (
        "{ main = { env = \"LIVEKIT_API_SECRET\" } }",
        "{ main = { env = \"X\" }",
        "syntax",
        "keys    = {",
        "close it with }",
    ),
    ("\"live\"\n", "“live”\n", "syntax", "“live”", "write straight ones"),
    (
        "[redis]\n",
        "[nodes.front]\naddress = \"10.0.0.2\"\n[redis]\n",
        "syntax",
        "front",
        "the first is on line 11",
    ),
    ("port   = 8080\n", "port   = 8080\nport   = 8081\n", "syntax", "port", "the first is on line 22"),
    ("[redis]\n", "[reddis]\n", "unknown-field", "reddis", "did you mean `redis`?"),
    ("[nodes.front]", "[node.front]", "unknown-field", "node", "did you mean `nodes`?"),
    ("[services.rooms]", "[service.rooms]", "unknown-field", "service", "did you mean `services`?"),
    ("roles   =", "role    =", "unknown-field", "role", "did you mean `roles`?"),
    ("[redis]\npassword", "[redis]\npasword", "unknown-field", "pasword", "did you mean `password`?"),
    ("[redis]\n", "[redis]\nmaxmem = \"1gb\"\n", "unknown-field", "maxmem", "did you mean `maxmemory`?"),
    (
        "{ main = { env = \"LIVEKIT_API_SECRET\" } }",
        "{ main = { command = [] } }",
        "invalid-value",
        "",
        "write the program and its arguments",
    ),
    (
        "{ main = { env = \"LIVEKIT_API_SECRET\" } }",
        "{ main = { command = \"sops -d x\" } }",
        "invalid-value",
        "",
        "write each word by itself",
    ),
    ("domain =", "domian =", "unknown-field", "domian", "did you mean `domain`?"),
    ("kind   =", "kindd  =", "unknown-field", "kindd", "did you mean `kind`?"),
    ("kind   = \"app\"\n", "", "missing-field", "[services.rooms]", "add kind = \"…\" with one of `edge`"),
    ("\"app\"", "\"application\"", "invalid-value", "\"application\"", "did you mean `app`?"),
    ("[services.rooms.env]", "[services.room.env]", "missing-field", "room", "did you mean services.rooms?"),
    (
        "\"redis\"]\n\n[edge]",
        "\"redis\", \"turn\"]\n\n[edge]",
        "unknown-name",
        "\"turn\"",
        "turn = { udp-port = 3478 } in [livekit]",
    ),
    ("\"app\"", "\"ap\"", "invalid-value", "\"ap\"", "did you mean `app`?"),
    ("\"redis\"]\n\n[edge]", "\"rediss\"]\n\n[edge]", "unknown-name", "\"rediss\"", "did you mean redis?"),
    ("\"livekit\", \"redis\"]\n\n[s", "\"livekit\", \"radis\"]\n\n[s", "unknown-name", "\"radis\"", "redis?"),
    (
        "[\"edge\", \"rooms\", \"livekit\", \"redis\"]",
        "\"edge, rooms\"",
        "invalid-value",
        "\"edge, rooms\"",
        "[\"edge\", ",
    ),
    ("\"198.51.100.0/24\"", "\"office\"", "unknown-name", "\"office\"", "add [networks.office]"),
    ("{ from = \"198.51.100.0/24\" }", "\"any\"", "wrong-type", "\"any\"", "ssh = { from = "),
    (
        "[{ port = 9100, from = \"10.0.0.0/24\", why = \"node exporter\" }]",
        "9100",
        "wrong-type",
        "9100",
        "{ port = 9100, ",
    ),
    ("\"203.0.113.10\"", "\"203.0.113\"", "invalid-value", "\"203.0.113\"", "write an IP address"),
    ("8080", "\"8080\"", "wrong-type", "\"8080\"", "take the quotes away"),
    ("8080", "0", "invalid-value", "0", "between 1 and 65535"),
    ("\"main\"\n", "5\n", "wrong-type", "5", "put it in quotes"),
    ("LIVEKIT_API_KEY ", "LIVEKIT-API-KEY ", "invalid-value", "LIVEKIT-API-KEY", "underscores"),
    ("${redis.address}", "${redis.adress}", "env-reference", "${redis.adress}", "${redis.address}?"),
    ("${redis.address}", "${rediss.address}", "env-reference", "${rediss.address}", "${redis.address}?"),
    (
        "{ env = \"LIVEKIT_API_SECRET\" }\nREDIS_A",
        "{ evn = \"X\" }\nREDIS_A",
        "unknown-field",
        "evn",
        "`env`?",
    ),
    (
        "{ env = \"REDIS_PASSWORD\" }\n\n",
        "{ env = \"$X\" }\n\n",
        "invalid-value",
        "{ env = \"$X\" }",
        "no digit first",
    ),
    ("{ main = { env = \"LIVEKIT_API_SECRET\" } }", "\"main\"", "wrong-type", "\"main\"", "keys = { NAME = "),
    ("{ udp-port = 3478 }", "true", "wrong-type", "true", "known fields: `domain`, `udp-port`"),
    (
        "{ urls = \"https://livekit.example.com/api/webhook\" }",
        "\"x\"",
        "wrong-type",
        "\"x\"",
        "webhook = { urls = ",
    ),
    (
        "\"https://livekit.example.com/api/webhook\"",
        "\"livekit.example.com\"",
        "invalid-value",
        "\"livekit.example.com\"",
        "https://",
    ),
];

#[test]
fn one_slip_is_one_finding_in_its_place() {
    let mut wrong = Vec::new();
    for &(text, by, code, marked, help) in SLIPS {
        let plot = broken(text, by);
        let findings = findings(Format::Toml, &plot);
        let told: Vec<_> = findings.iter().collect();
        let [only] = told.as_slice() else {
            wrong.push(format!("{by:?}: not one finding\n{findings}"));
            continue;
        };
        let span = only.location.span.map_or("", |span| &plot[span.start..span.end]);
        if only.code.as_str() != code || !span.starts_with(marked) || !only.help.contains(help) {
            wrong.push(format!("{by:?}: marks {span:?}\n{findings}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_missing_at_the_top_stands_nowhere() {
    let plot = broken("name = \"live\"\n", "");
    let found = findings(Format::Toml, &plot);
    assert_eq!(
        found.to_string(),
        "error[missing-field]: name: the plot has no name (help: add name = \"live\", or what you call the stack)"
    );
}

#[test]
fn slips_of_yaml_are_shown_where_they_are() {
    let yaml = "name: live\naccess: {ssh: {from: any}}\nnodes:\n  front:\n    address: 10.0.0.1\n    roles: [redis]\nredis: {}\n";
    assert_eq!(findings(Format::Yaml, yaml).to_string(), "");
    for (text, by, place, help) in [
        ("    address", "\taddress", "5:1: ", "indent with spaces"),
        ("    roles", "   \troles", "6:4: ", "indent with spaces"),
        ("name: live", "name = live", "1:6: ", "write name: value in YAML"),
        ("redis: {}", "redis:", "7:1: redis: ", "write {} where nothing is to be set"),
    ] {
        let found = findings(Format::Yaml, &yaml.replace(text, by));
        let told: Vec<_> = found.iter().map(ToString::to_string).collect();
        let [only] = told.as_slice() else { panic!("{by:?}: {told:#?}") };
        assert!(only.contains(&format!("]: {place}")) && only.contains(help), "{by:?}: {only}");
    }
}

/// Every table that a plot may have, its help's example in its own place.
#[test]
fn the_example_of_a_table_is_one() {
    let head = "name = \"live\"\n[nodes.front]\naddress = \"10.0.0.1\"\n";
    for (header, field, tail) in [
        ("", "access", ""),
        ("[access]", "ssh", ""),
        ("[access]", "keep", ""),
        ("", "seals", ""),
        ("", "bridge", ""),
        ("", "firewall", ""),
        ("[networks]", "lan", ""),
        ("[nodes]", "media", ""),
        ("", "edge", ""),
        ("", "livekit", ""),
        ("[livekit]", "turn", ""),
        ("[livekit]", "room", ""),
        ("[livekit]", "webhook", ""),
        ("[livekit]", "drain", ""),
        ("[livekit]", "metrics", ""),
        ("", "redis", ""),
        ("[redis]", "limits", ""),
        ("[redis]", "external", ""),
        ("[redis.external]", "tls", ""),
        ("", "app", ""),
        ("[app.open]", "rtmp", ""),
        ("[edge.tls]", "dns", ""),
    ] {
        let with = |value: &str| match header {
            "" => format!("{field} = {value}\n{head}{tail}"),
            _ => format!("{head}{header}\n{field} = {value}\n{tail}"),
        };
        let found = findings(Format::Toml, &with("true"));
        let told = found.iter().find(|finding| finding.code.as_str() == "wrong-type");
        let told = told.unwrap_or_else(|| panic!("{header} {field}: {found}"));
        let example = told.help.strip_prefix("write ").and_then(|rest| rest.split_once("; known fields: `"));
        let (example, _) = example.unwrap_or_else(|| panic!("{told}"));
        let example = example.strip_prefix(&format!("{field} = ")).unwrap_or(example);
        let found = findings(Format::Toml, &with(example));
        let shape = ["syntax", "unknown-field", "wrong-type", "invalid-value"];
        let misread = found.iter().find(|finding| {
            shape.contains(&finding.code.as_str()) || finding.message.starts_with("missing field")
        });
        assert!(misread.is_none(), "{field} = {example}: {misread:?}");
    }
}

#[test]
fn a_redis_that_is_not_there_is_added_as_the_readme_does() {
    let plot = broken("[redis]\npassword = { env = \"REDIS_PASSWORD\" }", "");
    let found = findings(Format::Toml, &plot);
    assert!(found.iter().any(|finding| finding.help == "add [redis]"), "{found}");
    assert!(!found.to_string().contains("[services.redis]"), "{found}");
}

#[test]
fn a_mistyped_table_hides_nothing_that_another_lacks() {
    let plot = broken("[livekit]\n", "[service.rooms]\nport = 1\n[livekit]\n");
    let plot = plot.replace("kind   = \"app\"\n", "");
    let found = findings(Format::Toml, &plot).to_string();
    assert!(found.contains("unknown field `service`"), "{found}");
    assert!(found.contains("does not say of which kind it is"), "{found}");
}

/// Each slip that many things follow from, and the findings that are told.
#[test]
fn what_follows_from_one_slip_is_told_once() {
    for (text, by, told) in [
        (
            "roles   = [\"edge\", \"rooms\", \"livekit\", \"redis\"]",
            "roles   = [\"edge\", \"rooms\", \"livekit\"]",
            "error[no-route]: 40:1: redis: livekit and rooms need redis, which stands on no node (help: add \"redis\" \
             to the roles of a node)",
        ),
        (
            "address = \"10.0.0.1\"",
            "address = \"203.0.113.10\"",
            "error[duplicate-address]: 13:11: nodes.front.public: 203.0.113.10 is address and public of this node \
             (help: take address out: it is for a private network, and a node may have none)",
        ),
    ] {
        assert_eq!(findings(Format::Toml, &broken(text, by)).to_string(), told);
    }
}
