//! A text in which secrets are starred out.

use std::ops::Range;

/// A text in which what may be a secret is eight stars, however long it is: a length is
/// a hint.
///
/// ```
/// use stageplot_topology::Redacted;
///
/// let redacted = Redacted::of("password = \"correct horse\nport = 1");
/// assert_eq!(redacted.as_str(), "password = ********\nport = 1");
/// // Where `port` stands in either text.
/// assert_eq!(redacted.range(26..30), 20..24);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    text: String,
    /// How much of the source is in it.
    source: usize,
    /// The places of stars, in order.
    hidden: Vec<Hidden>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hidden {
    source: Range<usize>,
    shown: Range<usize>,
}

impl Redacted {
    /// Goes on with what is no secret.
    ///
    /// ```
    /// use stageplot_topology::Redacted;
    ///
    /// let mut line = Redacted::default();
    /// line.show("requirepass ");
    /// line.hide("correct horse");
    /// assert_eq!(line.as_str(), "requirepass ********");
    /// ```
    pub fn show(&mut self, text: &str) {
        self.text.push_str(text);
        self.source += text.len();
    }

    /// Goes on with what may be one. Line breaks stay.
    pub fn hide(&mut self, text: &str) {
        const STARS: &str = "********";
        for line in text.split_inclusive(['\n', '\r']) {
            let secret = line.trim_end_matches(['\n', '\r']);
            if !secret.is_empty() {
                let (source, shown) = (self.source, self.text.len());
                self.text.push_str(STARS);
                self.source += secret.len();
                self.hidden.push(Hidden { source: source..self.source, shown: shown..self.text.len() });
            }
            self.show(&line[secret.len()..]);
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where in it something stands, by its bytes in the source; the whole of what is
    /// starred out, for a part of that.
    pub fn range(&self, source: Range<usize>) -> Range<usize> {
        let start = self.place(source.start, |hidden| hidden.shown.start);
        // An end is that of the last byte before it.
        let end = match source.end.checked_sub(1) {
            Some(last) if !source.is_empty() => match self.last_before(last) {
                Some(hidden) if last < hidden.source.end => hidden.shown.end,
                _ => self.place(source.end, |hidden| hidden.shown.end),
            },
            _ => start,
        };
        start..end.max(start)
    }

    fn place(&self, at: usize, inside: impl Fn(&Hidden) -> usize) -> usize {
        let place = match self.last_before(at) {
            Some(hidden) if at < hidden.source.end => inside(hidden),
            Some(hidden) => hidden.shown.end.saturating_add(at - hidden.source.end),
            None => at,
        };
        place.min(self.text.len())
    }

    /// The last stars that begin at or before a byte of the source.
    fn last_before(&self, at: usize) -> Option<&Hidden> {
        let after = self.hidden.partition_point(|hidden| hidden.source.start <= at);
        self.hidden.get(after.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_found_behind_stars_of_any_length() {
        for secret in ["x", "hünter2", "a much longer one", "on\ntwo\r\nlines"] {
            let mut redacted = Redacted::default();
            redacted.show("key = ");
            redacted.hide(secret);
            redacted.show(" # wörds");
            let source = format!("key = {secret} # wörds");
            let at = source.find("wörds").unwrap_or_default();
            assert_eq!(&redacted.as_str()[redacted.range(at..source.len())], "wörds");
            assert_eq!(redacted.range(0..3), 0..3);
            assert!(!redacted.as_str().contains(secret));
            let lines = |text: &str| text.matches('\n').count();
            assert_eq!(lines(redacted.as_str()), lines(&source));
            // Any part of a secret is all of its stars on that line.
            assert_eq!(redacted.range(6..7), 6..14);
            assert_eq!(redacted.range(6..6), 6..6);
        }
        assert_eq!(Redacted::default().range(3..9), 0..0);
    }
}
