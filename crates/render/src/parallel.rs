//! Does the same to many things, on all cores.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// What `each` makes of the items, in their order; or the first item's error.
///
/// Each thread takes the next item when it is done with one, so no more items
/// than threads are under way, and nothing waits in a queue. The result is the
/// same on any number of cores.
pub(crate) fn map<I: Sync, T: Send, E: Send>(
    items: &[I],
    each: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let threads = threads(items.len());
    if threads == 1 {
        return items.iter().map(each).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            let result = each(item);
            if result.is_err() {
                // Those before it are taken already: whichever fails first among them is told.
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((at, result));
        }
    };
    let mut done = thread::scope(|scope| {
        // Where a thread cannot be had, there are fewer.
        let spawn = |_| Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok();
        let helpers: Vec<_> = (1..threads).filter_map(spawn).collect();
        let mut done = work();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What both make, at the same time.
pub(crate) fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl Fn() -> B + Sync) -> (A, B) {
    thread::scope(|scope| {
        // Where a thread cannot be had, one after the other.
        let helper = Builder::new().stack_size(STACK).spawn_scoped(scope, &other).ok();
        let one = one();
        let other =
            helper.map_or_else(&other, |helper| helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (one, other)
    })
}

/// One for each core, as far as there is work for it: to start a thread takes as
/// long as a few items.
fn threads(items: usize) -> usize {
    match items / ITEMS_PER_THREAD {
        0 | 1 => 1,
        most => thread::available_parallelism().map_or(1, NonZero::get).min(most),
    }
}

const ITEMS_PER_THREAD: usize = 8;

/// As much as the first thread of a program usually has.
const STACK: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_and_the_first_error_is_told() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(map(&items, |&item| Ok::<_, ()>(item * 2)).expect("no error")[999], 1998);
        for _ in 0..50 {
            let failed = map(&items, |&item| if item % 300 == 299 { Err(item) } else { Ok(item) });
            assert_eq!(failed, Err(299));
        }
        assert_eq!(map(&[], |item: &usize| Err::<(), _>(*item)), Ok(Vec::new()));
    }

    #[test]
    fn both_are_made() {
        let here = thread::current().id();
        let (one, other) = both(|| thread::current().id(), || thread::current().id());
        assert!(one == here && other != here);
    }
}
