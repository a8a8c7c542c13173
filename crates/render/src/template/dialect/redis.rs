//! `redis.conf`, as `sdssplitargs` in Redis's `sds.c` reads each line.

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, c_quoted, fits_comment, is_plain};

#[derive(Default)]
pub(super) struct RedisConf {
    state: State,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    LineStart,
    Start,
    Word,
    Double,
    DoubleEscape,
    Single,
    SingleEscape,
    Comment,
}

impl Scan for RedisConf {
    fn text(&mut self, c: char) {
        self.quoted = false;
        self.state = match (self.state, c) {
            // Redis splits lines before it looks at quotes.
            (_, '\n') => State::LineStart,
            (State::LineStart, '#') => State::Comment,
            (State::LineStart, c) if is_space(c) => State::LineStart,
            (State::LineStart | State::Start | State::Word, '"') => State::Double,
            (State::LineStart | State::Start | State::Word, '\'') => State::Single,
            (State::Start | State::Word, c) if is_space(c) => State::Start,
            (State::LineStart | State::Start | State::Word, _) => State::Word,
            (State::Double, '\\') => State::DoubleEscape,
            (State::Single, '\\') => State::SingleEscape,
            (State::Double, '"') | (State::Single, '\'') => State::Word,
            (State::DoubleEscape, _) => State::Double,
            (State::SingleEscape, _) => State::Single,
            (state, _) => state,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            _ if is_plain(value) => {
                value.chars().for_each(|c| self.text(c));
                out.push_str(value);
            }
            State::LineStart | State::Start => {
                c_quoted(value, '"', |c| format!("\\x{c:02x}"), out);
                self.state = State::Word;
                self.quoted = true;
            }
            _ => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        !self.quoted || next.is_none_or(is_space)
    }
}

/// C's `isspace`.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}
