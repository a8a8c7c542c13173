//! What may be a secret, by its name and by its looks.
//!
//! Hiding a harmless value costs little, so these rules err on that side.

use crate::{FieldPath, Segment};

/// Whether what stands at `path` may be a secret: one of the names on the way
/// to it says so.
pub(crate) fn is_secret_path(path: &FieldPath) -> bool {
    path.segments().iter().any(|segment| match segment {
        Segment::Key(key) => is_secret_name(key),
        Segment::Index(_) => false,
    })
}

/// Whether a field of this name may hold a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    HIDDEN_PARTS.iter().any(|part| lower.contains(part))
        || words(name).any(|word| HIDDEN_WORDS.contains(&word.as_str()))
}

/// Whether the text itself looks as if it held a secret: a private key, or an
/// address with a password.
pub(crate) fn is_secret_text(text: &str) -> bool {
    let lower = text.to_lowercase();
    HIDDEN_PARTS.iter().any(|part| lower.contains(part)) || is_credential(text)
}

/// Whether the text itself is a private key, or an address with a password.
pub(super) fn is_credential(text: &str) -> bool {
    text.to_lowercase().contains("-----begin")
        || text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

/// Whether a field of this name has the place of a secret, and not the secret.
pub(super) fn is_file_name(name: &str) -> bool {
    words(name).last().is_some_and(|word| matches!(word.as_str(), "file" | "path" | "dir"))
}

/// The words of a name: `apiKey`, `api-key` and `API_KEY` are two each.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.into_iter()
}

/// Names with one of these anywhere in them.
const HIDDEN_PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "private_key",
    "private-key",
    "privatekey",
];

/// Names of which one of these is a word. `env` and `headers` are an app's own
/// tables, and half of what stands there is secret.
const HIDDEN_WORDS: &[&str] =
    &["key", "keys", "pass", "pw", "pwd", "pin", "auth", "dsn", "salt", "env", "environment", "headers"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_hold_secrets() {
        for name in ["password", "REDIS_PASSWORD", "apiKey", "API-KEYS", "dbPass", "accessToken"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["port", "monkey", "keep", "compass", "author", "keyring-less"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn texts_that_may_hold_secrets() {
        assert!(is_secret_text("postgres://me:hunter2@db/app"));
        assert!(is_secret_text("-----BEGIN RSA PRIVATE KEY-----"));
        assert!(!is_secret_text("https://example.com/hook"));
    }
}
