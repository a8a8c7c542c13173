//! Names of nodes, services and networks.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A name that fits everywhere it is written: host part of DNS, Compose
/// service, nftables comment, directory.
///
/// Lowercase ASCII letters, digits and hyphens; a letter or digit first and
/// last; at most 40 characters.
///
/// ```
/// use stageplot_topology::Name;
///
/// let name: Name = "media-1".parse()?;
/// assert_eq!(name.as_str(), "media-1");
/// assert!("Media 1".parse::<Name>().is_err());
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The longest name, in characters.
    pub const MAX_LEN: usize = 40;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a [`Name`].
///
/// See [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: {remedy}", remedy = remedy(.0))]
pub struct InvalidName(String);

fn remedy(text: &str) -> &'static str {
    match text.contains(',') {
        true => "write several names as a list, [\"edge\", \"redis\"]",
        false => "use 1 to 40 lowercase letters, digits and hyphens, with a letter or digit first and last",
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = (1..=Self::MAX_LEN).contains(&text.len())
            && text.chars().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if valid { Ok(Self(text.into())) } else { Err(InvalidName(super::shorten(text))) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

super::text_value!(Name, "a name", Some("^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"));
