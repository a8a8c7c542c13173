//! `stageplot watch`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use stageplot_health::{Line, Outcome, Report};
use stageplot_topology::Period;

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::probing::ProbingArgs;
use crate::report::text;
use crate::screen::{self, harmless};

/// Try what `verify` tries again and again, and tell what changes
///
/// It goes on until it is ended with ^C. What did not pass at first is told at first.
#[derive(clap::Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    probing: ProbingArgs,

    /// How long from one run's beginning to the next
    #[arg(long, value_name = "TIME", default_value = "10s")]
    every: Period,

    /// End after so many runs
    #[arg(long, value_name = "NUMBER")]
    times: Option<u64>,

    /// How changes are printed; of json, each is a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

/// A check that ends otherwise than it did.
#[derive(Serialize)]
struct Change<'a> {
    /// When, in UTC.
    time: String,
    /// How it ended before; none of a first run.
    before: Option<Outcome>,
    #[serde(flatten)]
    check: &'a Line,
}

impl Watch {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let Some(probing) = self.probing.prepare()? else { return Ok(Exit::Findings) };
        let every = self.every.duration().max(Duration::from_secs(1));
        let mut known = BTreeMap::new();
        let mut worst = Outcome::NotTried;
        let mut runs = 0;
        while self.times.is_none_or(|times| runs < times) {
            let next = Instant::now() + every;
            let report = probing.run(|_| ())?;
            let first = runs == 0;
            if first && self.format == DataFormat::Text {
                screen::data(&text::summary(&report))?;
            }
            self.tell(&report, &mut known, first)?;
            worst = report.outcome;
            runs += 1;
            if self.times.is_none_or(|times| runs < times) {
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        }
        Ok(Exit::of(worst))
    }

    /// Tells of the checks that end otherwise than they did; of a first run, of those that
    /// did not pass.
    fn tell(&self, report: &Report, known: &mut BTreeMap<String, Seen>, first: bool) -> Result<(), Failure> {
        let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        for line in &report.checks {
            let seen = Seen { outcome: line.outcome, cause: line.cause };
            let before = known.insert(line.id.clone(), seen);
            let is_news = match before {
                None => !first || line.outcome != Outcome::Passed,
                Some(before) => before != seen,
            };
            if !is_news {
                continue;
            }
            match self.format {
                DataFormat::Text => screen::data(&line_of(&time, line))?,
                DataFormat::Json => {
                    let before = before.map(|before| before.outcome);
                    let change = Change { time: time.clone(), before, check: line };
                    let text = serde_json::to_string(&change)
                        .map_err(|error| Failure::new(format!("failed to write JSON: {error}")))?;
                    screen::data(&(text + "\n"))?;
                }
            }
        }
        Ok(())
    }
}

/// What a check ended with.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    outcome: Outcome,
    cause: Option<stageplot_health::Cause>,
}

/// `2026-01-02T03:04:05Z failed[refused] CHECK: what was seen`
fn line_of(time: &str, line: &Line) -> String {
    let style = text::style(line.outcome);
    let mut text = format!("{time} {style}{}", line.outcome.as_str());
    if let Some(cause) = line.cause {
        let _ = write!(text, "[{cause}]");
    }
    let _ = write!(text, "{style:#} {}", line.id);
    if !line.message.is_empty() {
        let _ = write!(text, ": {}", line.message);
    }
    harmless(text + "\n")
}
