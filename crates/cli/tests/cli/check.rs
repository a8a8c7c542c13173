//! `stageplot check`

use std::collections::BTreeSet;

use serde_json::Value;

use crate::place::{PLOT, Place};

const BROKEN: &str = r#"name = "live"

[nodes.front]
address = "10.0.0.1"
roles = ["edge", "cache"]

[nodes."back-1"]
address = "10.0.0.2"
roles = ["cach"]

[edge]
domain = "live.example.com"
tls = "off"

[services.cache]
kind = "redis"
image = "redis:latest"
password = "hunter2 in the plot"
"#;

#[test]
fn how_it_ends_tells_what_it_found() {
    let place = Place::with_plot();
    let ended = place.run(&["check"]).code(0);
    assert_eq!(ended.out, "stageplot.toml is well: 3 services on 1 node, 7 flows\n");
    assert_eq!(ended.err, "");

    place.write("stageplot.toml", PLOT.replace("[redis]\n", "[redis]\nimage = \"redis\"\n"));
    place.run(&["check"]).code(0).prints("warning[floating-image]");
    place.run(&["check", "--deny-warnings"]).code(2);

    place.write("stageplot.toml", BROKEN);
    place.run(&["check"]).code(2).prints("error[unknown-name]").prints("did you mean cache?");
}

#[test]
fn no_literal_secret_is_shown() {
    let place = Place::with("stageplot.toml", BROKEN);
    for args in [&["check"][..], &["check", "--format", "json"], &["check", "--format", "sarif"]] {
        let ended = place.run(args).code(2).prints("literal-secret");
        assert!(!ended.out.contains("hunter2"), "{}", ended.out);
    }
    // Nor where the file cannot be read at all.
    place.write("stageplot.toml", BROKEN.replace("in the plot\"", "in the plot"));
    let ended = place.run(&["check"]).code(2).prints("error[syntax]");
    assert!(!ended.out.contains("hunter2"), "{}", ended.out);
}

#[test]
fn programs_read_json() {
    let place = Place::with("stageplot.toml", BROKEN);
    let ended = place.run(&["check", "--format", "json"]).code(2);
    assert_eq!(ended.err, "");
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(report["plot"], "stageplot.toml");
    let findings = report["findings"].as_array().expect("findings");
    let unknown = findings.iter().find(|finding| finding["code"] == "unknown-name").expect("the finding");
    assert_eq!(unknown["path"], "nodes.back-1.roles[0]");
    assert_eq!(unknown["severity"], "error");
    assert_eq!((&unknown["span"]["line"], &unknown["span"]["column"]), (&9.into(), &10.into()));
    let of = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    assert_eq!(report["total"]["errors"], of("error"));
    assert_eq!(report["total"]["warnings"], of("warning"));
    // Without findings it is the same report.
    let report: Value =
        serde_json::from_str(&Place::with_plot().run(&["check", "--format", "json"]).code(0).out)
            .expect("JSON");
    assert_eq!(report["findings"], serde_json::json!([]));
}

/// Holds a log against what SARIF 2.1.0 asks of the properties that we write.
#[test]
fn code_scanners_read_sarif() {
    let place = Place::with("plots/a b.toml", BROKEN.replace("10.0.0.2", "10.0.0.2é"));
    let ended = place.run(&["check", "plots/a b.toml", "--format", "sarif"]).code(2);
    let log: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-2.1.0.json")));
    let [run] = log["runs"].as_array().expect("runs").as_slice() else { panic!("one run") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "stageplot");
    assert_eq!(run["columnKind"], "unicodeCodePoints");

    let rules = driver["rules"].as_array().expect("rules");
    let ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "two rules of one id");
    for rule in rules {
        assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| text.ends_with('.')), "{rule}");
        assert!(rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("## Remedy")), "{rule}");
        assert!(!rule["help"]["text"].as_str().unwrap_or_default().is_empty());
    }

    let text = place.read("plots/a b.toml");
    let lines: Vec<_> = text.lines().collect();
    let results = run["results"].as_array().expect("results");
    assert!(!results.is_empty());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("an index");
        assert_eq!(result["ruleId"], ids[index]);
        assert!(matches!(result["level"].as_str(), Some("error" | "warning" | "note")), "{result}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "plots/a%20b.toml");
        let region = &place["region"];
        let number = |name: &str| usize::try_from(region[name].as_u64().expect(name)).expect(name);
        let (line, start, end) = (number("startLine"), number("startColumn"), number("endColumn"));
        assert!(line >= 1 && line <= lines.len() && line == number("endLine"));
        assert!(start >= 1 && start <= end && end <= lines[line - 1].chars().count() + 1, "{region}");
        let marked: String = lines[line - 1].chars().skip(start - 1).take(end - start).collect();
        let from = number("byteOffset");
        assert_eq!(marked, text[from..from + number("byteLength")]);
    }

    let sound = Place::with_plot().run(&["check", "--format", "sarif"]).code(0);
    let log: Value = serde_json::from_str(&sound.out).expect("JSON");
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn a_plot_outside_of_the_working_directory_has_a_whole_uri() {
    let place = Place::with("stageplot.toml", "");
    let path = place.at("stageplot.toml");
    let elsewhere = Place::new();
    let ended = elsewhere.run(&["check", path.to_str().expect("UTF-8"), "--format", "sarif"]).code(2);
    let log: Value = serde_json::from_str(&ended.out).expect("JSON");
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], format!("file://{}", path.display()));
}

#[test]
fn colour_is_for_terminals() {
    let place = Place::with("stageplot.toml", BROKEN);
    let plain = place.run(&["check"]).code(2);
    assert!(!plain.out.contains('\u{1b}'));
    let coloured = place.run(&["check", "--color", "always"]).code(2);
    assert!(coloured.out.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&coloured.out).to_string(), plain.out);
    let mut command = place.command(&["check"]);
    let forced = command.env("CLICOLOR_FORCE", "1").output().expect("the command runs");
    assert!(forced.stdout.contains(&0x1b));
}

#[test]
fn what_a_terminal_would_obey_is_not_passed_on() {
    let text = "name = \"live\"\n[nodes.a]\naddress = \"10.0.0.1\"\nroles = [\"\\u001b]0;gotcha\\u0007\"]\n\"\\u001b[2J\" = 1\n";
    let place = Place::with("stageplot.toml", text);
    for args in [&["check"][..], &["check", "--format", "json"], &["check", "--format", "sarif"]] {
        let ended = place.run(args).code(2);
        assert!(!ended.out.contains(['\u{1b}', '\u{7}']), "{:?}", ended.out);
    }
    let place = Place::with(
        "stageplot.yaml",
        "name: live\nnodes: {a: {address: 10.0.0.1, roles: [redis]}}\nredis: {}\n# \u{9b}2J \u{202e}\n\u{202e}x: 1\n",
    );
    let ended = place.run(&["check"]).code(2);
    assert!(!ended.out.contains(['\u{9b}', '\u{202e}']), "{:?}", ended.out);
}

/// Whoever asks for JSON is told in JSON what is wrong, by whichever command.
#[test]
fn every_command_tells_of_errors_as_check_does() {
    let place = Place::with("stageplot.toml", BROKEN);
    let wanted = place.run(&["check", "--format", "json"]).code(2).out;
    let views = ["nodes", "flows", "ports", "firewall", "checks", "dns", "diagram"];
    let shows = views.map(|view| vec!["show", view, "--format", "json"]);
    for args in shows.into_iter().chain([vec!["render", "--out", "out", "--format", "json"]]) {
        let ended = place.run(&args).code(2);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), (wanted.as_str(), ""), "{args:?}");
    }
}

#[test]
fn rendering_tells_its_warnings_in_its_json() {
    let open = PLOT.replace("[access]\nssh = { from = \"any\" }\n", "");
    let place = Place::with("stageplot.toml", open);
    let args = ["render", "--out", "out", "--format", "json"];
    let ended = place.run(&[&args[..], &["--sealed"]].concat()).code(0);
    assert_eq!(ended.err, "");
    let summary: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(summary["findings"][0]["code"], "ssh-open");
    // What lacks are secrets.
    let ended = place.run(&args).code(2);
    assert_eq!(ended.err, "");
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    let codes: BTreeSet<_> =
        report["findings"].as_array().expect("findings").iter().filter_map(|f| f["code"].as_str()).collect();
    assert_eq!(codes, ["secret-missing", "ssh-open"].into());
}

#[test]
fn what_is_shown_can_be_read_by_programs() {
    let place = Place::with_plot();
    let show = |view: &str| -> Value {
        let ended = place.run(&["show", view, "--format", "json"]).code(0);
        serde_json::from_str(&ended.out).expect("JSON")
    };
    let dns = show("dns");
    let record = serde_json::json!({ "type": "A", "ttl": 300, "address": "203.0.113.10" });
    assert_eq!(dns[0]["name"], "livekit.example.com");
    assert_eq!(
        (&dns[0]["records"], &dns[0]["unknown"]),
        (&serde_json::json!([record]), &serde_json::json!([]))
    );
    let diagram = show("diagram");
    let boxes = diagram["groups"][0]["services"].as_array().expect("boxes");
    assert_eq!(boxes.len(), 3);
    let is_box = |id: &Value| {
        boxes.iter().chain(diagram["outside"].as_array().expect("boxes")).any(|one| one["id"] == *id)
    };
    let arrows = diagram["arrows"].as_array().expect("arrows");
    assert!(!arrows.is_empty() && arrows.iter().all(|one| is_box(&one["from"]) && is_box(&one["to"])));
    let services = show("nodes");
    let services = services[0]["services"].as_array().expect("services");
    let redis = services.iter().find(|one| one["kind"] == "redis").expect("Redis");
    assert_eq!(redis["primary"], true);
}
