//! What may be a secret, and texts in which it is starred out.
//!
//! A literal secret in a plot is a warning and not an error, so it will be
//! there; whatever quotes the plot has to leave it out. Hiding a harmless
//! value costs little, so these rules err on that side.

use super::value::{Entry, Kind, Value};
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
    lower.contains("-----begin")
        || HIDDEN_PARTS.iter().any(|part| lower.contains(part))
        || lower.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

/// Whether `message` quotes something inside `value` that may be a secret.
pub(crate) fn quotes_secret(value: &Value, message: &str) -> bool {
    let mut secrets = Vec::new();
    collect(value, "", false, &mut secrets);
    secrets.iter().any(|secret| match secret.value.kind() {
        Kind::String(text) => !text.is_empty() && message.contains(text.as_str()),
        Kind::Integer(number) => message.contains(&number.to_string()),
        Kind::Float(number) => message.contains(&number.to_string()),
        _ => false,
    })
}

/// The text of a plot that could not be read, with all that follows a
/// secret-looking name on its line starred out. Spans still fit.
///
/// ```
/// use stageplot_topology::redact_source;
///
/// assert_eq!(redact_source("password = \"hunter2\nport = 1"), "password = ********\nport = 1");
/// ```
pub fn redact_source(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let names = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let secret = names.into_iter().any(is_secret_name) || is_secret_text(line);
        let from = line.find(['=', ':']).map_or(0, |at| at + 1);
        if secret {
            let rest = &line[from..];
            let blank = rest.len() - rest.trim_start().len();
            redacted.push_str(&line[..from + blank]);
            star(&mut redacted, &rest[blank..]);
        } else {
            redacted.push_str(line);
        }
    }
    redacted
}

/// `text` with the scalars of `root` that may be secrets starred out.
pub(super) fn document(text: &str, root: &Value) -> String {
    let mut secrets = Vec::new();
    collect(root, "", false, &mut secrets);
    let mut spans: Vec<_> = secrets.iter().map(|secret| (secret.value.span(), secret.refers)).collect();
    spans.sort_unstable_by_key(|(span, _)| (span.start, span.end));
    let mut redacted = String::with_capacity(text.len());
    let mut done = 0;
    for (span, refers) in spans {
        // What an alias stands for has one span in several places.
        let start = span.start.max(done);
        let (Some(before), Some(secret)) = (text.get(done..start), text.get(start..span.end)) else {
            continue;
        };
        redacted.push_str(before);
        match refers {
            true => star_around_references(&mut redacted, secret),
            false => star(&mut redacted, secret),
        }
        done = span.end;
    }
    redacted.push_str(text.get(done..).unwrap_or_default());
    redacted
}

/// A scalar that may be a secret.
struct Secret<'v> {
    value: &'v Value,
    /// Whether `${…}` in it names a field of a service, as in an app's `env`.
    refers: bool,
}

/// The scalars in `value`, which stands under `name`, that may be secrets.
fn collect<'v>(value: &'v Value, name: &str, secret: bool, secrets: &mut Vec<Secret<'v>>) {
    match value.kind() {
        Kind::List(values) => values.iter().for_each(|v| collect(v, name, secret, secrets)),
        Kind::Table(table) => {
            for Entry { key, value, .. } in table.entries() {
                // `password = { env = "NAME" }` names a secret and holds none; in an app's own
                // `env`, a variable may be called so.
                let names_a_secret = key != "env" && is_reference(value);
                // The key that signs webhooks stands there by its name.
                let is_key_name = name == "webhook" && key == "key" && !secret;
                // A file with secrets is none itself.
                let is_path = matches!(key.as_str(), "secrets-file" | "secrets_file") && name.is_empty();
                if names_a_secret || is_key_name || is_path {
                    continue;
                }
                if name == "env" && value.as_str().is_some() {
                    secrets.push(Secret { value, refers: true });
                } else {
                    collect(value, key, secret || is_secret_name(key), secrets);
                }
            }
        }
        Kind::String(text) if secret || is_secret_text(text) => secrets.push(Secret { value, refers: false }),
        Kind::Integer(_) | Kind::Float(_) if secret => secrets.push(Secret { value, refers: false }),
        Kind::String(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Null => {}
    }
}

/// Whether this is a table that says where a secret comes from: a variable, in
/// capitals as nobody writes a password, or a file. The words of a command may
/// well hold a secret.
fn is_reference(value: &Value) -> bool {
    let Kind::Table(table) = value.kind() else { return false };
    let [entry] = table.entries() else { return false };
    let Kind::String(text) = entry.value.kind() else { return false };
    match entry.key.as_str() {
        "env" => text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'),
        "file" => !is_secret_text(text),
        _ => false,
    }
}

/// One star for each byte; line breaks stay.
fn star(redacted: &mut String, secret: &str) {
    for c in secret.chars() {
        if matches!(c, '\n' | '\r') {
            redacted.push(c);
        } else {
            redacted.extend(std::iter::repeat_n('*', c.len_utf8()));
        }
    }
}

/// Stars out all but references `${SERVICE.FIELD}`, which are no secrets.
fn star_around_references(redacted: &mut String, text: &str) {
    let mut rest = text;
    while let Some((before, reference)) = next_reference(rest) {
        star(redacted, before);
        redacted.push_str(reference);
        rest = &rest[before.len() + reference.len()..];
    }
    star(redacted, rest);
}

/// The first reference in a text, and what stands before it.
fn next_reference(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("${").map(|at| from + at) {
        let length = text[at..].find('}')? + 1;
        let inside = &text[at + 2..at + length - 1];
        let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        // Two dollar signs are one of the text's own.
        let escaped = text[..at].ends_with('$');
        if !escaped && inside.contains('.') && inside.chars().all(named) {
            return Some((&text[..at], &text[at..at + length]));
        }
        from = at + 2;
    }
    None
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
    fn where_a_secret_comes_from_is_no_secret() {
        let redacted = |text: &str| {
            let document = crate::Document::parse(crate::Format::Toml, "stageplot.toml", text);
            document.map(|document| document.redacted_text()).unwrap_or_default()
        };
        for text in [
            "password = { env = \"REDIS_PASSWORD\" }",
            "keys = { main = { file = \"keys/main\" } }",
            "env = { TOKEN = { env = \"TOKEN\" } }",
            "webhook = { key = \"main\" }",
        ] {
            assert_eq!(redacted(text), text);
        }
        for text in [
            "password = { env = \"hunter2\" }",
            "password = { command = [\"echo\", \"hunter2\"] }",
            "password = { env = \"NAME\", other = \"hunter2\" }",
            "env = { env = \"HUNTER2\" }",
            "env = { file = \"hunter2\" }",
        ] {
            assert!(!redacted(text).to_lowercase().contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn references_are_shown_and_what_is_around_them_is_not() {
        let redacted = |text: &str| {
            let document = crate::Document::parse(crate::Format::Toml, "stageplot.toml", text);
            document.map(|document| document.redacted_text()).unwrap_or_default()
        };
        for (text, shown) in [
            ("env = { A = \"${redis.adress}\" }", "env = { A = *${redis.adress}* }"),
            ("env = { A = \"x${a.b}y$${c.d}\" }", "env = { A = **${a.b}********* }"),
            ("env = { A = \"${Hunter.2}${x\" }", "env = { A = **************** }"),
            ("env = { A = \"${no-dot}\" }", "env = { A = *********** }"),
            ("password = \"${redis.url}\"", "password = **************"),
            ("secrets-file = \"secrets.env\"", "secrets-file = \"secrets.env\""),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn texts_that_may_hold_secrets() {
        assert!(is_secret_text("postgres://me:hunter2@db/app"));
        assert!(is_secret_text("-----BEGIN RSA PRIVATE KEY-----"));
        assert!(!is_secret_text("https://example.com/hook"));
    }
}
