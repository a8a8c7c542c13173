//! nftables scripts, as nft(8) reads them.

use std::collections::BTreeMap;

use crate::diff::value::{Item, Value};

pub(super) fn read(text: &str) -> Option<Value> {
    let tokens = tokens(text)?;
    let mut tokens = tokens.into_iter().peekable();
    let value = block(&mut tokens, 0)?;
    tokens.next().is_none().then_some(value)
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Open,
    Close,
    /// A line's end, or a semicolon.
    End,
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

/// What opens a block of its own; other braces hold the elements of a set.
const BLOCKS: [&str; 7] = ["table", "chain", "set", "map", "flowtable", "counter", "quota"];

/// Statements up to the brace that closes their block: blocks by name, and rules in order.
fn block(tokens: &mut Tokens, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut blocks: BTreeMap<String, Value> = BTreeMap::new();
    let mut rules = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut key: Vec<String> = Vec::new();
    loop {
        match tokens.peek() {
            None if depth == 0 => break,
            None => return None,
            Some(Token::Close) => break,
            Some(_) => {}
        }
        match tokens.next()? {
            Token::Word(word) => {
                key.push(word.clone());
                words.push(word);
            }
            Token::End => rules.extend(rule(std::mem::take(&mut words), std::mem::take(&mut key))),
            Token::Open if words.first().is_some_and(|word| BLOCKS.contains(&word.as_str())) => {
                let inside = block(tokens, depth + 1)?;
                tokens.next().filter(|token| *token == Token::Close)?;
                let name = std::mem::take(&mut words)[1..].join(" ");
                key.clear();
                // A block that is opened twice is one.
                match blocks.remove(&name) {
                    None => drop(blocks.insert(name, inside)),
                    Some(before) => drop(blocks.insert(name, joined(before, inside))),
                }
            }
            Token::Open => {
                words.push(set(tokens)?);
                key.push("{}".to_owned());
            }
            Token::Close => return None,
        }
    }
    rules.extend(rule(words, key));
    if blocks.is_empty() {
        return Some(Value::List(rules));
    }
    if !rules.is_empty() {
        blocks.insert(STATEMENTS.to_owned(), Value::List(rules));
    }
    Some(Value::Table(blocks))
}

/// Where statements stand that are in no block of their own.
const STATEMENTS: &str = "statements";

/// A rule, which is known by what it is about, whatever its sets hold and its comment says.
fn rule(words: Vec<String>, key: Vec<String>) -> Option<Item> {
    let about = key.iter().take_while(|word| *word != "comment").cloned().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then(|| Item {
        names: vec![about],
        is_named: false,
        value: Value::Text(words.join(" ")),
    })
}

/// The elements of a set up to the brace that closes it, in an order of their own.
fn set(tokens: &mut Tokens) -> Option<String> {
    let mut elements = vec![String::new()];
    loop {
        match tokens.next()? {
            Token::Close => break,
            Token::End => {}
            Token::Open => return None,
            Token::Word(word) => {
                for (index, part) in word.split(',').enumerate() {
                    if index > 0 {
                        elements.push(String::new());
                    }
                    let element = elements.last_mut()?;
                    if !element.is_empty() && !part.is_empty() {
                        element.push(' ');
                    }
                    element.push_str(part);
                }
            }
        }
    }
    elements.retain(|element| !element.is_empty());
    elements.sort();
    Some(format!("{{ {} }}", elements.join(", ")))
}

fn joined(before: Value, after: Value) -> Value {
    match (before, after) {
        (Value::List(mut before), Value::List(after)) => {
            before.extend(after);
            Value::List(before)
        }
        (Value::Table(mut before), Value::Table(after)) => {
            for (name, value) in after {
                match before.remove(&name) {
                    None => drop(before.insert(name, value)),
                    Some(first) => drop(before.insert(name, joined(first, value))),
                }
            }
            Value::Table(before)
        }
        (Value::Table(mut blocks), list) | (list, Value::Table(mut blocks)) => {
            blocks.insert(STATEMENTS.to_owned(), list);
            Value::Table(blocks)
        }
        (_, other) => other,
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '\n' | ';' => {
                tokens.push(Token::End);
                rest = &rest[1..];
            }
            '#' => rest = &rest[rest.find('\n').unwrap_or(rest.len())..],
            '\\' if rest[1..].starts_with('\n') => rest = &rest[2..],
            '{' => {
                tokens.push(Token::Open);
                rest = &rest[1..];
            }
            '}' => {
                tokens.push(Token::Close);
                rest = &rest[1..];
            }
            '"' => {
                let end = rest[1..].find('"')? + 2;
                tokens.push(Token::Word(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            c if c.is_whitespace() => rest = &rest[c.len_utf8()..],
            _ => {
                let end = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '#' | '"');
                let end = rest.find(end).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
    }
    Some(tokens)
}

/// How deep blocks may stand in each other; nft knows two.
const MAX_DEPTH: usize = 16;
