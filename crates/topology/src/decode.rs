//! From the tree of a plot to the structs of the model, through serde.
//!
//! Serde stops at the first mistake; an operator wants all of them. So the
//! deserializer goes on by itself where it can: an unknown field, a bad entry
//! of a map or a bad element of a list is reported and left out. A bad field
//! of a struct ends that struct, so it is reported, masked, and the struct
//! alone is read again as if the field were absent. Nothing else is read
//! twice, and so a plot of many thousand mistakes costs little more than a
//! right one.
//!
//! # Structs of the model
//!
//! Tables are structs with
//! `#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]`. For
//! what TOML lets an operator write in more than one way there are helpers,
//! which keep places and messages exact where serde's `untagged`, `flatten`
//! and `tag` lose both:
//!
//! | in the plot | in the struct |
//! |---|---|
//! | `lan = "192.168.1.1"` | [`FromScalar`], [`scalar`] |
//! | `tls = "auto"` or `tls = { cert = "…", key = "…" }` | [`FromTable`], [`scalar_or_table`] |
//! | `from = "lan"` or `from = ["lan", "office"]` | [`one_or_many`] |
//! | `kind = "redis"` decides on the other fields | [`ByKind`] |
//!
//! ```
//! use serde::{Deserialize, Deserializer};
//! use stageplot_topology::decode::{self, FromScalar, FromTable};
//! use stageplot_topology::{Document, Findings, Format};
//!
//! #[derive(Debug, Default, PartialEq)]
//! enum Tls {
//!     #[default]
//!     Auto,
//!     Files { cert: String, key: String },
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct TlsFiles {
//!     cert: String,
//!     key: String,
//! }
//!
//! impl FromScalar for Tls {
//!     const EXPECTED: &str = "`auto`, or a table with `cert` and `key`";
//!
//!     fn from_text(text: &str) -> Result<Self, String> {
//!         match text {
//!             "auto" => Ok(Self::Auto),
//!             _ => Err("no way of having certificates".to_owned()),
//!         }
//!     }
//! }
//!
//! impl FromTable for Tls {
//!     type Table = TlsFiles;
//!
//!     fn from_table(table: TlsFiles) -> Result<Self, String> {
//!         Ok(Self::Files { cert: table.cert, key: table.key })
//!     }
//! }
//!
//! impl<'de> Deserialize<'de> for Tls {
//!     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
//!         decode::scalar_or_table(deserializer)
//!     }
//! }
//!
//! #[derive(Debug, Default, Deserialize)]
//! #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
//! struct Edge {
//!     domain: String,
//!     tls: Tls,
//!     port: Option<u16>,
//!     #[serde(deserialize_with = "decode::one_or_many")]
//!     routes: Vec<String>,
//! }
//!
//! let text = "domain = 7\nroutes = \"/api\"\nprot = 80\ntls = { cert = \"a.pem\" }\n";
//! let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
//! let mut findings = Findings::new();
//! let edge: Option<Edge> = document.decode(&mut findings);
//! document.locate(&mut findings);
//!
//! let found: Vec<String> = findings.iter().map(|f| f.to_string()).collect();
//! assert_eq!(found, [
//!     "error[wrong-type]: 1:10: domain: expected a string, found the number 7 \
//!      (help: put it in quotes)",
//!     "error[unknown-field]: 3:1: prot: unknown field `prot` in the file \
//!      (help: did you mean `port`? known fields: `domain`, `tls`, `port`, `routes`)",
//!     "error[missing-field]: 4:7: tls.key: missing field `key` in tls (help: add `key`)",
//! ]);
//! // What was right is there, so that validation can go on.
//! assert_eq!(edge.expect("the rest is right").routes, ["/api"]);
//! # Ok::<(), Findings>(())
//! ```

mod access;
mod context;
mod deserializer;
mod error;
mod helpers;
mod hole;
mod wording;

use serde::de::DeserializeOwned;

use self::context::Context;
use self::deserializer::{Node, Step};
pub use self::helpers::{ByKind, FromScalar, FromTable, one_or_many, scalar, scalar_or_table};
use crate::document::{Kind, Value};
use crate::words::nearest;
use crate::{Code, Document, FieldPath, Findings, Segment};

impl Document {
    /// Makes a `T` of the whole, and reports everything wrong with it. See
    /// [`decode`](crate::decode) for an example.
    ///
    /// `Some` means that a `T` could be made, if need be without what was
    /// reported; only the findings say whether all was well. `None` means that
    /// there are errors and no `T`. [`Document::locate`] gives the findings their
    /// places.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use stageplot_topology::{Document, Findings, Format};
    ///
    /// let document = Document::parse(Format::Toml, "ports.toml", "https = 443\nturn = \"3478\"\n")?;
    /// let mut findings = Findings::new();
    /// let ports: Option<BTreeMap<String, u16>> = document.decode(&mut findings);
    /// document.locate(&mut findings);
    /// assert_eq!(ports, Some([("https".to_owned(), 443)].into()));
    /// assert!(findings.to_string().starts_with("error[wrong-type]: 2:8: turn:"));
    /// # Ok::<(), Findings>(())
    /// ```
    pub fn decode<T: DeserializeOwned>(&self, findings: &mut Findings) -> Option<T> {
        decode_beside(self.root(), &FieldPath::root(), &Elsewhere::default(), findings)
    }
}

/// What of a tree is decoded elsewhere.
#[derive(Default)]
pub(crate) struct Elsewhere<'v> {
    /// Values that are passed over.
    pub(crate) values: Vec<&'v Value>,
    /// Kinds that tables and fields at the top may have besides those that are
    /// known here; findings name them as well.
    pub(crate) kinds: Vec<&'static str>,
}

/// Decodes `value` without what is decoded elsewhere.
pub(crate) fn decode_beside<T: DeserializeOwned>(
    value: &Value,
    at: &FieldPath,
    elsewhere: &Elsewhere<'_>,
    findings: &mut Findings,
) -> Option<T> {
    let context = Context::new(at.clone(), elsewhere, std::mem::take(findings));
    let decoded = match context.recover(Node::new(value, Step::ROOT, &context)) {
        Ok(decoded) => Some(decoded),
        Err(error) => {
            context.record(error);
            None
        }
    };
    *findings = context.into_findings();
    leave_out_echoes(value, at, findings);
    decoded
}

/// Leaves out what is told missing and stands in `value` under a name that is
/// nearly right, its own or that of a table that it is in: that is told as well.
fn leave_out_echoes(value: &Value, at: &FieldPath, findings: &mut Findings) {
    let holds = |table: &FieldPath, rest: &[Segment]| {
        let steps = table.segments().strip_prefix(at.segments());
        steps.is_some_and(|steps| {
            let mut steps = steps.iter().chain(rest);
            steps.try_fold(value, step_into).is_some()
        })
    };
    let misnamed = findings.iter().filter(|finding| finding.code == Code::UnknownField);
    let misnamed: Vec<_> = misnamed.map(|finding| finding.location.path.clone()).collect();
    let is_echo = |missing: &[Segment], misnamed: &FieldPath| {
        let Some((Segment::Key(name), table)) = misnamed.segments().split_last() else { return false };
        match missing.strip_prefix(table) {
            Some([Segment::Key(right), rest @ ..]) => {
                nearest(name, [right.as_str()]).is_some() && holds(misnamed, rest)
            }
            _ => false,
        }
    };
    findings.retain_mut(|finding| {
        let missing = finding.location.path.segments();
        finding.code != Code::MissingField || !misnamed.iter().any(|misnamed| is_echo(missing, misnamed))
    });
}

/// The value at one step of a path.
fn step_into<'v>(value: &'v Value, step: &Segment) -> Option<&'v Value> {
    match (value.kind(), step) {
        (Kind::Table(table), Segment::Key(key)) => table.get(key).map(|entry| &entry.value),
        (Kind::List(values), Segment::Index(index)) => values.get(*index),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
