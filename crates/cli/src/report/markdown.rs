//! A report as Markdown, for pull requests and chats.

use std::fmt::Write as _;

use stageplot_health::{Line, Outcome, Report};

use crate::counted;

/// The first thing to mend on top, what passed folded below.
pub(super) fn write(report: &Report) -> String {
    let mut text = String::new();
    let outcome = report.outcome.as_str();
    let _ = writeln!(text, "## {} from {}: {outcome}\n", code(&report.plot), code(&report.from));
    let total: usize = report.counts.values().sum();
    let _ = write!(text, "{}", counted(total, "check"));
    for (outcome, count) in report.counts.iter().rev() {
        let _ = write!(text, ", {count} {}", outcome.as_str());
    }
    text.push_str(".\n");
    let problems: Vec<_> = report.problems().collect();
    if !problems.is_empty() {
        text.push_str("\n| outcome | cause | what was seen | check |\n|---|---|---|---|\n");
    }
    for line in &problems {
        let cause = line.cause.map_or("", |cause| cause.as_str());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            line.outcome.as_str(),
            code(cause),
            code(&line.message),
            code(&line.id)
        );
    }
    if let Some(help) = problems.iter().map(|line| &line.help).find(|help| !help.is_empty()) {
        let _ = writeln!(text, "\nFirst: {}", code(help));
    }
    let passed: Vec<&Line> = report.checks.iter().filter(|line| line.outcome == Outcome::Passed).collect();
    if !passed.is_empty() {
        let _ = writeln!(text, "\n<details><summary>{} passed</summary>\n", counted(passed.len(), "check"));
        text.push_str("| check | took |\n|---|--:|\n");
        for line in passed {
            let _ = writeln!(text, "| {} | {:.0} ms |", code(&line.id), line.milliseconds.ceil());
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// A text that nothing can break out of, in a cell of a table: code, fenced by more
/// backticks than it has in a row.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // In a table a bar ends the cell, in code too, unless it is escaped.
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.replace('|', "\\|");
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    match text.trim() {
        "" => String::new(),
        _ => format!("{fence}{space}{text}{space}{fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_a_cell() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a|b\n`c"), "``a\\|b `c``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code(" "), "");
    }
}
