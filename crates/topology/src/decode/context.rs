//! What one call of `decode` remembers: findings, masks and holes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::Elsewhere;
use super::deserializer::Node;
use super::error::{Error, Place, Problem, Shape};
use super::helpers::KIND;
use super::wording;
use crate::document::quotes_secret;
use crate::document::{Kind, Value};
use crate::{FieldPath, Findings, Segment, Severity};

/// The state of one decoding, shared by all its nodes.
pub(super) struct Context {
    pub(super) at: FieldPath,
    findings: RefCell<Findings>,
    /// Values that are decoded elsewhere, and passed over here.
    elsewhere: HashSet<usize>,
    /// Values that were reported; they are passed over from then on.
    masked: RefCell<HashSet<usize>>,
    /// Those of them that have been a known field or element, so that what
    /// holds them may well be incomplete without its own fault.
    broken: RefCell<HashSet<usize>>,
    /// Fields that were reported missing, by the table that lacks them.
    holes: RefCell<HashMap<usize, Vec<&'static str>>>,
    /// Kinds that are decoded elsewhere.
    kinds: Vec<&'static str>,
}

impl Context {
    pub(super) fn new(at: FieldPath, elsewhere: &Elsewhere<'_>, findings: Findings) -> Self {
        Self {
            at,
            findings: RefCell::new(findings),
            elsewhere: elsewhere.values.iter().map(|value| identity(value)).collect(),
            masked: RefCell::default(),
            broken: RefCell::default(),
            holes: RefCell::default(),
            kinds: elsewhere.kinds.clone(),
        }
    }

    pub(super) fn into_findings(self) -> Findings {
        self.findings.into_inner()
    }

    /// Deserializes the node, again and again without what is wrong inside,
    /// until that succeeds or the fault is with the node itself.
    pub(super) fn recover<'de, T: Deserialize<'de>>(&self, node: Node<'de, '_>) -> Result<T, Error> {
        loop {
            let error = match T::deserialize(node) {
                Ok(_) if self.has_holes(node.value) => {
                    // The fields that were missing are made up.
                    return Err(Error::new(Problem::Reported).placed(|p| node.place(p)));
                }
                Ok(decoded) => return Ok(decoded),
                Err(error) => error.placed(|problem| node.place(problem)),
            };
            let place = error.place().map(|place| place.node);
            let own = identity(node.value);
            match (place, error.problem()) {
                // Says the next missing field as well, if the first can be
                // made up for the time being.
                (Some(at), Problem::MissingField(field)) if at == own => {
                    if !self.dig(own, field) {
                        return Err(error.reported());
                    }
                    self.record(error);
                }
                (Some(inside), _) if inside != own && self.mask(inside) => self.record(error),
                // A deserializer that keeps failing over the same value, or
                // over one that is not passed over.
                (Some(inside), _) if inside != own => {
                    return Err(Error::new(Problem::Reported).placed(|p| node.place(p)));
                }
                _ if self.has_holes(node.value) => return Err(error.reported()),
                _ => return Err(error),
            }
        }
    }

    /// Reports the error and passes over its value from now on.
    pub(super) fn record_and_mask(&self, error: Error) {
        if let Some(place) = error.place() {
            let known = !matches!(error.problem(), Problem::UnknownField { .. });
            self.masked.borrow_mut().insert(place.node);
            if known {
                self.broken.borrow_mut().insert(place.node);
            }
        }
        self.record(error);
    }

    /// Makes a finding of the error.
    pub(super) fn record(&self, error: Error) {
        let Some(place) = error.place() else { return };
        if place.follows || matches!(error.problem(), Problem::Reported) {
            return;
        }
        let mut findings = self.findings.borrow_mut();
        let full =
            findings.iter().filter(|finding| finding.severity == Severity::Error).count() >= Findings::LIMIT;
        // Finding words for what will only be counted would cost the most.
        findings.push(if full {
            wording::uncounted(place)
        } else {
            wording::diagnostic(error.problem(), place, self.kinds_at(error.problem(), &place.path))
        });
    }

    /// The kinds decoded elsewhere, where their names are expected as well: in a
    /// field `kind`, or as a table at the top.
    fn kinds_at(&self, problem: &Problem, path: &FieldPath) -> &[&'static str] {
        let is_name = match (problem, path.segments()) {
            (Problem::UnknownField { .. }, [_]) | (Problem::MissingKind(_), _) => true,
            (Problem::UnknownVariant { .. }, [.., Segment::Key(field)]) => field == KIND,
            _ => false,
        };
        if is_name { &self.kinds } else { &[] }
    }

    /// Whether `value` is passed over.
    pub(super) fn is_masked(&self, value: &Value) -> bool {
        // Most plots have none of either.
        let is_elsewhere = !self.elsewhere.is_empty() && self.elsewhere.contains(&identity(value));
        is_elsewhere || self.is_reported(value)
    }

    fn is_reported(&self, value: &Value) -> bool {
        let masked = self.masked.borrow();
        !masked.is_empty() && masked.contains(&identity(value))
    }

    /// Whether something inside `value` was reported and left out.
    pub(super) fn is_masked_inside(&self, value: &Value) -> bool {
        inside(value).any(|value| self.is_reported(value))
    }

    /// Whether something right inside `value` was reported as wrong.
    pub(super) fn is_broken_inside(&self, value: &Value) -> bool {
        let broken = self.broken.borrow();
        !broken.is_empty() && inside(value).any(|value| broken.contains(&identity(value)))
    }

    /// The fields to make up for `value`.
    pub(super) fn holes_of(&self, value: &Value) -> Vec<&'static str> {
        let holes = self.holes.borrow();
        if holes.is_empty() {
            return Vec::new();
        }
        holes.get(&identity(value)).cloned().unwrap_or_default()
    }

    fn has_holes(&self, value: &Value) -> bool {
        let holes = self.holes.borrow();
        !holes.is_empty() && holes.contains_key(&identity(value))
    }

    /// Remembers that `field` has to be made up; false if it is already.
    fn dig(&self, node: usize, field: &'static str) -> bool {
        let mut holes = self.holes.borrow_mut();
        let fields = holes.entry(node).or_default();
        if fields.contains(&field) {
            return false;
        }
        fields.push(field);
        true
    }

    fn mask(&self, node: usize) -> bool {
        self.broken.borrow_mut().insert(node);
        self.masked.borrow_mut().insert(node)
    }
}

/// The values of a list or a table.
fn inside(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, table) = match value.kind() {
        Kind::List(values) => (values.as_slice(), &[][..]),
        Kind::Table(table) => (&[][..], table.entries()),
        _ => (&[][..], &[][..]),
    };
    list.iter().chain(table.iter().map(|entry| &entry.value))
}

/// What tells a value from all others of its tree: where it is in memory. The
/// tree is borrowed for as long as these numbers live, so nothing moves.
pub(super) fn identity(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

impl Node<'_, '_> {
    /// Where a problem is that came up with this node.
    pub(super) fn place(&self, problem: &Problem) -> Place {
        let path = self.path();
        let path = match problem {
            Problem::MissingField(field) => path.key(*field),
            Problem::MissingKind(_) => path.key(KIND),
            _ => path,
        };
        let mut found = wording::found(self.value, &path);
        if let Problem::Custom(message) = problem {
            let quotes = quotes_secret(self.value, message);
            // What is wrong with a table as a whole holds no value of it.
            found.secret = quotes || found.secret && found.shape != Shape::Table;
        }
        Place { node: identity(self.value), found, path, follows: false }
    }
}
