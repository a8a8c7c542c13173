//! What serde pulls from lists, tables and variants, and where it goes on
//! after a mistake.

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::deserializer::{Name, Node, StepTo, Tag};
use super::error::{Error, Problem};
use super::helpers::KIND;
use super::hole::Hole;
use crate::document::{Entry, Kind, Table, Value};

/// The elements of a list.
pub(super) struct ListAccess<'de, 'p> {
    list: Node<'de, 'p>,
    values: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de, 'p> ListAccess<'de, 'p> {
    pub(super) fn new(list: Node<'de, 'p>, values: &'de [Value]) -> Self {
        let values = values.iter().enumerate();
        Self { list, values }
    }

    fn next(&mut self) -> Option<(usize, &'de Value)> {
        let context = self.list.context;
        self.values.by_ref().find(|(_, value)| !context.is_masked(value))
    }
}

impl<'de> SeqAccess<'de> for ListAccess<'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, value)) = self.next() else {
            return Ok(None);
        };
        seed.deserialize(self.list.inside(StepTo::Index(index), value)).map(Some)
    }

    // With the type known, a bad element can be left out and the next tried.
    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Error> {
        while let Some((index, value)) = self.next() {
            let node = self.list.inside(StepTo::Index(index), value);
            match node.context.recover(node) {
                Ok(element) => return Ok(Some(element)),
                Err(error) => node.context.record_and_mask(error),
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

/// A value that stands for a list of one.
pub(super) struct OneAccess<'de, 'p>(Option<Node<'de, 'p>>);

impl<'de, 'p> OneAccess<'de, 'p> {
    pub(super) fn new(value: Node<'de, 'p>) -> Self {
        Self(Some(value))
    }
}

impl<'de> SeqAccess<'de> for OneAccess<'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|node| seed.deserialize(node)).transpose()
    }
}

/// The fields of a table.
pub(super) struct TableAccess<'de, 'p> {
    table: Node<'de, 'p>,
    entries: std::slice::Iter<'de, Entry>,
    /// The entry whose key was given and whose value was not.
    pending: Option<&'de Entry>,
    /// Missing fields that are made up after the others.
    holes: std::vec::IntoIter<&'static str>,
}

impl<'de, 'p> TableAccess<'de, 'p> {
    pub(super) fn new(node: Node<'de, 'p>, table: &'de Table) -> Self {
        Self {
            table: node,
            entries: table.entries().iter(),
            pending: None,
            holes: node.context.holes_of(node.value).into_iter(),
        }
    }

    fn next(&mut self) -> Option<&'de Entry> {
        let Node { context, tag, .. } = self.table;
        self.entries.by_ref().find(|entry| {
            let done = tag == Tag::Done && entry.key == KIND;
            !done && !context.is_masked(&entry.value)
        })
    }

    /// A problem with the name of `entry`.
    fn name_fault(&self, entry: &'de Entry, error: Error) -> Error {
        let node = self.table.inside(StepTo::Key(&entry.key), &entry.value);
        error.placed(|problem| {
            let mut place = node.place(problem);
            place.found = super::wording::found_name(&entry.key);
            place
        })
    }
}

impl<'de> MapAccess<'de> for TableAccess<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(entry) = self.next() else {
            let hole = self.holes.next();
            return hole.map(|field| seed.deserialize(Name(field))).transpose();
        };
        self.pending = Some(entry);
        let key = seed.deserialize(Name(&entry.key));
        key.map(Some).map_err(|error| self.name_fault(entry, error))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.pending.take() {
            Some(entry) => seed.deserialize(self.table.inside(StepTo::Key(&entry.key), &entry.value)),
            None => seed.deserialize(Hole),
        }
    }

    // With the types known, what is wrong can be left out: a field that the
    // struct does not know, a bad name, a bad entry of a map.
    fn next_key<K: Deserialize<'de>>(&mut self) -> Result<Option<K>, Error> {
        while let Some(entry) = self.next() {
            match K::deserialize(Name(&entry.key)) {
                Ok(key) => {
                    self.pending = Some(entry);
                    return Ok(Some(key));
                }
                Err(error) => {
                    let error = self.name_fault(entry, error);
                    self.table.context.record_and_mask(error);
                }
            }
        }
        self.holes.next().map(|field| K::deserialize(Name(field))).transpose()
    }

    fn next_value<V: Deserialize<'de>>(&mut self) -> Result<V, Error> {
        match self.pending.take() {
            Some(entry) => {
                let node = self.table.inside(StepTo::Key(&entry.key), &entry.value);
                node.context.recover(node)
            }
            None => V::deserialize(Hole),
        }
    }

    fn next_entry<K: Deserialize<'de>, V: Deserialize<'de>>(&mut self) -> Result<Option<(K, V)>, Error> {
        while let Some(key) = self.next_key()? {
            let Some(entry) = self.pending else {
                return Ok(Some((key, self.next_value()?)));
            };
            let node = self.table.inside(StepTo::Key(&entry.key), &entry.value);
            match node.context.recover(node) {
                Ok(value) => return Ok(Some((key, value))),
                Err(error) => node.context.record_and_mask(error),
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant with content: `{ variant = content }`.
pub(super) struct EnumAccess<'de, 'p> {
    table: Node<'de, 'p>,
    entry: &'de Entry,
}

impl<'de, 'p> EnumAccess<'de, 'p> {
    pub(super) fn new(table: Node<'de, 'p>, entry: &'de Entry) -> Self {
        Self { table, entry }
    }

    fn content(&self) -> Node<'de, '_> {
        self.table.inside(StepTo::Key(&self.entry.key), &self.entry.value)
    }
}

impl<'de> de::EnumAccess<'de> for EnumAccess<'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(Name(&self.entry.key)).map_err(|error| {
            error.placed(|problem| {
                // The table has nothing else, so the fault is its own.
                let mut place = self.table.place(problem);
                place.found = super::wording::found_name(&self.entry.key);
                place
            })
        })?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for EnumAccess<'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Err(Error::new(Problem::WrongType { expected: format!("`{}` alone, as text", self.entry.key) }))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.content())
    }

    fn newtype_variant<T: Deserialize<'de>>(self) -> Result<T, Error> {
        let content = self.content();
        content.context.recover(content)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.content().deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content().deserialize_struct("", fields, visitor)
    }
}

/// A table whose field `kind` names the variant.
pub(super) struct KindAccess<'de, 'p> {
    table: Node<'de, 'p>,
    kind: &'de Entry,
}

impl<'de, 'p> KindAccess<'de, 'p> {
    pub(super) fn new(table: Node<'de, 'p>, kind: &'de Entry) -> Self {
        Self { table, kind }
    }

    fn rest(&self) -> Node<'de, 'p> {
        self.table.tagged(Tag::Done)
    }
}

impl<'de> de::EnumAccess<'de> for KindAccess<'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let node = self.table.inside(StepTo::Key(KIND), &self.kind.value);
        if node.context.is_masked(node.value) {
            // An unknown kind was reported on the first try.
            return Err(Error::new(Problem::Reported));
        }
        let variant = match node.value.kind() {
            Kind::String(kind) => seed.deserialize(Name(kind)),
            _ => seed.deserialize(node),
        };
        let variant = variant.map_err(|error| error.placed(|problem| node.place(problem)))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for KindAccess<'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        // A kind without fields; whatever else is there is not known.
        self.struct_variant(&[], NoFields)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.rest())
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.rest().deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.rest().deserialize_struct("", fields, visitor)
    }
}

/// Takes a table without fields.
struct NoFields;

impl<'de> Visitor<'de> for NoFields {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<NoField>()?.is_some() {}
        Ok(())
    }
}

/// A field of a table that has none.
struct NoField;

impl<'de> Deserialize<'de> for NoField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Err(de::Error::unknown_field(&name, &[]))
    }
}
