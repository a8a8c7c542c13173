//! The Caddyfile, as Caddy's lexer and its replacer read it.
//!
//! Three layers read a Caddyfile. Before anything else `{$NAME}` is replaced in the raw bytes,
//! quotes or not. Then the lexer makes tokens: backticks are raw, in double quotes `\"` is the one
//! escape and every other backslash stands for itself. At last, when Caddy runs, many settings
//! (not all) expand `{placeholder}`, where `\{` and `\}` are braces.

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, fits_comment, is_plain};

#[derive(Default)]
pub(super) struct Caddyfile {
    state: State,
    /// The word up to here is `<`, so a second one opens a heredoc.
    angle: bool,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Start,
    Word,
    Double,
    DoubleEscape,
    Backtick,
    Comment,
    /// From here on the lexer's state is not followed.
    Heredoc,
}

impl Scan for Caddyfile {
    fn text(&mut self, c: char) {
        let angle = std::mem::take(&mut self.angle);
        self.quoted = false;
        self.state = match (self.state, c) {
            (State::Start, '"') => State::Double,
            (State::Start, '`') => State::Backtick,
            (State::Start, '#') => State::Comment,
            (State::Start | State::Word, c) if c.is_whitespace() => State::Start,
            (State::Start, '<') => {
                self.angle = true;
                State::Word
            }
            (State::Word, '<') if angle => State::Heredoc,
            (State::Start, _) => State::Word,
            (State::Double, '\\') => State::DoubleEscape,
            (State::DoubleEscape, _) => State::Double,
            (State::Double, '"') | (State::Backtick, '`') => State::Start,
            (State::Comment, '\n') => State::Start,
            (state, _) => state,
        };
    }

    fn value(&mut self, value: &str, form: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            _ if is_plain(value) => {
                value.chars().for_each(|c| self.text(c));
                out.push_str(value);
            }
            State::Start => {
                quote(&without_placeholders(value, form)?, out)?;
                self.quoted = true;
            }
            _ => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        !self.quoted || next.is_none_or(char::is_whitespace)
    }
}

fn without_placeholders(value: &str, form: Form) -> Result<String, Refusal> {
    let opens = value.find('{');
    let pair = opens.is_some_and(|at| value[at..].contains('}'));
    let escaped = value.contains("\\{") || value.contains("\\}");
    let brace = value == "{" || value == "}";
    if !pair && !escaped && !brace {
        return Ok(value.to_owned());
    }
    match form {
        // Some versions of the replacer look at `\}` only where there is a `{` as well.
        Form::Literal if opens.is_some() || value == "}" => Ok(value.replace('{', "\\{").replace('}', "\\}")),
        Form::Literal => Err("versions of Caddy differ on `\\}` without a `{`"),
        _ => Err(
            "Caddy could take its braces for a placeholder; if this setting expands placeholders write `{{ value | literal }}`, which escapes them",
        ),
    }
}

fn quote(value: &str, out: &mut String) -> Result<(), Refusal> {
    // An unset variable whose default is the brace: the one way to put `{` before `$` in a file
    // where the first layer leaves it alone.
    let value = value.replace("{$", "{$STAGEPLOT_BRACE:{}$");
    if !value.contains('`') {
        out.push('`');
        out.push_str(&value);
        out.push('`');
        return Ok(());
    }
    out.push('"');
    let mut backslashes = 0;
    for c in value.chars() {
        if c == '"' {
            if backslashes % 2 == 1 {
                return Err(BACKSLASH);
            }
            out.push('\\');
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        out.push(c);
    }
    if backslashes % 2 == 1 {
        return Err(BACKSLASH);
    }
    out.push('"');
    Ok(())
}

const BACKSLASH: Refusal =
    "a Caddyfile cannot hold a backtick together with a backslash before a double quote or at the end";
