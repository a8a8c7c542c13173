//! New secrets.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;

use crate::failure::Failure;

/// A secret of 256 random bits: 64 hexadecimal digits, which every format takes
/// as they are.
pub(crate) fn random() -> Result<String, Failure> {
    const SOURCE: &str = "/dev/urandom";
    let mut bytes = [0; 32];
    File::open(SOURCE)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::read(SOURCE.as_ref(), &error))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
