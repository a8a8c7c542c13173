//! What a comment is known by.

use crate::bundle::sha256;

/// The line that a comment on a plot begins with, which nobody sees: by it a job finds the
/// comment that it made for an earlier push, and no other plot's.
///
/// ```
/// use stageplot_render::diff::marker;
///
/// assert_eq!(marker("live", "eu/stageplot.toml"), "<!-- stageplot live eu/stageplot.toml -->");
/// // Nothing in a name ends it.
/// assert_eq!(marker("live", "--> a"), "<!-- stageplot live --%3E%20a -->");
/// ```
pub fn marker(stack: &str, path: &str) -> String {
    format!("<!-- stageplot {} {} -->", plain(stack), plain(path))
}

/// A name in letters that neither end a comment of HTML nor a line; of a long one, its
/// digest.
fn plain(name: &str) -> String {
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return sha256(name.as_bytes());
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
    name.bytes().fold(String::with_capacity(name.len()), |mut plain, byte| {
        match is_plain(byte) {
            true => plain.push(char::from(byte)),
            false => plain.push_str(&format!("%{byte:02X}")),
        }
        plain
    })
}
