//! Chains of certificates, each wrong in one way.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An authority, its intermediate authorities, and what they issue.
pub(crate) struct Authority {
    root: Issuer<'static, KeyPair>,
    own: Certificate,
}

/// What a server shows, and proves.
#[derive(Clone)]
pub(crate) struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivatePkcs8KeyDer<'static>>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(name, 365 * DAY);
        let own = params.self_signed(&key).expect("a certificate");
        Self { root: Issuer::new(params, key), own }
    }

    /// Its certificate, in a file.
    pub(crate) fn file(&self) -> NamedTempFile {
        let file = NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), self.own.pem()).expect("written");
        file
    }

    /// A chain of an intermediate authority and a server's own certificate for a name.
    pub(crate) fn chain(&self, name: &str) -> Shown {
        self.with_lives(name, (DAY, 90 * DAY), (DAY, 60 * DAY))
    }

    /// … that live so long on both sides of now: the intermediate, then the server's own.
    /// What has ended lives on for no time at all, since a day.
    fn with_lives(&self, name: &str, middle: (Duration, Duration), leaf: (Duration, Duration)) -> Shown {
        let between = KeyPair::generate().expect("a key");
        let mut params = authority("an intermediate", middle.1);
        live(&mut params, middle);
        let intermediate = params.signed_by(&between, &self.root).expect("a certificate");
        let issuer = Issuer::new(params, between);
        let mut shown = server(name, leaf, &issuer);
        shown.chain.push(intermediate.into());
        shown
    }

    /// The intermediate ended yesterday.
    pub(crate) fn with_ended_intermediate(&self, name: &str) -> Shown {
        self.with_lives(name, (30 * DAY, Duration::ZERO), (DAY, 60 * DAY))
    }

    /// The server's own ended yesterday.
    pub(crate) fn with_ended_leaf(&self, name: &str) -> Shown {
        self.with_lives(name, (DAY, 90 * DAY), (30 * DAY, Duration::ZERO))
    }

    /// The intermediate ends in an hour.
    pub(crate) fn with_ending_intermediate(&self, name: &str) -> Shown {
        self.with_lives(name, (90 * DAY, HOUR), (DAY, 60 * DAY))
    }

    /// The server's own ends in an hour.
    pub(crate) fn with_ending_leaf(&self, name: &str) -> Shown {
        self.with_lives(name, (DAY, 90 * DAY), (90 * DAY, HOUR))
    }

    /// Made for a few hours, most of which are left.
    pub(crate) fn for_hours(&self, name: &str) -> Shown {
        self.with_lives(name, (DAY, 90 * DAY), (HOUR, 11 * HOUR))
    }

    /// Issued by the authority itself, without an intermediate.
    pub(crate) fn direct(&self, name: &str) -> Shown {
        server(name, (DAY, 60 * DAY), &self.root)
    }

    /// Begins tomorrow.
    pub(crate) fn too_early(&self, name: &str) -> Shown {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_before = (SystemTime::now() + DAY).into();
        params.not_after = (SystemTime::now() + 60 * DAY).into();
        let own = params.signed_by(&key, &self.root).expect("a certificate");
        Shown::new(vec![own.into()], &key)
    }
}

impl Shown {
    fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Self {
        Self { chain, key: Arc::new(PrivatePkcs8KeyDer::from(key.serialize_der())) }
    }

    /// A certificate that is its own issuer.
    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        Self::new(vec![params.self_signed(&key).expect("a certificate").into()], &key)
    }

    /// The server's own certificate alone.
    pub(crate) fn alone(mut self) -> Self {
        self.chain.truncate(1);
        self
    }

    /// With the intermediate of somebody else.
    pub(crate) fn with_intermediate_of(mut self, other: &Self) -> Self {
        self.chain.truncate(1);
        self.chain.extend(other.chain.iter().skip(1).cloned());
        self
    }

    /// The key of another certificate than the one that is shown.
    pub(crate) fn with_key_of(self, other: &Self) -> Self {
        Self { key: other.key.clone(), ..self }
    }

    /// What a server is set up with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::new(self.speaking(&[]))
    }

    /// … that speaks one of these protocols alone.
    pub(crate) fn speaking(&self, protocols: &[&[u8]]) -> ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        let signer = provider.key_provider.load_private_key(key).expect("a key");
        // Unlike `with_single_cert` this does not mind a key of another certificate.
        let shown = rustls::sign::CertifiedKey::new(self.chain.clone(), signer);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown)));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config
    }
}

fn authority(name: &str, left: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    live(&mut params, (DAY, left));
    params
}

fn server(name: &str, life: (Duration, Duration), issuer: &Issuer<'static, KeyPair>) -> Shown {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    live(&mut params, life);
    let own = params.signed_by(&key, issuer).expect("a certificate");
    Shown::new(vec![own.into()], &key)
}

fn live(params: &mut CertificateParams, (since, left): (Duration, Duration)) {
    let now = SystemTime::now();
    params.not_before = (now - since).into();
    params.not_after = if left.is_zero() { now - DAY } else { now + left }.into();
}
