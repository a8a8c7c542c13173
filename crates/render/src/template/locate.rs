//! Finds a name in a template, for errors of which the engine tells no place.

/// The line and column, from 1, of a byte of the source.
pub(super) fn position(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// The first use of a variable inside a tag.
pub(super) fn word(source: &str, word: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(open) = source[from..].find("{{").into_iter().chain(source[from..].find("{%")).min() {
        let start = from + open + 2;
        let rest = &source[start..];
        let end = rest.find("}}").into_iter().chain(rest.find("%}")).min().unwrap_or(rest.len());
        let tag = &rest[..end];
        let hit = tag.match_indices(word).find(|&(at, _)| {
            let part = |c: char| c.is_alphanumeric() || c == '_';
            let before = tag[..at].chars().next_back();
            let after = tag[at + word.len()..].chars().next();
            !before.is_some_and(|c| part(c) || "\"'.".contains(c)) && !after.is_some_and(part)
        });
        if let Some((at, _)) = hit {
            return Some(position(source, start + at));
        }
        from = start + end;
    }
    None
}

/// The first string literal with this content.
pub(super) fn literal(source: &str, content: &str) -> Option<(usize, usize)> {
    let quoted = |quote: char| source.find(&format!("{quote}{content}{quote}"));
    let at = ['"', '\'', '`'].into_iter().filter_map(quoted).min()?;
    Some(position(source, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_in_tags_alone() {
        let source = "port\n{{ a.port }} {{ 'port' }}\n{% if xport or port %}";
        assert_eq!(word(source, "port"), Some((3, 16)));
        assert_eq!(word(source, "nowhere"), None);
        assert_eq!(literal("é {% include \"b\" %}", "b"), Some((1, 14)));
    }
}
