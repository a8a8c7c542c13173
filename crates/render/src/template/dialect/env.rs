//! The `env_file` of Docker Compose, as compose-go's `dotenv` reads it.
//!
//! In single quotes nothing is interpolated, `\'` is the one escape and every other backslash
//! stands for itself. In double quotes the usual escapes hold and `$$` is a dollar.

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, fits_comment, is_name, is_plain};

#[derive(Default)]
pub(super) struct Env {
    state: State,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    LineStart,
    Key,
    Value,
    Inside,
    Quotes {
        quote: char,
        escape: bool,
    },
    Comment,
}

impl Scan for Env {
    fn text(&mut self, c: char) {
        self.quoted = false;
        self.state = match (self.state, c) {
            (State::Quotes { quote, escape: false }, c) if c == quote => State::Inside,
            (State::Quotes { quote, escape }, c) => State::Quotes { quote, escape: !escape && c == '\\' },
            (_, '\n') => State::LineStart,
            (State::LineStart, '#') => State::Comment,
            (State::LineStart, c) if c.is_whitespace() => State::LineStart,
            (State::LineStart | State::Key, '=') => State::Value,
            (State::LineStart | State::Key, ':') => State::Inside,
            (State::LineStart, _) => State::Key,
            (State::Value, '"' | '\'') => State::Quotes { quote: c, escape: false },
            (State::Value, _) => State::Inside,
            (state, _) => state,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::LineStart | State::Key => {
                if !is_name(value) {
                    return Err("a variable's name is made of letters, digits, `_`, `-` and `.`");
                }
                self.state = State::Key;
                out.push_str(value);
            }
            _ if is_plain(value) => {
                value.chars().for_each(|c| self.text(c));
                out.push_str(value);
            }
            State::Value => {
                quote(value, out);
                self.state = State::Inside;
                self.quoted = true;
            }
            _ => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        !self.quoted || next.is_none_or(|c| c == '\n')
    }
}

fn quote(value: &str, out: &mut String) {
    if single(value) {
        out.push('\'');
        out.push_str(&value.replace('\'', "\\'"));
        out.push('\'');
        return;
    }
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '$' => out.push_str("$$"),
            // The reader turns CR LF into LF before it looks at quotes.
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether single quotes can hold it: a backslash must not meet a quote.
fn single(value: &str) -> bool {
    let mut odd = false;
    for c in value.chars() {
        if c == '\r' || (c == '\'' && odd) {
            return false;
        }
        odd = c == '\\' && !odd;
    }
    !odd
}
