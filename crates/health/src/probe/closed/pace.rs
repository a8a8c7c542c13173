//! How fast many connections may be asked for, so that nobody on the way is hurt.

use std::fs;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// A pace that all sweeps of a machine share.
///
/// A firewall that keeps track of connections remembers each that is asked for, also
/// when nobody answers, and drops what comes when its table is full. So no more are asked
/// for than leave a quarter of the free places in this machine's own.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<Vec<Bucket>>);

/// Places that are taken one by one and come back with time.
#[derive(Debug)]
struct Bucket {
    size: f64,
    per_second: f64,
    left: f64,
    at: Instant,
}

/// How long the kernel remembers a connection that nobody answered
/// (`nf_conntrack_tcp_timeout_syn_sent`).
const REMEMBERED: f64 = 120.0;

impl Pace {
    /// So many a second, as this machine's own table of connections allows.
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second.max(1));
        let mut buckets = vec![Bucket::new((per_second / 20.0).max(1.0), per_second)];
        let count = |name: &str| {
            let text = fs::read_to_string(format!("/proc/sys/net/netfilter/nf_conntrack_{name}")).ok()?;
            text.trim().parse::<u32>().ok()
        };
        if let (Some(most), Some(taken)) = (count("max"), count("count")) {
            let free = f64::from(most.saturating_sub(taken)) * 0.75;
            buckets.push(Bucket::new(free.max(1.0), (free / REMEMBERED).max(1.0)));
        }
        Self(Mutex::new(buckets))
    }

    /// Waits until one more may be asked for.
    pub(crate) async fn step(&self) {
        let mut buckets = self.0.lock().await;
        for bucket in buckets.iter_mut() {
            bucket.take().await;
        }
    }
}

impl Bucket {
    fn new(size: f64, per_second: f64) -> Self {
        Self { size, per_second, left: size, at: Instant::now() }
    }

    async fn take(&mut self) {
        self.fill();
        if self.left < 1.0 {
            // A timer is good to a millisecond; sleeping for a few at a time is enough.
            let wanted = (1.0 - self.left).max(self.per_second / 200.0).min(self.size);
            sleep_until(self.at + Duration::from_secs_f64(wanted / self.per_second)).await;
            self.fill();
        }
        self.left -= 1.0;
    }

    fn fill(&mut self) {
        let now = Instant::now();
        let passed = now.duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.size);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_pass_than_the_pace_allows() {
        let pace = Pace(Mutex::new(vec![Bucket::new(10.0, 100.0), Bucket::new(50.0, 5.0)]));
        let started = Instant::now();
        for _ in 0..60 {
            pace.step().await;
        }
        // The first fifty at 100 a second, but for ten at once; the other ten at 5, but for
        // what came back meanwhile.
        let took = started.elapsed().as_secs_f64();
        assert!((1.9..2.4).contains(&took), "{took}");
    }
}
