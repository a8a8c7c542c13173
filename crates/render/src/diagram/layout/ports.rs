//! Where arrows meet their cards, and in which lanes they turn.

use std::collections::{BTreeMap, BTreeSet};

use super::super::picture::{Picture, Place};

/// The end of an arrow at a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port {
    /// On the card's left side, else on its right.
    pub(super) left: bool,
    /// Which place on that side, from the top.
    pub(super) slot: i32,
}

/// How far below a card's top a slot is.
pub(super) fn y_of(slot: i32) -> i32 {
    24 + slot * 22
}

/// How far below its slot a line is that leads to the left: between the lines
/// that lead to the right, or two would seem one.
pub(super) const LEFTWARD_START: i32 = 15;
pub(super) const LEFTWARD_END: i32 = 3;

/// Every port of a picture. What leaves a card on one side leaves it by one
/// port and parts later; what comes from cards of one service, to the same
/// ports, has met before it arrives.
pub(super) struct Ports {
    /// By arrow.
    ends: Vec<Port>,
    /// For each arrow the first one that ends where it does.
    meets: Vec<usize>,
    /// By card and side (`true` is left).
    starts: BTreeMap<(usize, bool), i32>,
    slots: Vec<i32>,
    /// Cards and sides with a lane, by the column after the gutter.
    trunks: BTreeMap<usize, BTreeSet<(usize, bool)>>,
}

/// What meets a card on one side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meets {
    End(usize),
    Start,
}

impl Ports {
    /// Ports for cards in these rows.
    pub(super) fn new(picture: &Picture, row_of: &[usize]) -> Self {
        let mut sides: BTreeMap<(usize, bool), Vec<(usize, Meets)>> = BTreeMap::new();
        let mut trunks: BTreeMap<usize, BTreeSet<(usize, bool)>> = BTreeMap::new();
        let mut met: BTreeMap<(usize, &str, &str, bool), usize> = BTreeMap::new();
        let mut meets = Vec::with_capacity(picture.arrows.len());
        for (index, arrow) in picture.arrows.iter().enumerate() {
            let (from, to) = (&picture.cards[arrow.from], &picture.cards[arrow.to]);
            let backward = from.column > to.column;
            let starts_left = from.column >= to.column;
            // Who comes straight has no row of its own: first.
            let straight = from.place == Place::Party && from.name == "Internet";
            let row = if straight { 0 } else { row_of[arrow.from] };
            let first = *met.entry((arrow.to, &from.name, &arrow.label, backward)).or_insert(index);
            meets.push(first);
            if first == index {
                sides.entry((arrow.to, !backward)).or_default().push((row, Meets::End(index)));
            }
            if !straight {
                let start = sides.entry((arrow.from, starts_left)).or_default();
                // What leaves to the left does so below all that arrives there.
                let row = if starts_left { usize::MAX } else { row_of[arrow.to] };
                match start.iter_mut().find(|(_, meets)| *meets == Meets::Start) {
                    Some(known) => known.0 = known.0.min(row),
                    None => start.push((row, Meets::Start)),
                }
                let gutter = from.column + usize::from(!starts_left);
                trunks.entry(gutter).or_default().insert((arrow.from, starts_left));
            }
        }
        let mut ports = Self {
            ends: vec![Port { left: true, slot: 0 }; picture.arrows.len()],
            meets,
            starts: BTreeMap::new(),
            slots: vec![0; picture.cards.len()],
            trunks,
        };
        for (&(card, left), meets) in &mut sides {
            meets.sort_unstable();
            for (slot, (_, meets)) in (0..).zip(meets.iter()) {
                ports.set(card, left, *meets, slot);
            }
        }
        ports.straighten(picture, row_of, &sides);
        for (&(card, left), meets) in &sides {
            let last = meets.iter().map(|(_, meets)| ports.get(card, left, *meets)).max().unwrap_or(0);
            ports.slots[card] = ports.slots[card].max(last + 1);
        }
        ports
    }

    /// Lets arrows between neighbours of one row start and end at one height,
    /// where that moves others down only.
    fn straighten(
        &mut self,
        picture: &Picture,
        row_of: &[usize],
        sides: &BTreeMap<(usize, bool), Vec<(usize, Meets)>>,
    ) {
        const ROUNDS: usize = 4;
        for _ in 0..ROUNDS {
            for (index, arrow) in picture.arrows.iter().enumerate() {
                let (from, to) = (arrow.from, arrow.to);
                let forward = picture.cards[from].column < picture.cards[to].column;
                let Some(&start) = self.starts.get(&(from, false)).filter(|_| forward) else { continue };
                if row_of[from] != row_of[to] {
                    continue;
                }
                let slot = start.max(self.end(index).slot);
                self.push_down(sides, from, false, Meets::Start, slot);
                self.push_down(sides, to, true, Meets::End(self.meets[index]), slot);
            }
        }
    }

    fn push_down(
        &mut self,
        sides: &BTreeMap<(usize, bool), Vec<(usize, Meets)>>,
        card: usize,
        left: bool,
        moved: Meets,
        mut slot: i32,
    ) {
        let Some(meets) = sides.get(&(card, left)) else { return };
        for (_, meets) in meets.iter().skip_while(|(_, meets)| *meets != moved) {
            let own = self.get(card, left, *meets).max(slot);
            self.set(card, left, *meets, own);
            slot = own + 1;
        }
    }

    fn get(&self, card: usize, left: bool, meets: Meets) -> i32 {
        match meets {
            Meets::End(arrow) => self.ends[arrow].slot,
            Meets::Start => self.starts.get(&(card, left)).copied().unwrap_or(0),
        }
    }

    fn set(&mut self, card: usize, left: bool, meets: Meets, slot: i32) {
        match meets {
            Meets::End(arrow) => self.ends[arrow] = Port { left, slot },
            Meets::Start => {
                self.starts.insert((card, left), slot);
            }
        }
    }

    /// Where an arrow ends.
    pub(super) fn end(&self, arrow: usize) -> Port {
        self.ends[self.meets[arrow]]
    }

    /// Whether an arrow is the first of those that end where it does.
    pub(super) fn is_first(&self, arrow: usize) -> bool {
        self.meets[arrow] == arrow
    }

    /// Where an arrow from a card to a column starts.
    pub(super) fn start(&self, card: usize, to_column: usize, picture: &Picture) -> Port {
        let left = picture.cards[card].column >= to_column;
        Port { left, slot: self.get(card, left, Meets::Start) }
    }

    /// How many slots a card has room for at least.
    pub(super) fn slots(&self, card: usize) -> i32 {
        self.slots[card]
    }

    /// How many lanes the gutter before a column has.
    pub(super) fn lane_count(&self, column: usize) -> i32 {
        let count = self.trunks.get(&column).map_or(0, BTreeSet::len);
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// Gives every trunk its lane, counted from the right. `y` tells the height
    /// of a slot. A trunk that starts further down turns earlier when it leads
    /// down, later when it leads up, so that neighbours cross seldom.
    pub(super) fn lanes(&self, picture: &Picture, y: impl Fn(usize, i32) -> i32) -> Lanes {
        let mut lanes = BTreeMap::new();
        for trunks in self.trunks.values() {
            let mut ordered: Vec<_> = trunks
                .iter()
                .map(|&(card, left)| {
                    let start = y(card, self.get(card, left, Meets::Start));
                    let ends = picture.arrows.iter().enumerate().filter(|(_, arrow)| {
                        arrow.from == card
                            && left == (picture.cards[card].column >= picture.cards[arrow.to].column)
                    });
                    let lowest = ends.map(|(index, arrow)| y(arrow.to, self.end(index).slot)).max();
                    let down = lowest.is_some_and(|lowest| lowest > start);
                    (down, if down { start } else { -start }, (card, left))
                })
                .collect();
            ordered.sort_unstable();
            lanes.extend((1..).zip(ordered).map(|(lane, (_, _, trunk))| (trunk, lane)));
        }
        Lanes(lanes)
    }
}

/// The lane of each trunk.
pub(super) struct Lanes(BTreeMap<(usize, bool), i32>);

impl Lanes {
    pub(super) fn of(&self, card: usize, left: bool) -> i32 {
        self.0.get(&(card, left)).copied().unwrap_or(1)
    }
}
