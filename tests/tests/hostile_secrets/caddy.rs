//! Caddy: settings of a DNS module, which come through its environment, and the
//! address that certificates are asked for with.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use stageplot_render::RenderError;
use stageplot_tests::{Namespace, Process, Program, Scratch, random, run, want};
use stageplot_topology::{Acme, Code, Edge, Livekit, Plot, Tls};

use super::{broken, hostile, node, plot, random_secret, rendered, secret, variable, with_values};

const SOON: Duration = Duration::from_secs(20);

/// `{env.X}` is what the rendered file says for a setting: Caddy puts the variable in its
/// place and looks at nothing in it. No DNS module is in the stock program, so another
/// directive with placeholders stands in for one.
#[test]
fn a_variable_is_taken_as_it_is() {
    let caddy = want!(Program::named("caddy"));
    let machine = want!(Namespace::new("caddy"));
    let scratch = Scratch::new();
    let texts: Vec<_> = hostile().into_iter().chain(broken()).collect();
    let mut caddyfile = "{\n\tadmin off\n}\nhttp://127.0.0.1:8080 {\n".to_owned();
    for number in 0..texts.len() {
        let _ = writeln!(caddyfile, "\thandle /{number} {{\n\t\trespond {{env.{}}}\n\t}}", variable(number));
    }
    caddyfile.push_str("}\n");
    let file = scratch.path().join("Caddyfile");
    fs::write(&file, caddyfile).expect("a Caddyfile");
    let mut command = machine.command(&caddy);
    command.arg("run").arg("--adapter").arg("caddyfile").arg("--config").arg(&file);
    command.env("HOME", scratch.path()).envs(texts.iter().enumerate().map(|(at, text)| (variable(at), text)));
    let mut process = Process::start("caddy", &mut command);
    let get = |number: usize| {
        machine.run("curl", &["--silent", "--fail", &format!("http://127.0.0.1:8080/{number}")])
    };
    process.wait_for("answering", SOON, || get(0).succeeded());
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(get(number).stdout, *text);
    }
}

#[test]
fn every_address_is_read_back_or_refused() {
    let caddy = want!(Program::named("caddy"));
    let texts: Vec<_> = hostile().into_iter().chain(broken()).collect();
    let held = texts.iter().filter(|text| email_is_read_back(&caddy, text)).count();
    // Placeholders and line breaks are what it does not hold.
    assert!(held * 2 > texts.len(), "{held} of {}", texts.len());
    println!("{held} of {} addresses, the others refused", texts.len());
}

#[test]
fn random_addresses_are_read_back_or_refused() {
    let caddy = want!(Program::named("caddy"));
    let tried = random(16, file!()).run(&random_secret(), |text| {
        email_is_read_back(&caddy, &text);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

/// Whether it is held; then Caddy reads the same.
fn email_is_read_back(caddy: &Program, text: &str) -> bool {
    let values = ["0123456789abcdef".repeat(2)];
    let (topology, vault) = with_values(&site(text), &values).expect("nothing that wants openssl");
    let rendering = match rendered(&topology, &vault) {
        Ok(rendering) => rendering,
        Err(error) => {
            let RenderError::Findings(findings) = &error else { panic!("{text:?}: {error}") };
            assert!(
                findings.iter().all(|finding| finding.code == Code::UnwritableValue),
                "{text:?}: {error}"
            );
            return false;
        }
    };
    let scratch = Scratch::new();
    let file = scratch.path().join("Caddyfile");
    let artifact = rendering.bundles[0].artifact("live/edge/Caddyfile").expect("a Caddyfile");
    fs::write(&file, &artifact.bytes).expect("a Caddyfile");
    let mut command = caddy.command();
    command.args(["adapt", "--adapter", "caddyfile", "--config"]).arg(&file);
    let adapted = run(&mut command, SOON);
    assert!(adapted.succeeded(), "{text:?}: {}", adapted.stderr);
    let adapted = adapted.json();
    let email = &adapted["apps"]["tls"]["automation"]["policies"][0]["issuers"][0]["email"];
    assert_eq!(email, text);
    true
}

fn site(email: &str) -> Plot {
    let tls = Tls::Acme(Acme { email: Some(email.to_owned()), ..Acme::default() });
    let edge = Edge { tls, ..Edge::new("live.example.com".parse().expect("a name")) };
    let keys = [("main".to_owned(), secret(0))].into();
    plot()
        .service("edge", edge)
        .service("sfu", Livekit { keys, ..Livekit::default() })
        .node("one", node("10.0.0.1", &["edge", "sfu"]))
}
