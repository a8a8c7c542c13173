//! Digests of content.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The SHA-256 of an image's manifest, as registries and Docker write it:
/// `sha256:` and 64 lowercase hexadecimal digits.
///
/// The OCI image specification registers other algorithms too; every registry
/// answers with this one.
///
/// ```
/// use stageplot_topology::Digest;
///
/// let text = format!("sha256:{}", "0f".repeat(32));
/// let digest: Digest = text.parse()?;
/// assert_eq!(digest.to_string(), text);
/// assert!("sha256:0f".parse::<Digest>().is_err());
/// # Ok::<(), stageplot_topology::InvalidDigest>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Arc<str>);

impl Digest {
    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a [`Digest`].
///
/// See [`Digest`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a digest: write sha256: and 64 digits from 0 to f, in lowercase")]
pub struct InvalidDigest(String);

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = |hex: &str| hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        match text.strip_prefix("sha256:").is_some_and(is_hex) {
            true => Ok(Self(text.into())),
            false => Err(InvalidDigest(super::shorten(text))),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::text_value!(Digest, "a digest such as \"sha256:…\"", Some("^sha256:[0-9a-f]{64}$"));
