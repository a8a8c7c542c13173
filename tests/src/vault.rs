//! Values for secrets.

use std::collections::BTreeMap;

use secrecy::SecretString;
use stageplot_topology::{FieldPath, SecretError, SecretRef, SecretSource, Segment, ServiceSpec, Topology};

use crate::certificate::Certificate;
use crate::program::Missing;

/// A value for every secret of a topology, of the form that its reader wants: PEM for
/// certificates and their keys, and enough characters for LiveKit.
#[derive(Debug, Clone, Default)]
pub struct Vault {
    values: BTreeMap<SecretRef, String>,
    certificate: Option<Certificate>,
}

impl Vault {
    /// Makes up values for all secrets of a topology.
    ///
    /// # Errors
    ///
    /// [`Missing`] where one has to be a certificate and openssl is not here.
    pub fn new(topology: &Topology) -> Result<Self, Missing> {
        let names = names(topology);
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        // One for all: what belongs together then does.
        let mut made: Option<Certificate> = None;
        let mut values = BTreeMap::new();
        for (path, secret) in topology.secrets() {
            let form = Form::of(&path);
            if made.is_none() && form != Form::Text {
                made = Some(Certificate::new(&names)?);
            }
            let value = match (form, &made) {
                (Form::Cert, Some(made)) => made.cert.clone(),
                (Form::Key, Some(made)) => made.key.clone(),
                _ => format!("{}-0123456789abcdef0123456789abcdef", secret.label()),
            };
            values.insert(secret.clone(), value);
        }
        Ok(Self { values, certificate: made })
    }

    /// Gives a secret from the environment another value.
    #[must_use]
    pub fn with(self, variable: &str, value: impl Into<String>) -> Self {
        self.with_secret(&SecretRef::Env(variable.to_owned()), value)
    }

    /// Gives a secret another value.
    #[must_use]
    pub fn with_secret(mut self, secret: &SecretRef, value: impl Into<String>) -> Self {
        self.values.insert(secret.clone(), value.into());
        self
    }

    /// The secrets that are from the environment: each variable and its value.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().filter_map(|(secret, value)| match secret {
            SecretRef::Env(name) => Some((name.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// The certificate that all its certificates are, if it has one. It is for every
    /// name of the topology.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The value of a secret.
    ///
    /// # Panics
    ///
    /// If it is none of the topology's.
    pub fn value(&self, secret: &SecretRef) -> &str {
        self.values.get(secret).unwrap_or_else(|| panic!("no value for {}", secret.label()))
    }
}

impl SecretSource for Vault {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let value = self.values.get(secret).cloned();
        value.map(SecretString::from).ok_or_else(|| SecretError::new("the vault has none"))
    }
}

/// What a secret's reader takes.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    Cert,
    Key,
}

impl Form {
    /// What the field that names a secret takes.
    fn of(path: &FieldPath) -> Self {
        let keys: Vec<_> = path
            .segments()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .collect();
        match keys.as_slice() {
            [.., "tls" | "turn", "cert" | "ca" | "ca-root"] => Self::Cert,
            [.., "tls" | "turn", "key"] => Self::Key,
            _ => Self::Text,
        }
    }
}

/// All names that a certificate in a topology may be asked for.
fn names(topology: &Topology) -> Vec<String> {
    let mut names = vec!["stageplot.test".to_owned()];
    for service in topology.services() {
        match &service.kind {
            ServiceSpec::Edge(edge) => names.extend(edge.names().map(ToString::to_string)),
            ServiceSpec::Livekit(livekit) => {
                let turn = livekit.turn.iter().filter_map(|turn| turn.domain.as_ref());
                names.extend(turn.map(ToString::to_string));
            }
            ServiceSpec::Redis(redis) => {
                let addresses = redis.external.iter().flat_map(|remote| remote.addresses());
                names.extend(addresses.map(|address| address.host.clone()));
            }
            ServiceSpec::Postgres(postgres) => {
                names.extend(postgres.external.iter().map(|remote| remote.address.host.clone()));
            }
            _ => {}
        }
    }
    names
}
