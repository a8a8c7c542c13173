//! `stageplot diff`

use std::path::PathBuf;
use std::thread;

use clap::ValueEnum;
use serde::Serialize;
use stageplot_render::diff::policy::Broken;
use stageplot_render::diff::{self, Comment, Diff};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen;

mod git;
mod policy;
mod side;
mod text;

use policy::PolicyArgs;
use side::Place;

/// Say what a change does: to files, to machines, to people in a room
///
/// Compares two sides, each a plot, a tree that `render --sealed` wrote, or either of a
/// git revision: `main:deploy/stageplot.toml`, from the top of the repository, or with
/// ./ from here. With one side, compares what HEAD has of it with what is there; a
/// REV:PATH alone is compared with PATH as it is there. Needs no secrets, and writes
/// nothing. Exits with 0 where nothing changes, 2 where something does, 3 where it breaks
/// a rule of yours, and 1 where that cannot be told. Of a secret that is sealed on one side
/// alone, or with another key, it says that nobody can tell whether it changed, and
/// compares the rest: that is a change to look at, and does nothing to anybody.
#[derive(clap::Args)]
#[command(override_usage = "stageplot diff [OPTIONS] [BEFORE] [AFTER]")]
pub(crate) struct DiffArgs {
    /// What is; or the one side that has changed
    #[arg(value_name = "BEFORE", default_value = ".", hide_default_value = true)]
    before: PathBuf,

    /// What is to be
    #[arg(value_name = "AFTER")]
    after: Option<PathBuf>,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Print the summary alone, without what differs in each file
    #[arg(long)]
    summary: bool,
}

/// What a person reads, or a program.
#[derive(Clone, Copy, ValueEnum)]
enum DiffFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For a comment on a pull request or a merge request
    Markdown,
}

impl DiffArgs {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let (before, after) = self.places()?;
        let (plot, names) = (after.path(), Place::names(&before, &after));
        let policy = self.policy.read()?;
        // Two threads: most of the time goes into reading files.
        let (before, after) = thread::scope(|scope| {
            let before = scope.spawn(|| before.read());
            let after = after.read();
            (before.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), after)
        });
        let (Some(before), Some(after)) = (before?, after?) else { return Ok(Exit::Failed) };
        let diff = diff::between(&before, &after);
        let unmatched = policy.as_ref().map_or_else(Vec::new, |policy| policy.unmatched(&diff));
        for rule in &unmatched {
            screen::talk(&format!("warning: {rule}\n"));
        }
        let broken = policy.map(|policy| policy.judge(&diff));
        let names = names.as_ref().map(|(before, after)| (before.as_str(), after.as_str()));
        self.print(&diff, (&plot, names), broken.as_deref(), &unmatched)?;
        Ok(match broken {
            Some(broken) if !broken.is_empty() => Exit::Denied,
            _ if diff.is_empty() => Exit::Well,
            _ => Exit::Findings,
        })
    }

    /// The two sides, one of which may be left out.
    fn places(&self) -> Result<(Place, Place), Failure> {
        match &self.after {
            Some(after) => Ok((Place::new(&self.before)?, Place::new(after)?)),
            None => Place::with_head(&self.before),
        }
    }

    /// Prints a diff of the plot at a path, of two sides that have names where one of them
    /// is in a revision.
    fn print(
        &self,
        diff: &Diff,
        (plot, sides): (&str, Option<(&str, &str)>),
        broken: Option<&[Broken]>,
        unmatched: &[String],
    ) -> Result<(), Failure> {
        match self.format {
            DiffFormat::Text => screen::data(&text::draw(diff, sides, self.summary, broken)),
            DiffFormat::Json if self.summary => {
                screen::json(&Judged { diff: &diff.clone().without_files(), broken, unmatched })
            }
            DiffFormat::Json => screen::json(&Judged { diff, broken, unmatched }),
            DiffFormat::Markdown => {
                let comment = Comment::new(diff).plot(plot).summary(self.summary).unmatched(unmatched);
                let comment = sides.map_or(comment, |(before, after)| comment.sides(before, after));
                let comment = broken.map_or(comment, |broken| comment.broken(broken));
                screen::data(&comment.to_string())
            }
        }
    }
}

/// A diff, and the rules that it breaks where there are rules.
#[derive(Serialize)]
struct Judged<'a> {
    #[serde(flatten)]
    diff: &'a Diff,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<&'a [Broken]>,
    /// Names in rules that neither side has.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unmatched: &'a [String],
}
