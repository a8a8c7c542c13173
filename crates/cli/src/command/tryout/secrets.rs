//! The secrets of a trial: those that are there, and made-up ones for the others.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use stageplot_topology::{SecretError, SecretRef, SecretSource};

use crate::failure::Failure;
use crate::secrets::{SystemSecrets, lines, random};
use crate::write;

/// Secrets as the plot's sources have them; what they lack is made up once and kept, so
/// that a trial finds its databases again.
pub(super) struct TrialSecrets {
    own: SystemSecrets,
    file: PathBuf,
    kept: BTreeMap<String, SecretString>,
    made: RefCell<BTreeMap<String, SecretString>>,
    used: RefCell<Vec<String>>,
}

impl TrialSecrets {
    pub(super) fn new(own: SystemSecrets, file: PathBuf) -> Result<Self, Failure> {
        let kept = match file.exists() {
            true => lines(&file).map_err(Failure::new)?,
            false => BTreeMap::new(),
        };
        let kept = kept.into_iter().filter(|(_, value)| !value.expose_secret().is_empty()).collect();
        Ok(Self { own, file, kept, made: RefCell::default(), used: RefCell::default() })
    }

    /// Writes down what was made up, and says what of that is in use.
    pub(super) fn keep(self) -> Result<Vec<String>, Failure> {
        for (name, value) in self.made.into_inner() {
            write::append_private(&self.file, &format!("{name}={}", value.expose_secret()))?;
        }
        let mut used = self.used.into_inner();
        used.sort();
        used.dedup();
        Ok(used)
    }
}

impl SecretSource for TrialSecrets {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let missing = match self.own.secret(secret) {
            Ok(value) => return Ok(value),
            Err(missing) => missing,
        };
        // What comes from elsewhere has no name by which it could be kept.
        let SecretRef::Env(name) = secret else { return Err(missing) };
        self.used.borrow_mut().push(name.clone());
        if let Some(value) = self.kept.get(name) {
            return Ok(value.clone());
        }
        let value = SecretString::from(random().map_err(|error| SecretError::new(format!("{error:?}")))?);
        Ok(self.made.borrow_mut().entry(name.clone()).or_insert(value).clone())
    }
}
