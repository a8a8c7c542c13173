//! New secrets.

use std::fmt::Write as _;

use crate::failure::Failure;

/// A secret of 256 random bits: 64 hexadecimal digits, which every format takes
/// as they are.
pub(crate) fn random() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
