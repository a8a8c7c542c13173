//! A report as JUnit's XML, which CI services show beside those of tests.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use stageplot_health::{Line, Outcome, Report};

use crate::failure::Failure;

/// A suite with a case for each check. What is degraded has failed there, for the format
/// knows nothing between; what was not tried is skipped.
pub(super) fn write(report: &Report) -> Result<String, Failure> {
    let mut suite = TestSuite::new(format!("{} from {}", report.plot, report.from));
    suite.add_test_cases(report.checks.iter().map(case));
    let mut junit = Junit::new("stageplot verify");
    junit.add_test_suite(suite);
    junit.to_string().map_err(|error| Failure::new(format!("failed to write JUnit's XML: {error}")))
}

fn case(line: &Line) -> TestCase {
    let mut status = match line.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::NotTried => TestCaseStatus::skipped(),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if let Some(cause) = line.cause {
        status.set_message(line.message.as_str());
        status.set_type(cause.as_str());
        let mut more = format!("{}\n", line.message);
        for (name, value) in &line.evidence {
            more.push_str(&format!("{name}: {value}\n"));
        }
        if !line.help.is_empty() {
            more.push_str(&format!("help: {}\n", line.help));
        }
        more.push_str(&format!("more: stageplot explain {cause}"));
        status.set_description(more);
    }
    let mut case = TestCase::new(line.id.as_str(), status);
    case.set_classname(line.service.as_deref().or(line.node.as_deref()).unwrap_or(&line.from));
    case.set_time(Duration::from_secs_f64(line.milliseconds.max(0.0) / 1000.0));
    case
}
