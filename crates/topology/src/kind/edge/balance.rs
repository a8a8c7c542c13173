//! How a request picks one of several upstreams.

use serde::{Deserialize, Serialize};

use crate::decode::{self, FromScalar, FromTable};
use crate::validate::Review;
use crate::{Code, FieldPath, Period, SecretRef};

/// How a request picks one of several upstreams: Caddy's `lb_policy`
/// <https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#load-balancing>.
///
/// ```
/// use stageplot_topology::{App, Balance, Edge, SecretRef, Sticky};
///
/// let edge = Edge { balance: Balance::IpHash, ..Edge::default() };
/// assert_eq!(edge.balance.policy(), "ip_hash");
///
/// // Who was at a node once comes back to it.
/// let secret = Some(SecretRef::env("CADDY_LB_COOKIE_SECRET"));
/// let sticky = Sticky { secret, ..Sticky::by("fluxcode_sticky") };
/// let app = App { balance: Some(Balance::Cookie(sticky)), ..App::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(into = "BalanceForm")]
#[schemars(with = "BalanceForm")]
#[non_exhaustive]
pub enum Balance {
    /// The one with the fewest requests under way.
    LeastConn,
    /// Each in turn.
    RoundRobin,
    /// Any.
    Random,
    /// So many are picked at random; of those the one with the fewest requests.
    RandomChoose(u16),
    /// The first that is well, in the order written.
    First,
    /// The same for the same address of the one who connects.
    IpHash,
    /// The same for the same client, also where it comes through proxies that
    /// Caddy trusts.
    ClientIpHash,
    /// The same for the same path and query.
    UriHash,
    /// The same for the same value of this request header.
    Header(String),
    /// The same for the same value of this key in the query.
    Query(String),
    /// The same for the same client, by a cookie that the edge gives out. Where
    /// that one is down, another, and a new cookie.
    Cookie(Sticky),
}

impl Balance {
    /// Caddy's word for it.
    pub fn policy(&self) -> &'static str {
        match self {
            Self::LeastConn => "least_conn",
            Self::RoundRobin => "round_robin",
            Self::Random => "random",
            Self::RandomChoose(_) => "random_choose",
            Self::First => "first",
            Self::IpHash => "ip_hash",
            Self::ClientIpHash => "client_ip_hash",
            Self::UriHash => "uri_hash",
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::Cookie(_) => "cookie",
        }
    }

    /// Whether requests that differ in all that a client can choose go to different
    /// upstreams.
    pub(crate) fn spreads(&self) -> bool {
        !matches!(self, Self::First | Self::IpHash | Self::ClientIpHash)
    }

    /// The secret that its cookies are made with.
    pub(crate) fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Cookie(sticky) => sticky.secret.as_ref(),
            _ => None,
        }
    }

    /// What is wrong with it, where it stands in this field.
    pub(crate) fn review(&self, path: &FieldPath, review: &mut Review<'_>) {
        let (field, name) = match self {
            Self::Header(name) => ("header", name),
            Self::Cookie(sticky) => ("cookie", &sticky.name),
            _ => return,
        };
        if name.is_empty() || !name.chars().all(is_token) {
            review.add_at(
                Code::InvalidValue,
                path.key(field),
                format!("{name:?} cannot name a {field}"),
                "use letters, digits, - and _",
            );
        }
    }
}

/// Whether a character may stand in a name of HTTP: a `token` of RFC 9110, 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// A cookie that brings a client back to the node it was at.
///
/// See [`Balance`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sticky {
    /// The cookie's name.
    pub name: String,
    /// What the cookie's value is made with, so that nobody can pick a node by
    /// guessing it. Every edge of a plot has the same.
    pub secret: Option<SecretRef>,
    /// How long a browser keeps it; where not set, until it is closed.
    pub max_age: Option<Period>,
}

impl Sticky {
    /// A cookie of this name, for as long as the browser is open.
    pub fn by(name: impl Into<String>) -> Self {
        Self { name: name.into(), secret: None, max_age: None }
    }
}

/// [`Balance`] as it is written: a word or a table.
#[derive(Clone, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum BalanceForm {
    Word(BalanceWord),
    Table(BalanceTable),
}

#[derive(Clone, Copy, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum BalanceWord {
    LeastConn,
    RoundRobin,
    Random,
    First,
    IpHash,
    ClientIpHash,
    UriHash,
}

#[derive(Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct BalanceTable {
    /// The same for the same client, by a cookie of this name that the edge gives
    /// out. Where that one is down, another, and a new cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookie: Option<String>,
    /// What the cookie's value is made with, so that nobody can pick a node by guessing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretRef>,
    /// How long a browser keeps the cookie; where not set, until it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<Period>,
    /// The same for the same value of this request header.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    /// The same for the same value of this key in the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// So many are picked at random; of those the one with the fewest requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<u16>,
}

impl From<Balance> for BalanceForm {
    fn from(balance: Balance) -> Self {
        let none = BalanceTable::default();
        Self::Table(match balance {
            Balance::LeastConn => return Self::Word(BalanceWord::LeastConn),
            Balance::RoundRobin => return Self::Word(BalanceWord::RoundRobin),
            Balance::Random => return Self::Word(BalanceWord::Random),
            Balance::First => return Self::Word(BalanceWord::First),
            Balance::IpHash => return Self::Word(BalanceWord::IpHash),
            Balance::ClientIpHash => return Self::Word(BalanceWord::ClientIpHash),
            Balance::UriHash => return Self::Word(BalanceWord::UriHash),
            Balance::RandomChoose(random) => BalanceTable { random: Some(random), ..none },
            Balance::Header(header) => BalanceTable { header: Some(header), ..none },
            Balance::Query(query) => BalanceTable { query: Some(query), ..none },
            Balance::Cookie(Sticky { name, secret, max_age }) => {
                BalanceTable { cookie: Some(name), secret, max_age, ..none }
            }
        })
    }
}

impl FromScalar for Balance {
    const EXPECTED: &'static str = "\"least_conn\", \"round_robin\", \"random\", \"first\", \"ip_hash\", \
        \"client_ip_hash\", \"uri_hash\", or a table with cookie, header, query or random";

    fn from_text(word: &str) -> Result<Self, String> {
        Ok(match word {
            "least_conn" => Self::LeastConn,
            "round_robin" => Self::RoundRobin,
            "random" => Self::Random,
            "first" => Self::First,
            "ip_hash" => Self::IpHash,
            "client_ip_hash" => Self::ClientIpHash,
            "uri_hash" => Self::UriHash,
            _ => return Err(format!("{word:?} is not a way to pick an upstream")),
        })
    }
}

impl FromTable for Balance {
    type Table = BalanceTable;

    fn from_table(table: BalanceTable) -> Result<Self, String> {
        let BalanceTable { cookie, secret, max_age, header, query, random } = table;
        if cookie.is_none() && (secret.is_some() || max_age.is_some()) {
            return Err("secret and max-age are a cookie's\nhelp: set cookie, its name, as well".to_owned());
        }
        match (cookie, header, query, random) {
            (Some(name), None, None, None) => Ok(Self::Cookie(Sticky { name, secret, max_age })),
            (None, Some(header), None, None) => Ok(Self::Header(header)),
            (None, None, Some(query), None) => Ok(Self::Query(query)),
            (None, None, None, Some(0 | 1)) => {
                Err("one upstream is picked from several\nhelp: set random to 2 or more".to_owned())
            }
            (None, None, None, Some(random)) => Ok(Self::RandomChoose(random)),
            _ => {
                Err("a request picks its upstream in one way\nhelp: set one of cookie, header, query, random"
                    .to_owned())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar_or_table(deserializer)
    }
}
