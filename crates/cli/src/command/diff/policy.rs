//! `--policy` and `--deny`

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use stageplot_render::diff::policy::{Policy, Rule};
use stageplot_topology::{Document, Format, Redacted};

use crate::failure::Failure;
use crate::findings::{self, Source};
use crate::screen;

/// The rules that a change is held against.
#[derive(clap::Args)]
pub(super) struct PolicyArgs {
    /// A file with rules of yours; exit with 3 where the change breaks one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Exit with 3 where the change does this
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    deny: Vec<Denied>,
}

/// What most reviewers want to look at twice.
#[derive(Clone, Copy, ValueEnum)]
enum Denied {
    /// A flow from the Internet opens
    Internet,
    /// Data is at stake
    Data,
    /// People in a room may be thrown out, or can no longer join one
    Rooms,
}

impl PolicyArgs {
    /// The rules, where there are any.
    pub(super) fn read(&self) -> Result<Option<Policy>, Failure> {
        let mut policy = self.policy.as_deref().map(file).transpose()?;
        for denied in &self.deny {
            let (name, rule) = match denied {
                Denied::Internet => ("internet", Rule::no_opening_to_internet()),
                Denied::Data => ("data", Rule::no_data_at_stake()),
                Denied::Rooms => ("rooms", Rule::no_dropped_rooms()),
            };
            policy.get_or_insert_default().rules.insert(format!("--deny {name}"), rule);
        }
        Ok(policy)
    }
}

/// Reads a policy; what is wrong with it is said, each with its place.
fn file(path: &Path) -> Result<Policy, Failure> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(Document::MAX_SIZE as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::read(path, &error))?;
    let format = Format::from_path(path).unwrap_or(Format::Toml);
    let document = Document::parse_bytes(format, &name, &bytes);
    let policy = document.as_ref().map_err(Clone::clone).and_then(Policy::read);
    policy.map_err(|findings| {
        let text = Redacted::of(&String::from_utf8_lossy(&bytes));
        let source = Source { name: &name, text: &text, document: document.as_ref().ok() };
        screen::talk(&findings::draw_about(&findings, &name, |_| source));
        Failure::new(format!("nothing was compared: {name} is no policy"))
    })
}
