//! Files that differ.

use serde::Serialize;

use super::{Status, Which};
use crate::Change;
use crate::diff::contents::Contents;

/// A file that differs.
///
/// ```
/// use stageplot_render::diff::{self, Side};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// # let before = side(Redis::default())?;
/// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// let diff = diff::between(&before, &after);
/// let of_redis = diff.nodes[0].files.iter().find(|file| file.path.ends_with("redis.conf"));
/// let file = of_redis.ok_or("its configuration")?;
/// assert_eq!(file.service.as_deref(), Some("cache"));
/// assert!(!file.is_for_people() && file.in_words().is_empty());
/// for field in &file.fields {
///     println!("{}: {:?} → {:?}", field.path, field.before, field.after); // appendonly: yes → no
/// }
/// assert!(file.fields.iter().any(|field| field.path == "appendonly"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FileDiff {
    /// Its path in the bundle, without the directory that is named by content:
    /// `services/sfu/livekit.yaml`.
    pub path: String,
    /// Whether it is new, gone or changed.
    pub status: Status,
    /// The service that reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How a change of it takes effect; none for files about the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// What differs in what the manifest says of it: `mode`, `owner`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<FieldChange>,
    /// Fields that differ, where its format has fields; all of them where it is new or gone
    /// on a machine that is neither.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Lines that differ, or all of them, where its format has none, or it cannot be read as such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineChange>,
    /// Its bytes differ and its fields do not, and that alone takes effect: its
    /// directory is named by its bytes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rewritten: bool,
    /// The sides on which it is not as it was rendered: somebody has edited it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<Which>,
}

impl FileDiff {
    pub(in crate::diff) fn new(path: &str, status: Status, contents: Contents) -> Self {
        Self {
            path: path.to_owned(),
            status,
            service: None,
            change: None,
            about: Vec::new(),
            fields: contents.fields,
            lines: contents.lines,
            rewritten: false,
            edited: Vec::new(),
        }
    }
}

/// A field with its value on both sides. A secret's value is its mark,
/// `sealed:NAME`.
///
/// See [`FileDiff`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FieldChange {
    /// Where it stands in its file, parts joined with dots: `rtc.tcp_port`.
    pub path: String,
    /// What the first side says; none where it has no such field.
    pub before: Option<String>,
    /// What the second side says; none where it has no such field.
    pub after: Option<String>,
    /// Where both say the same, and it stands at another place among its like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Move>,
}

/// From where to where something moved in a list whose order means something: places
/// from 1 on.
///
/// See [`FileDiff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Move {
    /// Where it stands on the first side.
    pub from: usize,
    /// Where it stands on the second side.
    pub to: usize,
}

impl FieldChange {
    /// A field with what both sides say of it.
    pub(crate) fn new(path: impl Into<String>, before: Option<String>, after: Option<String>) -> Self {
        Self { path: path.into(), before, after, moved: None }
    }

    /// A field that both sides have, at two places.
    pub(in crate::diff) fn moved(path: impl Into<String>, text: &str, from: usize, to: usize) -> Self {
        let moved = Some(Move { from, to });
        Self { path: path.into(), before: Some(text.to_owned()), after: Some(text.to_owned()), moved }
    }

    /// Says that it moved, where it did: `tcp dport 22 accept moved from 3 to 1`.
    ///
    /// ```
    /// use stageplot_render::diff::FieldChange;
    ///
    /// fn say(field: &FieldChange) -> String {
    ///     field.moves().unwrap_or_else(|| format!("{} is another one", field.path))
    /// }
    /// ```
    pub fn moves(&self) -> Option<String> {
        let Move { from, to } = self.moved?;
        let text = self.after.as_deref().filter(|text| !text.is_empty());
        let text = text.map(|text| format!("{text} ")).unwrap_or_default();
        Some(format!("{text}moved from {from} to {to}"))
    }
}

/// A line that one side has and the other has not.
///
/// ```
/// use stageplot_render::diff::{self, Side, Which};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{NodeSpec, Persistence, Plot, Redis};
/// # let side = |redis: Redis| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("cache", redis)
/// #         .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// # let before = side(Redis::default())?;
/// # let after = side(Redis { persistence: Persistence::None, ..Redis::default() })?;
/// for (file, _) in diff::between(&before, &after).files() {
///     for line in &file.lines {
///         let sign = if line.side == Which::Before { '-' } else { '+' };
///         println!("{sign} {}:{} {}", file.path, line.number, line.text);
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct LineChange {
    /// The side that has it.
    pub side: Which,
    /// Its number there, from 1 on.
    pub number: usize,
    /// What it says, without its end.
    pub text: String,
}
