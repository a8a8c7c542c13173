//! What the real programs read, by their documented rules.

use std::process::Command;

/// `sdssplitargs` on each line, as Redis loads its configuration; values are bytes.
pub(super) fn redis(file: &str) -> Vec<Vec<Vec<u8>>> {
    let lines = file.split('\n').map(|line| line.trim_matches([' ', '\t', '\r', '\n']));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(redis_line).collect()
}

fn redis_line(line: &str) -> Vec<Vec<u8>> {
    let space = |b: u8| b.is_ascii_whitespace() || b == 0x0b;
    let bytes = line.as_bytes();
    let (mut words, mut at) = (Vec::new(), 0);
    loop {
        while at < bytes.len() && space(bytes[at]) {
            at += 1;
        }
        if at == bytes.len() {
            return words;
        }
        let mut word = Vec::new();
        while at < bytes.len() && !space(bytes[at]) {
            let quote = bytes[at];
            at += 1;
            if quote != b'"' && quote != b'\'' {
                word.push(quote);
                continue;
            }
            loop {
                match (quote, bytes[at]) {
                    (b'"', b'\\') if bytes[at + 1] == b'x' => {
                        word.push(u8::from_str_radix(&line[at + 2..at + 4], 16).unwrap());
                        at += 4;
                    }
                    (b'"', b'\\') => {
                        word.push(match bytes[at + 1] {
                            b'n' => b'\n',
                            b'r' => b'\r',
                            b't' => b'\t',
                            b'b' => 8,
                            b'a' => 7,
                            other => other,
                        });
                        at += 2;
                    }
                    (b'\'', b'\\') if bytes[at + 1] == b'\'' => {
                        word.push(b'\'');
                        at += 2;
                    }
                    (_, b) if b == quote => {
                        at += 1;
                        assert!(at == bytes.len() || space(bytes[at]), "text after a closing quote");
                        break;
                    }
                    (_, b) => {
                        word.push(b);
                        at += 1;
                    }
                }
            }
        }
        words.push(word);
    }
}

/// `guc-file.l`: settings by name, their values as bytes.
pub(super) fn postgres(file: &str) -> Vec<(String, Vec<u8>)> {
    let lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let setting = |line: &str| {
        let (name, value) = line.split_once('=').expect("a setting");
        (name.trim().to_owned(), postgres_value(value.trim_start().as_bytes()))
    };
    lines.map(setting).collect()
}

fn postgres_value(text: &[u8]) -> Vec<u8> {
    if text.first() != Some(&b'\'') {
        let end = text.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(text.len());
        assert!(end > 0 && text[end..].first().is_none_or(|b| b" #".contains(b)), "{text:?}");
        return text[..end].to_vec();
    }
    let (mut value, mut at) = (Vec::new(), 1);
    loop {
        match text[at] {
            b'\'' if text.get(at + 1) == Some(&b'\'') => {
                value.push(b'\'');
                at += 2;
            }
            b'\'' => break,
            b'\\' if text[at + 1].is_ascii_digit() => {
                let octal = std::str::from_utf8(&text[at + 1..at + 4]).expect("digits");
                value.push(u8::from_str_radix(octal, 8).expect("an octal"));
                at += 4;
            }
            b'\\' => {
                value.push(match text[at + 1] {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                });
                at += 2;
            }
            other => {
                value.push(other);
                at += 1;
            }
        }
    }
    assert!(text.get(at + 1).is_none_or(|b| b" #".contains(b)), "text after a closing quote");
    value
}

/// `next_token` in `hba.c`: the words of each line, and whether each might be a keyword.
pub(super) fn pg_hba(file: &str) -> Vec<Vec<(String, bool)>> {
    let words = |line: &str| {
        let (mut words, mut chars) = (Vec::new(), line.chars().peekable());
        loop {
            while chars.next_if(|c| c.is_ascii_whitespace() || *c == ',').is_some() {}
            let Some(&first) = chars.peek() else { return words };
            let (mut word, mut inside, mut was_quote) = (String::new(), false, false);
            while let Some(c) = chars.next_if(|c| inside || !(c.is_ascii_whitespace() || *c == ',')) {
                assert!(inside || c != '#', "a comment");
                if c != '"' || was_quote {
                    word.push(c);
                }
                was_quote = inside && c == '"' && !was_quote;
                if c == '"' {
                    inside = !inside;
                }
                was_quote = was_quote && chars.peek() == Some(&'"');
            }
            assert!(!inside, "an open quote");
            words.push((word, first != '"'));
        }
    };
    file.lines().map(words).collect()
}

/// `scan.l`: the strings with escapes, outside names and comments.
pub(super) fn sql_strings(file: &str) -> Vec<String> {
    let (mut strings, mut chars) = (Vec::new(), file.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' => while chars.next().expect("an open name") != '"' {},
            '-' if chars.next_if_eq(&'-').is_some() => while chars.next_if(|&c| c != '\n').is_some() {},
            'E' if chars.next_if_eq(&'\'').is_some() => {
                let mut string = String::new();
                loop {
                    match chars.next().expect("an open string") {
                        '\'' => break,
                        '\\' => string.push(match chars.next().expect("an escape") {
                            'n' => '\n',
                            'r' => '\r',
                            't' => '\t',
                            'x' => {
                                let hex: String = chars.by_ref().take(2).collect();
                                char::from(u8::from_str_radix(&hex, 16).unwrap())
                            }
                            c @ ('\\' | '\'') => c,
                            c => panic!("an unknown escape {c:?}"),
                        }),
                        c => string.push(c),
                    }
                }
                assert!(chars.peek() != Some(&'\''), "strings that touch");
                strings.push(string);
            }
            _ => {}
        }
    }
    strings
}

/// Caddy's three layers; the last only where the setting expands placeholders. No variable is set
/// and every placeholder is unknown, hence empty.
pub(super) fn caddy(file: &str, expands: bool) -> Vec<String> {
    let mut words = caddy_words(&caddy_environment(file));
    if expands {
        words.iter_mut().for_each(|word| *word = caddy_placeholders(word));
    }
    words
}

fn caddy_environment(file: &str) -> String {
    let (mut text, mut from) = (file.to_owned(), 0);
    while let Some(begin) = text[from..].find("{$").map(|at| at + from) {
        let Some(end) = text[begin + 2..].find('}').map(|at| at + begin + 2) else {
            break;
        };
        let default = text[begin + 2..end].split_once(':').map_or("", |(_, default)| default).to_owned();
        text.replace_range(begin..=end, &default);
        from = begin + default.len();
    }
    text
}

fn caddy_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = chars.next() else {
            return words;
        };
        let mut word = String::new();
        match first {
            '#' => {
                while chars.next_if(|&c| c != '\n').is_some() {}
                continue;
            }
            '`' => word.extend(chars.by_ref().take_while(|&c| c != '`')),
            '"' => loop {
                match chars.next().expect("an open quote") {
                    '"' => break,
                    '\\' => match chars.next().expect("an open quote") {
                        '"' => word.push('"'),
                        c => word.extend(['\\', c]),
                    },
                    c => word.push(c),
                }
            },
            c => {
                word.push(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                    word.push(c);
                }
            }
        }
        words.push(word);
    }
}

fn caddy_placeholders(word: &str) -> String {
    let (mut out, mut rest) = (String::new(), word);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c == '\\' && after.starts_with(['{', '}']) {
            out.push_str(&after[..1]);
            rest = &after[1..];
        } else if let ('{', Some(end)) = (c, after.find('}')) {
            rest = &after[end + 1..];
        } else {
            out.push(c);
            rest = after;
        }
    }
    out
}

/// compose-go's `dotenv`: one variable; `None` where something would be interpolated.
pub(super) fn env(file: &str) -> Option<String> {
    let file = file.replace("\r\n", "\n");
    let value = file.split_once('=')?.1;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let line = value.split('\n').next()?;
        return (!line.contains('$')).then(|| line.split(" #").next().unwrap_or("").trim_end().to_owned());
    };
    let (mut raw, mut escape, mut closed) = (String::new(), false, None);
    for (at, c) in value.char_indices().skip(1) {
        if c == quote && !escape {
            closed = Some(at);
            break;
        }
        if c == '\\' && !escape {
            escape = true;
            continue;
        }
        if escape && c != quote {
            raw.push('\\');
        }
        escape = false;
        raw.push(c);
    }
    assert_eq!(&value[closed? + 1..], "\n", "text after a closing quote");
    if quote == '\'' {
        return Some(raw);
    }
    let (mut out, mut chars) = (String::new(), raw.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next()? {
                'r' => '\r',
                'n' => '\n',
                't' => '\t',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            '$' => {
                (chars.next()? == '$').then_some(())?;
                out.push('$');
            }
            c => out.push(c),
        }
    }
    Some(out)
}

/// The words of one systemd command line or `Environment=`, after specifiers and variables.
pub(super) fn systemd_words(line: &str, command: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(&first) = chars.peek() else {
            return words;
        };
        let quote = (first == '"').then_some('"');
        if quote.is_some() {
            chars.next();
        }
        let mut word = String::new();
        while let Some(c) = chars.next() {
            match c {
                c if quote.is_none() && c.is_whitespace() => break,
                c if Some(c) == quote => {
                    assert!(chars.peek().is_none_or(|c| c.is_whitespace()), "text after a closing quote");
                    break;
                }
                '\\' => word.push(match chars.next().expect("an escape") {
                    'n' => '\n',
                    't' => '\t',
                    'x' => {
                        let hex: String = chars.by_ref().take(2).collect();
                        char::from(u8::from_str_radix(&hex, 16).unwrap())
                    }
                    c @ ('\\' | '"') => c,
                    c => panic!("an unknown escape {c:?}"),
                }),
                c @ ('%' | '$') if c == '%' || command => {
                    assert_eq!(chars.next(), Some(c), "a specifier or variable");
                    word.push(c);
                }
                c => word.push(c),
            }
        }
        words.push(word);
    }
}

/// The words that a real shell sees.
pub(super) fn shell_words(text: &str) -> Vec<Vec<u8>> {
    let script = format!("printf '%s\\0' {text}");
    let out = Command::new("sh").args(["-c", &script]).output().expect("sh runs");
    assert!(out.status.success(), "{script:?}: {out:?}");
    let mut words: Vec<_> = out.stdout.split(|&b| b == 0).map(<[u8]>::to_vec).collect();
    words.pop();
    words
}

/// A Mermaid label: entities after `#`, decimal.
pub(super) fn mermaid(label: &str) -> String {
    let (mut out, mut rest) = (String::new(), label);
    while let Some((text, entity)) = rest.split_once('#') {
        let (code, after) = entity.split_once(';').expect("an entity");
        out.push_str(text);
        out.extend(char::from_u32(code.parse().expect("a number")));
        rest = after;
    }
    out + rest
}
