//! Two plots differ where their bytes do, and back again the same way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stageplot_render::diff::{FieldChange, Which};
use stageplot_topology::arbitrary;

use super::*;

/// All bytes of a rendering but the manifests', by path.
fn bytes(rendering: &Rendering) -> BTreeMap<String, Vec<u8>> {
    let of_nodes = rendering.bundles.iter().flat_map(|bundle| {
        bundle.artifacts.iter().map(|file| (format!("{}/{}", bundle.node, file.path), file.bytes.clone()))
    });
    of_nodes.chain(rendering.overview.iter().map(|file| (file.path.clone(), file.bytes.clone()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_plot_is_as_its_shuffled_copy(
        (plot, shuffled) in arbitrary::plot().prop_flat_map(|plot| (Just(plot.clone()), arbitrary::shuffled(plot)))
    ) {
        if let (Ok(one), Ok(other)) = (plot.build(), shuffled.build()) {
            let diff = diff::between(&side(&one.topology), &side(&other.topology));
            prop_assert!(diff.is_empty(), "{:?}", diff);
        }
    }

    #[test]
    fn what_differs_in_any_byte_differs_and_back_again(
        (before, after) in (arbitrary::topology(), arbitrary::topology())
    ) {
        let same = bytes(&rendered(&before)) == bytes(&rendered(&after));
        let (one, other) = (side(&before), side(&after));
        let (there, back) = (diff::between(&one, &other), diff::between(&other, &one));
        prop_assert_eq!(there.is_empty(), same);
        prop_assert_eq!(mirrored(&there), told(&back));
    }
}

/// A plot with one field changed differs; a plot in other words does not.
#[test]
fn every_field_of_the_examples_shows() {
    for (name, text) in examples() {
        let before = topology(&text);
        let was = bytes(&rendered(&before));
        for (at, digit) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            let other = if digit == '1' { "2" } else { "1" };
            let mut text = text.clone();
            text.replace_range(at..at + 1, other);
            let Ok(document) = Document::parse(Format::Toml, "stageplot.toml", &text) else { continue };
            let Ok(after) = Plot::read(&document) else { continue };
            let differs = bytes(&rendered(&after.topology)) != was;
            let diff = diff::between(&side(&before), &side(&after.topology));
            assert_eq!(diff.is_empty(), !differs, "{name}, byte {at}: {diff:?}\n{text}");
        }
    }
}

#[test]
fn comments_and_order_of_a_plot_are_no_change() {
    let text = example("cluster");
    let commented = text.replace("\n[", "\n# somebody was here\n\n[").replace("  = ", "=");
    assert!(between(&text, &commented).is_empty());
}

fn examples() -> Vec<(String, String)> {
    ["single", "pair", "turn-edge"].map(|name| (name.to_owned(), example(name))).into()
}

/// What a diff says, as far as it has two sides.
pub(crate) fn told(diff: &Diff) -> Vec<String> {
    tell(diff, false)
}

/// The same of the diff in the other direction.
pub(crate) fn mirrored(diff: &Diff) -> Vec<String> {
    tell(diff, true)
}

fn tell(diff: &Diff, back: bool) -> Vec<String> {
    let status = |status: Status| match (status, back) {
        (Status::Added, true) => Status::Removed,
        (Status::Removed, true) => Status::Added,
        (status, _) => status,
    };
    let field = |place: &str, change: &FieldChange| {
        let (before, after) = match back {
            true => (&change.after, &change.before),
            false => (&change.before, &change.after),
        };
        let moved = change.moved.map(|it| if back { (it.to, it.from) } else { (it.from, it.to) });
        format!("{place}: {}: {before:?} {after:?} {moved:?}", change.path)
    };
    let mut told: Vec<String> = diff.stack.iter().map(|change| field("stack", change)).collect();
    let (opened, closed) = if back { (&diff.closed, &diff.opened) } else { (&diff.opened, &diff.closed) };
    // Why is said by the side that has it.
    told.extend(opened.iter().map(|flow| format!("+ {:?} {}", flow.from_nodes, flow.opens())));
    told.extend(closed.iter().map(|flow| format!("- {:?} {}", flow.from_nodes, flow.opens())));
    told.extend(diff.secrets.iter().map(|secret| match (secret.status, back) {
        (SecretStatus::Sealed, true) => format!("{} {:?}", secret.name, SecretStatus::Unsealed),
        (SecretStatus::Unsealed, true) => format!("{} {:?}", secret.name, SecretStatus::Sealed),
        (status, _) => format!("{} {status:?}", secret.name),
    }));
    for service in &diff.services {
        let (to, from) = if back { (&service.from, &service.to) } else { (&service.to, &service.from) };
        // What was renamed goes by its newer name.
        if service.status != Status::Renamed {
            told.push(format!("{} {:?} {to:?} {from:?}", service.name, status(service.status)));
        }
    }
    let files = diff.nodes.iter().filter(|node| node.status != Status::Renamed);
    let files = files.flat_map(|node| node.files.iter().map(move |file| (node.name.as_str(), file)));
    for (place, file) in files.chain(diff.overview.iter().map(|file| ("", file))) {
        let place = format!("{place}/{}", file.path);
        told.push(format!("{place} {:?} {}", status(file.status), file.rewritten));
        told.extend(file.fields.iter().chain(&file.about).map(|change| field(&place, change)));
        let lines = file.lines.iter().map(|line| {
            format!("{place} {} {} {}", (line.side == Which::Before) != back, line.number, line.text)
        });
        told.extend(lines);
    }
    told.sort();
    told
}
