//! `postgresql.conf`, as Postgres' `guc-file.l` reads it.

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, c_quoted, fits_comment, is_name};

#[derive(Default)]
pub(super) struct PostgresConf {
    state: State,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    LineStart,
    Name,
    /// Behind the name.
    Start,
    Word,
    Quotes,
    Escape,
    Comment,
}

impl Scan for PostgresConf {
    fn text(&mut self, c: char) {
        self.quoted = false;
        self.state = match (self.state, c) {
            (State::Quotes, '\\') => State::Escape,
            (State::Quotes, '\'') => State::Word,
            (State::Escape, _) => State::Quotes,
            // A string does not go over lines.
            (_, '\n') => State::LineStart,
            (State::Quotes | State::Comment, _) => self.state,
            (_, '#') => State::Comment,
            (State::LineStart, c) if c.is_whitespace() => State::LineStart,
            (State::LineStart, _) => State::Name,
            (State::Name, c) if c == '=' || c.is_whitespace() => State::Start,
            (State::Name, _) => State::Name,
            (State::Start | State::Word, '\'') => State::Quotes,
            (State::Start, c) if c == '=' || c.is_whitespace() => State::Start,
            (State::Start | State::Word, _) => State::Word,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::LineStart | State::Name => {
                if !is_name(value) {
                    return Err("a setting's name is made of letters, digits, `_`, `-` and `.`");
                }
                self.state = State::Name;
                out.push_str(value);
            }
            State::Start if is_bare(value) => {
                self.state = State::Word;
                out.push_str(value);
            }
            State::Start => {
                c_quoted(value, '\'', |c| format!("\\{c:03o}"), out);
                self.state = State::Word;
                self.quoted = true;
            }
            State::Word | State::Quotes | State::Escape => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        // Two strings that touch would be one, with a quote in it.
        !self.quoted || next.is_none_or(|c| c == '#' || c.is_ascii_whitespace())
    }
}

/// A number with or without a unit, or a word.
fn is_bare(value: &str) -> bool {
    let behind = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_digits = behind.len() < value.len();
    match has_digits {
        true => behind.chars().all(|c| c.is_ascii_alphabetic()),
        false => !value.is_empty() && value.chars().all(|c| c.is_ascii_alphabetic() || c == '_'),
    }
}
