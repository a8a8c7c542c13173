//! nftables scripts, as nft's `scanner.l` reads them.

use std::net::IpAddr;

use super::super::marks::Form;
use super::{Refusal, Scan, fits_comment, until};

#[derive(Default)]
pub(super) struct Nftables {
    state: State,
    previous: Option<char>,
    quoted: bool,
    bare: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Words,
    Quotes,
    Comment,
}

impl Scan for Nftables {
    fn text(&mut self, c: char) {
        self.previous = Some(c);
        (self.quoted, self.bare) = (false, false);
        self.state = match (self.state, c) {
            (State::Words, '"') => State::Quotes,
            (State::Quotes, '"') => State::Words,
            (State::Words, '#') => State::Comment,
            (State::Comment, '\n') => State::Words,
            (state, _) => state,
        };
    }

    fn idle(&self, text: &str) -> usize {
        match self.state {
            State::Words => until(text, |c| matches!(c, b'"' | b'#')),
            State::Quotes => until(text, |c| c == b'"'),
            State::Comment => until(text, |c| c == b'\n'),
        }
    }

    fn value(&mut self, value: &str, _: Form, out: &mut String) -> Result<(), Refusal> {
        match self.state {
            State::Comment => {
                fits_comment(value)?;
                out.push_str(value);
            }
            State::Quotes => {
                fits_quotes(value)?;
                out.push_str(value);
            }
            State::Words if is_number_or_address(value) => {
                out.push_str(value);
                self.previous = Some('0');
                self.bare = true;
            }
            State::Words => {
                fits_quotes(value)?;
                if self.previous.is_some_and(|p| !p.is_whitespace() && !"{(,=".contains(p)) {
                    return Err(super::IN_QUOTES);
                }
                out.extend(["\"", value, "\""]);
                self.previous = Some('"');
                self.quoted = true;
            }
        }
        Ok(())
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        // A bare value may be joined: `{{ from }}-{{ to }}`, `{{ address }}/{{ prefix }}`.
        !self.quoted || next.is_none_or(|c| c.is_whitespace() || "},);".contains(c))
    }
}

fn fits_quotes(value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err("an empty string means nothing to nft");
    }
    if value.len() > MAX_STRING {
        return Err("nft's comments and log prefixes hold 127 bytes");
    }
    if value.contains('"') {
        return Err("nft has no way to write a double quote inside a string");
    }
    if value.ends_with('*') {
        return Err("a string that ends in `*` is a wildcard to nft; write the wildcard in the template");
    }
    if value.chars().any(char::is_control) {
        return Err("nft prints strings as they are, so they hold no line breaks and control characters");
    }
    Ok(())
}

/// What nft reads as a number, a range of ports, an address or a network: never a word.
fn is_number_or_address(value: &str) -> bool {
    let number = |text: &str| {
        !text.is_empty()
            && text.len() <= 20
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'))
    };
    let address = |text: &str| text.parse::<IpAddr>().is_ok();
    number(value)
        || address(value)
        || value
            .split_once('-')
            .is_some_and(|(from, to)| (number(from) && number(to)) || (address(from) && address(to)))
        || value.split_once('/').is_some_and(|(net, prefix)| address(net) && number(prefix))
}

const MAX_STRING: usize = 127;
