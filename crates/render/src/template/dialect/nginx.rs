//! `nginx.conf`, as `ngx_conf_read_token` reads it
//! (<https://github.com/nginx/nginx/blob/master/src/core/ngx_conf_file.c>).

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, c_quoted, fits_comment, is_plain};

#[derive(Default)]
pub(super) struct Nginx {
    state: State,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Start,
    Word,
    Quotes(char),
    /// Behind a backslash: in a word, or between quotes.
    Escape(Option<char>),
    Comment,
}

impl Scan for Nginx {
    fn text(&mut self, c: char) {
        self.quoted = false;
        self.state = match (self.state, c) {
            (State::Comment, '\n') => State::Start,
            (State::Comment, _) => State::Comment,
            (State::Escape(Some(quote)), _) => State::Quotes(quote),
            (State::Escape(None), _) => State::Word,
            (State::Quotes(quote), '\\') => State::Escape(Some(quote)),
            (State::Quotes(quote), c) if c == quote => State::Word,
            (State::Quotes(quote), _) => State::Quotes(quote),
            (State::Start, '#') => State::Comment,
            (State::Start, '"' | '\'') => State::Quotes(c),
            (_, '\\') => State::Escape(None),
            (_, ';' | '{' | '}') => State::Start,
            (_, c) if c.is_ascii_whitespace() => State::Start,
            _ => State::Word,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::Start | State::Word if is_plain(value) => {
                self.state = State::Word;
                out.push_str(value);
            }
            State::Start if value.contains('$') => {
                return Err("nginx takes `$` for the beginning of a variable, and has no escape for it");
            }
            State::Start => {
                c_quoted(value, '"', |code| char::from_u32(code).into_iter().collect(), out);
                self.state = State::Word;
                self.quoted = true;
            }
            State::Word | State::Quotes(_) | State::Escape(_) => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        // What touches a closing quote is an error of syntax.
        !self.quoted || next.is_some_and(|c| matches!(c, ';' | '{') || c.is_ascii_whitespace())
    }
}
