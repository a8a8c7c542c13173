//! `stageplot completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen;

/// Print a script by which a shell completes the command
///
/// For bash: stageplot completions bash > ~/.local/share/bash-completion/completions/stageplot
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Args::command(), "stageplot", &mut script);
        screen::data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Well)
    }
}
