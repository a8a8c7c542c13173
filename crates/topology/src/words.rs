//! Names in messages: several of them, their order, and the one that was probably meant.
//!
//! ```
//! use stageplot_topology::words::{listed, nearest};
//!
//! let known = ["edge", "livekit", "redis"];
//! let help = match nearest("rediss", known) {
//!     Some(near) => format!("did you mean {near}?"),
//!     None => format!("there are {}", listed(&known)),
//! };
//! assert_eq!(help, "did you mean redis?");
//! ```

use std::cmp::Ordering;

/// Names in a sentence; of many, the first six and how many more.
///
/// ```
/// use stageplot_topology::words::listed;
///
/// assert_eq!(listed(&["media-1", "media-2", "media-3"]), "media-1, media-2 and media-3");
/// let many: Vec<_> = (1..=100).map(|n| format!("media-{n}")).collect();
/// assert!(listed(&many).ends_with("media-5, media-6 and 94 more"));
/// ```
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 6;
    let joined = |names: &[T]| names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        // Saying that there is one more takes as much room as its name.
        many if many.len() > SHOWN + 1 => {
            format!("{} and {} more", joined(&many[..SHOWN]), many.len() - SHOWN)
        }
        [rest @ .., last] => format!("{} and {}", joined(rest), last.as_ref()),
    }
}

/// The order in which people look for names: numbers in them by what they count.
///
/// ```
/// use stageplot_topology::words::natural;
///
/// let mut names = ["n100", "n10", "n2", "n1", "n01"];
/// names.sort_by(|a, b| natural(a, b));
/// assert_eq!(names, ["n01", "n1", "n2", "n10", "n100"]);
/// ```
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (number, other) = (digits(left), digits(right));
        if !number.is_empty() && !other.is_empty() {
            (left, right) = (&left[number.len()..], &right[other.len()..]);
            let (number, other) = (number.trim_start_matches('0'), other.trim_start_matches('0'));
            match number.len().cmp(&other.len()).then_with(|| number.cmp(other)) {
                Ordering::Equal => continue,
                unequal => return unequal,
            }
        }
        let (mut rest, mut others) = (left.chars(), right.chars());
        match (rest.next(), others.next()) {
            (Some(c), Some(other)) if c == other => (left, right) = (rest.as_str(), others.as_str()),
            // What differs in its zeros alone is not the same.
            (None, None) => return a.cmp(b),
            (c, other) => return c.cmp(&other),
        }
    }
}

/// The digits that a text begins with.
fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// The nearest of `known` to `name`, or `None` where none is near enough to
/// be what was meant. Case, `-` and `_` make no difference; of two equally
/// near ones the first wins. Where none is, it is the one that begins with `name`; of
/// several the shortest, if the others begin with that.
///
/// ```
/// use stageplot_topology::words::nearest;
///
/// assert_eq!(nearest("prot", ["name", "port"]), Some("port"));
/// assert_eq!(nearest("maxmem", ["maxmemory-policy", "maxmemory"]), Some("maxmemory"));
/// assert_eq!(nearest("image", ["name", "port"]), None);
/// ```
pub fn nearest<'k, S: AsRef<str> + ?Sized + 'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k S>,
) -> Option<&'k str> {
    let plain = simplified(name);
    let length = plain.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    // One slip in three characters, and two in a name of any length.
    let mut allowed = (length / 3).clamp(1, 3);
    let mut found = None;
    let mut begun: Vec<(String, &'k str)> = Vec::new();
    for candidate in known.into_iter().take(CANDIDATES) {
        let candidate = candidate.as_ref();
        let other = simplified(candidate);
        let other_length = other.chars().count();
        if other_length > LONGEST {
            continue;
        }
        if other == plain {
            return Some(candidate);
        }
        if length >= SHORTEST_START && other.starts_with(&plain) {
            begun.push((other.clone(), candidate));
        }
        if allowed == 0 || other_length.abs_diff(length) > allowed {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&plain, &other);
        // A two-letter name has nothing in common with another at one slip
        // but a letter.
        if distance <= allowed && distance < length.max(other_length).saturating_sub(1).max(1) {
            found = Some(candidate);
            // Later ones have to be nearer than this one.
            allowed = distance - 1;
        }
    }
    found.or_else(|| {
        let (shortest, candidate) = begun.iter().min_by_key(|(other, _)| other.len())?;
        begun.iter().all(|(other, _)| other.starts_with(shortest.as_str())).then_some(*candidate)
    })
}

fn simplified(name: &str) -> String {
    // Names beyond the longest are not compared; a megabyte is not copied.
    let head = name.chars().take(LONGEST + 1);
    head.map(|c| if c == '_' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// Names longer than this are not mistyped, they are something else.
const LONGEST: usize = 64;

/// With fewer letters than this, too many names begin so.
const SHORTEST_START: usize = 3;

/// How many names are compared: enough for every plot, and a bound for one of
/// 100,000 nodes.
const CANDIDATES: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_mended_and_strangers_left_alone() {
        let fields = ["port", "ports", "health", "routes", "media-1", "tls"];
        for (typed, meant) in [
            ("prot", Some("port")),
            ("Port", Some("port")),
            ("helth", Some("health")),
            ("media_1", Some("media-1")),
            ("rotues", Some("routes")),
            ("tsl", Some("tls")),
            ("heal", Some("health")),
            ("medi", Some("media-1")),
            ("rou", Some("routes")),
            ("ro", None),
            ("image", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, fields), meant, "{typed}");
        }
    }

    #[test]
    fn of_several_that_begin_so_none_is_meant_but_what_begins_them_all() {
        assert_eq!(nearest("turn", ["turn-relay-open", "turn-off"]), None);
        assert_eq!(nearest("memory", ["memory-of-all", "memory-of-one", "memory-of"]), Some("memory-of"));
    }

    #[test]
    fn long_names_cost_nothing() {
        let long = "é".repeat(1 << 20);
        assert_eq!(nearest(&long, ["port"]), None);
        assert_eq!(nearest("port", [long.as_str()]), None);
    }
}
