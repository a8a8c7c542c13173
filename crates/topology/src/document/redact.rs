//! Stars out the secrets of a text.
//!
//! A literal secret in a plot is a warning and not an error, so it will be
//! there; whatever quotes the plot has to leave it out.

use super::hidden::{is_credential, is_file_name, is_secret_name, is_secret_text};
use super::redacted::Redacted;
use super::value::{Entry, Kind, Value};

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

impl Redacted {
    /// The text of a plot that could not be read, with all that follows a secret-looking
    /// name on its line starred out.
    pub fn of(text: &str) -> Self {
        source(text)
    }
}

fn source(text: &str) -> Redacted {
    let mut redacted = Redacted::default();
    for line in text.split_inclusive('\n') {
        let names = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let secret = names.into_iter().any(is_secret_name) || is_secret_text(line);
        let from = line.find(['=', ':']).map_or(0, |at| at + 1);
        let is_path =
            is_file_name(line[..from].trim_end_matches(['=', ':']).trim()) && !is_credential(&line[from..]);
        if secret && !is_path {
            let rest = &line[from..];
            let blank = rest.len() - rest.trim_start().len();
            redacted.show(&line[..from + blank]);
            match rest.trim_start().starts_with(['{', '[']) {
                true => star_inside(&mut redacted, &rest[blank..]),
                false => redacted.hide(&rest[blank..]),
            }
        } else {
            redacted.show(line);
        }
    }
    redacted
}

/// Stars out what may be values in the rest of a line that begins a table or a
/// list, and shows how it is built: brackets, the names of further tables, and
/// of the variable that a secret is in.
fn star_inside(redacted: &mut Redacted, text: &str) {
    let mut rest = text;
    let mut before = "";
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | '=' | ':' | ',') {
            redacted.show(&rest[..c.len_utf8()]);
            rest = &rest[c.len_utf8()..];
            if c == ',' || c == '{' {
                before = "";
            }
            continue;
        }
        let length = match c {
            '"' | '\'' => rest[1..].find([c, '\n']).map_or(rest.trim_end().len(), |at| {
                if rest[1 + at..].starts_with(c) { at + 2 } else { at + 1 }
            }),
            _ => {
                let end = |c: char| {
                    c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | '=' | ':' | ',' | '"' | '\'')
                };
                rest.find(end).unwrap_or(rest.len())
            }
        };
        let (token, behind) = rest.split_at(length);
        let bare = token.trim_matches(c);
        let names = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_');
        let opens =
            || behind.trim_start().strip_prefix('=').is_some_and(|value| value.trim_start().starts_with('{'));
        let is_name = before.is_empty()
            && token.chars().all(names)
            && (matches!(token, "env" | "file" | "command") || opens());
        let is_variable = before == "env"
            && matches!(c, '"' | '\'')
            && bare.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if is_name || is_variable {
            redacted.show(token)
        } else {
            redacted.hide(token)
        }
        before = token;
        rest = behind;
    }
}

/// `text` with the scalars of `root` that may be secrets starred out.
pub(super) fn document(text: &str, root: &Value) -> Redacted {
    let mut secrets = Vec::new();
    collect(root, "", false, &mut secrets);
    let mut spans: Vec<_> = secrets.iter().map(|secret| (secret.value.span(), secret.refers)).collect();
    spans.sort_unstable_by_key(|(span, _)| (span.start, span.end));
    let mut redacted = Redacted::default();
    let mut done = 0;
    for (span, refers) in spans {
        // What an alias stands for has one span in several places.
        let start = span.start.max(done);
        let (Some(before), Some(secret)) = (text.get(done..start), text.get(start..span.end)) else {
            continue;
        };
        redacted.show(before);
        match refers {
            true => star_around_references(&mut redacted, secret),
            false => redacted.hide(secret),
        }
        done = span.end;
    }
    redacted.show(text.get(done..).unwrap_or_default());
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
                // A file with secrets is none itself, however its name is mistyped.
                let is_path = name != "env"
                    && !secret
                    && is_file_name(key)
                    && value.as_str().is_some_and(|text| !is_credential(text));
                if names_a_secret || is_key_name || is_path {
                    continue;
                }
                if let Some(arguments) = arguments(value).filter(|_| key != "env") {
                    arguments.iter().for_each(|argument| collect(argument, key, true, secrets));
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

/// The arguments, where this is a table that says which program prints a secret. The
/// program is shown, as in all that we say of it.
fn arguments(value: &Value) -> Option<&[Value]> {
    let Kind::Table(table) = value.kind() else { return None };
    let [entry] = table.entries() else { return None };
    let Kind::List(words) = entry.value.kind() else { return None };
    let (program, arguments) = words.split_first()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+');
    let is_program = |text: &str| text.chars().all(plain) && !is_credential(text);
    (entry.key == "command" && program.as_str().is_some_and(is_program)).then_some(arguments)
}

/// Stars out all but references `${SERVICE.FIELD}`, which are no secrets, and
/// what makes an address of them.
fn star_around_references(redacted: &mut Redacted, text: &str) {
    if next_reference(text).is_none() {
        return redacted.hide(text);
    }
    let is_quoted = text.len() > 1 && text.starts_with(['"', '\'']) && text.ends_with(&text[..1]);
    let (quote, inner) = if is_quoted { (&text[..1], &text[1..text.len() - 1]) } else { ("", text) };
    redacted.show(quote);
    let mut rest = inner;
    while let Some((before, reference)) = next_reference(rest) {
        show_punctuation(redacted, before);
        redacted.show(reference);
        rest = &rest[before.len() + reference.len()..];
    }
    show_punctuation(redacted, rest);
    redacted.show(quote);
}

/// Stars out a text unless it is nothing but a scheme, colons and slashes.
fn show_punctuation(redacted: &mut Redacted, text: &str) {
    let schemes = ["", "http:", "https:", "ws:", "wss:", "redis:"];
    let plain = schemes.iter().any(|scheme| {
        text.strip_prefix(scheme).is_some_and(|rest| rest.chars().all(|c| matches!(c, ':' | '/')))
    });
    if plain { redacted.show(text) } else { redacted.hide(text) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_secret_comes_from_is_no_secret() {
        let redacted = |text: &str| {
            let document = crate::Document::parse(crate::Format::Toml, "stageplot.toml", text);
            document.map(|document| document.redacted().as_str().to_owned()).unwrap_or_default()
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
            "password = { command = [\"sh -c hunter2\"] }",
            "password = { command = \"hunter2\" }",
            "password = { command = [[\"echo\", \"hunter2\"]] }",
            "env = { command = [\"hunter2\"] }",
        ] {
            assert!(!redacted(text).to_lowercase().contains("hunter2"), "{text}");
        }
        let command = redacted("password = { command = [\"bin/echo\", \"hunter2\", \"x\"] }");
        assert_eq!(command, "password = { command = [\"bin/echo\", ********, ********] }");
    }

    #[test]
    fn of_a_line_that_is_no_toml_the_structure_is_shown() {
        for (line, shown) in [
            ("keys = { main = { env \"X\" } }", "keys = { main = { env \"X\" } }"),
            ("keys = { main = { env = \"hunter2\" }", "keys = { main = { env = ******** }"),
            ("keys = { main = \"HUNTER2\" }", "keys = { ******** = ******** }"),
            ("keys = { main = { env = HUNTER2 }", "keys = { main = { env = ******** }"),
            ("password = {hunter2", "password = {********"),
            ("password = { env = \"A\" \"HUNTER2\"", "password = { env = \"A\" ********"),
            ("password = [\"hunter2]", "password = [********"),
            ("password = hunter{2}", "password = ********"),
            ("secret-file = \"secrets.env", "secret-file = \"secrets.env"),
        ] {
            assert_eq!(Redacted::of(line).as_str(), shown);
        }
    }

    #[test]
    fn references_are_shown_and_what_is_around_them_is_not() {
        let redacted = |text: &str| {
            let document = crate::Document::parse(crate::Format::Toml, "stageplot.toml", text);
            document.map(|document| document.redacted().as_str().to_owned()).unwrap_or_default()
        };
        for (text, shown) in [
            ("env = { A = \"${redis.adress}\" }", "env = { A = \"${redis.adress}\" }"),
            ("env = { A = \"x${a.b}y$${c.d}\" }", "env = { A = \"********${a.b}********\" }"),
            ("env = { A = \"http://${a.host}:${a.port}\" }", "env = { A = \"http://${a.host}:${a.port}\" }"),
            ("env = { A = \"redis://:x@${a.b}/\" }", "env = { A = \"********${a.b}/\" }"),
            ("env = { A = \"${Hunter.2}${x\" }", "env = { A = ******** }"),
            ("env = { A = \"${no-dot}\" }", "env = { A = ******** }"),
            ("password = \"${redis.url}\"", "password = ********"),
            ("secrets-file = \"secrets.env\"", "secrets-file = \"secrets.env\""),
            ("secret-file = \"secrets.env\"", "secret-file = \"secrets.env\""),
            ("password-file = \"https://me:x@a/b\"", "password-file = ********"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }
}
