//! Where everything in a picture goes.
//!
//! A grid. Columns are what a card is: those who connect, edges, what does the
//! work, data; so arrows lead from left to right. Every group of nodes has rows
//! of its own and spans the columns of its services. Arrows turn in the gutters
//! between columns only: first their lanes, then, right before the card, the
//! room for their labels. A card that is reached from two columns away stands
//! in a row that is empty in between. So nothing but gutters has to give way,
//! and no line crosses a card or a label.
//!
//! Whole pixels throughout: the same picture on every machine.

mod ports;
mod rows;
mod sizes;

use serde::Serialize;

use super::picture::{COLUMNS, Picture, Place};
use super::text::fit;
use ports::Ports;
use rows::{Rows, internet};
use sizes::{column_widths, gutter_width, height, label_room};

/// A picture with places, as the template draws it.
#[derive(Debug, Serialize)]
pub(super) struct Drawing {
    pub(super) title: String,
    pub(super) words: String,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) groups: Vec<Rect>,
    pub(super) cards: Vec<Rect>,
    pub(super) arrows: Vec<Line>,
    pub(super) labels: Vec<Label>,
}

/// A box with its texts.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) texts: Vec<Text>,
    /// How it is painted.
    pub(super) class: &'static str,
}

/// One line of text.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Text {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) text: String,
    pub(super) class: &'static str,
}

/// An arrow: the corners that it goes through.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) path: String,
    /// Whether it comes from outside the plot.
    pub(super) outside: bool,
    pub(super) tip: String,
    #[cfg(test)]
    #[serde(skip)]
    pub(super) corners: Vec<(i32, i32)>,
}

/// What stands on an arrow; the text ends at `x`.
#[derive(Debug, Serialize)]
pub(super) struct Label {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) text: String,
}

/// Around everything.
const MARGIN: i32 = 24;
/// Between a group's border and its cards.
const PAD: i32 = 16;
/// Between two rows of cards.
const ROW_GAP: i32 = 18;
/// Between two groups.
const GROUP_GAP: i32 = 22;
/// The head of a group with, and without, a second line.
const HEAD: (i32, i32) = (46, 32);
/// Sizes of letters.
const TITLE: i32 = 14;
const DETAIL: i32 = 12;
pub(super) const LABEL: i32 = 11;
/// A card is as wide as its texts, within these.
const CARD_WIDTH: (i32, i32) = (132, 260);
/// Between two lanes of a gutter.
const LANE: i32 = 12;
/// Before a card: the arrow's head, and some.
const TIP: i32 = 14;

impl Drawing {
    pub(super) fn new(picture: &Picture) -> Self {
        let rows = Rows::new(picture);
        let ports = Ports::new(picture, &rows.of);
        let widths = column_widths(picture);
        let mut x = [0; COLUMNS];
        let mut right = MARGIN;
        for column in 0..COLUMNS {
            let used = picture.cards.iter().any(|card| card.column == column);
            let gutter = if column == 0 { 0 } else { gutter_width(picture, &ports, column) };
            x[column] = right + gutter;
            right = if used { x[column] + widths[column] } else { right };
        }
        let mut drawing = Self {
            title: picture.title.clone(),
            words: picture.words.clone(),
            width: right + PAD + MARGIN,
            height: 0,
            groups: vec![Rect::default(); picture.groups.len()],
            cards: vec![Rect::default(); picture.cards.len()],
            arrows: Vec::new(),
            labels: Vec::new(),
        };
        drawing.place(picture, &rows, &ports, x, widths);
        drawing.connect(picture, &ports, x);
        drawing
    }

    /// Gives every group and card its place, row by row.
    fn place(
        &mut self,
        picture: &Picture,
        rows: &Rows,
        ports: &Ports,
        x: [i32; COLUMNS],
        widths: [i32; COLUMNS],
    ) {
        let mut y = MARGIN;
        for band in &rows.bands {
            let top = y;
            if let Some(group) = band.group {
                y += if picture.groups[group].subtitle.is_empty() { HEAD.1 } else { HEAD.0 };
            }
            for row in &band.rows {
                let height = row.iter().map(|&card| height(picture, ports, card)).max().unwrap_or(0);
                for &card in row {
                    let column = picture.cards[card].column;
                    self.cards[card] = card_rect(picture, card, x[column], y, widths[column], height);
                }
                y += height + ROW_GAP;
            }
            y -= ROW_GAP;
            if let Some(group) = band.group {
                y += PAD;
                let columns = band.rows.iter().flatten().map(|&card| picture.cards[card].column);
                let (first, last) =
                    columns.fold((COLUMNS - 1, 0), |(first, last), c| (first.min(c), last.max(c)));
                let left = x[first] - PAD;
                let rect = Rect {
                    x: left,
                    y: top,
                    width: x[last] + widths[last] + PAD - left,
                    height: y - top,
                    texts: Vec::new(),
                    class: "group",
                };
                self.groups[group] = head(picture, group, rect, widths[first] + PAD);
            }
            y += GROUP_GAP;
        }
        let bottom = y - GROUP_GAP;
        self.height = bottom + MARGIN;
        self.place_internet(picture, ports, widths[0]);
    }

    /// The Internet stands beside everything that it reaches, so that its
    /// arrows are straight.
    fn place_internet(&mut self, picture: &Picture, ports: &Ports, width: i32) {
        let Some(internet) = internet(picture) else { return };
        let reached = picture.arrows.iter().filter(|arrow| arrow.from == internet).map(|arrow| arrow.to);
        let reached: Vec<_> = reached.map(|card| (self.cards[card].y, self.cards[card].height)).collect();
        let top = reached.iter().map(|(y, _)| *y).min().unwrap_or(MARGIN);
        let bottom = reached.iter().map(|(y, height)| y + height).max().unwrap_or(MARGIN);
        let least = height(picture, ports, internet);
        let rect = card_rect(picture, internet, MARGIN, top, width, least.max(bottom - top));
        self.height = self.height.max(rect.y + rect.height + MARGIN);
        self.cards[internet] = rect;
    }

    /// Draws the arrows.
    fn connect(&mut self, picture: &Picture, ports: &Ports, x: [i32; COLUMNS]) {
        let internet = internet(picture);
        let at = |drawing: &Self, card: usize, slot: i32| drawing.cards[card].y + ports::y_of(slot);
        let lanes = ports.lanes(picture, |card, slot| at(self, card, slot));
        for (index, arrow) in picture.arrows.iter().enumerate() {
            let end = ports.end(index);
            let to = &self.cards[arrow.to];
            let end_y = at(self, arrow.to, end.slot) + if end.left { 0 } else { ports::LEFTWARD_END };
            let end_x = if end.left { to.x } else { to.x + to.width };
            let from = &self.cards[arrow.from];
            let corners = if Some(arrow.from) == internet {
                vec![(from.x + from.width, end_y), (end_x, end_y)]
            } else {
                let start = ports.start(arrow.from, picture.cards[arrow.to].column, picture);
                let start_y =
                    at(self, arrow.from, start.slot) + if start.left { ports::LEFTWARD_START } else { 0 };
                let start_x = if start.left { from.x } else { from.x + from.width };
                let gutter = picture.cards[arrow.from].column + usize::from(!start.left);
                let lane = lanes.of(arrow.from, start.left);
                let lane_x = x[gutter] - label_room(picture, gutter) - TIP - PAD - lane * LANE;
                match start_y == end_y {
                    true => vec![(start_x, start_y), (end_x, end_y)],
                    false => vec![(start_x, start_y), (lane_x, start_y), (lane_x, end_y), (end_x, end_y)],
                }
            };
            // A label stands before the card on the right, whichever way its arrow goes.
            let (label_card, label_y) = match end.left {
                true => (arrow.to, end_y),
                false => (arrow.from, corners[0].1),
            };
            if ports.is_first(index) || !end.left {
                self.labels.push(Label {
                    x: self.label_x(picture, label_card),
                    y: label_y - 5,
                    text: arrow.label.clone(),
                });
            }
            let reasons: Vec<_> = arrow.reasons.iter().map(String::as_str).collect();
            let tip = format!(
                "{} to {}: {}",
                picture.cards[arrow.from].name,
                picture.cards[arrow.to].name,
                reasons.join(", ")
            );
            let outside = picture.cards[arrow.from].place == Place::Party;
            self.arrows.push(Line {
                path: path(&corners),
                outside,
                tip,
                #[cfg(test)]
                corners,
            });
        }
    }

    /// Where labels before a card end: short of the border of its group, where
    /// the border is there.
    fn label_x(&self, picture: &Picture, card: usize) -> i32 {
        let x = self.cards[card].x;
        let bordered = match picture.cards[card].place {
            Place::Group(group) => self.groups[group].x + PAD == x,
            _ => false,
        };
        x - TIP - if bordered { PAD } else { 0 } + 4
    }
}

fn card_rect(picture: &Picture, index: usize, x: i32, y: i32, width: i32, height: i32) -> Rect {
    let card = &picture.cards[index];
    let room = width - 2 * PAD + 8;
    let line = |text: &str, size, y, class| Text { x: x + PAD, y, text: fit(text, size, room), class };
    let mut texts =
        vec![line(&card.name, TITLE, y + 25, "name"), line(&card.detail, DETAIL, y + 44, "detail")];
    let notes = card.notes.iter().zip(1..);
    texts.extend(notes.map(|(note, row)| line(note, DETAIL, y + 44 + 18 * row, "detail")));
    let class = match (card.place, card.column) {
        (Place::Group(_), 1) => "card edge",
        (Place::Group(_), 3) => "card data",
        (Place::Group(_), _) => "card work",
        _ => "card outside",
    };
    Rect { x, y, width, height, texts, class }
}

fn head(picture: &Picture, index: usize, rect: Rect, room: i32) -> Rect {
    let group = &picture.groups[index];
    let line = |text: &str, size, y, class| Text { x: rect.x + PAD, y, text: fit(text, size, room), class };
    let mut texts = vec![line(&group.title, TITLE, rect.y + 21, "node")];
    if !group.subtitle.is_empty() {
        texts.push(line(&group.subtitle, DETAIL, rect.y + 37, "detail"));
    }
    Rect { texts, ..rect }
}

/// A path through corners, rounded.
fn path(corners: &[(i32, i32)]) -> String {
    const RADIUS: i32 = 7;
    let step = |from: (i32, i32), to: (i32, i32), by: i32| {
        let towards = |a: i32, b: i32| a + (b - a).signum() * by.min((b - a).abs() / 2);
        (towards(from.0, to.0), towards(from.1, to.1))
    };
    let mut path = String::new();
    for (index, &corner) in corners.iter().enumerate() {
        let (before, after) = (index.checked_sub(1).map(|i| corners[i]), corners.get(index + 1).copied());
        path.push_str(&match (before, after) {
            (None, _) => format!("M{} {}", corner.0, corner.1),
            (Some(_), None) => format!(" L{} {}", corner.0, corner.1),
            (Some(before), Some(after)) => {
                let (a, b) = (step(corner, before, RADIUS), step(corner, after, RADIUS));
                format!(" L{} {} Q{} {} {} {}", a.0, a.1, corner.0, corner.1, b.0, b.1)
            }
        });
    }
    path
}
