//! `stageplot diff`

use std::path::PathBuf;
use std::thread;

use clap::ValueEnum;
use stageplot_render::diff::{self, Diff};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen;

mod git;
mod side;
mod text;

use side::Place;

/// Say what a change does: to files, to machines, to people in a room
///
/// Compares two sides, each a plot, a tree that `render --sealed` wrote, or either of a
/// git revision: `main:deploy/stageplot.toml`, from the top of the repository, or with
/// ./ from here. With one side, compares what HEAD has of it with what is there; a
/// REV:PATH alone is compared with PATH as it is there. Needs no secrets, and writes
/// nothing. Exits with 0 where nothing changes, 2 where something does, and 1 where
/// that cannot be told.
#[derive(clap::Args)]
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
}

impl DiffArgs {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let (before, after) = self.places()?;
        // Two threads: most of the time goes into reading files.
        let (before, after) = thread::scope(|scope| {
            let before = scope.spawn(|| before.read());
            let after = after.read();
            (before.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), after)
        });
        let (Some(before), Some(after)) = (before?, after?) else { return Ok(Exit::Failed) };
        let diff = diff::between(&before, &after);
        self.print(&diff)?;
        Ok(if diff.is_empty() { Exit::Well } else { Exit::Findings })
    }

    /// The two sides, one of which may be left out.
    fn places(&self) -> Result<(Place, Place), Failure> {
        match &self.after {
            Some(after) => Ok((Place::new(&self.before)?, Place::new(after)?)),
            None => Place::with_head(&self.before),
        }
    }

    fn print(&self, diff: &Diff) -> Result<(), Failure> {
        match self.format {
            DiffFormat::Text => screen::data(&text::draw(diff, self.summary)),
            DiffFormat::Json => screen::json(diff),
        }
    }
}
