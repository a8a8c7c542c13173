//! The key that seals are made with.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use super::seal::{self, Seal};

/// The key that seals are made with. It does not print.
///
/// ```
/// use stageplot_render::SealKey;
///
/// assert!(SealKey::parse("7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47").is_ok());
/// let error = SealKey::parse("correct horse").expect_err("words are no key");
/// assert_eq!(error.to_string(), "it is not hexadecimal");
/// ```
#[derive(Debug)]
pub struct SealKey(SecretSlice<u8>);

/// Why a text is no [`SealKey`]; it never holds the text.
///
/// See [`SealKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSealKey {
    /// It is not made of pairs of hexadecimal digits.
    #[error("it is not hexadecimal")]
    NotHexadecimal,
    /// It has fewer bytes than [`SealKey::MIN_BYTES`].
    #[error("it has {0} bytes, and {min} are needed", min = SealKey::MIN_BYTES)]
    Short(usize),
    /// It repeats few bytes, as random ones do not.
    #[error("it is not random: it repeats few bytes over and over")]
    Repetitive,
}

impl SealKey {
    /// The fewest bytes that a key has.
    pub const MIN_BYTES: usize = 32;

    /// Reads a key from its hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`InvalidSealKey`], where it is no key, or one that could be guessed.
    pub fn parse(text: &str) -> Result<Self, InvalidSealKey> {
        let bytes = SecretSlice::from(seal::bytes(text).ok_or(InvalidSealKey::NotHexadecimal)?);
        let length = bytes.expose_secret().len();
        if length < Self::MIN_BYTES {
            return Err(InvalidSealKey::Short(length));
        }
        let distinct: BTreeSet<_> = bytes.expose_secret().iter().collect();
        if distinct.len() < MIN_DISTINCT {
            return Err(InvalidSealKey::Repetitive);
        }
        Ok(Self(bytes))
    }

    /// The seal of these parts in this order.
    pub(super) fn seal(&self, parts: &[&str]) -> Seal {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .unwrap_or_else(|_| unreachable!("an HMAC takes a key of any length"));
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Seal::cut(mac.finalize().into_bytes().into())
    }
}

/// The fewest different bytes of a key. Of 32 random ones 30 differ; that fewer
/// than 16 do has a chance below 2^-70.
const MIN_DISTINCT: usize = 16;
