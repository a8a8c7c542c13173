//! Text of others in Markdown: names and values, of which no part may act.
//!
//! What GitHub and GitLab make of a text goes beyond its Markdown: `@name` calls
//! somebody, `#1` and a commit's digits become links, `:name:` a picture. None of it
//! happens in code. So a word stands as it is only where it reads as a word, be it of
//! ours or the name of a node; all else is put into code, in which nothing acts.

/// A text on one line, without what a terminal or a browser would obey or not show:
/// control characters, marks of direction, letters without width.
pub(super) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if hidden(c) {
            clean.extend(c.escape_unicode())
        } else {
            clean.push(c)
        }
        clean
    })
}

/// At most so many characters of a text, cleaned.
pub(super) fn short(text: &str, most: usize) -> String {
    let text = clean(text);
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// A code span that shows exactly this text, which is on one line.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    // One space within is taken away on both sides, unless there is nothing else.
    let is_blank = text.chars().all(|c| c == ' ');
    let needs_space = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    match needs_space && !is_blank {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

/// A sentence: its words as they are, all else in code.
pub(super) fn sentence(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let start = if word.starts_with('(') { 1 } else { 0 };
        let end = word[start..].trim_end_matches([',', ';', ':', '.', ')']).len() + start;
        let (before, rest) = word.split_at(start);
        let (inner, after) = rest.split_at(end - start);
        match inner {
            "" => code(word),
            // `1.` begins a list.
            inner if inner.bytes().all(|b| b.is_ascii_digit()) && !after.is_empty() => code(word),
            inner if is_word(inner) => word.to_owned(),
            inner => format!("{before}{}{after}", code(inner)),
        }
    });
    let words: Vec<_> = words.collect();
    // A line of nothing but its mark would underline the one above it.
    if words.is_empty() { code("") } else { words.join(" ") }
}

/// A name as it stands everywhere, in sentences and before them: as it is where nothing
/// in it acts, as in `media-1`; else in code.
pub(super) fn name(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { code(text) }
}

/// The same within a line of HTML.
pub(super) fn html_name(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { html_code(text) }
}

/// Whether this reads as a word, a number or a name of a plot, and as nothing else.
///
/// A hyphen or an apostrophe stands between parts, and an arrow alone: none of them acts
/// there. `GH-1` does, and is told by its capitals.
fn is_word(text: &str) -> bool {
    let is_part = |part: &str| {
        // What a commit may be called by its first digits.
        let is_digits = part.len() >= 7 && part.chars().all(|c| c.is_ascii_hexdigit());
        !part.is_empty() && part.chars().all(char::is_alphanumeric) && !is_digits
    };
    let is_hyphenated = text.contains('-');
    text == "→"
        || text.split(['-', '\'']).all(is_part) && !(is_hyphenated && text.contains(char::is_uppercase))
}

/// Lines in a block of code, in a language's colours.
pub(super) fn block(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("{fence}{language}\n{lines}{fence}\n")
}

/// Code within a line of HTML.
pub(super) fn html_code(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("<code>{text}</code>")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
