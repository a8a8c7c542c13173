//! Seals where they tell nothing: of a secret that has one on one side alone, or made
//! with another key.

use std::borrow::Cow;

/// Takes seals out of two files where it cannot be told by them whether a secret changed.
pub(super) fn telling<'a>(
    before: Cow<'a, [u8]>,
    after: Cow<'a, [u8]>,
    same_key: bool,
) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(&before), std::str::from_utf8(&after)) else {
        return (before, after);
    };
    let told = |mark: &str, other: &str| same_key && !is_bare(other, mark);
    let old_plain = without(old, |mark| told(mark, new));
    let new_plain = without(new, |mark| told(mark, old));
    (old_plain.map_or(before, Cow::Owned), new_plain.map_or(after, Cow::Owned))
}

/// A text without the seals of those marks that are not told; none where all are.
fn without(text: &str, told: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((mark, behind)) = sealed(rest) {
        let (to_seal, with_seal) = (rest.len() - behind.len() - SEAL, rest.len() - behind.len());
        plain.push_str(&rest[..if told(mark) { with_seal } else { to_seal }]);
        rest = behind;
    }
    plain.push_str(rest);
    (plain != text).then(|| plain.into_bytes())
}

/// The first mark that has a seal, `sealed:NAME`, and what stands behind the seal.
fn sealed(text: &str) -> Option<(&str, &str)> {
    text.match_indices(MARK).find_map(|(start, _)| {
        let mark = &text[start..];
        let line = mark.split('\n').next().unwrap_or(mark);
        // The next one has a name of its own.
        let end = line[MARK.len()..].find(MARK).map_or(line.len(), |next| MARK.len() + next);
        let colon = line[..end].match_indices(':').map(|(at, _)| at).find(|at| is_seal(&line[*at..]))?;
        Some((&mark[..colon], &mark[colon + SEAL..]))
    })
}

/// Whether a text has a mark without a seal.
fn is_bare(text: &str, mark: &str) -> bool {
    let is_end =
        |behind: &str| !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c));
    text.match_indices(mark).any(|(at, _)| is_end(&text[at + mark.len()..]))
}

/// Whether a text begins with a colon and a seal.
fn is_seal(text: &str) -> bool {
    let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let bytes = text.as_bytes();
    bytes.len() >= SEAL && bytes[1..SEAL].iter().all(hex) && !bytes.get(SEAL).is_some_and(hex)
}

/// What stands in the place of a secret's value.
const MARK: &str = "sealed:";

/// The length of a seal with the colon before it.
const SEAL: usize = 33;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::telling;

    const ONE: &str = "0123456789abcdef0123456789abcdef";
    const TWO: &str = "fedcba9876543210fedcba9876543210";

    fn told(before: &str, after: &str, same_key: bool) -> (String, String) {
        let text = |bytes: Cow<'_, [u8]>| String::from_utf8_lossy(&bytes).into_owned();
        let (before, after) = telling(before.as_bytes().into(), after.as_bytes().into(), same_key);
        (text(before), text(after))
    }

    fn same(before: &str, after: &str, same_key: bool) -> bool {
        let (before, after) = told(before, after, same_key);
        before == after
    }

    #[test]
    fn a_seal_tells_beside_another_one_of_the_same_key() {
        let (bare, one) = ("a: \"sealed:NAME\"\nb", format!("a: \"sealed:NAME:{ONE}\"\nb"));
        let two = one.replace(ONE, TWO);
        assert!(!same(&one, &two, true));
        assert!(same(&one, &two, false));
        assert!(same(bare, &one, true) && same(&one, bare, true));
        assert!(same(bare, &one, false));
        assert!(!same(bare, &one.replace("NAME", "OTHER"), true));
    }

    #[test]
    fn several_marks_stand_for_themselves() {
        let before = format!("x=sealed:A:{ONE} y=sealed:AB:{ONE} sealed:C");
        let after = format!("x=sealed:A y=sealed:AB:{TWO} sealed:C:{ONE}");
        let (before, after) = told(&before, &after, true);
        assert_eq!(before, format!("x=sealed:A y=sealed:AB:{ONE} sealed:C"));
        assert_eq!(after, format!("x=sealed:A y=sealed:AB:{TWO} sealed:C"));
    }
}
