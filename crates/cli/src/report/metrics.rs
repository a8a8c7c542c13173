//! A report as metrics, in the OpenMetrics text format.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use stageplot_health::{Line, Outcome, Report};

use crate::failure::Failure;

/// Which check it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    plot: String,
    from: String,
    check: String,
    service: String,
    node: String,
}

/// … and why it did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Problem {
    plot: String,
    from: String,
    check: String,
    service: String,
    node: String,
    outcome: &'static str,
    cause: &'static str,
}

/// How many there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Count {
    plot: String,
    from: String,
    outcome: &'static str,
}

/// A report as metrics:
///
/// | name | what |
/// |---|---|
/// | `stageplot_check_up` | 1 where a check passed, or passed with a warning; 0 where it failed; absent where it was not tried, for nothing is known |
/// | `stageplot_check_problem` | 1 for each check that did not pass, with `outcome` and `cause` |
/// | `stageplot_check_duration_seconds` | how long it took |
/// | `stageplot_checks` | how many there are of each `outcome` |
/// | `stageplot_run_timestamp_seconds` | when the run ended, in seconds since 1970 |
pub(crate) fn write(report: &Report) -> Result<String, Failure> {
    let up = Family::<Check, Gauge>::default();
    let problem = Family::<Problem, Gauge>::default();
    let duration = Family::<Check, Gauge<f64, AtomicU64>>::default();
    let counts = Family::<Count, Gauge>::default();
    for line in &report.checks {
        let check = check(report, line);
        if line.outcome != Outcome::NotTried {
            up.get_or_create(&check).set(i64::from(line.outcome != Outcome::Failed));
            duration.get_or_create(&check).set(line.milliseconds / 1000.0);
        }
        if let Some(cause) = line.cause {
            let Check { plot, from, check, service, node } = check;
            let outcome = line.outcome.as_str();
            let label = Problem { plot, from, check, service, node, outcome, cause: cause.as_str() };
            problem.get_or_create(&label).set(1);
        }
    }
    for outcome in [Outcome::Passed, Outcome::Degraded, Outcome::NotTried, Outcome::Failed] {
        let count = report.counts.get(&outcome).copied().unwrap_or_default();
        let label = Count { plot: report.plot.clone(), from: report.from.clone(), outcome: outcome.as_str() };
        counts.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let mut registry = Registry::with_prefix("stageplot");
    registry.register("check_up", "Whether a check passed; absent where it was not tried", up);
    registry.register("check_problem", "Why a check did not pass", problem);
    registry.register_with_unit("check_duration", "How long a check took", Unit::Seconds, duration);
    registry.register("checks", "How many checks ended so", counts);
    let ended = Gauge::<f64, AtomicU64>::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ended.set(now.as_secs_f64());
    registry.register_with_unit("run_timestamp", "When the run ended", Unit::Seconds, ended);
    let mut text = String::new();
    encode(&mut text, &registry)
        .map_err(|error| Failure::new(format!("failed to write metrics: {error}")))?;
    Ok(text)
}

fn check(report: &Report, line: &Line) -> Check {
    Check {
        plot: report.plot.clone(),
        from: line.from.clone(),
        check: line.id.clone(),
        service: line.service.clone().unwrap_or_default(),
        node: line.node.clone().unwrap_or_default(),
    }
}
