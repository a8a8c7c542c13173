//! How a report is printed.

mod junit;
mod markdown;
pub(crate) mod metrics;
pub(crate) mod text;

use clap::ValueEnum;
use stageplot_health::Report;

use crate::failure::Failure;
use crate::screen;

/// How a report is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For CI services: JUnit's XML, a test case for each check
    Junit,
    /// For pull requests and chats
    Markdown,
    /// For Prometheus' textfile collector: OpenMetrics
    Prometheus,
}

impl Format {
    /// Prints a report to standard output.
    pub(crate) fn print(self, report: &Report) -> Result<(), Failure> {
        match self {
            Self::Text => screen::data(&text::draw(report)),
            Self::Json => screen::json(report),
            Self::Junit => screen::data(&junit::write(report)?),
            Self::Markdown => screen::data(&markdown::write(report)),
            Self::Prometheus => screen::data(&metrics::write(report)?),
        }
    }
}
