//! Files, written whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::failure::Failure;

/// Writes a new file that everybody may read, as far as the user's umask lets them.
pub(crate) fn new(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text, 0o666)
}

/// Writes a new file that nobody else may read, from its first moment on.
pub(crate) fn private(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text, 0o600)
}

/// Writes a file that everybody may read in the place of what is there, at once:
/// whoever reads it finds the old text or the new one. A link stays one.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::write(path, &error);
    let place = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        place => place.map_err(failed)?,
    };
    let dir = place.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".stageplot-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(&place).map(drop).map_err(|error| failed(error.error))
}

/// Adds a line to a file that nobody else may read, which is made where it is not
/// there; what it has stays as it is.
pub(crate) fn append_private(path: &Path, line: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::write(path, &error);
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let gap = if ends_line(&mut file, length).map_err(failed)? { "" } else { "\n" };
    let written = file.write_all(format!("{gap}{line}\n").as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = file.set_len(length);
        failed(error)
    })
}

/// Whether what is added to a file begins a line.
fn ends_line(file: &mut File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    Ok(byte == *b"\n")
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
