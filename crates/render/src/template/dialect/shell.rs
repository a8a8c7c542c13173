//! POSIX shell scripts: XCU chapter 2, "Shell Command Language".

use super::super::marks::Form;
use super::{Refusal, Scan, fits_comment, is_name, until};

#[derive(Default)]
pub(super) struct Shell {
    state: State,
    previous: Option<char>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Words,
    Escape,
    Single,
    Double,
    DoubleEscape,
    Comment,
    /// `${…}`; within double quotes or not.
    Parameter {
        double: bool,
    },
    /// Quoting is no longer followed: a heredoc, backquotes, arithmetic, nested substitutions.
    Tangled,
}

impl Scan for Shell {
    fn text(&mut self, c: char) {
        let previous = self.previous.replace(c);
        self.state = match (self.state, c) {
            (State::Words, '\\') => State::Escape,
            (State::Escape, _) => {
                // An escaped character says nothing about the next one.
                self.previous = Some('x');
                State::Words
            }
            (State::Words, '\'') => State::Single,
            (State::Words, '"') => State::Double,
            (State::Words, '`') => State::Tangled,
            (State::Words, '<') if previous == Some('<') => State::Tangled,
            (State::Words, '(') if previous == Some('(') => State::Tangled,
            (State::Words, '{') if previous == Some('$') => State::Parameter { double: false },
            (State::Words, '#') if previous.is_none_or(|p| p.is_whitespace() || "();&|<>".contains(p)) => {
                State::Comment
            }
            (State::Single, '\'') => State::Words,
            (State::Double, '"') => State::Words,
            (State::Double, '\\') => State::DoubleEscape,
            (State::DoubleEscape, _) => {
                self.previous = Some('x');
                State::Double
            }
            (State::Double, '`') => State::Tangled,
            (State::Double, '(') if previous == Some('$') => State::Tangled,
            (State::Double, '{') if previous == Some('$') => State::Parameter { double: true },
            (State::Parameter { double: false }, '}') => State::Words,
            (State::Parameter { double: true }, '}') => State::Double,
            (State::Parameter { .. }, '"' | '\'' | '`' | '$' | '{' | '\\') => State::Tangled,
            (State::Comment, '\n') => State::Words,
            (state, _) => state,
        };
    }

    fn idle(&self, text: &str) -> usize {
        match self.state {
            State::Words => {
                until(text, |c| matches!(c, b'\\' | b'\'' | b'"' | b'`' | b'<' | b'(' | b'{' | b'#'))
            }
            State::Single => until(text, |c| c == b'\''),
            State::Double => until(text, |c| matches!(c, b'"' | b'\\' | b'`' | b'(' | b'{')),
            State::Comment => until(text, |c| c == b'\n'),
            State::Tangled => text.len(),
            State::Escape | State::DoubleEscape | State::Parameter { .. } => 0,
        }
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        let dollar = self.previous == Some('$');
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
                return Ok(());
            }
            State::Single => out.push_str(&value.replace('\'', "'\\''")),
            State::Words | State::Double if dollar => {
                return Err("it stands right after a dollar sign, which would expand it");
            }
            State::Words => {
                out.push('\'');
                out.push_str(&value.replace('\'', "'\\''"));
                out.push('\'');
            }
            State::Double => {
                for c in value.chars() {
                    if matches!(c, '"' | '\\' | '$' | '`') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
            State::Escape | State::DoubleEscape => return Err("it stands right after a backslash"),
            State::Parameter { .. } | State::Tangled if is_name(value) => out.push_str(value),
            State::Parameter { .. } => return Err("it stands inside `${…}`"),
            State::Tangled => {
                return Err(
                    "it stands after a heredoc, backquotes, arithmetic or a substitution in double quotes; assign it to a variable at the top of the script",
                );
            }
        }
        self.previous = Some('x');
        Ok(())
    }
}
