//! What other commands print.

use serde_json::Value;

use crate::place::Place;

#[test]
fn every_view_is_also_for_programs() {
    let place = Place::with_plot();
    for view in ["nodes", "flows", "ports", "firewall", "checks"] {
        let ended = place.run(&["show", view, "--format", "json"]).code(0);
        assert_eq!(ended.err, "");
        let rows: Value = serde_json::from_str(&ended.out).expect("JSON");
        let table = place.run(&["show", view]).code(0).out;
        // A row of the table for each of the list's, after the header and its line.
        assert_eq!(rows.as_array().map(Vec::len), Some(table.lines().count() - 2), "{view}\n{table}");
    }
    place.run(&["show", "diagram"]).code(0).prints("flowchart");
    place.run(&["show", "diagram", "--format", "svg"]).code(0).prints("<svg");
    place.run(&["show", "dns"]).code(0).prints("livekit.example.com");
}

#[test]
fn a_plot_with_errors_shows_nothing_but_them() {
    let place = Place::with("stageplot.toml", "");
    for view in ["nodes", "flows", "ports", "firewall", "checks", "dns", "diagram"] {
        let ended = place.run(&["show", view]).code(2).says("the plot has no name");
        assert_eq!(ended.out, "");
    }
}

#[test]
fn where_nothing_can_be_made_another_directory_is_to_be_chosen() {
    let place = Place::with_plot();
    place.run(&["render", "--sealed", "--out", "/proc/x"]).code(1).says("choose another directory");
}

#[test]
fn every_shell_is_given_a_script() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        place.run(&["completions", shell]).code(0).prints("deny-warnings");
    }
}

#[test]
fn every_finding_is_explained() {
    let place = Place::new();
    let list = place.run(&["explain", "--format", "json"]).code(0);
    let codes: Value = serde_json::from_str(&list.out).expect("JSON");
    for code in codes.as_array().expect("a list") {
        let name = code["code"].as_str().expect("a code");
        place.run(&["explain", name]).code(0).prints(name).prints("Remedy");
        assert!(code["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{code}");
    }
    // As it stands in a finding.
    place.run(&["explain", "error[port-conflict]"]).code(0).prints("port-conflict");
}

#[test]
fn the_manual_page_names_every_command_and_exit_code() {
    let page = Place::new().run(&["man"]).code(0).out;
    for text in
        ["EXIT STATUS", "stageplot render", "stageplot show firewall", "\\-\\-sealed", ".TH STAGEPLOT 1"]
    {
        assert!(page.contains(text), "{text:?} is not in the page");
    }
}

#[test]
fn the_schema_is_json() {
    let schema: Value = serde_json::from_str(&Place::new().run(&["schema"]).code(0).out).expect("JSON");
    assert_eq!(schema["title"], "Stage plot");
}

#[test]
fn json_on_standard_input_is_known_by_its_brace() {
    use std::io::Write as _;
    let place = Place::new();
    let plot = r#" {"name": "live", "access": {"ssh": {"from": "any"}}, "nodes": {"a": {"address": "10.0.0.1", "roles": ["redis"]}}, "redis": {}}"#;
    let mut command = place.command(&["check", "-"]);
    let piped = std::process::Stdio::piped;
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().expect("it starts");
    child.stdin.take().expect("its input").write_all(plot.as_bytes()).expect("it reads");
    let ended = crate::place::Ended::from(child.wait_with_output().expect("it ends"));
    ended.code(0).prints("is well");
}

#[test]
fn who_stands_in_the_output_is_told_that_it_was_replaced() {
    let place = Place::with_plot();
    std::fs::create_dir(place.at("out")).expect("a directory");
    let mut command = place.command(&["render", "../stageplot.toml", "--sealed", "--out", "."]);
    command.current_dir(place.at("out"));
    let ended = crate::place::Ended::from(command.output().expect("it runs"));
    ended.code(0).says("the directory you are in was replaced");
    assert!(place.at("out/dns.txt").exists());
}
