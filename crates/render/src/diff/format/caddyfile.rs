//! The Caddyfile, as Caddy's lexer (`caddyfile/lexer.go`) makes tokens of it.

use crate::diff::value::{Item, Value};

pub(super) fn read(text: &str) -> Option<Value> {
    let tokens = tokens(text)?;
    let mut tokens = tokens.into_iter().peekable();
    let items = block(&mut tokens, 0)?;
    // A brace that closes nothing is left.
    tokens.next().is_none().then(|| Value::Block(String::new(), items))
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Open,
    Close,
    Line,
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

/// Directives up to the brace that closes their block, or to the end at depth 0.
fn block(tokens: &mut Tokens, depth: usize) -> Option<Vec<Item>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut items = Vec::new();
    let mut words: Vec<String> = Vec::new();
    loop {
        match tokens.peek() {
            None if depth == 0 => break,
            None => return None,
            Some(Token::Close) => break,
            Some(_) => {}
        }
        match tokens.next()? {
            Token::Word(word) => words.push(word),
            // The addresses of a site go on after a comma.
            Token::Line if words.last().is_some_and(|word| depth == 0 && word.ends_with(',')) => {}
            Token::Line if words.is_empty() => {}
            Token::Line => items.push(directive(std::mem::take(&mut words), None)),
            Token::Open => {
                let inside = block(tokens, depth + 1)?;
                tokens.next().filter(|token| *token == Token::Close)?;
                items.push(directive(std::mem::take(&mut words), Some(inside)));
            }
            Token::Close => return None,
        }
    }
    if !words.is_empty() {
        items.push(directive(words, None));
    }
    Some(items)
}

fn directive(words: Vec<String>, inside: Option<Vec<Item>>) -> Item {
    let head = words.join(" ");
    let name = words.first().cloned().unwrap_or_default();
    let arguments = words.get(1..).unwrap_or_default().join(" ");
    let value = match inside {
        Some(inside) => Value::Block(arguments, inside),
        None => Value::Text(arguments),
    };
    Item::named(if head == name { vec![head] } else { vec![head, name] }, value)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '\n' => {
                tokens.push(Token::Line);
                rest = &rest[1..];
            }
            '#' => rest = &rest[rest.find('\n').unwrap_or(rest.len())..],
            '\\' if rest[1..].starts_with('\n') => rest = &rest[2..],
            c if c.is_whitespace() => rest = &rest[c.len_utf8()..],
            '"' | '`' => {
                let end = closing(&rest[1..], c)? + 1;
                tokens.push(Token::Word(word(&rest[1..end], &rest[..=end])));
                rest = &rest[end + 1..];
            }
            '<' if rest.starts_with("<<") => {
                let (heredoc, after) = heredoc(rest)?;
                tokens.push(Token::Word(heredoc.to_owned()));
                rest = after;
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                tokens.push(match &rest[..end] {
                    "{" => Token::Open,
                    "}" => Token::Close,
                    word => Token::Word(word.to_owned()),
                });
                rest = &rest[end..];
            }
        }
    }
    Some(tokens)
}

/// Where the quote is that ends a word; in backticks nothing is escaped.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = quote == '"' && c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// What stands in quotes, where it would be one plain word without them; else with them.
fn word(inside: &str, whole: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '`' | '\\');
    let word = !inside.is_empty() && inside.chars().all(plain) && !inside.starts_with(['#', '<']);
    if word && !matches!(inside, "{" | "}") { inside.to_owned() } else { whole.to_owned() }
}

/// `<<MARKER`, lines, and the marker that ends them; and what follows.
fn heredoc(text: &str) -> Option<(&str, &str)> {
    let line = text.find('\n')?;
    let marker = text[2..line].trim_end();
    if marker.is_empty() || marker.contains(char::is_whitespace) {
        return None;
    }
    let mut at = line + 1;
    for line in text[at..].split_inclusive('\n') {
        if let Some(after) = line.trim_start().strip_prefix(marker)
            && (after.is_empty() || after.starts_with(char::is_whitespace))
        {
            let end = at + line.len() - after.len();
            return Some((&text[..end], &text[end..]));
        }
        at += line.len();
    }
    None
}

/// How deep blocks may stand in each other; Caddy's own are far from it.
const MAX_DEPTH: usize = 64;
