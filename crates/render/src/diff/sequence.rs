//! What two sequences have that the other has not.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The places, in each, of what the other has not at the same point of the order.
///
/// Where two long sequences differ at many points the order is left out of account:
/// finding the shortest way from one to the other would take the square of their
/// lengths.
pub(super) fn differing<T: Ord + Hash>(before: &[T], after: &[T]) -> (Vec<usize>, Vec<usize>) {
    // One of several shortest ways is chosen: the same one forwards and backwards.
    if before > after {
        let (after, before) = differing(after, before);
        return (before, after);
    }
    let start = before.iter().zip(after).take_while(|(before, after)| before == after).count();
    let (old, new) = (&before[start..], &after[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    let moved = |places: Vec<usize>| places.into_iter().map(|place| place + start).collect();
    if old.len().saturating_mul(new.len()) > MOST_STEPS {
        return (moved(without(old, new)), moved(without(new, old)));
    }
    let ops = capture_diff_slices(Algorithm::Myers, old, new);
    let places = |range: fn(&DiffOp) -> Range<usize>| {
        ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })).flat_map(range).collect()
    };
    (moved(places(DiffOp::old_range)), moved(places(DiffOp::new_range)))
}

/// The places of what is left once each of the others took away one like it.
pub(super) fn without<T: Eq + Hash>(items: &[T], others: &[T]) -> Vec<usize> {
    let mut others_left: HashMap<&T, usize> = HashMap::new();
    others.iter().for_each(|item| *others_left.entry(item).or_default() += 1);
    let is_left = |&place: &usize| match others_left.get_mut(&items[place]) {
        Some(count @ 1..) => {
            *count -= 1;
            false
        }
        _ => true,
    };
    (0..items.len()).filter(is_left).collect()
}

/// How many pairs may be looked at: of two files that differ from end to end, eight
/// thousand lines each.
const MOST_STEPS: usize = 1 << 26;
