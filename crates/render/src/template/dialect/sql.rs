//! SQL, as Postgres' `scan.l` and its `psql` read it.

use super::super::marks::Form;
use super::{Refusal, Scan, c_quoted, fits_comment, is_name};

#[derive(Default)]
pub(super) struct Sql {
    state: State,
    previous: Option<char>,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Words,
    Comment,
    /// A name in double quotes.
    Name,
    /// A string of the template's own.
    String,
    /// A body between `$$` and `$$`.
    Body,
    /// A body between other dollar signs, or a comment over lines: from here on nothing
    /// is known of quotes.
    Tangled,
}

impl Scan for Sql {
    fn text(&mut self, c: char) {
        self.quoted = false;
        let previous = self.previous.replace(c);
        self.state = match (self.state, c) {
            (State::Words, '-') if previous == Some('-') => State::Comment,
            (State::Words, '*') if previous == Some('/') => State::Tangled,
            (State::Words, '$') if previous == Some('$') => State::Body,
            (State::Body, '$') if previous == Some('$') => {
                self.previous = None;
                State::Words
            }
            (State::Words, c) if previous == Some('$') && c.is_alphabetic() => State::Tangled,
            (State::Words, '"') => State::Name,
            (State::Words, '\'') => State::String,
            (State::Comment, '\n') | (State::Name, '"') | (State::String, '\'') => State::Words,
            (state, _) => state,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::Words => {
                if self.previous.is_some_and(|c| c.is_alphanumeric() || "_$\"'&".contains(c)) {
                    return Err("a string stands by itself; put a space before it");
                }
                // With escapes, so that it stands on one line.
                out.push('E');
                c_quoted(value, '\'', |c| format!("\\x{c:02x}"), out);
                self.previous = Some('\'');
                self.quoted = true;
            }
            State::Name => {
                if value.is_empty() || value.chars().any(char::is_control) {
                    return Err("a name is not empty, and holds no control characters");
                }
                out.push_str(&value.replace('"', "\"\""));
                self.previous = Some('x');
            }
            State::String | State::Body | State::Tangled if is_name(value) => {
                out.push_str(value);
                self.previous = Some('x');
            }
            State::String => return Err("drop the template's quotes: a value brings its own"),
            State::Body | State::Tangled => {
                return Err("it stands between dollar signs, or behind `/*`: put it before them");
            }
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        // Two strings that touch would be one, with a quote in it.
        !self.quoted || next != Some('\'')
    }
}
