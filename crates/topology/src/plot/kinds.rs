//! Kinds of service that a program adds to those of this crate.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::read::is_field;
use crate::decode::{Elsewhere, decode_beside};
use crate::document::{Entry, Table, Value};
use crate::{App, Diagnostic, Document, FieldPath, Findings, Name, Segment};

/// A kind of service of one's own: a table with fields that suit it, which
/// stands for an [`App`].
///
/// The table is read as those of this crate's own kinds are: everything wrong
/// with it is found at once, in its place, and names that are nearly right are
/// suggested. For values that may be written in more than one way see
/// [`decode`](crate::decode). Beyond reading there is no such kind: a
/// [`Plot`](crate::Plot), what is rendered of it and compared, and
/// [`Plot::to_toml`](crate::Plot::to_toml) have the app.
///
/// ```
/// use serde::Deserialize;
/// use stageplot_topology::{App, CustomKind, Document, Format, CustomKinds, Opening, Plot, Port};
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields, rename_all = "kebab-case")]
/// struct Coturn {
///     realm: String,
///     #[serde(default)]
///     verbose: bool,
/// }
///
/// impl CustomKind for Coturn {
///     const NAME: &str = "coturn";
///
///     fn into_app(self) -> Result<App, String> {
///         if !self.realm.contains('.') {
///             return Err("realm is no domain\nhelp: write one such as turn.example.com".to_owned());
///         }
///         let mut command = vec!["--realm".to_owned(), self.realm];
///         command.extend(self.verbose.then(|| "--verbose".to_owned()));
///         let image = "coturn/coturn:4.7.0".parse().map_err(|error| format!("{error}"))?;
///         let app = App::container(image).open("turn", Opening::udp(Port::fixed(3478)));
///         Ok(App { command, ..app })
///     }
/// }
///
/// let text = r#"
/// name = "live"
/// [nodes.front]
/// public = "203.0.113.10"
/// roles = ["coturn"]
/// [coturn]                 # or [services.NAME] with kind = "coturn"
/// realm = "turn.example.com"
/// "#;
/// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
/// let kinds = CustomKinds::new().with::<Coturn>()?;
/// let built = Plot::read_with(&document, &kinds)?;
/// assert_eq!(built.topology.services()[0].kind.kind(), "app");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CustomKind: DeserializeOwned {
    /// What `kind` says in the plot, and the table in the short form.
    const NAME: &'static str;

    /// The app that the table stands for.
    ///
    /// # Errors
    ///
    /// Why it stands for none: what is wrong, without values that may be secret,
    /// and after a line break and `help: ` how to mend it.
    fn into_app(self) -> Result<App, String>;
}

/// The kinds of one's own that a plot is read with.
///
/// ```
/// # use serde::Deserialize;
/// # use stageplot_topology::{App, CustomKind};
/// use stageplot_topology::{CustomKinds, InvalidKind};
///
/// /// One that has the name of another.
/// #[derive(Deserialize)]
/// struct Cache {}
///
/// impl CustomKind for Cache {
///     const NAME: &str = "redis";
/// #     fn into_app(self) -> Result<App, String> { Ok(App::host()) }
/// }
///
/// let refused = CustomKinds::new().with::<Cache>();
/// assert_eq!(refused.err(), Some(InvalidKind::Taken("redis")));
/// ```
#[derive(Clone, Default)]
pub struct CustomKinds(BTreeMap<&'static str, Decode>);

type Decode = fn(&Value, &FieldPath, &Elsewhere<'_>, &mut Findings) -> Option<App>;

/// A kind that a plot could not name, or not tell from something else.
///
/// See [`CustomKinds`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKind {
    /// It is not a [`Name`].
    #[error("{0:?} cannot be a kind: {1}")]
    Name(&'static str, crate::InvalidName),
    /// Another kind has the name, or a field at the top of the plot.
    #[error("{0:?} cannot be a kind of its own: a plot has a table or a field of this name; choose another")]
    Taken(&'static str),
}

impl CustomKinds {
    /// None but those of this crate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind.
    ///
    /// # Errors
    ///
    /// [`InvalidKind`], where the name means something already.
    pub fn with<K: CustomKind>(mut self) -> Result<Self, InvalidKind> {
        let kind = K::NAME;
        let name = kind.parse().map_err(|error| InvalidKind::Name(kind, error))?;
        if is_field(&name) || self.0.insert(kind, decode::<K>).is_some() {
            return Err(InvalidKind::Taken(kind));
        }
        Ok(self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// The services of these kinds.
    pub(super) fn find<'d>(&self, document: &'d Document) -> Vec<CustomService<'d>> {
        let root = FieldPath::root();
        let entries = |table: &'d Value| table.as_table().into_iter().flat_map(Table::entries);
        let short = entries(document.root()).filter_map(|entry| {
            let (&kind, &decode) = self.0.get_key_value(entry.key.as_str())?;
            Some(CustomService { kind, decode, tag: None, entry, path: root.key(kind) })
        });
        let services = document.value(&root.key("services"));
        let long = services.into_iter().flat_map(entries).filter_map(|entry| {
            let tag = &entry.value.as_table()?.get("kind")?.value;
            let (&kind, &decode) = self.0.get_key_value(tag.as_str()?)?;
            let path = root.key("services").key(&entry.key);
            Some(CustomService { kind, decode, tag: Some(tag), entry, path })
        });
        long.chain(short).collect()
    }

    /// What the rest of the plot is decoded without.
    pub(super) fn elsewhere<'d>(&self, services: &[CustomService<'d>]) -> Elsewhere<'d> {
        Elsewhere {
            values: services.iter().map(|service| &service.entry.value).collect(),
            kinds: self.names().collect(),
        }
    }
}

impl fmt::Debug for CustomKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A service of a kind of one's own, as the file has it.
pub(super) struct CustomService<'d> {
    kind: &'static str,
    decode: Decode,
    /// The field that names the kind; none in the short form.
    tag: Option<&'d Value>,
    entry: &'d Entry,
    path: FieldPath,
}

impl CustomService<'_> {
    /// The kind, where it is written as a table at the top.
    pub(super) fn short(&self) -> Option<&'static str> {
        self.tag.is_none().then_some(self.kind)
    }

    /// Its name and the app that it stands for.
    pub(super) fn decode(&self, findings: &mut Findings) -> Option<(Name, App)> {
        let elsewhere = Elsewhere { values: self.tag.into_iter().collect(), kinds: Vec::new() };
        let app = (self.decode)(&self.entry.value, &self.path, &elsewhere, findings);
        // A name that is none has been reported with the others.
        Some((self.entry.key.parse().ok()?, app?))
    }

    /// Where a finding is about a field of its app that the file does not have,
    /// tells it of what the file has.
    pub(super) fn claim(&self, finding: &mut Diagnostic) {
        let [Segment::Key(table), Segment::Key(name), field @ ..] = finding.location.path.segments() else {
            return;
        };
        if table != "services" || *name != self.entry.key {
            return;
        }
        let [Segment::Key(first), ..] = field else { return };
        if self.entry.value.as_table().is_some_and(|table| table.get(first).is_some()) {
            return;
        }
        let field = field.iter().fold(FieldPath::root(), |path, segment| match segment {
            Segment::Key(key) => path.key(key),
            Segment::Index(index) => path.index(*index),
        });
        finding.message = format!("{} (`{field}` of the app that {} stands for)", finding.message, self.kind);
        finding.location.path = self.path.clone();
    }
}

/// Reports names of services that are none, as for services of this crate's kinds.
pub(super) fn review_names(document: &Document, custom: &[CustomService<'_>], findings: &mut Findings) {
    if custom.iter().all(|service| service.tag.is_none()) {
        return;
    }
    let at = FieldPath::root().key("services");
    let Some(services) = document.value(&at) else { return };
    let is_custom = |value: &Value| custom.iter().any(|service| std::ptr::eq(&service.entry.value, value));
    let entries = services.as_table().into_iter().flat_map(|table| table.entries());
    let values = entries.map(|entry| &entry.value).filter(|value| !is_custom(value)).collect();
    let others = Elsewhere { values, kinds: Vec::new() };
    let _: Option<BTreeMap<Name, IgnoredAny>> = decode_beside(services, &at, &others, findings);
}

fn decode<K: CustomKind>(
    value: &Value,
    at: &FieldPath,
    elsewhere: &Elsewhere<'_>,
    findings: &mut Findings,
) -> Option<App> {
    let AppOf::<K>(app, _) = decode_beside(value, at, elsewhere, findings)?;
    Some(app)
}

/// The app that a table of a kind stands for.
struct AppOf<K>(App, PhantomData<K>);

impl<'de, K: CustomKind> Deserialize<'de> for AppOf<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // So that a refusal is known to be about the table, and to follow from
        // what is wrong inside.
        deserializer.deserialize_newtype_struct(K::NAME, AppVisitor(PhantomData))
    }
}

struct AppVisitor<K>(PhantomData<K>);

impl<'de, K: CustomKind> Visitor<'de> for AppVisitor<K> {
    type Value = AppOf<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<AppOf<K>, D::Error> {
        let app = K::deserialize(deserializer)?.into_app().map_err(D::Error::custom)?;
        Ok(AppOf(app, PhantomData))
    }
}
