//! A plot as the text of a `stageplot.toml`.
//!
//! What a plot is made of goes through serde, so a new field is written without
//! a word here; this file decides the order and the form: what is left out,
//! what is a table and what stands on one line.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Plot;
use crate::{App, Edge, FieldPath, Livekit, Metrics, Redis, RedisRemote, Segment, ServiceSpec, Turn};

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

/// Why a plot can not be written as TOML.
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

/// The widest line with a table or a list on it.
const WIDTH: usize = 100;

/// A field that may be absent, and what its table is if nothing in it is set.
fn inner_default(field: &str) -> Map<String, Value> {
    match field {
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
                    _ => inner_default(&key),
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

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    /// Writes a table under a header: what fits a line first, what does not as
    /// tables of their own after it.
    fn table(&mut self, header: &[&str], value: &Value, path: &FieldPath) -> Result<(), UnwritablePlot> {
        let Value::Object(entries) = value else { return Ok(()) };
        let mut wide = Vec::new();
        let mut narrow = Vec::new();
        for (key, value) in entries {
            let path = path.key(key);
            let line = format!("{} = {}", quoted_key(key), inline(value, &path)?);
            let is_wide =
                line.chars().count() > WIDTH && value.as_object().is_some_and(|map| !map.is_empty());
            if is_wide { wide.push((key, value, path)) } else { narrow.push((key, value, path)) }
        }
        // A header with nothing under it but other headers says nothing.
        if !narrow.is_empty() || wide.is_empty() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(&format!("[{}]\n", header.join(".")));
        }
        for (key, value, path) in narrow {
            self.pair(key, value, &path)?;
        }
        for (key, value, path) in wide {
            let key = quoted_key(key);
            let header: Vec<_> = header.iter().copied().chain([key.as_str()]).collect();
            self.table(&header, value, &path)?;
        }
        Ok(())
    }

    fn pair(&mut self, key: &str, value: &Value, path: &FieldPath) -> Result<(), UnwritablePlot> {
        let key = quoted_key(key);
        let line = format!("{key} = {}", inline(as_single(&key, value), path)?);
        match value {
            Value::Array(list) if line.chars().count() > WIDTH => {
                self.text.push_str(&format!("{key} = [\n"));
                for (index, item) in list.iter().enumerate() {
                    self.text.push_str(&format!("  {},\n", inline(item, &path.index(index))?));
                }
                self.text.push_str("]\n");
            }
            _ => self.text.push_str(&format!("{line}\n")),
        }
        Ok(())
    }
}

/// Lists that are mostly of one are written as that one.
fn as_single<'a>(key: &str, value: &'a Value) -> &'a Value {
    match value {
        Value::Array(list) if matches!(key, "address" | "cidr" | "primary") => match list.as_slice() {
            [only] => only,
            _ => value,
        },
        _ => value,
    }
}

/// A value on one line.
fn inline(value: &Value, path: &FieldPath) -> Result<String, UnwritablePlot> {
    Ok(match value {
        Value::Null => return Err(UnwritablePlot::Null(path.clone())),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(list) => {
            let items = list.iter().enumerate().map(|(index, item)| inline(item, &path.index(index)));
            format!("[{}]", items.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            if is_literal(map) && !is_users_own(path) {
                return Err(UnwritablePlot::Literal(path.clone()));
            }
            let pairs = map.iter().map(|(key, value)| {
                let path = path.key(key);
                Ok(format!("{} = {}", quoted_key(key), inline(as_single(key, value), &path)?))
            });
            format!("{{ {} }}", pairs.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
    })
}

/// Whether this is what a literal secret serialises to.
fn is_literal(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.get("literal").is_some_and(Value::is_string)
}

/// Whether a table's keys are the user's and not the model's: a variable or a
/// setting may well be called `literal`.
fn is_users_own(path: &FieldPath) -> bool {
    let [Segment::Key(services), _, Segment::Key(field), inner @ ..] = path.segments() else { return false };
    services == "services"
        && match field.as_str() {
            "env" => inner.is_empty(),
            "settings" => true,
            _ => false,
        }
}

/// A key, bare where TOML takes it so.
fn quoted_key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { key.to_owned() } else { quoted(key) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Acme, DnsChallenge, Drain, EnvValue, Keep, Level, NetworkSpec, NodeSpec, Protocol, PublicAddress,
        Room, SecretRef, Source, Tls, Webhook,
    };

    fn secret(name: &str) -> SecretRef {
        SecretRef::Env(name.to_owned())
    }

    #[test]
    fn all_tables_come_in_an_operators_order() -> Result<(), Box<dyn std::error::Error>> {
        let settings =
            serde_json::json!({ "rtc": { "stun_servers": ["stun.example.com:3478"], "use_mdns": true } });
        let dns = DnsChallenge {
            provider: "acme-dns".into(),
            settings: [("api key".into(), secret("DNS"))].into(),
        };
        let acme = Acme { email: Some("a@example.com".into()), dns: Some(dns), ..Acme::default() };
        let hooks = (1..4).map(|n| format!("https://hooks-{n}.example.com/livekit").parse());
        let mut plot = Plot::new("live".parse()?)
            .network("lan", NetworkSpec::new(["192.168.1.0/24".parse()?]))
            .node("b", NodeSpec::private("192.168.1.2".parse()?).address("fd00::2".parse()?).role("sfu"))
            .node(
                "a",
                NodeSpec {
                    public: Some(PublicAddress {
                        bound: false,
                        ..PublicAddress::from("203.0.113.1".parse::<std::net::IpAddr>()?)
                    }),
                    ..NodeSpec::default()
                },
            )
            .service("redis", Redis { primary: vec!["b".parse()?], ..Redis::default() })
            .service(
                "other",
                Redis {
                    external: Some(RedisRemote {
                        address: Some("r.example.com:6379".parse()?),
                        ..RedisRemote::default()
                    }),
                    ..Redis::default()
                },
            )
            .service("edge", Edge { tls: Tls::Acme(acme), ..Edge::default() })
            .service(
                "sfu",
                Livekit {
                    keys: [("a b".into(), secret("S"))].into(),
                    tcp_port: None,
                    turn: Some(Turn::default()),
                    drain: Drain { max: "1h".parse()? },
                    room: Room::default(),
                    webhook: Some(Webhook { key: None, urls: hooks.collect::<Result<_, _>>()? }),
                    settings: settings.as_object().cloned().unwrap_or_default(),
                    ..Livekit::default()
                },
            )
            .service(
                "rooms",
                App {
                    env: [
                        ("literal".into(), EnvValue::Text("\"\\\n\u{1}密".into())),
                        ("S".into(), EnvValue::Secret(secret("S"))),
                    ]
                    .into(),
                    ..App::default()
                },
            );
        plot.access.keep.push(Keep {
            port: "9100".parse()?,
            protocol: Protocol::Tcp,
            from: vec![Source::Network("lan".parse()?)],
            why: "node exporter".into(),
        });
        plot.severity.insert(crate::Code::RedisOpen, Level::Warning);
        let expected = r#"name = "live"

[access]
keep = [{ port = 9100, protocol = "tcp", from = ["lan"], why = "node exporter" }]

[networks.lan]
cidr = "192.168.1.0/24"

[nodes.a]
public = { v4 = "203.0.113.1", bound = false }

[nodes.b]
address = ["192.168.1.2", "fd00::2"]
roles = ["sfu"]

[edge.tls]
email = "a@example.com"
dns = { provider = "acme-dns", settings = { "api key" = { env = "DNS" } } }

[services.other]
kind = "redis"
external = { address = "r.example.com:6379" }

[services.redis]
kind = "redis"
primary = "b"

[services.rooms]
kind = "app"
env = { S = { env = "S" }, literal = "\"\\\n\u0001密" }

[services.sfu]
kind = "livekit"
keys = { "a b" = { env = "S" } }
tcp-port = 0
turn = {}
drain = { max = "1h" }
settings = { rtc = { stun_servers = ["stun.example.com:3478"], use_mdns = true } }

[services.sfu.webhook]
urls = [
  "https://hooks-1.example.com/livekit",
  "https://hooks-2.example.com/livekit",
  "https://hooks-3.example.com/livekit",
]

[severity]
redis-open = "warning"
"#;
        assert_eq!(plot.to_toml()?, expected);
        Ok(())
    }

    #[test]
    fn what_toml_can_not_hold_is_refused() {
        let mut livekit = Livekit::default();
        livekit.settings.insert("region".to_owned(), Value::Null);
        let plot = Plot::new("live".parse().expect("a name")).service("livekit", livekit);
        assert!(matches!(plot.to_toml(), Err(UnwritablePlot::Null(_))));
        let key = SecretRef::Literal(crate::Literal::new("hunter2"));
        let livekit = Livekit { keys: [("literal".to_owned(), key)].into(), ..Livekit::default() };
        let plot = Plot::new("live".parse().expect("a name")).service("livekit", livekit);
        assert!(matches!(plot.to_toml(), Err(UnwritablePlot::Literal(_))));
    }
}
