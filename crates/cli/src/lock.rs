//! The lock file beside a plot: where it is, and what it holds.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use stageplot_topology::{Document, Format, Lock};

use crate::failure::Failure;

/// Where the lock of a plot is: `live.toml` has `live.lock`.
pub(crate) fn beside(plot: &Path) -> PathBuf {
    match Format::from_path(plot) {
        Some(_) => plot.with_extension(EXTENSION),
        None => {
            let mut name = plot.as_os_str().to_owned();
            name.push(".");
            name.push(EXTENSION);
            name.into()
        }
    }
}

/// Reads a lock; nothing where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Lock>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::read(path, &error)),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(Document::MAX_SIZE).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| Failure::read(path, &error))?;
    parse(&path.display().to_string(), &bytes).map(Some)
}

/// A lock from its text.
fn parse(name: &str, bytes: &[u8]) -> Result<Lock, Failure> {
    let read = match bytes.len() > Document::MAX_SIZE {
        true => Err(Document::too_large(bytes.len())),
        false => Document::parse_bytes(Format::Toml, name, bytes).and_then(|document| Lock::read(&document)),
    };
    read.map_err(|findings| {
        let failures = findings.iter().map(|finding| {
            let place = match finding.location.span {
                Some(span) => format!("{name}:{}:{}", span.line, span.column),
                None => name.to_owned(),
            };
            let failure = Failure::new(format!("{place}: {}", finding.message));
            if finding.help.is_empty() { failure } else { failure.help(finding.help.clone()) }
        });
        Failure::several(failures).unwrap_or_else(|| Failure::new(format!("{name} is no lock file")))
    })
}

const EXTENSION: &str = "lock";
