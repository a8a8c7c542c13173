//! Names inside a database.

use std::fmt;
use std::str::FromStr;

/// The name of a role or a database in Postgres.
///
/// ASCII letters, digits, underscores and hyphens, a letter or an underscore first; at most
/// 63 characters, and none of those that begin with `pg_`, which Postgres keeps for itself.
///
/// ```
/// use stageplot_topology::Identifier;
///
/// let database: Identifier = "fluxcode".parse()?;
/// assert_eq!(database.as_str(), "fluxcode");
/// assert!("flux code".parse::<Identifier>().is_err());
/// # Ok::<(), stageplot_topology::InvalidIdentifier>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(String);

impl Identifier {
    /// The longest name, in characters (`NAMEDATALEN` of Postgres, less one).
    pub const MAX_LEN: usize = 63;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name known when the program is written.
    pub(crate) fn fixed(text: &str) -> Self {
        text.parse().expect("a valid name; a test parses every default")
    }
}

/// Why a text is not an [`Identifier`].
///
/// See [`Identifier`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a name in a database: use 1 to 63 letters, digits, _ and -, a letter or _ first, and no pg_ at \
     the beginning"
)]
pub struct InvalidIdentifier(String);

impl FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let valid = (1..=Self::MAX_LEN).contains(&text.len())
            && text.chars().all(inner)
            && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && !text.to_ascii_lowercase().starts_with("pg_");
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidIdentifier(super::shorten(text))) }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::text_value!(
    Identifier,
    "a name in a database, such as \"fluxcode\"",
    Some("^[A-Za-z_][A-Za-z0-9_-]{0,62}$")
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sixty_three_characters_and_no_more() {
        let longest = "a".repeat(Identifier::MAX_LEN);
        for valid in ["app", "App", "_app", "my-app", "my_app2", &longest] {
            assert_eq!(valid.parse::<Identifier>().expect(valid).as_str(), valid);
        }
        let longer = format!("{longest}a");
        for invalid in ["", "1app", "-app", "my app", "my.app", "\"app\"", "apß", "pg_app", "PG_APP", &longer]
        {
            assert!(invalid.parse::<Identifier>().is_err(), "{invalid}");
        }
    }
}
