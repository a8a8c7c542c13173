//! Where the edge's certificates come from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::SecretRef;
use crate::decode::{self, FromScalar, FromTable};

/// Where the edge's certificates come from.
///
/// ```
/// use stageplot_topology::{Acme, Edge, SecretRef, Tls};
///
/// // Unless it is told otherwise, an edge asks Let's Encrypt.
/// assert_eq!(Edge::default().tls, Tls::Acme(Acme::default()));
///
/// let own = Tls::Own { cert: SecretRef::File("live.pem".into()), key: SecretRef::env("LIVE_KEY") };
/// let edge = Edge { tls: own, ..Edge::new("livekit.example.com".parse()?) };
/// assert!(edge.is_https());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(rename_all = "lowercase", into = "TlsForm")]
#[schemars(with = "TlsForm")]
#[non_exhaustive]
pub enum Tls {
    /// From an ACME certificate authority (RFC 8555).
    Acme(Acme),
    /// From Caddy's own authority, whose root clients have to trust.
    Internal,
    /// None: plain HTTP.
    Off,
    /// The operator's own.
    Own {
        /// The chain in PEM, leaf first.
        cert: SecretRef,
        /// Its private key in PEM.
        key: SecretRef,
    },
}

impl Default for Tls {
    fn default() -> Self {
        Self::Acme(Acme::default())
    }
}

impl Tls {
    /// Whether certificates come from an authority that nobody trusts unasked.
    pub(crate) fn is_private(&self) -> bool {
        matches!(self, Self::Internal | Self::Acme(Acme { ca_root: Some(_), .. }))
    }
}

/// How certificates are got by ACME.
///
/// ```
/// use stageplot_topology::{Acme, Tls};
///
/// let acme = Acme { email: Some("ops@example.com".to_owned()), ..Acme::default() };
/// let tls = Tls::Acme(acme);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acme {
    /// The address given to the authority, for its warnings.
    pub email: Option<String>,
    /// The authority's directory; Let's Encrypt where not set.
    pub ca: Option<Url>,
    /// The root that the authority's own certificate comes from, in PEM, where
    /// it is a private one.
    pub ca_root: Option<SecretRef>,
    /// Proves the name by a DNS record instead of by HTTP.
    pub dns: Option<DnsChallenge>,
}

/// Settings of a Caddy DNS module (`dns.providers.*`), which the image must hold.
///
/// ```
/// use stageplot_topology::{Acme, DnsChallenge, SecretRef};
///
/// let dns = DnsChallenge {
///     settings: [("api_token".to_owned(), SecretRef::env("DNS_TOKEN"))].into(),
///     ..DnsChallenge::new("cloudflare")
/// };
/// let acme = Acme { dns: Some(dns), ..Acme::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "{ provider = \"cloudflare\", settings = { api_token = { env = \"DNS_TOKEN\" } } }"
)]
pub struct DnsChallenge {
    /// The module's name, such as `cloudflare`.
    pub provider: String,
    /// The module's settings by its own names; each is handed over through the
    /// container's environment, as the placeholder `{env.…}` that the module has
    /// to fill in, as those of `github.com/caddy-dns` do.
    #[serde(default)]
    pub settings: BTreeMap<String, SecretRef>,
}

impl DnsChallenge {
    /// A module of this name, without settings.
    pub fn new(provider: impl Into<String>) -> Self {
        Self { provider: provider.into(), settings: BTreeMap::new() }
    }
}

/// [`Tls`] as it is written: a word or a table.
#[derive(Clone, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "lives for the length of one write")]
enum TlsForm {
    Word(TlsWord),
    Table(TlsTable),
}

#[derive(Clone, Copy, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TlsWord {
    Auto,
    Internal,
    Off,
}

#[derive(Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TlsTable {
    /// An own certificate: the chain in PEM, leaf first; a text is the path of a file.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::value::secret_or_path")]
    cert: Option<SecretRef>,
    /// Its private key in PEM.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::value::secret_or_path")]
    key: Option<SecretRef>,
    /// The address given to the ACME authority, for its warnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The ACME authority's directory; Let's Encrypt where not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<Url>,
    /// The root of the authority's own certificate, where it is a private one.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::value::secret_or_path")]
    ca_root: Option<SecretRef>,
    /// Proves the name by a DNS record instead of by HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<DnsChallenge>,
}

impl From<Tls> for TlsForm {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::Acme(acme) if acme == Acme::default() => Self::Word(TlsWord::Auto),
            Tls::Internal => Self::Word(TlsWord::Internal),
            Tls::Off => Self::Word(TlsWord::Off),
            Tls::Own { cert, key } => {
                Self::Table(TlsTable { cert: Some(cert), key: Some(key), ..TlsTable::default() })
            }
            Tls::Acme(Acme { email, ca, ca_root, dns }) => {
                Self::Table(TlsTable { email, ca, ca_root, dns, ..TlsTable::default() })
            }
        }
    }
}

impl FromScalar for Tls {
    const EXPECTED: &'static str =
        "\"auto\", \"internal\", \"off\", or a table with cert and key, or with ACME settings";

    fn from_text(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::default()),
            "internal" => Ok(Self::Internal),
            "off" => Ok(Self::Off),
            _ => Err(format!("{word:?} is not a way to get certificates")),
        }
    }
}

impl FromTable for Tls {
    type Table = TlsTable;

    fn from_table(table: TlsTable) -> Result<Self, String> {
        let TlsTable { cert, key, email, ca, ca_root, dns } = table;
        match (cert, key) {
            (None, None) => Ok(Self::Acme(Acme { email, ca, ca_root, dns })),
            (Some(cert), Some(key)) => {
                if email.is_some() || ca.is_some() || ca_root.is_some() || dns.is_some() {
                    return Err(
                        "an own certificate leaves nothing to ACME\nhelp: keep cert and key, or the others"
                            .to_owned(),
                    );
                }
                Ok(Self::Own { cert, key })
            }
            (Some(_), None) => Err("an own certificate has a key\nhelp: set key as well".to_owned()),
            (None, Some(_)) => Err("an own key has a certificate\nhelp: set cert as well".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Tls {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar_or_table(deserializer)
    }
}
