//! Mermaid diagrams: quoted strings, with `#NN;` for what means something to Mermaid or to HTML.

use std::fmt::Write as _;

use super::super::marks::Form;
use super::{Refusal, Scan, fits_comment};

#[derive(Default)]
pub(super) struct Mermaid {
    state: State,
    previous: Option<char>,
    quoted: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Words,
    Quotes,
    Comment,
}

impl Scan for Mermaid {
    fn text(&mut self, c: char) {
        let previous = self.previous.replace(c);
        self.quoted = false;
        self.state = match (self.state, c) {
            (State::Words, '"') => State::Quotes,
            (State::Quotes, '"') => State::Words,
            (State::Words, '%') if previous == Some('%') => State::Comment,
            (State::Comment, '\n') => State::Words,
            (state, _) => state,
        };
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::Quotes => encode(value, out)?,
            State::Words if is_identifier(value) => out.push_str(value),
            State::Words => {
                if self.previous.is_some_and(|p| p.is_alphanumeric() || p == '_') {
                    return Err(super::IN_QUOTES);
                }
                out.push('"');
                encode(value, out)?;
                out.push('"');
                self.quoted = true;
            }
        }
        self.previous = Some('x');
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        !self.quoted || next.is_none_or(|c| c.is_whitespace() || "])}|>;".contains(c))
    }
}

fn encode(value: &str, out: &mut String) -> Result<(), Refusal> {
    for c in value.chars() {
        match c {
            // HTML joins spaces, so those at the edges and in a row are written out.
            ' ' if !out.ends_with([' ', '"']) => out.push(' '),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | ',' | '/' | '-' | '(' | ')' => out.push(c),
            // Mermaid's own stand-ins for `&` and `;` while it parses.
            'ﬂ' | '°' | '¶' | 'ß' => write_entity(c, out),
            '\n' | '\t' => write_entity(c, out),
            c if c.is_control() => {
                return Err("HTML, which Mermaid draws with, cannot hold control characters");
            }
            c if c.is_ascii() => write_entity(c, out),
            c => out.push(c),
        }
    }
    Ok(())
}

fn write_entity(c: char, out: &mut String) {
    // Writing to a String does not fail.
    let _ = write!(out, "#{};", u32::from(c));
}

/// Whether a word is an identifier wherever it stands: `end` closes a subgraph, and the others
/// begin a statement; a lone `o` or `x` would become the head of the arrow before it.
fn is_identifier(value: &str) -> bool {
    let words = [
        "end",
        "graph",
        "flowchart",
        "subgraph",
        "style",
        "classdef",
        "class",
        "click",
        "linkstyle",
        "direction",
        "default",
    ];
    !value.is_empty()
        && !value.starts_with(['o', 'x'])
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !words.contains(&value.to_ascii_lowercase().as_str())
}
