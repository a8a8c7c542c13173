//! `pg_hba.conf`, as `next_token` in Postgres' `hba.c` reads it.

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, fits_comment};

#[derive(Default)]
pub(super) struct PgHba {
    state: State,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Start,
    Word,
    Quotes,
    Comment,
}

impl Scan for PgHba {
    fn text(&mut self, c: char) {
        self.quoted = false;
        self.state = match (self.state, c) {
            (_, '\n') => State::Start,
            (State::Comment, _) => State::Comment,
            (State::Quotes, '"') => State::Word,
            (State::Quotes, _) => State::Quotes,
            (_, '#') => State::Comment,
            (_, '"') => State::Quotes,
            (_, c) if c == ',' || c.is_whitespace() => State::Start,
            _ => State::Word,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::Start if is_address(value) => {
                self.state = State::Word;
                out.push_str(value);
            }
            State::Start => {
                if value.is_empty() || value.starts_with('/') || value.chars().any(char::is_control) {
                    return Err(
                        "a word is not empty, holds no control characters, and is no expression that begins with `/`",
                    );
                }
                // In quotes, `all` and its like mean nothing.
                out.push('"');
                out.push_str(&value.replace('"', "\"\""));
                out.push('"');
                self.state = State::Word;
                self.quoted = true;
            }
            State::Word | State::Quotes => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        !self.quoted || next.is_none_or(|c| c == ',' || c.is_ascii_whitespace())
    }
}

/// An address or a network.
fn is_address(value: &str) -> bool {
    value.contains(['.', ':'])
        && value.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':')
        && value.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/'))
}
