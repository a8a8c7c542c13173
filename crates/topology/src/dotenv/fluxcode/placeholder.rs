//! What FluxCode's documents and example files have where a value of one's own
//! belongs.

use crate::dotenv::placeholder::{self, is_example_domain, simple};
use crate::dotenv::survey::Survey;

/// Forgets placeholders, and says where each stands. A domain stays, for the plot
/// to show where one's own belongs.
pub(super) fn forget(survey: &mut Survey) {
    let secrets = survey.stack.variables().iter().filter(|variable| variable.is_secret());
    for secret in secrets {
        placeholder::secret(survey, secret.name, is_placeholder);
    }
    placeholder::domain(survey, "CADDY_ADDRESS", "fluxcode.example.com", |value| {
        crate::value::is_placeholder(value) || is_example_domain(value) || value.trim() == "flux-code.cc"
    });
}

/// Whether a value is one to be replaced; also what the example files have
/// (`change_this_jwt_secret`), and the documents (`...`).
fn is_placeholder(value: &str) -> bool {
    simple(value).starts_with("change_this") || crate::value::is_placeholder(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_replaced() {
        for value in ["change_this_secure_password", "change-this-jwt-secret", "...", "CHANGE_THIS"] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["change", "exchange_this", "hunter2"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
