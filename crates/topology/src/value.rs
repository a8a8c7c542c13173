//! Small values that cannot be wrong: names, hosts, ports, sizes, durations.
//!
//! Each is parsed at the edge of the program and carried as a type from then on.

use std::fmt;

use serde::de;
use serde::{Deserialize, Deserializer};

mod bytes;
mod digest;
mod duration;
mod host;
mod image;
mod name;
mod port;
mod registry;
mod secret;
mod source;

pub use bytes::{ByteSize, InvalidByteSize};
pub use digest::{Digest, InvalidDigest};
pub use duration::{InvalidPeriod, Period};
pub use host::{HostName, InvalidHostName};
pub use image::{ImageRef, InvalidImageRef};
pub use name::{InvalidName, Name};
pub use port::{InvalidPort, Port, PortRange, Protocol};
pub use registry::{InvalidMirror, InvalidRegistry, Mirror, Registry};
pub use secret::{Literal, SecretRef};
pub use source::{InvalidSource, Source};

/// Lets a string type be read and written by serde and described by a schema
/// through its `FromStr` and `Display`.
macro_rules! string_value {
    ($type:ident, $what:literal, $pattern:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern: Option<&str> = $pattern;
                let mut schema = schemars::json_schema!({ "type": "string", "description": $what });
                if let Some(pattern) = pattern {
                    schema.insert("pattern".to_owned(), pattern.into());
                }
                schema
            }
        }
    };
}
pub(crate) use string_value;

/// Lets a type be written as a text (its `FromStr`) or as a table (its
/// `TryFrom<$table>`), with the error of whichever was written.
macro_rules! string_or_table {
    ($type:ident, $what:literal, $table:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        let table = serde::de::value::MapAccessDeserializer::new(map);
                        let table = <$table as serde::Deserialize>::deserialize(table)?;
                        <$type>::try_from(table).map_err(serde::de::Error::custom)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}
pub(crate) use string_or_table;

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

/// A port whose 0 means that it is off.
pub(crate) mod port_or_off {
    use super::{Deserialize, Deserializer, Port, de, fmt};

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
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Option<Port>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port from 1 to 65535, or 0 for none")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<Port>, E> {
                if number == 0 {
                    return Ok(None);
                }
                Port::deserialize(de::IntoDeserializer::into_deserializer(number)).map(Some)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<Port>, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
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
