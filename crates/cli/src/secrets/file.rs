//! Secrets in files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::SecretString;
use stageplot_topology::dotenv::Dotenv;

use crate::failure::reason;
use crate::screen;

/// The lines of a secrets file, or why it cannot be read.
///
/// What is wrong with a line is a warning: the secret that it was to set is then
/// missing, and named.
pub(crate) fn lines(path: &Path) -> Result<BTreeMap<String, SecretString>, String> {
    let name = path.display().to_string();
    let text = String::from_utf8(bounded(path)?).map_err(|_| format!("{name} is not UTF-8"))?;
    let (lines, findings) = Dotenv::read(&name, &text);
    for finding in &findings {
        let line = finding.location.span.map_or(1, |span| span.line);
        screen::warn(&format!("{name}:{line}: {}: {}", finding.message, finding.help));
    }
    Ok(lines.iter().map(|(name, variable)| (name.to_owned(), variable.value().to_owned().into())).collect())
}

/// The whole content of a file, less one newline at its end.
pub(super) fn content(path: &Path) -> Result<SecretString, String> {
    trimmed(bounded(path)?, &path.display().to_string())
}

/// Text without the newline that editors and programs put at its end.
pub(super) fn trimmed(bytes: Vec<u8>, of: &str) -> Result<SecretString, String> {
    let Ok(mut text) = String::from_utf8(bytes) else { return Err(format!("{of} gives no UTF-8")) };
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() { Err(format!("{of} gives nothing")) } else { Ok(text.into()) }
}

/// Reads a file that is not too big, and warns where others may read it: unless
/// it holds a certificate, which everybody may.
fn bounded(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{} does not exist", path.display()),
        _ => format!("{} cannot be read: {}", path.display(), reason(error)),
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let meta = file.metadata().map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(format!("{} has more than {} MiB", path.display(), LIMIT >> 20));
    }
    if meta.is_file() && meta.permissions().mode() & 0o077 != 0 && !is_public(&bytes) {
        let path = path.display();
        screen::warn(&format!("{path} can be read by other users of this machine: chmod 600 {path}"));
    }
    Ok(bytes)
}

/// Whether this is a certificate in PEM, or a chain of them, without a key.
fn is_public(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY")
}

/// The most bytes of a file with secrets.
const LIMIT: u64 = 1 << 20;
