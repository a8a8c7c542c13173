//! The fingerprint of one secret.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use stageplot_topology::decode::{self, FromScalar};

/// The fingerprint of one secret. It prints as 32 hexadecimal digits.
///
/// ```
/// use stageplot_render::Seal;
///
/// let seal: Seal = "9f86d081884c7d659a2feaa0c55ad015".parse()?;
/// assert_eq!(seal.to_string(), "9f86d081884c7d659a2feaa0c55ad015");
/// assert!("9f86d081".parse::<Seal>().is_err());
/// # Ok::<(), stageplot_render::InvalidSeal>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seal([u8; 16]);

/// Why a text is no [`Seal`].
///
/// See [`Seal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a seal is 32 hexadecimal digits")]
#[non_exhaustive]
pub struct InvalidSeal;

impl Seal {
    /// The first half of a whole HMAC.
    pub(super) fn cut(mac: [u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&mac[..16]);
        Self(half)
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({self})")
    }
}

impl FromStr for Seal {
    type Err = InvalidSeal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seal = bytes(text).and_then(|bytes| bytes.try_into().ok());
        seal.map(Self).ok_or(InvalidSeal)
    }
}

impl FromScalar for Seal {
    const EXPECTED: &'static str = "32 hexadecimal digits in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: InvalidSeal| error.to_string())
    }
}

impl Serialize for Seal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar(deserializer)
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}
