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
    #[prometheus(flatten)]
    check: Check,
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

/// A report as metrics, which `docs/verify.md` lists.
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
            let label = Problem { check, outcome: line.outcome.as_str(), cause: cause.as_str() };
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
    Ok(sorted(&text))
}

/// The library keeps the samples of a metric in no order. What is said of it stays in front.
fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let is_sample = |line: &str| !line.starts_with('#');
    let metrics = lines.chunk_by_mut(|one, other| is_sample(one) == is_sample(other));
    for samples in metrics.filter(|lines| is_sample(lines[0])) {
        samples.sort_unstable();
    }
    lines.join("\n") + "\n"
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::pin::Pin;
    use std::sync::Arc;

    use clap::CommandFactory as _;
    use stageplot_health::{
        Cause, CustomCheck, Evidence, Options, Place, Problem as Told, Secrets, Stand, Trial, run,
    };
    use stageplot_topology::{NodeSpec, Plot, Redis};

    use super::*;

    #[derive(Debug)]
    struct Fails;

    impl CustomCheck for Fails {
        fn check<'a>(&'a self, _: &'a mut Evidence) -> Pin<Box<dyn Future<Output = Result<(), Told>> + 'a>> {
            Box::pin(async { Err(Told::failed(Cause::Custom, "no")) })
        }
    }

    #[test]
    fn the_same_run_is_told_in_the_same_words() {
        let told = "# TYPE b gauge\nb{n=\"2\"} 1\nb{n=\"1\"} 0\n# HELP a Z\n# TYPE a gauge\n# HELP c Y\nc 1\n# EOF\n";
        let wanted = told.replace("b{n=\"2\"} 1\nb{n=\"1\"} 0\n", "b{n=\"1\"} 0\nb{n=\"2\"} 1\n");
        assert_eq!(sorted(told), wanted);
    }

    /// The page states every metric, and where they are served, as they are.
    #[test]
    fn the_page_lists_every_metric() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify.md");
        let page = std::fs::read_to_string(page).expect("the page");
        let listed: BTreeSet<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `stageplot_"))
            .filter_map(|line| line.split('`').next())
            .collect();
        let built = Plot::new("live".parse().expect("a name"))
            .service("cache", Redis::default())
            .node("front", NodeSpec::private("10.0.0.1".parse().expect("an address")).role("cache"))
            .build()
            .expect("a plot");
        let node = built.topology.nodes()[0].id;
        let trials = vec![Trial::custom("it fails", node, Place::Node(node), Fails)];
        let topology = Arc::new(built.topology);
        let seen = run(topology.clone(), trials.clone(), Secrets::none(), Options::default()).expect("TLS");
        let report = Report::new(&topology, Stand::Node(node), &trials, seen.into_iter().collect());
        let text = write(&report).expect("metrics");
        let written: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE stageplot_"))
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert_eq!(written, listed);

        let command = crate::args::Args::command();
        let serve = command.find_subcommand("serve").expect("a command");
        let listen = serve.get_arguments().find(|argument| argument.get_id() == "listen").expect("an option");
        let address = listen.get_default_values()[0].to_str().expect("text").to_owned();
        assert!(
            page.contains(&format!("http://{address}/metrics")) && page.contains(&format!("[\"{address}\"]"))
        );
    }
}
