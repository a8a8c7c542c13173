//! Where a value stands in a stage plot, independent of the file format.

use std::fmt;

/// A path of keys and indices from the root of a stage plot to one value.
///
/// It prints the way an operator would say it:
///
/// ```
/// use stageplot_topology::{FieldPath, Segment};
///
/// let path = FieldPath::root().key("nodes").key("media-1").key("roles").index(0);
/// assert_eq!(path.to_string(), "nodes.media-1.roles[0]");
/// assert_eq!(path.segments().last(), Some(&Segment::Index(0)));
/// assert_eq!(path.parent(), Some(FieldPath::root().key("nodes").key("media-1").key("roles")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Segment>);

/// One step of a [`FieldPath`].
///
/// See [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a table.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

impl FieldPath {
    /// The plot itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The value under `key` in the table at this path.
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.child(Segment::Key(key.into()))
    }

    /// The value at `index` in the list at this path.
    pub fn index(&self, index: usize) -> Self {
        self.child(Segment::Index(index))
    }

    /// The value at `path` from the value at this path on.
    pub(crate) fn join(&self, path: &Self) -> Self {
        Self(self.0.iter().chain(&path.0).cloned().collect())
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The table or list that holds the value, or `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    fn child(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }
}

impl FromIterator<Segment> for FieldPath {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the plot");
        }
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => write_key(f, key)?,
                Segment::Key(key) => {
                    f.write_str(".")?;
                    write_key(f, key)?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Writes a key bare where TOML would take it bare, quoted elsewhere.
fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { f.write_str(key) } else { write!(f, "{key:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_toml_would_quote_are_quoted() {
        let path = FieldPath::root().key("services").key("a b").key("env").key("X\n");
        assert_eq!(path.to_string(), r#"services."a b".env."X\n""#);
    }

    #[test]
    fn the_parent_of_the_root_is_nothing() {
        assert_eq!(FieldPath::root().parent(), None);
        assert_eq!(FieldPath::root().key("a").parent(), Some(FieldPath::root()));
    }
}
