//! TLS sessions: who a server says it is, by which chain, and for how long.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::CertificateError;
use rustls::pki_types::ServerName;
use stageplot_topology::HostName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::connection::{Bounded, Stream, broken};
use super::{Attempt, Step, http};
use crate::tls::Shown;
use crate::{Cause, Problem};

/// A certificate that ends sooner than this should have been renewed: ACME clients do
/// so a month before.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// … or, where it was made for a few hours, when this part of its life is left.
const LAST_PART: u32 = 6;

/// A session for a name is had, by a chain that we trust and that lasts. An edge is asked
/// for its page too, for it may offer HTTP/3.
pub(super) async fn session(attempt: &mut Attempt<'_>, name: &HostName) -> Result<(), Problem> {
    let stream = attempt.secure(name.as_str(), &[b"http/1.1"]).await?;
    if attempt.domain().as_deref() == Some(name.as_str()) {
        let response = attempt.ask(stream, http::request(name.as_str(), "/")?).await?;
        if let Some(alternatives) = response.alternatives {
            attempt.evidence.note("alt-svc", alternatives);
        }
        if response.status.is_server_error() {
            let what = format!("https://{name}/ at {} answers {}", attempt.trial.target, response.status);
            return Err(Problem::failed(Cause::HttpStatus, what));
        }
    }
    attempt.lasts()
}

/// A TLS session.
pub(crate) type Secure = Bounded<TlsStream<Bounded<Stream>>>;

impl Attempt<'_> {
    /// Connects, and has a TLS session for a name with somebody whom we trust.
    pub(crate) async fn secure(&mut self, name: &str, protocols: &[&[u8]]) -> Result<Secure, Problem> {
        let address = self.address().await?;
        self.secure_at(address, name, protocols).await
    }

    /// … at another address than the trial's own.
    pub(crate) async fn secure_at(
        &mut self,
        address: SocketAddr,
        name: &str,
        protocols: &[&[u8]],
    ) -> Result<Secure, Problem> {
        let stream = self.connect_to(address).await?;
        self.secure_over(stream, &address.to_string(), name, protocols).await
    }

    /// … over a connection that there is.
    pub(crate) async fn secure_over(
        &mut self,
        stream: Bounded<Stream>,
        target: &str,
        name: &str,
        protocols: &[&[u8]],
    ) -> Result<Secure, Problem> {
        let refused = |error: &dyn std::fmt::Display| {
            Problem::failed(Cause::TlsRefused, format!("{target} has no TLS session for {name}: {error}"))
        };
        let server = ServerName::try_from(name.to_owned()).map_err(|error| refused(&error))?;
        let (config, witness) = self.scene.tls.witness(protocols).map_err(|error| refused(&error))?;
        let session = TlsConnector::from(std::sync::Arc::new(config)).connect(server, stream).await;
        let shown = witness.shown();
        if let Some(shown) = &shown {
            self.note(shown);
            judge(shown, name, target)?;
        }
        match session {
            Ok(mut session) => {
                session.get_mut().0.inner();
                self.progress.reached(Step::Connected);
                Ok(Bounded::new(session, self.progress))
            }
            // What is a TLS error inside is one of the session, not of the connection.
            Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(error @ rustls::Error::InvalidMessage(_)) => {
                    Err(Problem::failed(Cause::WrongProtocol, format!("{target} speaks no TLS: {error}")))
                }
                Some(error) => Err(refused(error)),
                None => Err(broken(&error, target)),
            },
        }
    }

    /// The name that the service behind the target is called by, where it is an edge with HTTPS.
    pub(crate) fn domain(&self) -> Option<String> {
        let kind = &self.scene.topology.service(self.trial.service?).kind;
        let stageplot_topology::ServiceSpec::Edge(edge) = kind else { return None };
        edge.domain.as_ref().filter(|_| edge.is_https()).map(ToString::to_string)
    }

    /// Notes down who issued what was shown, and when the first of the chain ends.
    pub(super) fn note(&mut self, shown: &Shown) {
        self.progress.reached(Step::Answering);
        let parsed = shown.chain.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let parsed: Vec<_> = parsed.map(|(_, certificate)| certificate).collect();
        if let Some(leaf) = parsed.first() {
            self.evidence.note("issuer", leaf.issuer());
        }
        let first = parsed.iter().min_by_key(|certificate| certificate.validity().not_after.timestamp());
        if let Some(first) = first {
            let validity = first.validity();
            let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
            self.evidence.note("certificates", shown.chain.len());
            self.evidence.note("ends", validity.not_after);
            self.evidence.note("ends-unix", end);
            self.evidence.note("life-seconds", end.saturating_sub(begin));
            self.evidence.note("ends-first", names(first));
        }
    }

    /// Whether the whole chain lasts a while: a session that works today does not say so.
    fn lasts(&self) -> Result<(), Problem> {
        let number = |name| self.evidence.get(name).and_then(|text| text.parse::<u64>().ok());
        let (Some(end), Some(life)) = (number("ends-unix"), number("life-seconds")) else { return Ok(()) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_secs(end).saturating_sub(now);
        if left >= SOON.min(Duration::from_secs(life) / LAST_PART) {
            return Ok(());
        }
        let hours = left.as_secs() / 3600;
        let subject = self.evidence.get("ends-first").unwrap_or("a certificate of the chain");
        Err(Problem::degraded(
            Cause::CertificateExpires,
            format!("the certificate of {subject} ends in {hours} hours, and should have been renewed"),
        ))
    }
}

/// What it means that a chain does not make a server who it says it is.
pub(super) fn judge(shown: &Shown, name: &str, target: &str) -> Result<(), Problem> {
    let Err(error) = &shown.verdict else { return Ok(()) };
    let leaf = shown.chain.first().and_then(|der| X509Certificate::from_der(der).ok());
    let leaf = leaf.as_ref().map(|(_, certificate)| certificate);
    let issuer = leaf.map(|leaf| leaf.issuer().to_string()).unwrap_or_default();
    let issuer = crate::observation::line(&issuer);
    let rustls::Error::InvalidCertificate(error) = error else {
        return Err(Problem::failed(
            Cause::CertificateUntrusted,
            format!("{target} is not trusted: {error}"),
        ));
    };
    Err(match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Problem::failed(Cause::CertificateExpired, format!("a certificate that {target} shows has ended"))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Problem::failed(
            Cause::CertificateExpired,
            format!(
                "a certificate that {target} shows is not valid yet: is the clock of this machine right?"
            ),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = leaf.map(names).unwrap_or_default();
            let names = crate::observation::line(&names);
            Problem::failed(
                Cause::CertificateName,
                format!("{target} shows a certificate for {names}, not for {name}"),
            )
        }
        CertificateError::UnknownIssuer
            if shown.chain.len() == 1 && leaf.is_some_and(|leaf| leaf.issuer() != leaf.subject()) =>
        {
            Problem::failed(
                Cause::ChainIncomplete,
                format!(
                    "{target} shows its own certificate alone, and its issuer ({issuer}) is trusted by nobody here"
                ),
            )
        }
        CertificateError::UnknownIssuer => Problem::failed(
            Cause::CertificateUntrusted,
            format!("{target} shows a certificate of {issuer}, whom this machine does not trust"),
        ),
        other => Problem::failed(Cause::CertificateUntrusted, format!("{target} is not trusted: {other}")),
    })
}

/// How many names of a certificate are told; some have a hundred.
const NAMES: usize = 3;

/// The names that a certificate is for.
fn names(certificate: &X509Certificate<'_>) -> String {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let Some(names) = alternatives.map(|names| &names.value.general_names) else {
        return certificate.subject().to_string();
    };
    let shown = names.iter().take(NAMES).map(|name| match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => address(bytes).map_or_else(|| name.to_string(), |ip| ip.to_string()),
        other => other.to_string(),
    });
    let more = names.len().checked_sub(NAMES).filter(|more| *more > 0);
    shown.chain(more.map(|more| format!("{more} more"))).collect::<Vec<_>>().join(", ")
}

/// An address as a certificate has it (RFC 5280, 4.2.1.6).
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}
