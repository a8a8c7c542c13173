//! How a value travels through the engine to the writer of its format.
//!
//! The engine's escape hook can neither fail nor see what surrounds a value. So it only *marks*
//! the value, raw, with two Unicode noncharacters, and the real writing happens once the whole
//! text is there. Noncharacters are reserved for use inside a program; a template or a value that
//! holds one of these is refused beforehand, so a mark is always ours.

use std::io::{self, Write};

/// The engine's escape hook.
///
/// A value can hold marks only where a template glued captured text to another string; the whole
/// is one value then, and the inner marks go.
pub(super) fn mark(value: &str, out: &mut dyn Write) -> io::Result<()> {
    super::limits::spend_bytes(value.len())?;
    out.write_all(PLAIN.encode_utf8(&mut [0; 4]).as_bytes())?;
    if holds_mark(value) {
        out.write_all(value.replace(is_mark, "").as_bytes())?;
    } else {
        out.write_all(value.as_bytes())?;
    }
    out.write_all(END.encode_utf8(&mut [0; 4]).as_bytes())
}

/// Marks a value that a filter wants written in a certain form.
pub(super) fn marked(value: &str, form: Form) -> String {
    let start = match form {
        Form::Plain => PLAIN,
        Form::Bare => BARE,
        Form::Literal => LITERAL,
    };
    format!("{start}{}{END}", value.replace(is_mark, ""))
}

/// Whether a text holds one of the reserved noncharacters.
pub(super) fn holds_mark(text: &str) -> bool {
    next_mark(text).is_some()
}

/// What a template asked of a value's writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The format's own way.
    Plain,
    /// No quotes; refused unless it is a plain name.
    Bare,
    /// The program will expand placeholders in it: escape them.
    Literal,
}

#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// The template's own text.
    Text(&'a str),
    /// A value, not yet written for its format.
    Value { value: &'a str, form: Form },
    /// Marks that do not pair up: a filter cut through them.
    Broken,
}

/// The pieces of marked output, in order.
pub(super) struct Pieces<'a> {
    marked: &'a str,
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(marked: &'a str) -> Self {
        Self { marked, rest: marked }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.rest.chars().next()?;
        if !is_mark(first) {
            let end = next_mark(self.rest).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(Piece::Text(text));
        }
        let form = match first {
            PLAIN => Form::Plain,
            BARE => Form::Bare,
            LITERAL => Form::Literal,
            _ => return Some(self.broken()),
        };
        let inner = &self.rest[first.len_utf8()..];
        match next_mark(inner) {
            Some(end) if inner[end..].starts_with(END) => {
                self.rest = &inner[end + END.len_utf8()..];
                Some(Piece::Value { value: &inner[..end], form })
            }
            _ => Some(self.broken()),
        }
    }
}

impl<'a> Pieces<'a> {
    /// Where in the marked text the next piece begins.
    pub(super) fn offset(&self) -> usize {
        self.marked.len() - self.rest.len()
    }

    fn broken(&mut self) -> Piece<'a> {
        self.rest = "";
        Piece::Broken
    }
}

/// Where the first mark is. All of them start with one byte, which hardly any text contains.
pub(super) fn next_mark(text: &str) -> Option<usize> {
    memchr::memchr_iter(0xEF, text.as_bytes()).find(|&at| text[at..].starts_with(is_mark))
}

fn is_mark(c: char) -> bool {
    (PLAIN..=END).contains(&c)
}

const PLAIN: char = '\u{FDD0}';
const BARE: char = '\u{FDD1}';
const LITERAL: char = '\u{FDD2}';
const END: char = '\u{FDD3}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_alternate() {
        let text = format!("a{}b{}", marked("x", Form::Plain), marked("", Form::Bare));
        assert_eq!(
            Pieces::new(&text).collect::<Vec<_>>(),
            [
                Piece::Text("a"),
                Piece::Value { value: "x", form: Form::Plain },
                Piece::Text("b"),
                Piece::Value { value: "", form: Form::Bare },
            ]
        );
    }

    #[test]
    fn a_cut_mark_is_broken() {
        let text = marked("secret", Form::Plain);
        let cut = text.trim_end_matches(END);
        assert_eq!(Pieces::new(cut).collect::<Vec<_>>(), [Piece::Broken]);
        assert_eq!(Pieces::new(&text[3..]).last(), Some(Piece::Broken));
    }

    #[test]
    fn marks_inside_a_value_go() {
        let mut out = Vec::new();
        mark(&format!("{}/b", marked("a", Form::Plain)), &mut out).unwrap();
        assert_eq!(
            Pieces::new(str::from_utf8(&out).unwrap()).collect::<Vec<_>>(),
            [Piece::Value { value: "a/b", form: Form::Plain }]
        );
    }
}
