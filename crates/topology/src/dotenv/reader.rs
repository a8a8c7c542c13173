//! The value after an equals sign: bare, or a quoted word of the shell.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Dotenv, Variable};

/// What is wrong, and how to mend it.
pub(super) type Problem = (&'static str, &'static str);

/// A place in the text, and what was seen of the value at hand.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) line: usize,
    /// A `$` or a backquote stood for something unknown.
    pub(super) dollar: bool,
    /// The variables that were put in place of their names.
    pub(super) sources: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // Editors on Windows put a byte order mark first.
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, line: 1, dollar: false, sources: BTreeSet::new() }
    }

    /// The end of the line at hand, before its line break.
    pub(super) fn end_of_line(&self) -> usize {
        let rest = &self.text[self.at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        self.at + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// Goes to the line after the one that ends at `end`.
    pub(super) fn skip_to(&mut self, end: usize) {
        let rest = &self.text[end..];
        let after = rest.strip_prefix('\r').unwrap_or(rest);
        let after = after.strip_prefix('\n').unwrap_or(after);
        self.at = self.text.len() - after.len();
        self.line += 1;
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        self.line += usize::from(next == '\n');
        Some(next)
    }

    /// Reads the value that starts here; `end` is where the line does.
    pub(super) fn value(
        &mut self,
        end: usize,
        known: &BTreeMap<String, Variable>,
    ) -> Result<String, Problem> {
        let blank = &self.text[self.at..end];
        let start = end - blank.trim_start().len();
        let value = if self.text[start..end].starts_with(['\'', '"']) {
            self.at = start;
            self.quoted(known)?
        } else {
            self.bare(start, end, known)?
        };
        if value.contains('\0') { Err(NUL) } else { Ok(value) }
    }

    /// A value without quotes: up to a `#` after a space, or the line's end.
    fn bare(
        &mut self,
        start: usize,
        end: usize,
        known: &BTreeMap<String, Variable>,
    ) -> Result<String, Problem> {
        let raw = &self.text[self.at..end];
        // Directly after the equals sign a # is the value's first character.
        let mut before = '=';
        let comment = raw.char_indices().find(|&(_, c)| {
            let starts = c == '#' && before.is_whitespace();
            before = c;
            starts
        });
        let stop = comment.map_or(raw.len(), |(at, _)| at);
        let stop = (self.at + stop).max(start);
        let stop = start + self.text[start..stop].trim_end().len();
        let mut value = String::new();
        self.at = start;
        while self.at < stop {
            match self.next() {
                Some('$') => self.expand(stop, &mut value, known)?,
                Some('`') => {
                    self.dollar = true;
                    value.push('`');
                }
                Some(c) => value.push(c),
                None => break,
            }
            if value.len() > Dotenv::MAX_VALUE {
                return Err(TOO_LONG);
            }
        }
        Ok(value)
    }

    /// A value that starts with a quote: a word of the shell, which may be put
    /// together from several pieces and hold line breaks.
    fn quoted(&mut self, known: &BTreeMap<String, Variable>) -> Result<String, Problem> {
        let mut value = String::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() {
                break;
            }
            self.next();
            match c {
                '\'' => self.single(&mut value)?,
                '"' => self.double(&mut value, known)?,
                '\\' => value.extend(self.next()),
                '$' => self.expand(self.text.len(), &mut value, known)?,
                _ => value.push(c),
            }
            if value.len() > Dotenv::MAX_VALUE {
                return Err(TOO_LONG);
            }
        }
        let rest = self.text[self.at..self.end_of_line()].trim_start();
        if rest.is_empty() || rest.starts_with('#') { Ok(value) } else { Err(AFTER_QUOTE) }
    }

    fn single(&mut self, value: &mut String) -> Result<(), Problem> {
        loop {
            match self.next().ok_or(OPEN_QUOTE)? {
                '\'' => return Ok(()),
                '\r' if self.peek() == Some('\n') => {}
                c => value.push(c),
            }
            if value.len() > Dotenv::MAX_VALUE {
                return Err(TOO_LONG);
            }
        }
    }

    fn double(&mut self, value: &mut String, known: &BTreeMap<String, Variable>) -> Result<(), Problem> {
        loop {
            match self.next().ok_or(OPEN_QUOTE)? {
                '"' => return Ok(()),
                '\r' if self.peek() == Some('\n') => {}
                '\\' => match self.peek() {
                    Some('"' | '\\' | '$' | '`') => value.extend(self.next()),
                    Some('\n') => drop(self.next()),
                    _ => value.push('\\'),
                },
                '$' => self.expand(self.text.len(), value, known)?,
                c => {
                    self.dollar |= c == '`';
                    value.push(c);
                }
            }
            if value.len() > Dotenv::MAX_VALUE {
                return Err(TOO_LONG);
            }
        }
    }

    /// What follows a `$`: a variable that this file set before is put in its
    /// place; whatever else a shell would put there is not known here.
    fn expand(
        &mut self,
        end: usize,
        value: &mut String,
        known: &BTreeMap<String, Variable>,
    ) -> Result<(), Problem> {
        let rest = &self.text[self.at..end];
        let name_end =
            |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, default, length) = if let Some(braced) = rest.strip_prefix('{') {
            let name = &braced[..name_end(braced)];
            let after = &braced[name.len()..];
            // A default of several lines is more than these files hold.
            let close = after.find(['}', '\n', '"']).filter(|&at| after[at..].starts_with('}'));
            let Some(close) = close else { return self.keep_dollar(value) };
            let operator = &after[..close];
            let default = operator.strip_prefix(":-").map(|text| (text, true));
            let default = default.or(operator.strip_prefix('-').map(|text| (text, false)));
            if default.is_none() && !operator.is_empty() {
                return self.keep_dollar(value);
            }
            (name, default, name.len() + close + 2)
        } else {
            let name = &rest[..name_end(rest)];
            (name, None, name.len())
        };
        if !is_name(name) {
            // A dollar sign before a space or at the end is one to bash as well.
            let means = rest.starts_with(['{', '(', '$', '!', '?', '@', '*', '#', '-'])
                || rest.starts_with(|c: char| c.is_ascii_digit());
            self.dollar |= means;
            value.push('$');
            return Ok(());
        }
        let set =
            known.get(name).filter(|v| !v.value().is_empty() || default.is_none_or(|(_, empty)| !empty));
        match (set, default) {
            (Some(variable), _) => {
                value.push_str(variable.value());
                self.sources.insert(name.to_owned());
                self.sources.extend(variable.sources().map(str::to_owned));
            }
            (None, Some((default, _))) => value.push_str(default),
            (None, None) => return self.keep_dollar(value),
        }
        self.at += length;
        if value.len() > Dotenv::MAX_VALUE { Err(TOO_LONG) } else { Ok(()) }
    }

    /// What this `$` stood for is not known here.
    fn keep_dollar(&mut self, value: &mut String) -> Result<(), Problem> {
        self.dollar = true;
        value.push('$');
        Ok(())
    }
}

/// Whether a shell takes this for the name of a variable.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const OPEN_QUOTE: Problem =
    ("a quote is never closed", "close it, or put the whole value in the other kind of quotes");
const TOO_LONG: Problem = ("the value is too long", "name a file instead");
const NUL: Problem = ("the value holds a NUL, which no variable can", "take it out");
const AFTER_QUOTE: Problem =
    ("something follows the closing quote", "put the whole value in quotes, and a space before a #");
