//! Feeds a tree to serde.

use serde::de::{self, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{EnumAccess, KindAccess, ListAccess, OneAccess, TableAccess};
use super::context::Context;
use super::error::{Error, Place, Problem};
use super::helpers::{BY_KIND, KIND, ONE_OR_MANY};
use crate::FieldPath;
use crate::document::{Kind, Table, Value};
use crate::words::nearest;

/// One value of the tree, on its way into a type.
#[derive(Clone, Copy)]
pub(super) struct Node<'de, 'p> {
    pub(super) value: &'de Value,
    pub(super) step: Step<'p>,
    pub(super) context: &'p Context,
    pub(super) tag: Tag,
}

/// What the `kind` of a table means here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// A field like the others.
    Field,
    /// The name of the enum's variant.
    Variant,
    /// Has been seen to, so not a field of the rest.
    Done,
}

/// How a node was come to, without copying a path for every value.
#[derive(Clone, Copy)]
pub(super) struct Step<'p> {
    parent: Option<&'p Step<'p>>,
    segment: Option<StepTo<'p>>,
}

#[derive(Clone, Copy)]
pub(super) enum StepTo<'p> {
    Key(&'p str),
    Index(usize),
}

impl Step<'_> {
    pub(super) const ROOT: Step<'static> = Step { parent: None, segment: None };
}

impl<'de, 'p> Node<'de, 'p> {
    pub(super) fn new(value: &'de Value, step: Step<'p>, context: &'p Context) -> Self {
        Self { value, step, context, tag: Tag::Field }
    }

    /// A node inside this one.
    pub(super) fn inside<'q>(&'q self, to: StepTo<'q>, value: &'de Value) -> Node<'de, 'q> {
        let step = Step { parent: Some(&self.step), segment: Some(to) };
        Node::new(value, step, self.context)
    }

    pub(super) fn tagged(self, tag: Tag) -> Self {
        Self { tag, ..self }
    }

    pub(super) fn path(&self) -> FieldPath {
        let mut steps = Vec::new();
        let mut step = Some(&self.step);
        while let Some(here) = step {
            steps.extend(here.segment);
            step = here.parent;
        }
        let down = steps.iter().rev();
        down.fold(self.context.at.clone(), |path, step| match step {
            StepTo::Key(key) => path.key(*key),
            StepTo::Index(index) => path.index(*index),
        })
    }

    fn visit<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Error> {
        match self.value.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(truth) => visitor.visit_bool(*truth),
            Kind::Integer(number) => visitor.visit_i64(*number),
            Kind::Float(number) => visitor.visit_f64(*number),
            Kind::String(text) => visitor.visit_borrowed_str(text),
            Kind::List(values) => visitor.visit_seq(ListAccess::new(*self, values)),
            Kind::Table(table) => visitor.visit_map(TableAccess::new(*self, table)),
        }
    }

    /// A table that does not say its kind, unless under a name that is nearly
    /// right.
    fn without_kind(&self, table: &'de Table, kinds: &'static [&'static str]) -> Error {
        let near = nearest(KIND, table.entries().iter().map(|entry| entry.key.as_str()));
        match near.and_then(|near| table.get(near)) {
            Some(entry) => {
                let node = self.inside(StepTo::Key(&entry.key), &entry.value);
                let problem = Problem::UnknownField { field: entry.key.clone(), expected: &[KIND] };
                Error::new(problem).placed(|problem| node.place(problem))
            }
            None => Error::new(Problem::MissingKind(kinds)),
        }
    }

    /// Visits a table, and nothing else.
    fn visit_table<V: Visitor<'de>>(
        &self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value.kind() {
            Kind::Table(_) => self.visit(visitor),
            _ => {
                let expected: &dyn de::Expected = &visitor;
                Err(Error::new(Problem::NoTable { expected: expected.to_string(), fields }))
            }
        }
    }

    /// Says that a problem without a place is with this node, unless it only
    /// follows from what was reported inside.
    fn settle<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| {
            if error.place().is_some() {
                return error;
            }
            error.placed(|problem| {
                let follows = match problem {
                    Problem::MissingField(field) => {
                        self.value.as_table().is_some_and(|table| table.get(field).is_some())
                    }
                    Problem::Invalid { .. } => self.context.is_broken_inside(self.value),
                    Problem::Custom(_) => self.context.is_masked_inside(self.value),
                    _ => false,
                };
                Place { follows, ..self.place(problem) }
            })
        })
    }
}

impl<'de> Deserializer<'de> for Node<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.settle(self.visit(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.kind() {
            Kind::Null => self.settle(visitor.visit_none()),
            _ => self.settle(visitor.visit_some(self)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match (name, self.value.kind()) {
            (ONE_OR_MANY, Kind::List(_)) => self.visit(visitor),
            (ONE_OR_MANY, _) => visitor.visit_seq(OneAccess::new(self)),
            (BY_KIND, _) => visitor.visit_newtype_struct(self.tagged(Tag::Variant)),
            _ => visitor.visit_newtype_struct(self),
        };
        self.settle(result)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match self.value.kind() {
            Kind::Table(table) if self.tag == Tag::Variant => match table.get(KIND) {
                Some(kind) => visitor.visit_enum(KindAccess::new(self, kind)),
                None => Err(self.without_kind(table, variants)),
            },
            Kind::String(text) if self.tag != Tag::Variant => {
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            Kind::Table(table) if self.tag != Tag::Variant => match table.entries() {
                [entry] => visitor.visit_enum(EnumAccess::new(self, entry)),
                _ => Err(wrong_enum("a table with one of", variants)),
            },
            _ if self.tag == Tag::Variant => {
                let example = format!("{{ {KIND} = \"{}\", … }}", variants.first().unwrap_or(&"…"));
                Err(Error::new(Problem::NoTable { expected: example, fields: &[KIND] }))
            }
            _ => Err(wrong_enum("one of", variants)),
        };
        self.settle(result)
    }

    // Derived structs would also take a list of their fields' values.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.settle(self.visit_table(fields, visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.settle(self.visit_table(&[], visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple tuple_struct identifier
    }
}

/// A name of a table on its way into a type: a field, a map's key, a variant.
pub(super) struct Name<'de>(pub(super) &'de str);

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(de::value::StrDeserializer::new(self.0))
    }

    // Names are text in every format; a map may have numbers for keys.
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.parse() {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => visitor.visit_borrowed_str(self.0),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

fn wrong_enum(lead: &str, variants: &[&str]) -> Error {
    Error::new(Problem::WrongType { expected: format!("{lead} {}", super::wording::list(variants)) })
}
