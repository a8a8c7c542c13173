//! `compose.yaml`, by Compose of both majors: read by all, and some brought up.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stageplot_render::bridge_name;
use stageplot_tests::{
    Engine, Image, Installed, Namespace, Output, Process, Program, Scratch, compose_config, run, wait_for,
    want, write_bundle,
};

use super::Example;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn every_file_is_read_alike_by_both_majors() {
    let mut read = 0;
    for example in want!(Example::all()) {
        for bundle in &example.rendering.bundles {
            let what = format!("{}, {}", example.name, bundle.node);
            let installed = Installed::new(bundle);
            let containers = installed.containers();
            if containers.is_empty() {
                continue;
            }
            for version in Program::versions("compose") {
                let compose = want!(Program::versioned("compose", version));
                let said = compose_config(&compose, &installed);
                // Warnings are for variables that it would fill in.
                assert_eq!(said.stderr, "", "{what}, {version}");
                let project: Value = serde_json::from_str(&said.success()).expect("JSON");
                let services = project["services"].as_object().expect("services");
                assert_eq!(services.len(), containers.len(), "{what}, {version}");
                for (name, container) in &containers {
                    let service = &services[name];
                    assert_eq!(service["image"], container.image.as_str(), "{what}, {version}, {name}");
                    let sources = service["volumes"].as_array().into_iter().flatten();
                    let sources: Vec<_> =
                        sources.map(|mount| mount["source"].as_str().unwrap_or_default()).collect();
                    let own: Vec<_> = container.mounts.iter().map(|(source, _)| normal(source)).collect();
                    assert_eq!(sources, own, "{what}, {version}, {name}");
                    let test = service["healthcheck"]["test"][1].as_str();
                    assert_eq!(
                        test.map(|test| test.replace("$$", "$")),
                        container.health,
                        "{what}, {version}, {name}"
                    );
                }
                read += 1;
            }
        }
    }
    assert!(read > 40, "{read}");
    println!("{read} files read");
}

#[test]
fn a_corrupted_file_is_refused() {
    let example =
        want!(Example::all()).into_iter().find(|example| example.name == "settings").expect("a plot");
    let bundle = &example.rendering.bundles[0];
    let rendered =
        String::from_utf8(bundle.artifact("compose.yaml").expect("a file").bytes.clone()).expect("text");
    for version in Program::versions("compose") {
        let compose = want!(Program::versioned("compose", version));
        for (what, corrupted) in [
            ("a number for a text", rendered.replace("network_mode: host", "network_mode: 1")),
            ("a field that there is none of", rendered.replace("restart:", "restarts:")),
            ("a variable that is not set", rendered.replace("image: caddy", "image: ${NO_SUCH:?}caddy")),
            ("an env_file that is not there", rendered.replace("./services/rooms", "./services/halls")),
        ] {
            assert_ne!(corrupted, rendered, "{what}");
            let installed = Installed::new(bundle);
            fs::write(installed.release().join("compose.yaml"), corrupted).expect("a corrupted one");
            let said = compose_config(&compose, &installed);
            assert!(!said.succeeded(), "{version} takes {what}");
        }
    }
}

/// A path without `.` in it, as Compose writes it.
fn normal(path: &Path) -> String {
    path.components().collect::<std::path::PathBuf>().display().to_string()
}

/// Images of the examples' own, and what they are made of here.
type StandIns = &'static [(&'static str, &'static str)];

/// Plots of which a node is brought up: each shape that is well by itself, with nothing
/// of another machine's.
const BROUGHT_UP: [(&str, &str, StandIns); 14] = [
    ("single", "front", &[]),
    ("bridge", "front", &[("registry.example.com/rooms:1.4.0", Image::ECHO)]),
    ("turn-edge", "front", &[("registry.example.com/caddy-l4:2.11.9", Image::CADDY_L4)]),
    ("settings", "media", &[]),
    ("http-only", "front", &[]),
    ("edge-everywhere", "media-3", &[]),
    ("pair", "media", &[]),
    ("turn-direct", "media", &[]),
    ("cluster", "media-1", &[]),
    ("redis-apart", "data", &[]),
    ("redis-on-host", "data", &[]),
    ("ipv6-only", "front", &[]),
    ("fluxcode", "infra", &[]),
    ("postgres-replica", "data-1", &[]),
];

#[test]
fn some_are_brought_up_by_2_26() {
    bring_up("2.26.1");
}

#[test]
fn some_are_brought_up_by_5_2() {
    bring_up("5.2.0");
}

fn bring_up(version: &str) {
    want!(Program::versioned("compose", version));
    let busybox = want!(Program::named("busybox"));
    for (name, node, stand_ins) in BROUGHT_UP {
        let example = want!(Example::all()).into_iter().find(|example| example.name == name).expect(name);
        let bundle = example.rendering.bundles.iter().find(|bundle| bundle.node == node).expect(node);
        let images: BTreeSet<_> =
            Installed::new(bundle).containers().into_values().map(|container| container.image).collect();
        let made_of = |image: &str| stand_ins.iter().find(|(own, _)| *own == image).map(|(_, other)| *other);
        let load: Vec<_> = images.iter().map(|image| made_of(image).unwrap_or(image)).collect();
        let stage = want!(example.stage());
        let machine = stage.station(node).machine();
        // Docker makes the network itself.
        machine.ip(&["link", "delete", &bridge_name(&example.topology)]);
        let engine = want!(Engine::start(machine, &load));
        for (own, other) in stand_ins {
            engine.docker(&["tag", other, own]).success();
        }
        let scratch = Scratch::new();
        let (copied, installed) = (scratch.path().join("copied"), scratch.path().join("installed"));
        write_bundle(bundle, &copied);
        run(Command::new("sh").arg(copied.join("install.sh")).arg(&installed), SOON).success();
        let project = ["--project-directory", ".", "--file", "current/compose.yaml"];
        let compose = |words: &[&str]| engine.compose(version, &[&project, words].concat(), &installed);
        let app = app(machine, &busybox, scratch.path());
        let up = compose(&["up", "--detach", "--wait", "--wait-timeout", "60"]);
        assert!(up.succeeded(), "{name}: {}", logs(&compose, &up));
        let states = compose(&["ps", "--all", "--format", "{{.Service}} {{.Health}}"]).success();
        assert_eq!(states.lines().count(), images.len(), "{name}: {states}");
        assert!(states.lines().all(|line| line.ends_with(" healthy")), "{name}: {states}");
        // Again, it has nothing to do.
        let again = compose(&["up", "--detach"]).stderr;
        assert!(!again.contains("reate"), "{name}: {again}");
        if name == "single" {
            // Without what stands behind it, the edge is not well.
            drop(app);
            let states = || compose(&["ps", "--format", "{{.Service}} {{.Health}}"]).stdout;
            wait_for("unhealthy", SOON, || states().contains("edge unhealthy"));
        }
    }
}

/// The service of the user's own that `single` expects on the machine: it has one page,
/// in a directory of the caller's.
fn app(machine: &Namespace, busybox: &Program, directory: &Path) -> Process {
    fs::write(directory.join("health"), "well").expect("a page");
    let home = directory.display().to_string();
    machine.start(busybox, &["httpd", "-f", "-p", "8080", "-h", &home])
}

fn logs(compose: &impl Fn(&[&str]) -> Output, up: &Output) -> String {
    let logs = compose(&["logs", "--no-color", "--tail", "20"]);
    format!("{}\n{}", up.stderr, logs.stdout)
}
