//! XML 1.0, and so SVG: text and quoted attribute values.

use super::super::marks::Form;
use super::{Refusal, Scan, is_name};

#[derive(Default)]
pub(super) struct Xml {
    state: State,
    /// The last characters of the text, to recognise what opens and closes.
    tail: String,
    /// The open tag is `style` or `script`.
    foreign: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Text,
    Tag,
    Attribute(char),
    /// Comment, CDATA, processing instruction or declaration: entities mean nothing there.
    Raw(&'static str),
    /// The content of `style` or `script`: entities are read, and then another language.
    Foreign,
}

impl Scan for Xml {
    fn text(&mut self, c: char) {
        if self.tail.len() > 64 {
            let keep = self.tail.char_indices().rev().nth(11).map_or(0, |(at, _)| at);
            self.tail.drain(..keep);
        }
        self.tail.push(c);
        let tail = self.tail.as_str();
        self.state = match (self.state, c) {
            (State::Text, '<') => {
                self.foreign = false;
                State::Tag
            }
            (State::Tag, '"' | '\'') => State::Attribute(c),
            (State::Tag, '>') if self.foreign && !tail.ends_with("/>") => State::Foreign,
            (State::Tag, '>') => State::Text,
            (State::Tag, '-') if tail.ends_with("<!--") => State::Raw("-->"),
            (State::Tag, '[') if tail.ends_with("<![CDATA[") => State::Raw("]]>"),
            (State::Tag, '?') if tail.ends_with("<?") => State::Raw("?>"),
            (State::Tag, 'D') if tail.ends_with("<!D") => State::Raw(">"),
            (State::Attribute(quote), c) if c == quote => State::Tag,
            (State::Raw(end), _) if tail.ends_with(end) => State::Text,
            (State::Foreign, '/') if tail.ends_with("</") => {
                self.foreign = false;
                State::Tag
            }
            (state, _) => state,
        };
        if self.state == State::Tag && (tail.ends_with("<style") || tail.ends_with("<script")) {
            self.foreign = true;
        }
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Text | State::Attribute(_) => escape(value, out),
            _ if is_name(value) => {
                out.push_str(value);
                Ok(())
            }
            State::Tag => Err("it stands inside a tag; put it between quotes, `name=\"{{ value }}\"`"),
            State::Foreign => Err("it stands in a style sheet or a script, which have rules of their own"),
            State::Raw(_) => {
                Err("it stands in a comment, CDATA or declaration, where nothing can be escaped")
            }
        }
    }
}

fn escape(value: &str, out: &mut String) -> Result<(), Refusal> {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // A reader turns these into spaces in attributes, and CR into LF everywhere.
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            // https://www.w3.org/TR/xml/#charsets
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                return Err("XML cannot hold control characters, not even escaped");
            }
            c => out.push(c),
        }
    }
    Ok(())
}
