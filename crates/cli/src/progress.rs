//! What is under way, on a terminal: how many checks ended, and those that others wait for.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stageplot_health::{Observation, Outcome, Trial};

use crate::screen::harmless;

/// How many of those that are under way are shown.
const SHOWN: usize = 6;

/// A live table on standard error; nothing where that is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    waiting: BTreeMap<String, Duration>,
    counts: BTreeMap<Outcome, usize>,
}

impl Progress {
    /// All of them are under way.
    pub(crate) fn new(trials: &[Trial]) -> Self {
        let bar = match io::stderr().is_terminal() {
            true => ProgressBar::new(trials.len() as u64),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{pos} of {len} checks after {elapsed}{msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let waiting = trials.iter().map(|trial| (harmless(trial.id.clone()), trial.deadline)).collect();
        let mut progress = Self { bar, waiting, counts: BTreeMap::new() };
        progress.show();
        progress
    }

    /// One more ended.
    pub(crate) fn seen(&mut self, seen: &Observation) {
        self.waiting.remove(&harmless(seen.id.clone()));
        *self.counts.entry(seen.outcome).or_default() += 1;
        self.bar.inc(1);
        self.show();
    }

    fn show(&mut self) {
        if self.bar.is_hidden() {
            return;
        }
        let mut text = String::new();
        for (outcome, count) in self.counts.iter().rev() {
            text.push_str(&format!(", {count} {}", outcome.as_str()));
        }
        // Those with the longest deadline are those that others wait for.
        let mut waiting: Vec<_> = self.waiting.iter().collect();
        waiting.sort_by_key(|(id, deadline)| (std::cmp::Reverse(**deadline), *id));
        for (id, _) in waiting.iter().take(SHOWN) {
            text.push_str(&format!("\n  … {id}"));
        }
        if waiting.len() > SHOWN {
            text.push_str(&format!("\n  … and {} more", waiting.len() - SHOWN));
        }
        self.bar.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
