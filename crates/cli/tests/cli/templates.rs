//! The directory with the user's own templates and files.

use std::fs::File;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::place::{Ended, PLOT, Place};

fn place() -> Place {
    let place = Place::with("stageplot.toml", format!("templates = \"own\"\n{PLOT}"));
    std::fs::create_dir(place.at("own")).expect("the directory");
    place
}

fn render(place: &Place) -> Ended {
    place.run(&["render", "--sealed", "--out", "out"])
}

#[test]
fn a_template_takes_the_place_of_ours() {
    let place = place();
    render(&place).code(0);
    place.write("own/sysctl.conf", "# mine, for {{ name }}\n");
    render(&place).code(0);
    let found = walk(&place, "mine, for live");
    assert!(found, "the template was not used");
    place.run(&["check"]).code(0);
}

#[test]
fn files_are_added_to_a_service() {
    let place = place();
    place.write("own/files/redis/users.acl", "user default on\n");
    render(&place).code(0);
    assert!(walk(&place, "user default on"));
    place.write("own/files/rdis/users.acl", "");
    render(&place).code(1).says("has the name of no service").says("did you mean redis?");
}

#[test]
fn what_has_another_name_is_an_error() {
    for (name, says) in [
        ("own/sysctl.cnf", "did you mean sysctl.conf?"),
        ("own/my-notes.txt", "templates are "),
        ("own/.sysctl.conf.swp", "has the name of no template"),
    ] {
        let place = place();
        place.write(name, "");
        render(&place).code(1).says(says);
        let ended = place.run(&["check"]).code(1).says(says);
        assert_eq!(ended.out, "", "it is not well");
    }
}

#[test]
fn what_cannot_be_a_template_is_an_error() {
    let place = place();
    place.write("own/sysctl.conf", b"a\xffb");
    render(&place).code(1).says("own/sysctl.conf is not UTF-8: byte 1 is not");
    File::create(place.at("own/sysctl.conf")).and_then(|file| file.set_len(2 << 20)).expect("2 MiB");
    render(&place).code(1).says("it may have 1 MiB at most");
    std::fs::remove_file(place.at("own/sysctl.conf")).expect("the file");
    symlink("sysctl.conf", place.at("own/sysctl.conf")).expect("a link");
    render(&place).code(1).says("too many levels of symbolic links");
    std::fs::remove_file(place.at("own/sysctl.conf")).expect("the link");
    std::fs::create_dir(place.at("own/sysctl.conf")).expect("a directory");
    render(&place).code(1).says("own/sysctl.conf is not a file");
    std::fs::remove_dir_all(place.at("own")).expect("the directory");
    render(&place).code(1).says("failed to read own: no such file or directory");
}

#[test]
fn what_is_wrong_in_templates_is_told_at_once() {
    let place = place();
    place.write("own/sysctl.conf", "{% include \"stack.service\" %}\n");
    place.write("own/stack.service", "{% include \"firewall.service\" %}\n");
    place.write("own/firewall.service", "{% include \"stack.service\" %}\n");
    place.write("own/redis.conf", "{{ name\n");
    place.run(&["check"]).code(1).says("is a circle").says("redis.conf:");
    render(&place).code(1).says("is a circle");
    place.write("own/sysctl.conf", "{{ no_such_thing }}\n");
    place.write("own/stack.service", "");
    place.write("own/redis.conf", "");
    render(&place).code(1).says("sysctl.conf:1").says("no_such_thing");
    assert!(!place.at("out").exists());
}

/// What was not looked at whole is not green: neither for programs nor for scanners.
#[test]
fn programs_are_told_that_a_template_is_broken() {
    let place = place();
    place.write("own/sysctl.conf", "# one\n{{ name\n");
    place.write("own/redis.conf", "{% if %}\n");
    let ended = place.run(&["check", "--format", "json"]).code(1);
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!((&report["complete"], &report["findings"]), (&false.into(), &serde_json::json!([])));
    let failures = report["failures"].as_array().expect("failures");
    assert_eq!(failures.len(), 2, "{report}");
    let of = |file: &str| failures.iter().find(|failure| failure["file"] == file).expect(file);
    assert_eq!(of("own/redis.conf")["line"], 1);
    assert!(of("own/sysctl.conf")["message"].as_str().is_some_and(|text| text.contains("sysctl.conf:")));

    let ended = place.run(&["check", "--format", "sarif"]).code(1);
    let log: Value = serde_json::from_str(&ended.out).expect("JSON");
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "error");
    let uri = &notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri == "own/redis.conf" || uri == "own/sysctl.conf", "{invocation}");

    for name in ["own/sysctl.conf", "own/redis.conf"] {
        std::fs::remove_file(place.at(name)).expect("the file");
    }
    let report: Value =
        serde_json::from_str(&place.run(&["check", "--format", "json"]).code(0).out).expect("JSON");
    assert_eq!((&report["complete"], &report["failures"]), (&true.into(), &serde_json::json!([])));
    let log: Value =
        serde_json::from_str(&place.run(&["check", "--format", "sarif"]).code(0).out).expect("JSON");
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

/// Whether a rendered file holds a text.
fn walk(place: &Place, text: &str) -> bool {
    fn any(dir: &std::path::Path, text: &str) -> bool {
        dir.read_dir().expect("a directory").any(|entry| {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => any(&path, text),
                false => std::fs::read_to_string(path).is_ok_and(|found| found.contains(text)),
            }
        })
    }
    any(&place.at("out"), text)
}
