//! Texts that nobody wrote.

use proptest::prelude::*;
use stageplot_topology::dotenv::{Dotenv, Secrets, Stack};

use crate::{fluxcode, read, variables};

fn hostile() -> impl Strategy<Value = String> {
    let pieces =
        ["'", "\"", "$", "#", " ", "\\", "`", "=", "{", "}", "é", "密", "a", "!", "%", "$A", "${", "\t"];
    let any = proptest::char::any().prop_filter("no control", |c| !c.is_control());
    let piece = prop_oneof![4 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any.prop_map(String::from)];
    proptest::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat().replace('\t', " "))
}

/// Values that make sense for some variable.
fn likely() -> impl Strategy<Value = String> {
    let values = [
        "10.0.0.1",
        "10.0.0.2",
        "host.docker.internal",
        "localhost",
        "db.mine.lan",
        "0.0.0.0",
        "203.0.113.9",
        "::1",
        "fd00::5",
        "80",
        "443",
        "8080",
        "8081",
        "0",
        ":80",
        "http://flux.test",
        "flux.test, www.flux.test",
        "disable",
        "require",
        "duegin/fluxcode:v1",
        "fluxcode",
        "",
    ];
    proptest::sample::select(values.to_vec()).prop_map(str::to_owned)
}

/// A file of such lines.
fn lines(names: &'static str, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let names: Vec<_> = names.split_whitespace().collect();
    let lines = proptest::collection::vec((proptest::sample::select(names), value), 0..30);
    lines.prop_map(|lines| {
        // What a secret is never occurs elsewhere.
        let value = |name: &str, value: String| match is_secret(name) {
            true => format!("s3cr3t-{value}"),
            false => value,
        };
        lines.into_iter().map(|(name, text)| format!("{name}={}\n", value(name, text))).collect()
    })
}

fn is_secret(name: &str) -> bool {
    Stack::ALL.iter().filter_map(|stack| stack.find(name)).any(|known| known.is_secret())
}

/// The secrets that a file sets.
fn secrets(text: &str) -> Vec<String> {
    let (env, _) = Dotenv::read("x", text);
    let values = env.iter().filter(|(name, _)| is_secret(name)).map(|(_, variable)| variable.value());
    values.filter(|value| value.contains("s3cr3t")).map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String, bytes: Vec<u8>) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &lossy] {
            let _ = Dotenv::read("x", text);
            let _ = read(&[("10.0.0.1", text), ("10.0.0.2", "NODES=10.0.0.1")]);
            let _ = read(&[("10.0.0.1", text), ("10.0.0.2", fluxcode::APP)]);
        }
    }

    #[test]
    fn no_line_makes_it_panic(text in lines(variables::NAMES, hostile())) {
        if let Ok(import) = read(&[("10.0.0.1", &text), ("203.0.113.9", "NODES=localhost")]) {
            let _ = import.plot.build();
            prop_assert!(import.plot.to_toml().is_ok());
        }
    }

    #[test]
    fn no_line_of_fluxcodes_makes_it_panic(texts in proptest::collection::vec(lines(fluxcode::NAMES, prop_oneof![hostile(), likely()]), 1..4)) {
        // Some on one machine.
        let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.1", "203.0.113.9"];
        let mut files: Vec<_> = addresses.into_iter().zip(texts.iter().map(String::as_str)).collect();
        files.push(("10.0.0.3", fluxcode::NODE));
        if let Ok(import) = read(&files) {
            let _ = import.plot.build();
            let plot = import.plot.to_toml().expect("no secret is in it");
            for secret in texts.iter().flat_map(|text| secrets(text)) {
                prop_assert!(!plot.contains(&secret), "{} is in\n{}", secret, plot);
            }
        }
    }

    #[test]
    fn secrets_are_read_back_unchanged(secret in hostile()) {
        let line = format!("REDIS_PASSWORD='{}'\n", secret.replace('\'', "'\\''"));
        let import = read(&[("10.0.0.1", &format!("NODES=localhost\n{line}"))]).expect("a plot");
        let (env, findings) = Dotenv::read(Secrets::FILE, &import.secrets.render());
        prop_assert!(findings.is_empty(), "{}", findings);
        prop_assert_eq!(env.get("REDIS_PASSWORD").map(|v| v.value()), Some(secret.as_str()));
    }
}
