//! CommonMark 0.31, with the tables of GitHub.

use super::super::marks::Form;
use super::{Refusal, Scan, until};

#[derive(Default)]
pub(super) struct Markdown {
    /// The line, as far as it begins.
    line: String,
    /// The fence that is open: its character and length.
    fence: Option<(char, usize)>,
    /// The number of backticks that opened the code span we are in.
    span: Option<usize>,
    ticks: usize,
}

impl Scan for Markdown {
    fn text(&mut self, c: char) {
        if c == '`' && self.fence.is_none() {
            self.ticks += 1;
        } else {
            self.close_ticks();
        }
        if c == '\n' {
            self.end_line();
        } else if self.begins() {
            self.line.push(c);
        }
    }

    fn idle(&self, text: &str) -> usize {
        if self.begins() { 0 } else { until(text, |c| matches!(c, b'`' | b'\n')) }
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        self.close_ticks();
        if self.fence.is_none() && (self.line.starts_with("    ") || self.line.starts_with('\t')) {
            // Code, or a paragraph of a list? What needs no escape is right in both.
            let start = out.len();
            escape(value, out);
            if &out[start..] != value {
                out.truncate(start);
                return Err(
                    "it stands on an indented line, which may be code or part of a list; use a fence for code",
                );
            }
        } else if self.fence.is_some() {
            if value.contains(['\n', '\r']) || value.contains("```") || value.contains("~~~") {
                return Err("a block of code holds no value with line breaks or fences");
            }
            out.push_str(value);
        } else if self.span.is_some() || fence_of(&self.line).is_some() {
            let edge = value.starts_with(' ') || value.ends_with(' ') || value.is_empty();
            if value.contains(['\n', '\r', '`', '|']) || edge {
                return Err(
                    "a code span holds no line breaks, backticks, bars, nor spaces at its edges; leave the backticks out",
                );
            }
            out.push_str(value);
        } else {
            escape(value, out);
        }
        self.line.push('x');
        Ok(())
    }
}

impl Markdown {
    /// Whether the line is blank so far, or may be a fence: then it matters what comes next.
    fn begins(&self) -> bool {
        let text = self.line.trim_start();
        self.line.len() < MAX_LINE && (text.is_empty() || text.starts_with(['`', '~']))
    }

    fn close_ticks(&mut self) {
        let ticks = std::mem::take(&mut self.ticks);
        // Three or more at the start of a line are a fence, which the end of the line decides.
        if ticks == 0 || (self.span.is_none() && fence_of(&self.line).is_some()) {
            return;
        }
        match self.span {
            None => self.span = Some(ticks),
            Some(open) if open == ticks => self.span = None,
            Some(_) => {}
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        match (self.fence, fence_of(&line)) {
            (None, Some(fence)) => {
                self.fence = Some(fence);
                self.span = None;
            }
            (Some((c, open)), Some((d, length)))
                if c == d && length >= open && line.trim_matches([' ', c]).is_empty() =>
            {
                self.fence = None;
            }
            _ => {}
        }
        // A span does not reach beyond its paragraph.
        if line.trim().is_empty() {
            self.span = None;
        }
    }
}

/// The fence that a line opens or closes.
fn fence_of(line: &str) -> Option<(char, usize)> {
    let text = line.trim_start();
    let c = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.chars().take_while(|&d| d == c).count();
    (length >= 3).then_some((c, length))
}

/// Writes a value as text, with an escape before what would be more than text in its
/// place, and before nothing else: the file is read as it is as well.
///
/// What the template has before and after the value is taken to be the worst.
fn escape(value: &str, out: &mut String) {
    let mut open = 0_usize;
    for (at, c) in value.char_indices() {
        let (before, rest) = value.split_at(at);
        let previous = before.chars().next_back();
        let next = rest.chars().nth(1);
        let in_word = previous.is_some_and(|c| c.is_ascii_alphanumeric())
            && next.is_some_and(|c| c.is_ascii_alphanumeric());
        let is_plain = match c {
            // A character reference is never structure, so it holds even a line break.
            c if c.is_control() => {
                push_reference(c, out);
                continue;
            }
            ' ' if previous.is_none_or(|c| c == ' ') || next.is_none() => {
                push_reference(c, out);
                continue;
            }
            '/' | ',' | '%' | '?' | '\'' => true,
            // Within a word these mean nothing, and addresses stay readable.
            '_' | '#' => in_word,
            // A number at the start of a line, and one of these: a list.
            '.' => !before.bytes().all(|c| c.is_ascii_digit()) || next.is_some_and(|c| c != ' '),
            // What a link leads to touches what stands before.
            '(' if previous == Some(' ') => {
                open += 1;
                true
            }
            ')' if open > 0 => {
                open -= 1;
                true
            }
            // These mean something at the start of a line, or after what the template says.
            ':' | ';' | '-' | '+' | '=' | '@' | '^' | '{' | '}' | '$' => previous.is_some(),
            '>' => previous.is_some_and(|c| " -=".contains(c)),
            // And these before what may follow.
            '&' => previous.is_some() && next == Some(' '),
            '!' => previous.is_some() && next.is_some(),
            c => !c.is_ascii_punctuation(),
        };
        if !is_plain {
            out.push('\\');
        }
        out.push(c);
    }
}

fn push_reference(c: char, out: &mut String) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

const MAX_LINE: usize = 4096;
