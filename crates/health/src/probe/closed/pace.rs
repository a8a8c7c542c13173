//! How fast many connections may be asked for, so that nobody on the way is hurt.

use std::fs;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

/// A pace that all sweeps of a machine share.
///
/// A firewall that keeps track of connections remembers for a while each that is asked
/// for, also when nobody answers, and drops what comes when its table is full. So this
/// machine's own is looked at, and of the places that were free a quarter is left free.
pub(crate) struct Pace(Mutex<State>);

struct State {
    between: Duration,
    /// When the next one may be sent.
    next: Instant,
    /// How many were sent since the table was looked at.
    unseen: usize,
    /// How many places may be taken, by whomever.
    most: usize,
    /// How many are.
    taken: Box<dyn FnMut() -> usize + Send>,
}

/// How many are sent between two looks at the table.
const LOT: usize = 256;

/// How long to wait where the table is full: the kernel forgets connections that nobody
/// answered after two minutes, datagrams after half a one
/// (`Documentation/networking/nf_conntrack-sysctl.rst`).
const REST: Duration = Duration::from_millis(500);

/// A timer is good to a millisecond: up to so much may be caught up with at once.
const SLACK: Duration = Duration::from_millis(5);

impl Pace {
    /// So many a second, as this machine's own table of connections allows.
    pub(crate) fn new(per_second: u32) -> Self {
        let taken = number("count").unwrap_or_default();
        let most = number("max").map_or(usize::MAX, |max| taken + max.saturating_sub(taken) / 4 * 3);
        Self::with(per_second, most, || number("count").unwrap_or_default())
    }

    fn with(per_second: u32, most: usize, taken: impl FnMut() -> usize + Send + 'static) -> Self {
        let between = Duration::from_secs(1) / per_second.max(1);
        Self(Mutex::new(State { between, next: Instant::now(), unseen: LOT, most, taken: Box::new(taken) }))
    }

    /// Waits until one more may be sent.
    pub(crate) async fn step(&self) {
        let mut state = self.0.lock().await;
        if state.unseen >= LOT {
            while (state.taken)() > state.most {
                sleep(REST).await;
            }
            state.unseen = 0;
        }
        state.unseen += 1;
        let now = Instant::now();
        let due = state.next.max(now.checked_sub(SLACK).unwrap_or(now));
        state.next = due + state.between;
        if due > now {
            sleep_until(due).await;
        }
    }
}

/// A number that the kernel says of its table of connections.
fn number(name: &str) -> Option<usize> {
    let text = fs::read_to_string(format!("/proc/sys/net/netfilter/nf_conntrack_{name}")).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_are_sent_than_the_pace_allows() {
        let pace = Pace::with(100, usize::MAX, || 0);
        let started = Instant::now();
        for _ in 0..201 {
            pace.step().await;
        }
        let took = started.elapsed().as_secs_f64();
        assert!((1.9..2.1).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_fills_the_table_waits() {
        // It is over-full at three looks.
        let mut looks = [5, 101, 102, 101, 100].into_iter();
        let pace = Pace::with(1_000_000, 100, move || looks.next().unwrap_or(0));
        let started = Instant::now();
        for _ in 0..LOT {
            pace.step().await;
        }
        assert!(started.elapsed() < REST);
        pace.step().await;
        assert!(
            (3..=4).contains(&(started.elapsed().as_millis() / REST.as_millis())),
            "{:?}",
            started.elapsed()
        );
    }
}
