//! No value that may be a secret is ever shown.

use super::*;
use crate::decode::error::Error;

#[test]
fn values_under_secret_names_are_not_shown() {
    for text in [
        "[services.c]\nkind = 'redis'\npassword = 'hunter2'",
        "[services.c]\nkind = 'redis'\nport = { secret = 'hunter2' }\nprimary = { key = ['hunter2'] }",
        "[services]\ntoken = 'hunter2'",
        "[services]\nc = 'redis://me:hunter2@host/0'",
        "[services.keys]\nkind = 'hunter2'",
        "mode = { 'timed' = 'password=hunter2' }",
        "[nodes.my-secret]\nroles = [1, 2]\nlan = 'hunter2'\nport = 'hunter2'\nmemory = 'hunter2'",
    ] {
        let (_, told) = read::<Plot>(Format::Toml, text);
        assert!(!told.is_empty(), "{text}");
        for told in told {
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
    let (_, told) = read::<Plot>(Format::Toml, "[nodes.pin]\nmemory = 123456\nload = true\n");
    assert!(told.iter().all(|told| !told.contains("123456")), "{told:?}");
}

#[test]
fn errors_of_serde_hold_no_values() {
    let unexpected = serde::de::Unexpected::Str("hunter2");
    for error in [
        <Error as serde::de::Error>::invalid_type(unexpected, &"x"),
        <Error as serde::de::Error>::invalid_value(unexpected, &"x"),
        <Error as serde::de::Error>::custom("hunter2"),
        <Error as serde::de::Error>::unknown_variant("hunter2", &["x"]),
    ] {
        assert!(!error.to_string().contains("hunter2"));
    }
}

/// A table that tells on its own secret.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Raw")]
struct Telling;

#[derive(Deserialize)]
struct Raw {
    password: String,
}

impl TryFrom<Raw> for Telling {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        Err(format!("bad pair {}", raw.password))
    }
}

#[test]
fn a_message_that_quotes_a_secret_is_not_shown() {
    let (told_on, told) = read::<Telling>(Format::Toml, "password = 'hunter2'");
    assert!(told_on.is_none());
    assert_eq!(told.len(), 1);
    assert!(!told[0].contains("hunter2"), "{told:?}");
}
