//! How the command ends: every exit code there is.

use std::fmt::Write as _;
use std::process::ExitCode;

use stageplot_health::Outcome;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done; there may have been warnings.
    Well = 0,
    /// Not done: the command line is wrong, or something cannot be read or
    /// written.
    Failed = 1,
    /// The plot was read, and there is something wrong with it; or two sides were, and
    /// they differ.
    Findings = 2,
    /// Two sides were compared, and the change breaks a rule of the user's own.
    Denied = 3,
}

impl Exit {
    /// Every exit code.
    pub(crate) const ALL: [Self; 4] = [Self::Well, Self::Failed, Self::Findings, Self::Denied];

    /// How checks end a command.
    pub(crate) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Well,
            Outcome::Failed => Self::Failed,
            _ => Self::Findings,
        }
    }

    /// When the command ends so.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Well => "all is well; there may be warnings",
            Self::Failed => {
                "nothing was done: the command line is wrong, or something cannot be read or written; \
                 of verify, doctor and status: something does not work"
            }
            Self::Findings => {
                "the plot has errors, or lacks a secret or an image; with --deny-warnings, warnings too; \
                 of diff: something changes; of seal --check: the seals are not up to date; of verify, doctor and status: something works and \
                 will hurt, or could not be tried"
            }
            Self::Denied => "of diff: the change breaks a rule of --policy or --deny",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The exit codes as the help and the manual page list them.
pub(crate) fn help() -> String {
    let mut text = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        let _ = writeln!(text, "  {}  {}", exit as u8, exit.meaning());
    }
    text
}
