//! systemd units: systemd.syntax(7), with the quoting of each setting as systemd's parser does it.

use super::super::marks::Form;
use super::{IN_QUOTES, Refusal, Scan, fits_comment, is_plain, until};

#[derive(Default)]
pub(super) struct Systemd {
    state: State,
    key: String,
    /// The text so far on this setting's value is blank.
    first: bool,
    quoted: bool,
    backslash: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    LineStart,
    Key,
    Start,
    Word,
    Quotes(char),
    Comment,
}

/// How a setting reads its value.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Words with quotes, C escapes, `%` specifiers and `$` variables.
    Command,
    /// The same without `$` variables.
    Assignments,
    /// The rest of the line with `%` specifiers.
    Line,
    /// The same, and it must be an absolute path.
    Path,
    /// Not known here: harmless characters alone.
    Other,
}

impl Scan for Systemd {
    fn text(&mut self, c: char) {
        let continued = self.backslash;
        self.backslash = c == '\\' && !continued;
        self.quoted = false;
        if matches!(self.state, State::Start | State::Word | State::Quotes(_))
            && !c.is_whitespace()
            && c != '\\'
        {
            self.first = false;
        }
        self.state = match (self.state, c) {
            (state @ (State::Start | State::Word | State::Quotes(_)), '\n') if continued => match state {
                State::Quotes(quote) => State::Quotes(quote),
                _ => State::Start,
            },
            (_, '\n') => State::LineStart,
            (State::LineStart, '#' | ';') => State::Comment,
            (State::LineStart, c) if c.is_whitespace() => State::LineStart,
            (State::LineStart, c) => {
                self.key.clear();
                self.key.push(c);
                State::Key
            }
            (State::Key, '=') => {
                self.first = true;
                State::Start
            }
            (State::Key, c) => {
                self.key.push(c);
                State::Key
            }
            (State::Quotes(quote), c) if c == quote && !continued => State::Word,
            (State::Start | State::Word, '"' | '\'') if !continued => State::Quotes(c),
            (State::Start | State::Word, c) if c.is_whitespace() => State::Start,
            (State::Start, _) => State::Word,
            (state, _) => state,
        };
    }

    fn idle(&self, text: &str) -> usize {
        match self.state {
            // Whole lines, unless the last goes on.
            State::LineStart => match text.rfind('\n') {
                Some(at) if !text[..at].ends_with('\\') => at + 1,
                _ => 0,
            },
            State::Word => until(text, |c| !c.is_ascii_graphic() || matches!(c, b'"' | b'\'' | b'\\')),
            State::Comment => until(text, |c| matches!(c, b'\n' | b'\\')),
            _ => 0,
        }
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        if self.backslash {
            return Err("it stands right after a backslash");
        }
        let kind = self.kind();
        let plain = is_plain(value);
        match (self.state, kind) {
            (State::Comment, _) => {
                fits_comment(value)?;
                out.push_str(value);
            }
            (State::LineStart | State::Key, _) if plain && !value.contains('=') => self.bare(value, out),
            (State::LineStart | State::Key, _) => return Err("a setting's name has no quotes"),
            (_, Kind::Command) if self.first && !value.starts_with('/') => {
                return Err("a command begins with an absolute path");
            }
            (_, Kind::Command) if self.first && !plain => {
                return Err("the path of a command must be made of letters, digits and `_./:@+-,=`");
            }
            (_, Kind::Path) if self.first && !value.starts_with('/') => {
                return Err("this setting takes an absolute path");
            }
            (_, Kind::Line | Kind::Path) => {
                line(value, out)?;
                self.state = State::Word;
                self.first = false;
            }
            _ if plain => self.bare(value, out),
            (State::Start, Kind::Command | Kind::Assignments) => {
                quote(value, kind, out)?;
                self.state = State::Word;
                self.first = false;
                self.quoted = true;
            }
            (_, Kind::Other) => {
                return Err(
                    "how this setting reads quotes is not known here, so it takes letters, digits and `_./:@+-,=` alone",
                );
            }
            _ => return Err(IN_QUOTES),
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        !self.quoted || next.is_none_or(char::is_whitespace)
    }
}

impl Systemd {
    fn bare(&mut self, value: &str, out: &mut String) {
        value.chars().for_each(|c| self.text(c));
        out.push_str(value);
    }

    fn kind(&self) -> Kind {
        match self.key.trim() {
            "Environment" => Kind::Assignments,
            "Description" => Kind::Line,
            "WorkingDirectory" | "RootDirectory" | "ConditionPathExists" | "PIDFile" => Kind::Path,
            key if key.starts_with("Exec") => Kind::Command,
            _ => Kind::Other,
        }
    }
}

fn line(value: &str, out: &mut String) -> Result<(), Refusal> {
    if value.is_empty() || value.trim() != value || value.ends_with('\\') {
        return Err(
            "this setting has no quotes: a value cannot be empty, begin or end with a space, or end with a backslash",
        );
    }
    if value.chars().any(char::is_control) {
        return Err("this setting has no quotes: it cannot hold line breaks and control characters");
    }
    out.push_str(&value.replace('%', "%%"));
    Ok(())
}

fn quote(value: &str, kind: Kind, out: &mut String) -> Result<(), Refusal> {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '%' => out.push_str("%%"),
            '$' if kind == Kind::Command => out.push_str("$$"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() && kind == Kind::Assignments => {
                return Err("systemd drops an environment variable that holds control characters");
            }
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}
