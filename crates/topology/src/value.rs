//! Small values that cannot be wrong: names, hosts, ports, sizes, durations.
//!
//! Each is parsed at the edge of the program and carried as a type from then on.

use serde::{Deserialize, Deserializer};

mod bytes;
mod digest;
mod duration;
mod host;
mod identifier;
mod image;
mod name;
mod port;
mod registry;
mod remote;
mod secret;
mod source;

pub use bytes::{ByteSize, InvalidByteSize};
pub use digest::{Digest, InvalidDigest};
pub use duration::{InvalidPeriod, Period};
pub use host::{HostName, InvalidHostName};
pub use identifier::{Identifier, InvalidIdentifier};
pub use image::{ImageRef, InvalidImageRef};
pub use name::{InvalidName, Name};
pub use port::{InvalidPort, Port, PortRange, Protocol};
pub use registry::{InvalidMirror, InvalidRegistry, Mirror, Registry};
pub use remote::{InvalidRemoteAddress, RemoteAddress};
pub(crate) use secret::is_placeholder;
pub use secret::{Literal, SecretRef};
pub use source::{InvalidSource, Source};

/// Lets a type that is one text be read, written and described by a schema:
/// through its `FromStr` and `Display`, and the pattern of a regular expression.
macro_rules! text_value {
    ($type:ident, $expected:literal, $pattern:expr) => {
        impl crate::decode::FromScalar for $type {
            const EXPECTED: &'static str = $expected;

            fn from_text(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error| format!("{error}"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::decode::scalar(deserializer)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern: Option<&str> = $pattern;
                let mut schema = schemars::json_schema!({ "type": "string", "description": $expected });
                if let Some(pattern) = pattern {
                    schema.insert("pattern".to_owned(), pattern.into());
                }
                schema
            }
        }
    };
}
pub(crate) use text_value;

/// Leaves in a schema's description what is for operators: its words up to the example
/// in Rust, or to where one is found.
pub(crate) fn without_example(schema: &mut schemars::Schema) {
    let description = schema.get("description").and_then(serde_json::Value::as_str);
    let Some(description) = description.map(str::to_owned) else { return };
    let is_for_programs = |part: &&str| part.starts_with("```") || part.starts_with("See [`");
    let words: Vec<_> = description.split("\n\n").take_while(|part| !is_for_programs(part)).collect();
    schema.insert("description".to_owned(), words.join("\n\n").into());
}

/// Schema of a field that holds one value or a list of them.
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the form to schemars; never built")]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

pub(crate) use crate::decode::one_or_many;

/// Reads a secret whose bare text is the path of a file.
pub(crate) fn secret_or_path<'de, D>(deserializer: D) -> Result<Option<SecretRef>, D::Error>
where
    D: Deserializer<'de>,
{
    let secret = SecretRef::deserialize(deserializer)?;
    Ok(Some(match secret {
        SecretRef::Literal(path) => SecretRef::File(path.expose().to_owned()),
        other => other,
    }))
}

/// Reads a secret that has to be there, whose bare text is the path of a file.
pub(crate) fn required_secret_or_path<'de, D>(deserializer: D) -> Result<SecretRef, D::Error>
where
    D: Deserializer<'de>,
{
    secret_or_path(deserializer)?.ok_or_else(|| serde::de::Error::custom("a secret is missing"))
}

/// A port whose 0 means that it is off.
pub(crate) mod port_or_off {
    use super::{Deserialize, Deserializer, Port};

    pub(crate) fn serialize<S: serde::Serializer>(
        port: &Option<Port>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(port.map_or(0, Port::number))
    }

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<Option<Port>, D::Error>
    where
        D: Deserializer<'de>,
    {
        u16::deserialize(deserializer).map(Port::new)
    }
}

/// A value shortened for an error message.
pub(crate) fn shorten(text: &str) -> String {
    const KEEP: usize = 64;
    match text.char_indices().nth(KEEP) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_tells_operators_no_rust() {
        let schema = schemars::schema_for!(crate::Plot).to_value().to_string();
        assert!(schema.contains("Defaults for rooms."), "descriptions are kept: {schema}");
        for rust in ["```", "[`", "stageplot_topology"] {
            let found = schema.find(rust).map(|at| &schema[at.saturating_sub(200)..at]);
            assert_eq!(found, None, "before {rust}");
        }
    }
}
