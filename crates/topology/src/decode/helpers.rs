//! Helpers for the authors of the model's structs.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};

use super::wording;

/// A type that is written as one word, such as an address or a port.
///
/// The error's text says what is wrong and not what was found, which
/// [`Document::decode`](crate::Document::decode) adds where it is no secret. How to mend it may stand
/// after a line break and `help: `, or where the text quotes the value itself
/// after a colon; elsewhere the help is to write what is expected.
///
/// ```
/// use serde::{Deserialize, Deserializer};
/// use stageplot_topology::decode::{self, FromScalar};
/// use stageplot_topology::{Document, Findings, Format};
///
/// /// How loud: a word, or a number from 0 to 11.
/// #[derive(Debug, PartialEq)]
/// struct Volume(i64);
///
/// impl FromScalar for Volume {
///     const EXPECTED: &str = "`quiet`, `loud` or a number from 0 to 11";
///
///     fn from_text(text: &str) -> Result<Self, String> {
///         match text {
///             "quiet" => Ok(Self(1)),
///             "loud" => Ok(Self(11)),
///             _ => Err("no volume has this name".to_owned()),
///         }
///     }
///
///     fn from_integer(number: i64) -> Option<Result<Self, String>> {
///         let volume = (0..=11).contains(&number).then_some(Self(number));
///         Some(volume.ok_or_else(|| "it goes to eleven".to_owned()))
///     }
/// }
///
/// impl<'de> Deserialize<'de> for Volume {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         decode::scalar(deserializer)
///     }
/// }
///
/// #[derive(Deserialize)]
/// struct Stage {
///     monitors: Volume,
/// }
///
/// let document = Document::parse(Format::Toml, "stage.toml", "monitors = \"loud\"")?;
/// let stage: Option<Stage> = document.decode(&mut Findings::new());
/// assert_eq!(stage.map(|stage| stage.monitors), Some(Volume(11)));
/// # Ok::<(), Findings>(())
/// ```
pub trait FromScalar: Sized {
    /// What an operator may write: "an IPv4 or IPv6 address".
    const EXPECTED: &'static str;

    /// Makes one of text.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Makes one of a whole number, where `None` says that none is expected.
    fn from_integer(number: i64) -> Option<Result<Self, String>> {
        let _ = number;
        None
    }

    /// Makes one of true or false, where `None` says that neither is expected.
    fn from_bool(truth: bool) -> Option<Result<Self, String>> {
        let _ = truth;
        None
    }
}

/// A type that is written as one word or, where that is not enough, a table.
///
/// ```
/// use serde::{Deserialize, Deserializer};
/// use stageplot_topology::decode::{self, FromScalar, FromTable};
/// use stageplot_topology::{Document, Findings, Format};
///
/// /// `"lan"`, or `{ name = "lan", metric = 10 }`.
/// #[derive(Debug, PartialEq)]
/// struct Link {
///     name: String,
///     metric: u32,
/// }
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct LinkTable {
///     name: String,
///     metric: u32,
/// }
///
/// impl FromScalar for Link {
///     const EXPECTED: &str = "a name, or a table with `name` and `metric`";
///
///     fn from_text(name: &str) -> Result<Self, String> {
///         Ok(Self { name: name.to_owned(), metric: 100 })
///     }
/// }
///
/// impl FromTable for Link {
///     type Table = LinkTable;
///
///     fn from_table(table: LinkTable) -> Result<Self, String> {
///         Ok(Self { name: table.name, metric: table.metric })
///     }
/// }
///
/// impl<'de> Deserialize<'de> for Link {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         decode::scalar_or_table(deserializer)
///     }
/// }
///
/// #[derive(Deserialize)]
/// struct Router {
///     up: Link,
///     down: Link,
/// }
///
/// let text = "up = \"wan\"\ndown = { name = \"lan\", metric = 10 }";
/// let router: Option<Router> =
///     Document::parse(Format::Toml, "router.toml", text)?.decode(&mut Findings::new());
/// let router = router.expect("both are right");
/// assert_eq!((router.up.metric, router.down.metric), (100, 10));
/// # Ok::<(), Findings>(())
/// ```
pub trait FromTable: FromScalar {
    /// The fields of the table.
    type Table: DeserializeOwned;

    /// Makes one of a table.
    fn from_table(table: Self::Table) -> Result<Self, String>;
}

/// Deserializes a type that is one word.
///
/// ```
/// use std::net::IpAddr;
///
/// use serde::{Deserialize, Deserializer};
/// use stageplot_topology::decode::{self, FromScalar};
///
/// struct Address(IpAddr);
///
/// impl FromScalar for Address {
///     const EXPECTED: &str = "an IPv4 or IPv6 address";
///
///     fn from_text(text: &str) -> Result<Self, String> {
///         text.parse().map(Self).map_err(|_| "not an address".to_owned())
///     }
/// }
///
/// impl<'de> Deserialize<'de> for Address {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         decode::scalar(deserializer)
///     }
/// }
/// # use stageplot_topology::{Document, Findings, Format};
/// # let document = Document::parse(Format::Toml, "plot.toml", "lan = '10.0.0'").unwrap();
/// # let mut findings = Findings::new();
/// # document.decode::<std::collections::BTreeMap<String, Address>>(&mut findings);
/// assert_eq!(
///     findings.to_string(),
///     "error[invalid-value]: lan: \"10.0.0\" is not valid: not an address \
///      (help: write an IPv4 or IPv6 address)",
/// );
/// ```
pub fn scalar<'de, D: Deserializer<'de>, T: FromScalar>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ScalarVisitor(PhantomData))
}

/// Deserializes a type that is one word or a table.
///
/// See [`FromTable`].
pub fn scalar_or_table<'de, D: Deserializer<'de>, T: FromTable>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(TableVisitor(PhantomData))
}

/// Deserializes a list, or a value that stands for a list of one.
///
/// ```
/// use serde::Deserialize;
/// use stageplot_topology::decode;
///
/// #[derive(Deserialize)]
/// struct Route {
///     #[serde(deserialize_with = "decode::one_or_many")]
///     paths: Vec<String>,
/// }
/// # use stageplot_topology::{Document, Findings, Format};
/// # for text in ["paths = '/api/*'", "paths = ['/api/*']"] {
/// #     let document = Document::parse(Format::Toml, "plot.toml", text)?;
/// #     let mut findings = Findings::new();
/// #     let route: Option<Route> = document.decode(&mut findings);
/// #     assert_eq!(route.unwrap().paths, ["/api/*"]);
/// # }
/// # Ok::<(), Findings>(())
/// ```
pub fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_newtype_struct(ONE_OR_MANY, ListVisitor(PhantomData))
}

/// A table whose field `kind` names the variant of an enum, and whose other
/// fields are the variant's.
///
/// The enum is declared as serde's usual one, without `tag`, which would lose
/// the places of everything inside.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use serde::Deserialize;
/// use stageplot_topology::decode::ByKind;
/// # use stageplot_topology::{Document, Findings, Format};
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "kebab-case")]
/// enum Service {
///     Redis(Redis),
/// }
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields, rename_all = "kebab-case")]
/// struct Redis {
///     primary: String,
/// }
///
/// let text = "[cache]\nkind = \"redis\"\nprimary = \"media-1\"\n[bad]\nkind = \"rediss\"\n";
/// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
/// let mut findings = Findings::new();
/// let services: Option<BTreeMap<String, ByKind<Service>>> = document.decode(&mut findings);
///
/// let ByKind(Service::Redis(cache)) = &services.expect("the good one")["cache"];
/// assert_eq!(cache.primary, "media-1");
/// assert_eq!(
///     findings.to_string(),
///     "error[invalid-value]: bad.kind: expected `redis`, found a string \"rediss\" \
///      (help: did you mean `redis`?)",
/// );
/// # Ok::<(), Findings>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByKind<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByKind<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(BY_KIND, KindVisitor(PhantomData))
    }
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: FromScalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(refused::<T, E>)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        match T::from_integer(number) {
            Some(result) => result.map_err(refused::<T, E>),
            None => Err(E::invalid_type(de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<T, E> {
        match T::from_bool(truth) {
            Some(result) => result.map_err(refused::<T, E>),
            None => Err(E::invalid_type(de::Unexpected::Bool(truth), &self)),
        }
    }
}

struct TableVisitor<T>(PhantomData<T>);

impl<'de, T: FromTable> Visitor<'de> for TableVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        ScalarVisitor(PhantomData).visit_str(text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        ScalarVisitor(PhantomData).visit_i64(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        ScalarVisitor(PhantomData).visit_u64(number)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<T, E> {
        ScalarVisitor(PhantomData).visit_bool(truth)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let table = T::Table::deserialize(MapAccessDeserializer::new(map))?;
        T::from_table(table).map_err(refused::<T, A::Error>)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list))
    }

    // Other deserializers than ours know lists only.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Vec<T>, D::Error> {
        Vec::deserialize(inner)
    }
}

struct KindVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for KindVisitor<T> {
    type Value = ByKind<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<ByKind<T>, D::Error> {
        T::deserialize(inner).map(ByKind)
    }
}

fn refused<T: FromScalar, E: de::Error>(why: String) -> E {
    match wording::remedy_of(&why) {
        Some(_) => E::custom(why),
        None => E::custom(format_args!("{why}{}write {}", wording::HELP, T::EXPECTED)),
    }
}

/// The field that names the variant.
pub(super) const KIND: &str = "kind";

/// How the helpers tell the deserializer what they are; no struct in Rust can
/// have such a name.
pub(super) const ONE_OR_MANY: &str = "stageplot: one or many";
pub(super) const BY_KIND: &str = "stageplot: by kind";
