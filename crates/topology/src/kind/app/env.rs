//! The environment of an app: texts with references, and secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::App;
use crate::decode::{self, FromScalar, FromTable};
use crate::validate::Review;
use crate::{Code, FieldPath, Name, SecretRef, Service, ServiceSpec, words};

/// The value of an environment variable.
///
/// ```
/// use stageplot_topology::{App, EnvValue, SecretRef};
///
/// let rooms = App::host().env("LIVEKIT_URL", "${livekit.url}").env("API_SECRET", SecretRef::env("SECRET"));
/// assert_eq!(rooms.env["LIVEKIT_URL"], EnvValue::Text("${livekit.url}".to_owned()));
/// assert_eq!(rooms.env["API_SECRET"], EnvValue::Secret(SecretRef::env("SECRET")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(untagged)]
pub enum EnvValue {
    /// A text, with references to needed services.
    Text(String),
    /// A secret.
    Secret(SecretRef),
}

impl From<String> for EnvValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for EnvValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<SecretRef> for EnvValue {
    fn from(secret: SecretRef) -> Self {
        Self::Secret(secret)
    }
}

impl FromScalar for EnvValue {
    const EXPECTED: &'static str =
        "a string, or { env = \"NAME\" } or another place where a secret comes from";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self::Text(text.to_owned()))
    }
}

impl FromTable for EnvValue {
    type Table = SecretRef;

    fn from_table(secret: SecretRef) -> Result<Self, String> {
        Ok(Self::Secret(secret))
    }
}

impl<'de> Deserialize<'de> for EnvValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode::scalar_or_table(deserializer)
    }
}

/// A reference `${SERVICE.FIELD}` in the value of an environment variable.
///
/// ```
/// use stageplot_topology::EnvPart;
///
/// let parts = EnvPart::split("redis://${cache.address}/0");
/// assert_eq!(parts[1], EnvPart::Reference { service: "cache", field: "address" });
/// assert_eq!(parts.len(), 3);
/// assert!(EnvPart::FIELDS.contains(&"address"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvPart<'a> {
    /// Text to be taken as it is.
    Text(&'a str),
    /// A field of a needed service.
    Reference {
        /// The service's name.
        service: &'a str,
        /// One of [`FIELDS`](EnvPart::FIELDS).
        field: &'a str,
    },
}

impl EnvPart<'_> {
    /// The fields that a reference may name.
    pub const FIELDS: &'static [&'static str] =
        &["address", "host", "port", "url", "public-url", "publish-url", "user", "database", "pool"];

    /// Splits a value into text and references. `$$` is a single `$`; a `$`
    /// before anything but `{` is itself.
    pub fn split(text: &str) -> Vec<EnvPart<'_>> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            let after = &rest[dollar + 1..];
            if let Some(behind) = after.strip_prefix('$') {
                parts.push(EnvPart::Text(&rest[..=dollar]));
                rest = behind;
            } else if let Some((inside, behind)) = after.strip_prefix('{').and_then(|a| a.split_once('}')) {
                parts.push(EnvPart::Text(&rest[..dollar]));
                let (service, field) = inside.split_once('.').unwrap_or((inside, ""));
                parts.push(EnvPart::Reference { service, field });
                rest = behind;
            } else {
                parts.push(EnvPart::Text(&rest[..=dollar]));
                rest = after;
            }
        }
        parts.push(EnvPart::Text(rest));
        parts
    }
}

/// What follows a `${` that nothing closes.
fn unclosed(text: &str) -> Option<&str> {
    let (_, mut rest) = text.split_once('$')?;
    loop {
        if let Some(behind) = rest.strip_prefix('$') {
            rest = behind;
        } else if let Some(inside) = rest.strip_prefix('{') {
            match inside.split_once('}') {
                Some((_, behind)) => rest = behind,
                None => return Some(inside),
            }
        }
        (_, rest) = rest.split_once('$')?;
    }
}

/// Adds a finding for each reference that stands for nothing.
pub(super) fn review_references(text: &str, app: &App, path: FieldPath, review: &mut Review<'_>) {
    let known = |name: &Name| review.topology().service_named(name.as_str()).is_some();
    // One of these may be meant by a need that nobody knows, which is told by itself.
    let all_known = app.needs.iter().all(known);
    if let Some(open) = unclosed(text) {
        let message = "a `${` without its `}` is no reference, and would be in the value as it stands";
        let inside: &str = open
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
            .next()
            .unwrap_or_default();
        let reference = inside.split_once('.').filter(|(_, field)| EnvPart::FIELDS.contains(field));
        let help = match reference {
            Some((service, field)) => format!("write ${{{service}.{field}}}"),
            None => "write ${SERVICE.FIELD}; for a plain dollar sign write $$".to_owned(),
        };
        review.add_at(Code::EnvReference, path.clone(), message, help);
    }
    for part in EnvPart::split(text) {
        let EnvPart::Reference { service, field } = part else { continue };
        let needed = app.needs.iter().any(|need| need.as_str() == service);
        let topology = review.topology();
        let named = topology.service_named(service);
        let absent = named.filter(|_| needed).and_then(|service| {
            let is_postgres = matches!(service.kind, ServiceSpec::Postgres(_));
            let name = &service.name;
            let spread = match &service.kind {
                ServiceSpec::Redis(redis) => redis.external.as_ref().is_some_and(|r| r.address.is_none()),
                _ => false,
            };
            match field {
                "public-url" if topology.public_url(service.id).is_none() => {
                    Some(format!("no edge stands in front of {name}"))
                }
                "publish-url" if topology.publish_url(service.id).is_none() => {
                    Some(format!("nobody publishes to {name}"))
                }
                "user" | "database" if !is_postgres => Some(format!("{name} is no Postgres")),
                "pool" if !app.pool.contains_key(name) => Some(format!("pool says nothing of {name}")),
                "address" | "host" | "port" | "url" if spread => {
                    Some(format!("{name} is reached by several addresses"))
                }
                _ => None,
            }
        });
        let stands = needed && absent.is_none() && EnvPart::FIELDS.contains(&field);
        if let Some(named) = named.filter(|_| stands && matches!(field, "host" | "port" | "url")) {
            review_one(named, field, &path, review);
        }
        if stands || !needed && !all_known {
            continue;
        }
        let message = match (needed, &absent) {
            (true, Some(why)) => format!("${{{service}.{field}}} has no value: {why}"),
            (true, None) => {
                format!("${{{service}.{field}}} names nothing: there are {}", EnvPart::FIELDS.join(", "))
            }
            (false, _) => format!("${{{service}.{field}}} does not name a service among needs"),
        };
        let near = match needed {
            true => words::nearest(field, EnvPart::FIELDS.iter().copied()).map(|near| (service, near)),
            false => {
                let needs = app.needs.iter().map(Name::as_str);
                words::nearest(service, needs).map(|near| (near, field))
            }
        };
        let help = match near.filter(|_| absent.is_none()) {
            Some((service, field)) => format!("did you mean ${{{service}.{field}}}?"),
            None if !needed && topology.service_named(service).is_some() => {
                format!("add \"{service}\" to needs")
            }
            None => {
                "write ${SERVICE.address}, .host, .port, .url or .public-url of a service in needs, .user or \
                 .database of a Postgres, .publish-url of an rtmp or an ingress, .pool of one that pool names; for a plain dollar sign write $$"
                    .to_owned()
            }
        };
        review.add_at(Code::EnvReference, path.clone(), message, help);
    }
}

/// Says so where one address of several is told, and the node has none of its own.
fn review_one(named: &Service, field: &str, path: &FieldPath, review: &mut Review<'_>) {
    let topology = review.topology();
    let is_spread = match &named.kind {
        ServiceSpec::Livekit(_)
        | ServiceSpec::App(_)
        | ServiceSpec::Prometheus(_)
        | ServiceSpec::Grafana(_)
        | ServiceSpec::Rtmp(_)
        | ServiceSpec::IonSfu(_)
        | ServiceSpec::Ingress(_)
        | ServiceSpec::Egress(_)
        | ServiceSpec::Sip(_) => true,
        // Of an edge the name is told, of a database the primary.
        ServiceSpec::Edge(_) | ServiceSpec::Redis(_) | ServiceSpec::Postgres(_) => false,
    };
    let nodes: BTreeSet<_> = named.placements.iter().map(|&at| topology.placement(at).node).collect();
    let own = review.service().placements.iter().map(|&at| topology.placement(at).node);
    let mut apart = own.filter(|node| !nodes.contains(node));
    let (Some(first), Some(node), true) = (nodes.first(), apart.next(), is_spread && nodes.len() > 1) else {
        return;
    };
    let name = &named.name;
    let message = format!(
        "${{{name}.{field}}} is that of {} alone on {}, and {name} stands on {} nodes",
        topology.node(*first).name,
        topology.node(node).name,
        nodes.len()
    );
    let help = match topology.public_url(named.id) {
        Some(_) => format!("${{{name}.public-url}} goes through the edge, ${{{name}.address}} lists all"),
        None => format!("${{{name}.address}} lists all"),
    };
    review.add_at(Code::OneOfSeveral, path.clone(), message, help);
}
