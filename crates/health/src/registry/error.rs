//! What can be wrong with a registry, and what to do about it.

use std::error::Error;
use std::time::Duration;

use rustls::CertificateError;

/// Why the digest of an image is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No connection.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// The host and port that were asked.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The certificate is not trusted, or for another name.
    #[error("the certificate of {host} is not accepted: {why}")]
    Certificate {
        /// The host and port that were asked.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// What answers does not speak TLS.
    #[error("{host} does not speak TLS")]
    NoTls {
        /// The host and port that were asked.
        host: String,
    },
    /// It took too long.
    #[error("{host} did not answer within {}", humane(*.within))]
    Deadline {
        /// The host and port that were asked.
        host: String,
        /// What it may take.
        within: Duration,
    },
    /// Docker's configuration has no login that can be read.
    #[error("there is no login for {host}: {why}")]
    Login {
        /// The registry.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The login is missing or wrong, or may not pull; Docker Hub says so too where
    /// there is no such image.
    #[error("{host} refuses {}", if *.logged_in { "the login, or has no such image for it" } else { "to tell without a login, or has no such image" })]
    Refused {
        /// The registry.
        host: String,
        /// Whether there was a login.
        logged_in: bool,
    },
    /// No such image, or no such tag.
    #[error("{host} has no {what}")]
    Unknown {
        /// The registry.
        host: String,
        /// The image as it was asked for.
        what: String,
    },
    /// Too many questions.
    #[error("{host} has been asked too often{}", .retry.map_or_else(String::new, |after| format!(": again in {}", humane(after))))]
    RateLimited {
        /// The registry.
        host: String,
        /// When to ask again, where it says.
        retry: Option<Duration>,
    },
    /// Sent from one address to another for too long, or away from TLS.
    #[error("{host} redirects {why}")]
    Redirects {
        /// The registry.
        host: String,
        /// In which way.
        why: &'static str,
    },
    /// The answer is no manifest of an image.
    #[error("{host} answers with {what}, which is no manifest of an image")]
    NotAManifest {
        /// The registry.
        host: String,
        /// What came back.
        what: String,
    },
    /// The answer contradicts itself.
    #[error("{host} says {said}, and sends {sent}")]
    Contradiction {
        /// The registry.
        host: String,
        /// The digest that was promised.
        said: String,
        /// The digest of what came.
        sent: String,
    },
    /// Another status of HTTP.
    #[error("{host} answers with status {status}")]
    Status {
        /// The registry.
        host: String,
        /// The status.
        status: u16,
    },
    /// The connection ended, or what came is not HTTP.
    #[error("{host} broke off: {why}")]
    Broken {
        /// The registry.
        host: String,
        /// What went wrong.
        why: String,
    },
}

impl RegistryError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "look whether the name is right and whether a firewall or a proxy is in between".to_owned()
            }
            Self::Certificate { host, .. } => format!(
                "put the authority's certificate into /etc/docker/certs.d/{host}/ca.crt, or ask by the name \
                 that the certificate is for"
            ),
            Self::NoTls { host } => {
                format!(
                    "where it has no TLS, say so in the plot: [registries] \"{host}\" = {{ http = true }}"
                )
            }
            Self::Deadline { .. } => "try again later".to_owned(),
            Self::Login { host, .. } | Self::Refused { host, .. } => format!("docker login {host}"),
            Self::Unknown { .. } => "look for a typing mistake in the image and its tag".to_owned(),
            Self::RateLimited { host, .. } => {
                format!("docker login {host} for a limit of your own, or name a mirror in [registries]")
            }
            Self::Redirects { .. } | Self::NotAManifest { .. } | Self::Contradiction { .. } => {
                "look whether it is a registry, and what stands between it and here".to_owned()
            }
            Self::Status { .. } | Self::Broken { .. } => {
                "try again later, and look at the registry's own log".to_owned()
            }
        }
    }

    /// What an error of HTTP means; `host` is who was asked.
    pub(super) fn from_http(host: &str, error: &reqwest::Error) -> Self {
        let host = host.to_owned();
        match find(error) {
            Some(Cause::Redirect(why)) => return Self::Redirects { host, why },
            Some(Cause::Tls(rustls::Error::InvalidMessage(_))) => return Self::NoTls { host },
            Some(Cause::Tls(rustls::Error::InvalidCertificate(certificate))) => {
                return Self::Certificate { host, why: in_words(certificate) };
            }
            Some(Cause::Tls(other)) => return Self::Broken { host, why: other.to_string() },
            None => {}
        }
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Self::Unreachable { host, why: "nobody answers".to_owned() },
            (true, false) => Self::Unreachable { host, why: innermost(error) },
            _ => Self::Broken { host, why: innermost(error) },
        }
    }
}

/// Why we do not follow a redirect.
#[derive(Debug, thiserror::Error)]
#[error("redirects {0}")]
pub(super) struct NotFollowed(pub(super) &'static str);

enum Cause<'a> {
    Redirect(&'static str),
    Tls(&'a rustls::Error),
}

/// The cause that we know, wherever it is among the sources of an error.
fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<Cause<'a>> {
    if let Some(NotFollowed(why)) = error.downcast_ref() {
        return Some(Cause::Redirect(why));
    }
    if let Some(tls) = error.downcast_ref() {
        return Some(Cause::Tls(tls));
    }
    // An error of I/O hides the one that it was made of from its sources.
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match inner {
        Some(inner) => find(inner),
        None => find(error.source()?),
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let text = last.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn in_words(error: &CertificateError) -> String {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::UnknownIssuer => "no authority that is trusted here issued it".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        // Docker takes what `openssl req -x509` makes for the host's own; by RFC 5280 it is not.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is an authority's own: issue one for the host, with basicConstraints=CA:FALSE".to_owned()
        }
        other => other.to_string(),
    }
}

fn humane(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
