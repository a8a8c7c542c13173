//! A plot as the text of a `stageplot.toml`.
//!
//! What a plot is made of goes through serde, so a new field is written without
//! a word here; this file decides the order and the form: what is left out,
//! what is a table and what stands on one line.

mod toml;

use serde::Serialize;
use serde_json::{Map, Value};

use self::toml::{Writer, quoted_key};
use super::Plot;
use crate::{
    App, Edge, Egress, FieldPath, Grafana, Ingress, IonSfu, IonTurn, Livekit, Metrics, Postgres, Prometheus,
    Redis, RedisRemote, Rtmp, ServiceSpec, Sip, Turn,
};

impl Plot {
    /// Writes the plot as TOML: what differs from the defaults, in the order in
    /// which an operator thinks of it.
    ///
    /// ```
    /// use stageplot_topology::{Edge, NodeSpec, Plot};
    ///
    /// let plot = Plot::new("live".parse()?)
    ///     .service("edge", Edge::new("live.example.com".parse()?))
    ///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("edge"));
    /// assert_eq!(plot.to_toml()?, r#"name = "live"
    ///
    /// [nodes.front]
    /// public = "203.0.113.10"
    /// roles = ["edge"]
    ///
    /// [edge]
    /// domain = "live.example.com"
    /// "#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the plot holds a literal secret, which is never written out, or a
    /// value that TOML has no form for.
    pub fn to_toml(&self) -> Result<String, UnwritablePlot> {
        let mut plot = table(self);
        let default = table(&Plot::new(self.name.clone()));
        let services = plot.shift_remove("services");
        let nodes = plot.shift_remove("nodes");
        let networks = plot.shift_remove("networks");
        let severity = plot.shift_remove("severity");
        let root = FieldPath::root();

        let mut writer = Writer::default();
        let name = plot.shift_remove("name").unwrap_or_default();
        writer.pair("name", &name, &root)?;
        // What is left is scalars, and tables of the plot itself: [access] and the like.
        let rest = different(plot, &default);
        let (tables, scalars): (Vec<_>, Vec<_>) = rest.iter().partition(|(_, value)| value.is_object());
        for (key, value) in scalars {
            writer.pair(key, value, &root.key(key))?;
        }
        for (key, value) in tables {
            writer.table(&[key], value, &root.key(key))?;
        }
        for (field, tables) in [("networks", networks), ("nodes", nodes)] {
            for (name, value) in tables.iter().flat_map(Value::as_object).flatten() {
                let (key, path) = (quoted_key(name), root.key(field).key(name));
                writer.table(&[field, &key], &without_nothing(value), &path)?;
            }
        }
        let services = services.iter().flat_map(Value::as_object).flatten();
        for ((name, value), spec) in services.zip(self.services.values()) {
            let path = root.key("services").key(name);
            let value = different(value.as_object().cloned().unwrap_or_default(), &service_default(spec));
            let mut body = Map::new();
            let same_kind = self.services.values().filter(|other| other.kind() == spec.kind());
            let is_short = spec.kind() == name && same_kind.count() == 1;
            if !is_short {
                body.insert("kind".to_owned(), spec.kind().into());
            }
            body.extend(value);
            match is_short {
                true => writer.table(&[name], &body.into(), &path)?,
                false => writer.table(&["services", &quoted_key(name)], &body.into(), &path)?,
            }
        }
        if let Some(severity) = severity.filter(|severity| severity != &Value::Object(Map::new())) {
            writer.table(&["severity"], &severity, &root.key("severity"))?;
        }
        Ok(writer.text)
    }
}

/// Why a plot cannot be written as TOML.
///
/// ```
/// use stageplot_topology::{Literal, Plot, Redis, SecretRef, UnwritablePlot};
///
/// let password = Some(SecretRef::Literal(Literal::new("correct horse")));
/// let plot = Plot::new("live".parse()?).service("redis", Redis { password, ..Redis::default() });
/// assert!(matches!(plot.to_toml(), Err(UnwritablePlot::Literal(_))));
/// # Ok::<(), stageplot_topology::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwritablePlot {
    /// A secret stands in the plot itself.
    #[error(
        "{0} is a literal secret, which is not written out: name where it comes from (env, file, command)"
    )]
    Literal(FieldPath),
    /// A setting is null, which TOML does not have.
    #[error("{0} is null, which TOML has no form for: leave it out")]
    Null(FieldPath),
}

/// A field that may be absent, and what its table is if nothing in it is set.
fn inner_default(field: &str, value: &Map<String, Value>) -> Map<String, Value> {
    match field {
        // LiveKit's has none.
        "turn" if value.contains_key("realm") => table(&IonTurn::default()),
        "turn" => table(&Turn::default()),
        "metrics" => table(&Metrics::default()),
        "external" => table(&RedisRemote::default()),
        _ => Map::new(),
    }
}

fn service_default(spec: &ServiceSpec) -> Map<String, Value> {
    let default: ServiceSpec = match spec {
        ServiceSpec::Edge(_) => Edge::default().into(),
        ServiceSpec::Livekit(_) => Livekit::default().into(),
        ServiceSpec::Redis(_) => Redis::default().into(),
        ServiceSpec::Postgres(_) => Postgres::default().into(),
        ServiceSpec::Prometheus(_) => Prometheus::default().into(),
        ServiceSpec::Grafana(_) => Grafana::default().into(),
        ServiceSpec::Rtmp(_) => Rtmp::default().into(),
        ServiceSpec::IonSfu(_) => IonSfu::default().into(),
        ServiceSpec::Ingress(_) => Ingress::default().into(),
        ServiceSpec::Egress(_) => Egress::default().into(),
        ServiceSpec::Sip(_) => Sip::default().into(),
        ServiceSpec::App(_) => App::default().into(),
    };
    table(&default)
}

fn table(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        // The model's own types are tables with texts for keys.
        _ => Map::new(),
    }
}

/// The entries that differ from the default, and of tables what differs in them.
fn different(value: Map<String, Value>, default: &Map<String, Value>) -> Map<String, Value> {
    let entries = value.into_iter().filter(|(key, value)| default.get(key) != Some(value));
    let entries = entries.map(|(key, value)| {
        let value = match value {
            Value::Object(inner) if key == "settings" => Value::Object(inner),
            Value::Object(inner) => {
                let inner_default = match default.get(&key) {
                    Some(Value::Object(default)) => default.clone(),
                    _ => inner_default(&key, &inner),
                };
                without_nothing(&Value::Object(different(inner, &inner_default)))
            }
            value => value,
        };
        (key, value)
    });
    entries.collect()
}

/// A table less its entries that are not set, and its lists of nothing.
fn without_nothing(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let is_set = |value: &&Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let entries = map.iter().filter(|(_, value)| is_set(value));
    entries.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests;
