//! What a file says, whatever its format, and how two such differ.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{FieldChange, Which, sequence};

/// What a file, or a field of it, says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Value {
    /// One value, as people write it.
    Text(String),
    /// Named values, in no order.
    Table(BTreeMap<String, Value>),
    /// Values in an order that means something.
    List(Vec<Item>),
    /// Values in an order that means nothing.
    Bag(Vec<Item>),
    /// A word's arguments, and what stands in its braces: `handle /api { … }`.
    Block(String, Vec<Item>),
}

/// One of several values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Item {
    /// What tells it from others, the most telling first: two that share such a name,
    /// and share it with no other, are the same item with another value.
    pub(super) names: Vec<String>,
    /// Whether the names are part of its path, since its value does not tell them.
    pub(super) is_named: bool,
    pub(super) value: Value,
}

impl Item {
    /// An item that is its own name.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { names: Vec::new(), is_named: false, value: Value::Text(text.into()) }
    }

    /// An item with names.
    pub(super) fn named(names: Vec<String>, value: Value) -> Self {
        Self { names, is_named: true, value }
    }

    /// Whether the other is the same block under another name.
    fn is_renamed(&self, other: &Self) -> bool {
        matches!(self.value, Value::Block(..)) && self.value == other.value && self.names != other.names
    }

    /// Its path, by the name of that rank.
    fn path(&self, list: &str, rank: usize) -> String {
        match self.names.get(rank) {
            Some(name) if self.is_named => part(list, name),
            _ => list.to_owned(),
        }
    }
}

impl Value {
    /// A list of values, each known by what tells it from others.
    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().map(|item| Item::named(names(&item), item)).collect())
    }

    /// A text, where others have numbers and words of their own: what would read as one of
    /// those is shown in quotes, since `"1"` is not `1`.
    pub(super) fn string(text: &str) -> Self {
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Self::Text(serde_json::Value::from(text).to_string()),
            Err(_) => Self::Text(text.to_owned()),
        }
    }

    /// A number as it is written: in one way, where two ways of writing it are the same to
    /// every reader; else as it stands, since no reader of ours is to take it for another.
    pub(super) fn number(text: &str) -> Self {
        const EXACT_DIGITS: usize = 15;
        let plain = text.strip_prefix('+').unwrap_or(text);
        if let Ok(number) = plain.parse::<i128>() {
            return Self::Text(number.to_string());
        }
        let mantissa = plain.split(['e', 'E']).next().unwrap_or(plain);
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        match plain.parse::<f64>() {
            Ok(number) if number.is_finite() && digits.trim_matches('0').len() <= EXACT_DIGITS => {
                Self::Text(format!("{number:?}"))
            }
            _ => Self::Text(plain.to_owned()),
        }
    }

    /// The fields that differ between two values, in the order of paths.
    pub(super) fn compare(before: &Self, after: &Self) -> Vec<FieldChange> {
        let mut changes = Changes(Vec::new());
        changes.between("", before, after);
        changes.0.sort();
        changes.0
    }
}

impl Value {
    /// The fields of a value that one side has alone, in the order of paths.
    pub(super) fn alone(&self, side: Which) -> Vec<FieldChange> {
        let mut changes = Changes(Vec::new());
        let side = match side {
            Which::Before => Lone::Before,
            Which::After => Lone::After,
        };
        changes.only("", self, side);
        changes.0.retain(|change| !change.path.is_empty());
        changes.0.sort();
        changes.0
    }
}

/// What tells a table from others in its list.
fn names(item: &Value) -> Vec<String> {
    let fields = ["target", "name", "id", "source", "subnet"];
    let Value::Table(table) = item else { return Vec::new() };
    let named = |field: &&str| match table.get(*field) {
        Some(Value::Text(text)) => Some(serde_json::from_str(text).unwrap_or_else(|_| text.clone())),
        _ => None,
    };
    fields.iter().find_map(named).into_iter().collect()
}

/// Collects what differs.
struct Changes(Vec<FieldChange>);

/// Which side a value is on that the other has not.
#[derive(Clone, Copy)]
enum Lone {
    Before,
    After,
}

impl Changes {
    fn push(&mut self, path: &str, before: Option<&String>, after: Option<&String>) {
        self.0.push(FieldChange::new(path, before.cloned(), after.cloned()));
    }

    fn lone(&mut self, path: &str, text: &str, side: Lone) {
        match side {
            Lone::Before => self.0.push(FieldChange::new(path, Some(text.to_owned()), None)),
            Lone::After => self.0.push(FieldChange::new(path, None, Some(text.to_owned()))),
        }
    }

    fn between(&mut self, path: &str, before: &Value, after: &Value) {
        match (before, after) {
            (before, after) if before == after => {}
            (Value::Text(before), Value::Text(after)) => self.push(path, Some(before), Some(after)),
            (Value::Table(before), Value::Table(after)) => {
                let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                for name in names {
                    let path = join(path, name);
                    match (before.get(name), after.get(name)) {
                        (Some(before), Some(after)) => self.between(&path, before, after),
                        (Some(before), None) => self.only(&path, before, Lone::Before),
                        (None, Some(after)) => self.only(&path, after, Lone::After),
                        (None, None) => {}
                    }
                }
            }
            (Value::List(before), Value::List(after)) => {
                self.items(&format!("{path}[]"), before, after, true)
            }
            (Value::Bag(before), Value::Bag(after)) => self.items(&format!("{path}[]"), before, after, false),
            (Value::Block(words, before), Value::Block(others, after)) => {
                if words != others {
                    self.push(path, Some(words), Some(others));
                }
                self.items(path, before, after, true);
            }
            _ => {
                self.only(path, before, Lone::Before);
                self.only(path, after, Lone::After);
            }
        }
    }

    /// A value that the other side has nothing in the place of.
    fn only(&mut self, path: &str, value: &Value, side: Lone) {
        match value {
            Value::Text(text) => self.lone(path, text, side),
            Value::Table(fields) if fields.is_empty() => self.lone(path, "{}", side),
            Value::Table(fields) => {
                fields.iter().for_each(|(name, value)| self.only(&join(path, name), value, side));
            }
            Value::List(items) | Value::Bag(items) if items.is_empty() => self.lone(path, "[]", side),
            Value::List(items) | Value::Bag(items) => {
                items.iter().for_each(|item| self.item(&format!("{path}[]"), item, side));
            }
            Value::Block(words, items) => {
                if !words.is_empty() || items.is_empty() {
                    self.lone(path, words, side);
                }
                items.iter().for_each(|item| self.item(path, item, side));
            }
        }
    }

    fn item(&mut self, path: &str, item: &Item, side: Lone) {
        self.only(&item.path(path, item.names.len().saturating_sub(1)), &item.value, side);
    }

    /// Takes out items that both sides have, at another place.
    fn moved(&mut self, path: &str, gone: &mut BTreeMap<usize, &Item>, come: &mut BTreeMap<usize, &Item>) {
        let mut places: BTreeMap<&Item, VecDeque<usize>> = BTreeMap::new();
        come.iter().for_each(|(&place, &item)| places.entry(item).or_default().push_back(place));
        gone.retain(|&from, item| {
            let Some(to) = places.get_mut(*item).and_then(VecDeque::pop_front) else { return true };
            come.remove(&to);
            let text = match &item.value {
                Value::Text(text) | Value::Block(text, _) => text.as_str(),
                _ => "",
            };
            let path = item.path(path, item.names.len().saturating_sub(1));
            self.0.push(FieldChange::moved(path, text, from + 1, to + 1));
            false
        });
    }

    /// Items that one side has and the other has not, those that are the same with
    /// another value side by side.
    fn items(&mut self, path: &str, before: &[Item], after: &[Item], ordered: bool) {
        let (gone, come) = match ordered {
            true => sequence::differing(before, after),
            false => (sequence::without(before, after), sequence::without(after, before)),
        };
        let mut gone: BTreeMap<_, _> = gone.into_iter().map(|at| (at, &before[at])).collect();
        let mut come: BTreeMap<_, _> = come.into_iter().map(|at| (at, &after[at])).collect();
        if ordered {
            self.moved(path, &mut gone, &mut come);
        }
        let mut pairs = Vec::new();
        for rank in 0..gone.values().map(|item| item.names.len()).max().unwrap_or(0) {
            let (old, new) = (only_once(&gone, rank), only_once(&come, rank));
            for (name, old) in old {
                let Some(&new) = new.get(name) else { continue };
                pairs.extend(gone.remove(&old).zip(come.remove(&new)).map(|pair| (rank, pair)));
            }
        }
        // Others are the same where they stand at the same place of as many.
        if before.len() == after.len() && (ordered || before.len() == 1) {
            // Where the name is not part of the value, another name is another item, or the
            // same block under that name.
            let alike = |place: &usize| {
                let (old, new) = (gone[place], come.get(place)?);
                (old.names == new.names || !old.is_named || old.is_renamed(new)).then_some(*place)
            };
            let places: Vec<_> = gone.keys().filter_map(alike).collect();
            for place in places {
                pairs.extend(gone.remove(&place).zip(come.remove(&place)).map(|pair| (usize::MAX, pair)));
            }
        }
        for (rank, (old, new)) in pairs {
            if rank == usize::MAX && old.is_renamed(new) {
                self.push(&join(path, "name"), old.names.first(), new.names.first());
            }
            self.between(&old.path(path, rank), &old.value, &new.value);
        }
        gone.into_values().for_each(|item| self.item(path, item, Lone::Before));
        come.into_values().for_each(|item| self.item(path, item, Lone::After));
    }
}

/// The places of items by the name of that rank, where no other has the same.
fn only_once<'i>(items: &BTreeMap<usize, &'i Item>, rank: usize) -> BTreeMap<&'i str, usize> {
    let mut places: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (&place, item) in items {
        if let Some(name) = item.names.get(rank) {
            places.entry(name).and_modify(|place| *place = None).or_insert(Some(place));
        }
    }
    places.into_iter().filter_map(|(name, place)| Some((name, place?))).collect()
}

/// A path with one part more, in quotes where it would read as several.
fn join(path: &str, name: &str) -> String {
    let name = quoted(name);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// The path of an item by its name, below that of its list or block.
fn part(list: &str, name: &str) -> String {
    match list.strip_suffix("[]") {
        Some(list) => format!("{list}[{}]", quoted(name)),
        None => join(list, name),
    }
}

fn quoted(name: &str) -> String {
    let plain = |c: char| !matches!(c, '.' | '[' | ']' | '"' | '\\') && !c.is_control();
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        serde_json::Value::from(name).to_string()
    }
}
