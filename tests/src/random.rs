//! Random cases of what a real program has to do: few, for each takes its time.

use std::env;

use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

/// A runner of so many cases, or of as many as `STAGEPLOT_CASES` says. What failed is
/// written beside the caller's source (`file!()`), and tried first the next time.
///
/// # Panics
///
/// If `STAGEPLOT_CASES` is no number.
pub fn random(cases: u32, source: &'static str) -> TestRunner {
    let cases = match env::var("STAGEPLOT_CASES") {
        Ok(set) => set.parse().expect("STAGEPLOT_CASES is a number"),
        Err(_) => cases,
    };
    TestRunner::new(Config {
        cases,
        source_file: Some(source),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        // Each try of a smaller case costs as much as a case.
        max_shrink_iters: 16,
        max_global_rejects: 100_000,
        ..Config::default()
    })
}
