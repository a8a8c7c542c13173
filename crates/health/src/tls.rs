//! Whom we trust in TLS, and what a server shows of itself.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The system has no certificates of authorities.
    #[error(
        "this system has no certificates of authorities: {0} (install ca-certificates, or set SSL_CERT_FILE)"
    )]
    NoRoots(String),
    /// A certificate that was to be trusted cannot be read.
    #[error("failed to read the certificate {}: {why}", .path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// A configuration for clients, with ring: the authorities that the system trusts,
/// or the file in `SSL_CERT_FILE` has, and those in the files of `more`.
pub(crate) fn client(more: &[PathBuf]) -> Result<ClientConfig, TrustError> {
    let roots = roots(more)?;
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TrustError::NoRoots(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(more: &[PathBuf]) -> Result<RootCertStore, TrustError> {
    let native = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // What is odd among a system's hundreds is not ours to mend.
    roots.add_parsable_certificates(native.certs);
    for path in more {
        add(&mut roots, path).map_err(|why| TrustError::Unreadable { path: path.clone(), why })?;
    }
    if roots.is_empty() {
        let why = native.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
        return Err(TrustError::NoRoots(why));
    }
    Ok(roots)
}

/// Adds the certificates in a file.
fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Whom checks trust.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
}

impl Trust {
    pub(crate) fn new(more: &[PathBuf]) -> Result<Self, TrustError> {
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(more)?), provider());
        let verifier = builder.build().map_err(|error| TrustError::NoRoots(error.to_string()))?;
        Ok(Self { verifier })
    }

    /// A configuration for one session, which goes on whatever the server shows, and
    /// what it showed: a check that says no more than "handshake failed" helps nobody.
    /// Nothing secret is sent before [`Shown::verdict`] is looked at.
    pub(crate) fn witness(&self, protocols: &[&[u8]]) -> Result<(ClientConfig, Arc<Witness>), rustls::Error> {
        let witness = Arc::new(Witness { verifier: self.verifier.clone(), shown: Mutex::default() });
        let builder =
            ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let mut config =
            builder.dangerous().with_custom_certificate_verifier(witness.clone()).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        // A resumed session shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        Ok((config, witness))
    }
}

/// What a server showed of itself.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Its own certificate first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Whether they make it who it says it is.
    pub(crate) verdict: Result<(), rustls::Error>,
}

/// A verifier that notes its verdict down and lets the session go on.
#[derive(Debug)]
pub(crate) struct Witness {
    verifier: Arc<WebPkiServerVerifier>,
    shown: Mutex<Option<Shown>>,
}

impl Witness {
    /// What was shown, where it came so far.
    pub(crate) fn shown(&self) -> Option<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.verifier.verify_server_cert(leaf, intermediates, name, ocsp, now).map(|_| ());
        let chain = std::iter::once(leaf).chain(intermediates).map(|shown| shown.clone().into_owned());
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Shown { chain: chain.collect(), verdict });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
