//! Texts that nobody wrote.

use proptest::prelude::*;
use stageplot_topology::dotenv::{Dotenv, Secrets};

use crate::read;
use crate::variables::NAMES;

fn hostile() -> impl Strategy<Value = String> {
    let pieces =
        ["'", "\"", "$", "#", " ", "\\", "`", "=", "{", "}", "é", "密", "a", "!", "%", "$A", "${", "\t"];
    let any = proptest::char::any().prop_filter("no control", |c| !c.is_control());
    let piece = prop_oneof![4 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any.prop_map(String::from)];
    proptest::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat().replace('\t', " "))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String, bytes: Vec<u8>) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &lossy] {
            let _ = Dotenv::read("x", text);
            let _ = read(&[("10.0.0.1", text), ("10.0.0.2", "NODES=10.0.0.1")]);
        }
    }

    #[test]
    fn no_line_makes_it_panic(lines in proptest::collection::vec((proptest::sample::select(NAMES.split_whitespace().collect::<Vec<_>>()), hostile()), 0..30)) {
        let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        if let Ok(import) = read(&[("10.0.0.1", &text), ("203.0.113.9", "NODES=localhost")]) {
            let _ = import.plot.build();
            prop_assert!(import.plot.to_toml().is_ok());
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
