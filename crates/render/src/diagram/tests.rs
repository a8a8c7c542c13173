use std::fmt::Write as _;

use stageplot_topology::Topology;

use super::layout::{Drawing, LABEL, Label, Rect};
use super::picture::{Picture, Place};
use super::text::width;
use crate::overview::tests::{examples, topology};

/// Every example, and plots of other sizes.
fn plots() -> Vec<(String, Topology)> {
    examples().into_iter().chain(sizes()).collect()
}

fn drawing(topology: &Topology) -> Drawing {
    Drawing::new(&Picture::new(topology))
}

#[test]
fn no_arrow_crosses_a_box_and_no_label_lies_on_one() {
    for (name, topology) in plots() {
        let drawing = drawing(&topology);
        let cards = || drawing.cards.iter().map(Area::of);
        for line in &drawing.arrows {
            for pair in line.corners.windows(2) {
                let segment = Area::between(pair[0], pair[1]);
                for card in cards() {
                    assert!(!card.overlaps(&segment), "{name}: {} crosses a box at {card:?}", line.tip);
                }
            }
        }
        let labels: Vec<_> = drawing.labels.iter().map(Area::of_label).collect();
        for (index, label) in labels.iter().enumerate() {
            let text = &drawing.labels[index].text;
            assert!(!cards().any(|card| card.overlaps(label)), "{name}: {text} lies on a box");
            assert!(!labels[..index].iter().any(|l| l.overlaps(label)), "{name}: {text} lies on a label");
        }
    }
}

#[test]
fn everything_lies_within_the_picture_and_services_within_their_nodes() {
    for (name, topology) in plots() {
        let picture = Picture::new(&topology);
        let drawing = drawing(&topology);
        let paper = Area { left: 0, top: 0, right: drawing.width, bottom: drawing.height };
        let rects = drawing.cards.iter().chain(&drawing.groups).map(Area::of);
        for area in rects.chain(drawing.labels.iter().map(Area::of_label)) {
            assert!(paper.contains(&area), "{name}: {area:?} leaves the picture");
        }
        for (card, rect) in picture.cards.iter().zip(&drawing.cards) {
            if let Place::Group(group) = card.place {
                assert!(Area::of(&drawing.groups[group]).contains(&Area::of(rect)), "{name}: {}", card.name);
            }
        }
        for (index, group) in drawing.groups.iter().enumerate() {
            let others = drawing.groups[..index].iter();
            assert!(!others.map(Area::of).any(|other| other.overlaps(&Area::of(group))), "{name}");
        }
    }
}

#[test]
fn nodes_with_the_same_roles_are_one_box() {
    let topology = topology(&forty_nodes());
    let titles: Vec<_> = Picture::new(&topology).groups.into_iter().map(|group| group.title).collect();
    assert_eq!(titles, ["media-01, media-02", "media-03", "media-04 … media-39 (36)", "media-40"]);
}

#[test]
fn more_boxes_than_anybody_reads_are_drawn_by_kind() {
    let topology = topology(&apps(90));
    let picture = Picture::new(&topology);
    let cards: Vec<_> = picture.cards.iter().map(|card| (card.name.as_str(), card.detail.as_str())).collect();
    assert_eq!(
        cards,
        [("edge", "Caddy · live.example.com"), ("app", "90 services"), ("Internet", "anybody")]
    );
}

#[test]
fn a_redis_that_others_run_is_drawn() {
    let (_, topology) = examples().into_iter().find(|(name, _)| name == "redis-external").expect("there");
    let chart = super::mermaid(&topology).expect("Mermaid");
    assert!(chart.contains("redis<br/>Redis elsewhere, by Sentinel"), "{chart}");
    assert!(chart.contains("-->|\"tcp 26379\"|"), "{chart}");
}

#[test]
fn an_svg_is_xml_with_a_title_and_a_description() {
    for (name, topology) in plots() {
        let svg = super::svg(&topology).expect("SVG");
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
        let root = document.root_element();
        let text = |tag| root.children().find(|n| n.has_tag_name(("http://www.w3.org/2000/svg", tag)));
        let title = format!("Stage plot of {}", topology.name());
        assert_eq!(text("title").and_then(|n| n.text()), Some(title.as_str()), "{name}");
        assert!(text("desc").and_then(|n| n.text()).is_some_and(|words| words.contains(" to edge")));
        assert_eq!(svg, super::svg(&topology).expect("SVG"), "{name}: twice the same");
    }
}

#[test]
fn a_flowchart_names_what_it_joins() {
    for (name, topology) in plots() {
        let chart = super::mermaid(&topology).expect("Mermaid");
        let ids: Vec<_> = chart.lines().filter_map(|line| line.split_once(" -->|")).collect();
        assert!(!ids.is_empty(), "{name}");
        for (from, rest) in ids {
            let to = rest.rsplit(' ').next().unwrap_or_default();
            for id in [from.trim(), to] {
                assert!(
                    chart.contains(&format!("  {id}[")) || chart.contains(&format!("  {id}([")),
                    "{name}: {id}"
                );
            }
        }
    }
}

/// A rectangle; its borders are not within it.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Area {
    fn of(rect: &Rect) -> Self {
        Self { left: rect.x, top: rect.y, right: rect.x + rect.width, bottom: rect.y + rect.height }
    }

    fn of_label(label: &Label) -> Self {
        Self {
            left: label.x - width(&label.text, LABEL),
            top: label.y - 9,
            right: label.x,
            bottom: label.y + 3,
        }
    }

    fn between(a: (i32, i32), b: (i32, i32)) -> Self {
        // A line has no area of its own; ends touch their boxes.
        let ((left, right), (top, bottom)) = ((a.0.min(b.0), a.0.max(b.0)), (a.1.min(b.1), a.1.max(b.1)));
        match top == bottom {
            true => Self { left, top: top - 1, right, bottom: bottom + 1 },
            false => Self { left: left - 1, top, right: right + 1, bottom },
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn contains(&self, other: &Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }
}

/// Plots of other sizes than the examples have.
fn sizes() -> Vec<(String, Topology)> {
    vec![
        ("forty-nodes".to_owned(), topology(&forty_nodes())),
        ("many-apps".to_owned(), topology(&apps(30))),
        ("too-many-apps".to_owned(), topology(&apps(90))),
    ]
}

fn forty_nodes() -> String {
    let mut text = "name = \"live\"\n[networks.lan]\ncidr = \"10.0.0.0/16\"\n".to_owned();
    for index in 1..=40 {
        let roles = match index {
            1 | 2 => "\"edge\"",
            3 => "\"livekit\", \"redis\"",
            40 => "\"redis\"",
            _ => "\"livekit\"",
        };
        let _ = write!(
            text,
            "[nodes.media-{index:02}]\naddress = \"10.0.0.{index}\"\npublic = \"203.0.113.{index}\"\nroles = [{roles}]\n"
        );
    }
    text + "[edge]\ndomain = \"live.example.com\"\ntls = { cert = \"c\", key = \"k\" }\n\
            [livekit]\nkeys = { main = { env = \"S\" } }\nturn = {}\n\
            [redis]\nprimary = \"media-03\"\npassword = { env = \"P\" }\n"
}

fn apps(count: u32) -> String {
    let mut text = "name = \"live\"\n[nodes.front]\naddress = \"10.0.0.1\"\npublic = \"203.0.113.10\"\nroles = \"edge\"\n\
         [edge]\ndomain = \"live.example.com\"\n"
        .to_owned();
    for index in 1..=count {
        let _ = write!(
            text,
            "[nodes.n{index}]\naddress = \"10.0.1.{index}\"\nroles = \"app-{index}\"\n\
             [services.app-{index}]\nkind = \"app\"\nrun = \"host\"\nport = 8080\nroutes = \"/{index}/*\"\n"
        );
    }
    text
}
