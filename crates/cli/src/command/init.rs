//! `stageplot init`

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use stageplot_topology::dotenv::Secrets;
use stageplot_topology::{FieldPath, Findings, Severity};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::{PLOT, PlotArgs};
use crate::{findings, screen, write};

mod ask;
mod closing;
mod from_env;
mod preset;

use from_env::Machine;
use preset::Preset;

/// Write a first plot
///
/// Writes stageplot.toml, and the secrets that it names to stageplot.secrets.env,
/// which nobody else may read. Asks what is to be in the plot where neither
/// --preset nor --from-env says so.
#[derive(clap::Args)]
#[command(override_usage = "stageplot init [DIR] [--preset <NAME> | --from-env <ADDRESS=FILE>...]")]
pub(crate) struct Init {
    /// The directory to write to, named before --from-env; made where it does not exist
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    dir: PathBuf,

    /// Take one of these plots, with example addresses to change
    #[arg(long, value_name = "NAME", conflicts_with = "from_env")]
    preset: Option<Preset>,

    /// Take what the .env files of LiveKit's shell scripts or FluxCode's Compose files
    /// say, of every machine its address and its file
    ///
    /// The address is the one that the other machines' files have. Placeholders such
    /// as your_secret count as not set; secrets of the plot's own services that no file
    /// has are made, those that a file has are kept.
    #[arg(long, value_name = "ADDRESS=FILE", num_args = 1..)]
    from_env: Vec<Machine>,
}

/// A plot to write.
#[derive(Default)]
struct Draft {
    /// The text of the plot.
    plot: String,
    /// The text of the secrets file, where the plot names one.
    secrets: Option<String>,
    /// The names of secrets that were made here.
    made: Vec<String>,
    /// The names of secrets without a value.
    missing: Vec<String>,
    /// Whether warnings were given while it was made.
    has_warnings: bool,
    /// Fields of which it was told that they lack something.
    told: Vec<FieldPath>,
    /// Whether it comes from `.env` files, and the secrets with it.
    imported: bool,
}

impl Init {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.dir.join(PLOT);
        let secrets = self.dir.join(Secrets::FILE);
        // Before anything is asked.
        if plot.symlink_metadata().is_ok() {
            return Err(Failure::new(format!("{} exists", shown(&plot))).help(
                "`stageplot check` says what is wrong with it; to begin anew, move it and its \
                 stageplot.secrets.env away, or name another directory: stageplot init DIR",
            ));
        }
        let keep = secrets.symlink_metadata().is_ok();
        if keep && !self.from_env.is_empty() {
            return Err(Failure::new(format!("{} exists, and may hold other secrets", shown(&secrets)))
                .help("move it away, or name another directory: stageplot init DIR --from-env …"));
        }
        let Some(draft) = self.draft()? else {
            screen::talk("\nNothing was written.\n");
            return Ok(Exit::Findings);
        };
        fs::create_dir_all(&self.dir).map_err(|error| Failure::write(&self.dir, &error))?;
        if let (Some(text), false) = (&draft.secrets, keep) {
            write::private(&secrets, text)?;
        }
        if let Err(failure) = write::new(&plot, &draft.plot) {
            if draft.secrets.is_some() && !keep {
                // Secrets of no plot would be in the way of the next try.
                let _ = fs::remove_file(&secrets);
            }
            return Err(failure);
        }
        self.tell(&draft, &plot, &secrets, keep)
    }

    /// What to write: as the arguments say, or the answers.
    fn draft(&self) -> Result<Option<Draft>, Failure> {
        if !self.from_env.is_empty() {
            return from_env::draft(&self.from_env);
        }
        if let Some(preset) = self.preset {
            return Draft::of(preset.text().to_owned()).map(Some);
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::new("there is nobody to ask: standard input is no terminal")
                .help("say what the plot is to be: --preset single, or --from-env ADDRESS=FILE"));
        }
        let text = ask::plot(&mut io::stdin().lock(), screen::talk)?;
        Draft::of(text).map(Some)
    }

    /// Says what was written, what is wrong with it, and what comes next.
    fn tell(&self, draft: &Draft, plot: &Path, secrets: &Path, kept: bool) -> Result<Exit, Failure> {
        screen::talk(&closing::written(draft, plot, secrets, kept));
        let read = PlotArgs::of(plot.to_owned()).read()?;
        let mut findings = Findings::new();
        for finding in read.findings() {
            // What was said of the files need not be said of the plot again.
            if finding.severity == Severity::Error || !draft.told.contains(&finding.location.path) {
                findings.push(finding.clone());
            }
        }
        if !findings.is_empty() {
            screen::talk(&format!("\n{}", findings::draw(&findings, &read)));
        }
        let is_well = read.built.is_ok();
        screen::talk(&closing::next(draft, &self.dir, is_well));
        Ok(if is_well { Exit::Well } else { Exit::Findings })
    }
}

/// A path as it is said.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
