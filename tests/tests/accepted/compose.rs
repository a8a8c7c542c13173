//! `compose.yaml`, by Compose of both majors: read by all, and some brought up.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{Installed, Output, Program, run, want};

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
                let said = config(&compose, &installed);
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
            let said = config(&compose, &installed);
            assert!(!said.succeeded(), "{version} takes {what}");
        }
    }
}

fn config(compose: &Program, installed: &Installed) -> Output {
    let mut command = compose.command();
    project(&mut command, installed);
    run(command.args(["config", "--format", "json"]), SOON)
}

/// The project as the bundle's README names it.
fn project(command: &mut Command, installed: &Installed) {
    command.arg("--project-directory").arg(installed.directory());
    command.arg("--file").arg(installed.release().join("compose.yaml"));
}

/// A path without `.` in it, as Compose writes it.
fn normal(path: &Path) -> String {
    path.components().collect::<std::path::PathBuf>().display().to_string()
}
