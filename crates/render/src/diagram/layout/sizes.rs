//! How much room things take.

use super::super::picture::{Arrow, COLUMNS, Picture, Place};
use super::super::text::width;
use super::ports::{self, Ports};
use super::{CARD_WIDTH, DETAIL, LABEL, LANE, PAD, TIP, TITLE};

/// How wide each column is: as its cards and the heads of its groups want.
pub(super) fn column_widths(picture: &Picture) -> [i32; COLUMNS] {
    let mut widths = [CARD_WIDTH.0; COLUMNS];
    for card in &picture.cards {
        let lines = card.notes.iter().chain([&card.detail]).map(|line| width(line, DETAIL));
        let widest = lines.chain([width(&card.name, TITLE)]).max().unwrap_or(0);
        let wanted = (widest + 2 * PAD).min(CARD_WIDTH.1);
        widths[card.column] = widths[card.column].max(wanted);
    }
    for (index, group) in picture.groups.iter().enumerate() {
        let cards = picture.cards.iter().filter(|card| card.place == Place::Group(index));
        let Some(first) = cards.map(|card| card.column).min() else { continue };
        let widest = width(&group.title, TITLE).max(width(&group.subtitle, DETAIL));
        widths[first] = widths[first].max(widest.min(CARD_WIDTH.1));
    }
    widths
}

/// The gutter before a column: borders, lanes, labels.
pub(super) fn gutter_width(picture: &Picture, ports: &Ports, column: usize) -> i32 {
    2 * PAD + LANE * (ports.lane_count(column) + 1) + label_room(picture, column) + TIP
}

/// The room for labels before a column.
pub(super) fn label_room(picture: &Picture, column: usize) -> i32 {
    let before = |arrow: &&Arrow| {
        let (from, to) = (picture.cards[arrow.from].column, picture.cards[arrow.to].column);
        column == if from > to { from } else { to }
    };
    let labels = picture.arrows.iter().filter(before).map(|arrow| width(&arrow.label, LABEL));
    labels.max().unwrap_or(0) + 6
}

/// How high a card is at least.
pub(super) fn height(picture: &Picture, ports: &Ports, card: usize) -> i32 {
    let texts = 2 + i32::try_from(picture.cards[card].notes.len()).unwrap_or(0);
    (texts * 18 + 20).max(ports::y_of(ports.slots(card)) + 4)
}
