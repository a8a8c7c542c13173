//! Where the values of secrets come from, for whoever renders or checks.

use secrecy::SecretString;

use crate::SecretRef;

/// Finds the values of secrets.
///
/// ```
/// use stageplot_topology::{SecretError, SecretRef, SecretSource, SecretString};
///
/// struct Vault;
///
/// impl SecretSource for Vault {
///     fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
///         match secret {
///             SecretRef::Env(name) if name == "REDIS_PASSWORD" => Ok("correct horse".to_owned().into()),
///             other => Err(SecretError::new(format!("the vault has no {}", other.label()))),
///         }
///     }
/// }
///
/// let error = Vault.secret(&SecretRef::env("SEALS_KEY")).expect_err("it has but one");
/// assert_eq!(error.to_string(), "the vault has no SEALS_KEY");
/// ```
pub trait SecretSource {
    /// The value of one secret.
    ///
    /// # Errors
    ///
    /// Where it cannot be had, with the reason; the reason never holds a value.
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError>;
}

/// Why a secret's value cannot be had.
///
/// See [`SecretSource`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SecretError {
    reason: String,
}

impl SecretError {
    /// An error with a reason that fits "the value cannot be had: {reason}".
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
