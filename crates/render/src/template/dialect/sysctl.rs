//! `sysctl.d` files: `key = value`, the value being the trimmed rest of the line.

use super::super::marks::Form;
use super::{Refusal, Scan, fits_comment, is_name, until};

#[derive(Default)]
pub(super) struct Sysctl {
    state: State,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    LineStart,
    Key,
    Value,
    Comment,
}

impl Scan for Sysctl {
    fn text(&mut self, c: char) {
        self.state = match (self.state, c) {
            (_, '\n') => State::LineStart,
            (State::LineStart, '#' | ';') => State::Comment,
            (State::LineStart, c) if c.is_whitespace() => State::LineStart,
            (State::LineStart | State::Key, '=') => State::Value,
            (State::LineStart, _) => State::Key,
            (state, _) => state,
        };
    }

    fn idle(&self, text: &str) -> usize {
        match self.state {
            State::LineStart => text.rfind('\n').map_or(0, |at| at + 1),
            _ => until(text, |c| matches!(c, b'=' | b'\n')),
        }
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => fits_comment(value)?,
            State::LineStart | State::Key => {
                if !value.split('/').all(is_name) {
                    return Err("a setting's name is made of letters, digits, `_`, `-`, `.` and `/`");
                }
                self.state = State::Key;
            }
            State::Value => {
                if value.is_empty() || value.trim() != value {
                    return Err(
                        "a sysctl value has no quotes: it cannot be empty, nor begin or end with a space",
                    );
                }
                if value.chars().any(char::is_control) {
                    return Err("a sysctl value is one line without control characters");
                }
            }
        }
        out.push_str(value);
        Ok(())
    }
}
