//! New files, which take the place of none.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::failure::Failure;

/// Writes a file that everybody may read, as far as the user's umask lets them.
pub(super) fn new(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text, 0o666)
}

/// Writes a file that nobody else may read, from its first moment on.
pub(super) fn private(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text, 0o600)
}

/// A file that is there is never touched, and half a file never left.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|error| Failure::write(path, &error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        let _ = fs::remove_file(path);
        Failure::write(path, &error)
    })
}
