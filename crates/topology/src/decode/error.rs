//! What can be wrong with a value, as serde tells it, and where.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::FieldPath;

/// Why a value could not be decoded.
///
/// Only deserializers see it; [`decode`](super::decode) makes findings of it.
#[derive(Debug)]
pub(super) struct Error(Box<Fault>);

impl Error {
    pub(super) fn new(problem: Problem) -> Self {
        Self(Box::new(Fault { problem, place: None }))
    }

    /// Says where it happened, unless something nearer to it has.
    pub(super) fn placed(mut self, place: impl FnOnce(&Problem) -> Place) -> Self {
        if self.0.place.is_none() {
            self.0.place = Some(place(&self.0.problem));
        }
        self
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    pub(super) fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Marks it as in the findings already.
    pub(super) fn reported(mut self) -> Self {
        self.0.problem = Problem::Reported;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never a value: it may be a secret.
        match &self.0.problem {
            Problem::UnknownField { .. } => f.write_str("unknown field"),
            Problem::MissingField(field) => write!(f, "missing field `{field}`"),
            Problem::MissingKind(_) => f.write_str("missing kind"),
            Problem::NoTable { .. } => f.write_str("expected a table"),
            Problem::WrongType { expected } | Problem::Invalid { expected } => {
                write!(f, "expected {expected}")
            }
            Problem::UnknownVariant { .. } => f.write_str("unknown variant"),
            Problem::Custom(_) => f.write_str("invalid value"),
            Problem::Reported => f.write_str("reported already"),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Custom(message.to_string()))
    }

    // What was found is taken from the tree when the place is known, and left
    // out where it may be a secret; serde's `Unexpected` would spell it out.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::WrongType { expected: expected.to_string() })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Invalid { expected: expected.to_string() })
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(Problem::Invalid { expected: expected.to_string() })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let variant = variant.to_owned();
        Self::new(Problem::UnknownVariant { variant, expected })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let field = field.to_owned();
        Self::new(Problem::UnknownField { field, expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::MissingField(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        // Two spellings of one field: the format has told off the same twice.
        Self::new(Problem::Custom(format!(
            "`{field}` is given twice, once by another name\nhelp: keep one of the two"
        )))
    }
}

#[derive(Debug)]
struct Fault {
    problem: Problem,
    place: Option<Place>,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Problem {
    UnknownField {
        field: String,
        expected: &'static [&'static str],
    },
    MissingField(&'static str),
    WrongType {
        expected: String,
    },
    /// Something else than a table.
    NoTable {
        /// An example, or what serde calls the type.
        expected: String,
        /// None where the names are the operator's own.
        fields: &'static [&'static str],
    },
    /// A table that does not say which of these kinds it is of.
    MissingKind(&'static [&'static str]),
    Invalid {
        expected: String,
    },
    UnknownVariant {
        variant: String,
        expected: &'static [&'static str],
    },
    Custom(String),
    /// In the findings already, or the consequence of what is.
    Reported,
}

/// Where it is wrong.
#[derive(Debug)]
pub(super) struct Place {
    /// The value's identity in the tree, see [`super::context::identity`].
    pub(super) node: usize,
    pub(super) path: FieldPath,
    /// What was found there, in words, without secrets.
    pub(super) found: Found,
    /// Whether it only follows from what was reported inside.
    pub(super) follows: bool,
}

/// What was found, as far as it may be said.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) words: String,
    pub(super) shape: Shape,
    /// Whether it may be a secret.
    pub(super) secret: bool,
}

/// What was found, for choosing a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Null,
    Bool,
    Number,
    NumberInQuotes,
    Text,
    List,
    Table,
}
