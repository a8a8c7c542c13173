//! From byte offsets to lines and columns.

use std::ops::Range;

use crate::Span;

/// Where each line of a text begins.
///
/// Columns count characters and are worked out when asked for, since only the
/// few places that end up in findings need one.
#[derive(Clone)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        Self { starts }
    }

    /// The line of the byte at `offset`, from 0.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// The bytes of `line` (from 0) without its line break.
    pub(super) fn range_of(&self, text: &str, line: usize) -> Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(text.len());
        let end = self.starts.get(line + 1).map_or(text.len(), |next| next - 1);
        let content = text.get(start..end).unwrap_or_default();
        start..start + content.strip_suffix('\r').unwrap_or(content).len()
    }

    /// The first byte of `line`, from 0, if there is such a line.
    pub(super) fn start_of(&self, line: usize) -> Option<usize> {
        self.starts.get(line).copied()
    }

    /// The span of `range`, pulled back onto character boundaries.
    pub(super) fn span(&self, text: &str, range: Range<usize>) -> Span {
        let start = text.floor_char_boundary(range.start);
        let end = text.ceil_char_boundary(range.end.max(start));
        let line = self.line_of(start);
        let before = text.get(self.starts[line]..start).unwrap_or_default();
        Span {
            start,
            end,
            line: line + 1,
            // A byte order mark takes no column in an editor.
            column: before.trim_start_matches('\u{feff}').chars().count() + 1,
        }
    }

    /// The span of the part of `range` that stands on its first line.
    pub(super) fn first_line_span(&self, text: &str, range: Range<usize>) -> Span {
        let line = self.range_of(text, self.line_of(range.start));
        let end = range.end.min(line.end).max(range.start);
        self.span(text, range.start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_the_break() {
        let text = "\u{feff}aé=1\r\nb\n";
        let lines = Lines::new(text);
        let one = text.find('1').unwrap();
        let span = lines.span(text, one..one + 1);
        assert_eq!((span.line, span.column), (1, 4));
        assert_eq!(&text[lines.range_of(text, 0)], "\u{feff}aé=1");
        assert_eq!(lines.first_line_span(text, one..text.len()).end, one + 1);
        let end = lines.span(text, text.len()..text.len() + 7);
        assert_eq!((end.line, end.column, end.end), (3, 1, text.len()));
    }
}
