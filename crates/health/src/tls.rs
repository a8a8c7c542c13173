//! Whom we trust in TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

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
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TrustError::NoRoots(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Adds the certificates in a file.
fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(())
}
