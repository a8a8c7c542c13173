//! Compose: the values of a container's environment, as both majors read them and as a
//! process in the container has them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stageplot_render::{RenderError, Rendering};
use stageplot_tests::{
    Engine, Installed, Lan, Program, Scratch, compose_config, random, run, want, write_bundle,
};
use stageplot_topology::{App, EnvValue, Plot};

use super::{broken, hostile, node, plot, random_secret, rendered, secret, variable, with_values};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn every_value_is_read_back() {
    let texts: Vec<_> = hostile().into_iter().chain(broken()).collect();
    values_are_read_back(&texts);
    println!("{} values", texts.len());
}

#[test]
fn random_values_are_read_back() {
    want!(Program::named("compose"));
    let texts = proptest::collection::vec(random_secret(), 100);
    let tried = random(4, file!()).run(&texts, |texts| {
        values_are_read_back(&texts);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_process_has_every_value() {
    let texts: Vec<_> = hostile().into_iter().chain(broken()).collect();
    let lan = want!(Lan::new("lan"));
    let engine = want!(Engine::start(&lan.machine("one", &["10.0.0.1/24"]), &["stageplot/echo:1"]));
    let rendering = want!(environment(&texts)).expect("a rendering");
    let scratch = Scratch::new();
    let (copied, installed) = (scratch.path().join("copied"), scratch.path().join("installed"));
    write_bundle(&rendering.bundles[0], &copied);
    run(Command::new("sh").arg(copied.join("install.sh")).arg(&installed), SOON).success();
    let project = ["--project-directory", ".", "--file", "current/compose.yaml"];
    for version in Program::versions("compose") {
        want!(Program::versioned("compose", version));
        let compose =
            |words: &[&str]| engine.compose(version, &[&project, words].concat(), &installed).success();
        compose(&["up", "--detach", "--force-recreate"]);
        let container = compose(&["ps", "--quiet"]);
        let pid = engine.docker(&["inspect", "--format", "{{.State.Pid}}", container.trim()]).success();
        let environ = fs::read(format!("/proc/{}/environ", pid.trim())).expect("a process");
        let found: BTreeMap<_, _> = environ
            .split(|byte| *byte == 0)
            .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
            .collect();
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(found.get(variable(number).as_str()), Some(&text.as_str()), "{version}");
        }
    }
}

#[test]
fn what_it_cannot_hold_is_refused() {
    let error = want!(environment(&["a\0b".to_owned()])).expect_err("a NUL is not written");
    assert!(matches!(error, RenderError::Template(_) | RenderError::Findings(_)), "{error}");
    assert!(!error.to_string().contains("a\0b"), "{error}");
}

/// An app whose environment has these values.
fn environment(texts: &[String]) -> Result<Result<Rendering, RenderError>, stageplot_tests::Missing> {
    let env = (0..texts.len()).map(|number| (variable(number), EnvValue::Secret(secret(number)))).collect();
    let app = App { image: "stageplot/echo:1".parse().ok(), env, ..App::default() };
    let plot: Plot = plot().service("rooms", app).node("one", node("10.0.0.1", &["rooms"]));
    let (topology, vault) = with_values(&plot, texts)?;
    Ok(rendered(&topology, &vault))
}

fn values_are_read_back(texts: &[String]) {
    let rendering = want!(environment(texts)).expect("a rendering");
    let installed = Installed::new(&rendering.bundles[0]);
    for version in Program::versions("compose") {
        let compose = want!(Program::versioned("compose", version));
        let said = compose_config(&compose, &installed);
        assert_eq!(said.stderr, "", "{version}");
        let project: Value = serde_json::from_str(&said.success()).expect("JSON");
        let environment = &project["services"]["rooms"]["environment"];
        for (number, text) in texts.iter().enumerate() {
            // What it prints can be read again, so each dollar sign is doubled.
            let said = environment[variable(number)].as_str().map(|said| said.replace("$$", "$"));
            assert_eq!(said.as_deref(), Some(text.as_str()), "{version}");
        }
    }
}
