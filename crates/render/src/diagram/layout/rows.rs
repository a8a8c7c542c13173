//! Which card stands in which row.

use super::super::picture::{Picture, Place};

/// Which rows belong to which group, and which cards stand in each.
pub(super) struct Rows {
    pub(super) bands: Vec<Band>,
    /// The row of each card, counted from the top.
    pub(super) of: Vec<usize>,
}

pub(super) struct Band {
    pub(super) group: Option<usize>,
    pub(super) rows: Vec<Vec<usize>>,
}

impl Rows {
    pub(super) fn new(picture: &Picture) -> Self {
        let mut bands: Vec<_> = (0..picture.groups.len())
            .map(|group| Band { group: Some(group), rows: rows_of_group(picture, group) })
            .collect();
        // Parties other than the Internet, and what others run: below, side by side.
        let internet = internet(picture);
        let outside = |place: Place| {
            let cards = picture.cards.iter().enumerate();
            cards.filter(move |(index, card)| card.place == place && Some(*index) != internet)
        };
        let parties: Vec<_> = outside(Place::Party).map(|(index, _)| index).collect();
        let elsewhere: Vec<_> = outside(Place::Elsewhere).map(|(index, _)| index).collect();
        let rows = (0..parties.len().max(elsewhere.len())).map(|row| {
            let cards = [parties.get(row), elsewhere.get(row)];
            cards.into_iter().flatten().copied().collect()
        });
        bands.extend(rows.map(|row| Band { group: None, rows: vec![row] }));
        let mut of = vec![0; picture.cards.len()];
        for (index, row) in bands.iter().flat_map(|band| &band.rows).enumerate() {
            row.iter().for_each(|&card| of[card] = index);
        }
        Self { bands, of }
    }
}

/// The rows of one group: edges first; a card that a party reaches past the
/// edges stands below them.
fn rows_of_group(picture: &Picture, group: usize) -> Vec<Vec<usize>> {
    let cards = picture.cards.iter().enumerate().filter(|(_, card)| card.place == Place::Group(group));
    let mut cards: Vec<_> = cards.map(|(index, card)| (card.column, index)).collect();
    cards.sort_unstable();
    let edges = cards.iter().filter(|(column, _)| *column == 1).count();
    let by_party = |card: usize| {
        picture.arrows.iter().any(|arrow| arrow.to == card && picture.cards[arrow.from].place == Place::Party)
    };
    let linked = |row: &[usize], card: usize| {
        picture.arrows.iter().any(|arrow| arrow.to == card && row.contains(&arrow.from))
    };
    let mut rows: Vec<Vec<usize>> = Vec::new();
    for (column, card) in cards {
        let below = if column > 1 && by_party(card) { edges } else { 0 };
        let free = |row: &Vec<usize>| row.iter().all(|&other| picture.cards[other].column != column);
        let fits = |&index: &usize| index >= below && rows.get(index).is_none_or(free);
        // Data stands beside the last that uses it, all else as far up as it may.
        let beside =
            (0..rows.len()).rev().find(|&index| column == 3 && fits(&index) && linked(&rows[index], card));
        let index = beside.or_else(|| (0..).find(fits)).unwrap_or(0);
        while rows.len() <= index {
            rows.push(Vec::new());
        }
        rows[index].push(card);
    }
    rows
}

/// The card of the Internet, if it is in the picture.
pub(super) fn internet(picture: &Picture) -> Option<usize> {
    picture.cards.iter().position(|card| card.place == Place::Party && card.name == "Internet")
}
