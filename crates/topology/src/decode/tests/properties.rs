//! What holds for every tree.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

type Seed = fn() -> Json;

/// What is put in the place of a right field, and each is one mistake.
const SEEDS: &[(&str, Seed)] = &[
    ("port", || json!("no-port")),
    ("port", || json!(0)),
    ("port", || json!([])),
    ("memory", || json!(-1)),
    ("memory", || json!("12")),
    ("lan", || json!("10.0.0")),
    ("lan", || json!({"x": 1})),
    ("roles", || json!(7)),
    ("roles", || json!(["ok", 7, "ok"])),
    ("ports", || json!(80)),
    ("ports", || json!([80, null, 443])),
    ("up", || json!("true")),
    ("load", || json!("much")),
    ("colour", || json!({"port": 1})),
    ("prot", || json!(80)),
];

proptest! {
    #[test]
    fn every_seeded_mistake_is_told_once(
        nodes in proptest::collection::vec(proptest::collection::btree_set(0..SEEDS.len(), 0..6), 0..8),
        format in proptest::sample::select(&[Format::Json, Format::Yaml][..]),
    ) {
        let mut seeded = Vec::new();
        let mut plot = serde_json::Map::new();
        for (at, seeds) in nodes.iter().enumerate() {
            let mut node = serde_json::Map::new();
            for seed in seeds {
                let (field, value) = SEEDS[*seed];
                node.insert(field.to_owned(), value());
            }
            let name = format!("n{at}");
            for field in node.keys() {
                seeded.push(format!("nodes.{name}.{field}"));
            }
            plot.insert(name, Json::Object(node));
        }
        let count = plot.len();
        let text = serde_json::to_string_pretty(&json!({ "nodes": plot })).unwrap();
        let (decoded, told) = read::<Plot>(format, &text);
        prop_assert_eq!(told.len(), seeded.len(), "{:#?}\n{}", told, text);
        for path in seeded {
            let times = told.iter().filter(|t| t.contains(&format!(": {path}:")) || t.contains(&format!(": {path}["))).count();
            prop_assert_eq!(times, 1, "{} {:#?}", path, told);
        }
        prop_assert_eq!(decoded.unwrap().nodes.len(), count);
    }

    #[test]
    fn no_tree_panics(tree in tree()) {
        let text = serde_json::to_string(&tree).unwrap();
        let (plot, told) = read::<Plot>(Format::Json, &text);
        prop_assert!(plot.is_some() || !told.is_empty());
        let mut unique = told.clone();
        unique.sort();
        unique.dedup();
        prop_assert_eq!(unique.len(), told.len(), "{:#?}", told);
    }
}

/// Trees of the plot's own names, with anything below them.
fn tree() -> impl Strategy<Value = Json> {
    let name = proptest::sample::select(
        &[
            "name",
            "nodes",
            "services",
            "mode",
            "size",
            "port",
            "memory",
            "memory-size",
            "lan",
            "roles",
            "ports",
            "up",
            "load",
            "kind",
            "tls",
            "cert",
            "chain",
            "primary",
            "password",
            "timed",
            "sized",
            "width",
            "plain",
            "x",
            "prot",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-2i64..70_000).prop_map(Json::from),
        (-1e9..1e9).prop_map(|float: f64| Json::from(float)),
        proptest::sample::select(&["redis", "edge", "idle", "plain", "timed", "auto", "x", "10.0.0.1"][..])
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 80, 8, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            4 => proptest::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}
