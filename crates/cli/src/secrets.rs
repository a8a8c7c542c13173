//! The values of secrets, from where the plot says they are.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use secrecy::{ExposeSecret as _, SecretString};
use stageplot_topology::{Plot, SecretError, SecretRef, SecretSource};

mod command;
mod file;
mod random;

pub(crate) use file::lines;
pub(crate) use random::random;

/// Secrets of this machine: the environment, the plot's secrets file, files,
/// and what commands print.
pub(crate) struct SystemSecrets {
    /// What files and commands are relative to.
    dir: PathBuf,
    /// The secrets file, where the plot names one.
    file: Option<PathBuf>,
    /// What it has, or why it cannot be read; read when first needed.
    lines: OnceCell<Result<BTreeMap<String, SecretString>, String>>,
    /// Until when all commands together may take; set when the first is run.
    commands: OnceCell<Instant>,
}

impl SystemSecrets {
    /// The secrets of a plot whose paths are relative to `dir`.
    pub(crate) fn new(plot: &Plot, dir: &Path) -> Self {
        let file = plot.secrets_file.as_ref().map(|file| dir.join(file));
        Self { dir: dir.to_owned(), file, lines: OnceCell::new(), commands: OnceCell::new() }
    }

    /// A variable of the environment, else a line of the secrets file. What is
    /// set to nothing is not set: an empty password would lock nothing.
    fn named(&self, name: &str) -> Result<SecretString, String> {
        match std::env::var(name) {
            Ok(value) if !value.is_empty() => return Ok(value.into()),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err("the environment has it, and it is not UTF-8".to_owned());
            }
            _ => {}
        }
        let here = match std::env::var_os(name) {
            Some(_) => "it is empty in the environment",
            None => "it is not in the environment",
        };
        let Some(file) = &self.file else {
            return Err(format!("{here}, and the plot names no secrets-file"));
        };
        match self.lines.get_or_init(|| file::lines(file)) {
            Ok(lines) => match lines.get(name) {
                Some(value) if !value.expose_secret().is_empty() => Ok(value.clone()),
                Some(_) => Err(format!("{here}, and has no value in {}", file.display())),
                None => Err(format!("{here}, and not in {}", file.display())),
            },
            Err(why) => Err(format!("{here}, and {why}")),
        }
    }
}

impl SecretSource for SystemSecrets {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let value = match secret {
            SecretRef::Env(name) => self.named(name),
            SecretRef::File(path) => file::content(&self.dir.join(path)),
            SecretRef::Command(words) => {
                let until = *self.commands.get_or_init(|| Instant::now() + command::TOGETHER);
                command::output(words, &self.dir, until)
            }
            other => Err(format!("this version knows no way to {}", other.label())),
        };
        value.map_err(SecretError::new)
    }
}
