//! A report for people: the first thing to mend on top.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use stageplot_health::{Line, Outcome, Report};

use crate::counted;
use crate::screen::harmless;

/// A report as text.
pub(crate) fn draw(report: &Report) -> String {
    let mut text = String::new();
    let problems: Vec<_> = report.problems().collect();
    for (index, line) in problems.iter().enumerate() {
        problem(&mut text, line);
        if index == 0 && problems.len() > 1 {
            text.push_str("\nthen, perhaps because of that:\n\n");
        }
    }
    if !problems.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(report));
    harmless(text)
}

/// One line: how many checks there were, and how they ended.
pub(crate) fn summary(report: &Report) -> String {
    let slowest = report.checks.iter().max_by(|one, other| one.milliseconds.total_cmp(&other.milliseconds));
    let total: usize = report.counts.values().sum();
    let mut text = format!("{} of {} from {}", counted(total, "check"), report.plot, report.from);
    for (outcome, count) in report.counts.iter().rev() {
        let style = style(*outcome);
        let _ = write!(text, ", {style}{count} {}{style:#}", outcome.as_str());
    }
    if let Some(slowest) = slowest {
        let _ = write!(text, "; the slowest took {:.0} ms", slowest.milliseconds.ceil());
    }
    harmless(text + "\n")
}

/// What did not pass, and what to do.
pub(crate) fn problem(text: &mut String, line: &Line) {
    let (style, cause) = (style(line.outcome), line.cause.map_or("", |cause| cause.as_str()));
    let _ = writeln!(text, "{style}{}[{cause}]{style:#}: {}", line.outcome.as_str(), line.message);
    let _ = writeln!(text, "  check: {}", line.id);
    let seen = seen(line);
    if !seen.is_empty() {
        let _ = writeln!(text, "  seen: {seen}");
    }
    if !line.help.is_empty() {
        let _ = writeln!(text, "  help: {}", line.help);
    }
    let _ = writeln!(text, "  more: stageplot explain {cause}");
}

/// What was seen on the way, in one line.
pub(crate) fn seen(line: &Line) -> String {
    // Numbers for programs stand beside words for people.
    let for_people = |name: &str| !name.ends_with("-unix") && !name.ends_with("-seconds");
    let seen = line.evidence.iter().filter(|(name, value)| for_people(name) && !value.is_empty());
    let seen: Vec<_> = seen.map(|(name, value)| format!("{name} {value}")).collect();
    seen.join(", ")
}

/// The colour of an outcome.
pub(crate) fn style(outcome: Outcome) -> Style {
    let colour = match outcome {
        Outcome::Passed => AnsiColor::Green,
        Outcome::Failed => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    colour.on_default().bold()
}
