//! `app`: the open kind. A service of the user's own, in a container or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ContainerNetwork, Kind, Limits};
use crate::decode::{self, FromScalar, FromTable};
use crate::endpoint::Speaks;
use crate::resolve::{Draft, Wiring, unknown_service};
use crate::validate::Review;
use crate::{
    Attachment, Code, ImageRef, Name, Party, Port, Protocol, SecretRef, ServiceSpec, Source, suggest,
};

/// A business service: what it listens on, what it needs, how to ask whether it
/// is well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ image = \"registry.example.com/rooms:1.4.0\", port = 8080 }"
)]
pub struct App {
    /// `"host"`: a process that the user starts; nothing is rendered to run it,
    /// but its environment is. Otherwise a container of `image`.
    pub run: Option<Run>,
    /// The container's image.
    pub image: Option<ImageRef>,
    /// The port of its HTTP service.
    pub port: Option<Port>,
    /// The path that answers 2xx while the service is well.
    pub health: Option<String>,
    /// The paths that the edge sends here, `*` at the end for all below.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<String>")]
    pub routes: Vec<String>,
    /// The edge that does, where the plot has several.
    pub edge: Option<Name>,
    /// Services that it dials.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Name>")]
    pub needs: Vec<Name>,
    /// Further ports that others reach without the edge.
    pub open: BTreeMap<Name, Opening>,
    /// Environment variables. In a text, `${SERVICE.address}`, `${SERVICE.host}`,
    /// `${SERVICE.port}` and `${SERVICE.url}` stand for a needed service as it is
    /// dialled from the node at hand, `${SERVICE.public-url}` for its address as
    /// clients are given it: the edge's.
    pub env: BTreeMap<String, EnvValue>,
    /// The command in place of the image's own.
    pub command: Vec<String>,
    /// The user that the container runs as, where it is not the image's own.
    pub user: Option<String>,
    /// Directories that outlive the container, by name; the value is the place
    /// in the container.
    pub volumes: BTreeMap<Name, String>,
    /// Host network or the plot's container network; the latter where not set.
    pub network: Option<ContainerNetwork>,
    /// What the container may use.
    pub limits: Limits,
}

impl Kind for App {
    fn attachment(&self) -> Attachment {
        match (self.run, self.network) {
            (Some(Run::Host), _) => Attachment::OffDocker,
            (None, Some(network)) => network.into(),
            (None, None) => Attachment::Bridge,
        }
    }

    fn endpoints(&self) -> Vec<Draft> {
        let health = self.health.clone();
        let http = self
            .port
            .map(|port| Draft::new("http", Protocol::Tcp, port, Speaks::Http { health }).field(["port"]));
        let open = self.open.iter().map(|(name, opening)| Draft {
            name: name.to_string().into(),
            ..Draft::new("", opening.protocol, opening.port, Speaks::Other).field([
                "open",
                name.as_str(),
                "port",
            ])
        });
        http.into_iter().chain(open).collect()
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        if !self.routes.is_empty()
            && let Some(edge) = wiring.one_of_kind("edge", self.edge.as_ref(), "edge")
        {
            wiring.flow(Party::Service(edge), wiring.service, "http", "requests");
        }
        for (index, need) in self.needs.iter().enumerate() {
            let path = wiring.path.key("needs").index(index);
            let Some(service) = wiring.topology.service_named(need.as_str()) else {
                unknown_service(wiring.topology, need, path, wiring.findings);
                continue;
            };
            match &service.kind {
                ServiceSpec::Redis(_) => wiring.need(service.id, "primary", "data"),
                ServiceSpec::Livekit(_) => wiring.need(service.id, "signal", "API"),
                ServiceSpec::Edge(edge) if edge.is_https() => wiring.need(service.id, "https", "requests"),
                ServiceSpec::App(App { port: None, .. }) => {
                    let message = format!("{need} has no port to dial");
                    let help = format!("set services.{need}.port, or take it out of needs");
                    wiring.findings.add(Code::MissingField, path, message, help);
                }
                ServiceSpec::Edge(_) | ServiceSpec::App(_) => wiring.need(service.id, "http", "requests"),
            }
        }
        for (name, opening) in &self.open {
            let path = wiring.path.key("open").key(name.as_str()).key("from");
            wiring.offer_to(&opening.from, name.as_str(), "opened by the plot", &path);
        }
    }

    fn review(&self, review: &mut Review<'_>) {
        match (self.run, &self.image) {
            (None, None) => review.add_here(
                Code::AppNotStarted,
                "nothing says how this app is started",
                "set image, or run = \"host\" for a process that you start yourself",
            ),
            (Some(Run::Host), Some(_)) => review.add(
                Code::AppNotStarted,
                "image",
                "an app that you start yourself has no image",
                "leave out run or image",
            ),
            _ => {}
        }
        if let Some(image) = &self.image {
            review.image("image", image);
        }
        if self.port.is_none() && (!self.routes.is_empty() || self.health.is_some()) {
            review.add(Code::MissingField, "port", "routes and health need a port to go to", "set port");
        }
        review.paths("routes", &self.routes);
        review.paths("health", self.health.as_slice());
        let has_edge = review.topology().services().iter().any(|s| matches!(s.kind, ServiceSpec::Edge(_)));
        if !self.routes.is_empty() && !has_edge {
            review.add(
                Code::MissingField,
                "routes",
                "routes are what an edge sends here, and the plot has no edge",
                "add a service of kind edge, or leave out routes",
            );
        }
        if let Some((name, _)) = self.open.get_key_value("http").filter(|_| self.port.is_some()) {
            let path = review.path().key("open").key(name.as_str());
            review.add_at(
                Code::InvalidValue,
                path,
                "http is what port is called",
                "give the opening another name",
            );
        }
        for (name, place) in &self.volumes {
            if !place.starts_with('/') || place.contains(|c: char| c.is_control() || c == ':') {
                let path = review.path().key("volumes").key(name.as_str());
                review.add_at(
                    Code::InvalidValue,
                    path,
                    format!("{place:?} is not a directory in the container"),
                    "write an absolute path, such as \"/data\"",
                );
            }
        }
        if self.routes.is_empty() && self.edge.is_some() {
            review.add(
                Code::MissingField,
                "routes",
                "the edge has nothing to send here",
                "set routes, or leave out edge",
            );
        }
        for (name, value) in &self.env {
            let path = review.path().key("env").key(name.as_str());
            let valid = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !valid {
                let help = "use letters, digits and underscores, no digit first";
                review.add_at(
                    Code::InvalidValue,
                    path.clone(),
                    format!("{name:?} can not name a variable"),
                    help,
                );
            }
            match value {
                EnvValue::Secret(secret) => review.secret_at(path, Some(secret)),
                EnvValue::Text(text) => review_references(text, self, path, review),
            }
        }
    }
}

/// A reference `${SERVICE.FIELD}` in the value of an environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvPart<'a> {
    /// Text to be taken as it is.
    Text(&'a str),
    /// A field of a needed service.
    Reference {
        /// The service's name.
        service: &'a str,
        /// `address`, `host`, `port`, `url` or `public-url`.
        field: &'a str,
    },
}

impl EnvPart<'_> {
    /// The fields that a reference may name.
    pub const FIELDS: &'static [&'static str] = &["address", "host", "port", "url", "public-url"];

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

fn review_references(text: &str, app: &App, path: crate::FieldPath, review: &mut Review<'_>) {
    let known = |name: &Name| review.topology().service_named(name.as_str()).is_some();
    // One of these may be meant by a need that nobody knows, which is told by itself.
    let all_known = app.needs.iter().all(known);
    for part in EnvPart::split(text) {
        let EnvPart::Reference { service, field } = part else { continue };
        let needed = app.needs.iter().any(|need| need.as_str() == service);
        let topology = review.topology();
        let named = topology.service_named(service);
        let spread = named.is_some_and(|service| match &service.kind {
            ServiceSpec::Redis(redis) => redis.external.as_ref().is_some_and(|r| r.address.is_none()),
            _ => false,
        });
        let hidden =
            field == "public-url" && named.is_some_and(|service| topology.public_url(service.id).is_none());
        let stands = needed && !spread && !hidden && EnvPart::FIELDS.contains(&field);
        if stands || !needed && !all_known {
            continue;
        }
        let message = match needed {
            true if hidden => {
                format!("${{{service}.{field}}} has no value: no edge stands in front of {service}")
            }
            true if spread => {
                format!("${{{service}.{field}}} has no value: {service} is reached by several addresses")
            }
            true => {
                format!("${{{service}.{field}}} names nothing: there are {}", EnvPart::FIELDS.join(", "))
            }
            false => format!("${{{service}.{field}}} does not name a service among needs"),
        };
        let near = match needed {
            true => suggest::nearest(field, EnvPart::FIELDS.iter().copied()).map(|near| (service, near)),
            false => {
                let needs = app.needs.iter().map(Name::as_str);
                suggest::nearest(service, needs).map(|near| (near, field))
            }
        };
        let help = match near.filter(|_| !spread && !hidden) {
            Some((service, field)) => format!("did you mean ${{{service}.{field}}}?"),
            None => {
                "write ${SERVICE.address}, .host, .port, .url or .public-url of a service in needs; for a \
                 plain dollar sign write $$"
                    .to_owned()
            }
        };
        review.add_at(Code::EnvReference, path.clone(), message, help);
    }
}

/// How an app is started, where it is not a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// By the user, on the node itself.
    Host,
}

/// A port of an app that others reach without the edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "{ port = 1935, from = \"any\" }")]
pub struct Opening {
    /// The port.
    pub port: Port,
    /// Who may reach it.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// Its protocol.
    #[serde(default = "tcp")]
    pub protocol: Protocol,
}

fn tcp() -> Protocol {
    Protocol::Tcp
}

/// The value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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
