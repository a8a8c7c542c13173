//! What holds for every text and every tree.

use ::toml as toml_crate;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

proptest! {
    #[test]
    fn json_comes_back(tree in table(true), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) };
        comes_back(Format::Json, &text.unwrap(), &tree);
    }

    #[test]
    fn toml_comes_back(tree in table(false), pretty: bool) {
        let text = if pretty { toml_crate::to_string_pretty(&tree) } else { toml_crate::to_string(&tree) };
        comes_back(Format::Toml, &text.unwrap(), &tree);
    }

    #[test]
    fn yaml_comes_back(tree in table(true)) {
        comes_back(Format::Yaml, &serde_saphyr::to_string(&tree).unwrap(), &tree);
    }

    #[test]
    fn no_text_panics(text in any_text()) {
        for format in [Format::Toml, Format::Json, Format::Yaml] {
            match parse(format, &text) {
                Ok(document) => {
                    has_its_places(&document.redacted(), &text);
                    check_spans(&document, document.root(), &FieldPath::root());
                }
                Err(findings) => {
                    for finding in &findings {
                        let span = finding.location.span.unwrap();
                        assert!(text.get(span.start..span.end).is_some());
                        assert!(!finding.help.is_empty());
                    }
                }
            }
        }
        has_its_places(&Redacted::of(&text), &text);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Toml, Format::Json, Format::Yaml] {
            let _ = Document::parse_bytes(format, "plot", &bytes);
        }
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in any_text()) {
        let ours = parse(Format::Json, &text);
        let referee = serde_json::from_str::<Json>(text.strip_prefix('\u{feff}').unwrap_or(&text));
        if ours.is_ok() {
            prop_assert!(referee.is_ok());
        } else if let Ok(tree) = referee {
            // Ours is stricter about names given twice and huge numbers only.
            let told = ours.unwrap_err().to_string();
            prop_assert!(told.contains("twice") || told.contains("too large"), "{tree} {told}");
        }
    }
}

fn comes_back(format: Format, text: &str, tree: &Json) {
    let document = parse(format, text).unwrap_or_else(|findings| panic!("{findings}\n{text}"));
    assert_eq!(&plain(document.root()), tree, "{text}");
    check_spans(&document, document.root(), &FieldPath::root());
    check_slices(&document, document.root());
}

/// Every value and name is found again by its path.
fn check_spans(document: &Document, value: &Value, path: &FieldPath) {
    let text = document.text();
    assert!(text.get(value.span()).is_some(), "{path} {:?}", value.span());
    let found = document.value(path).unwrap();
    assert!(std::ptr::eq(found, value), "{path}");
    match value.kind() {
        Kind::List(values) => {
            for (index, value) in values.iter().enumerate() {
                check_spans(document, value, &path.index(index));
            }
        }
        Kind::Table(table) => {
            for entry in table.entries() {
                assert!(text.get(entry.key_span.clone()).is_some());
                check_spans(document, &entry.value, &path.key(&entry.key));
            }
        }
        _ => {}
    }
}

/// The text of a scalar, read by itself, is that scalar.
fn check_slices(document: &Document, value: &Value) {
    match value.kind() {
        Kind::List(values) => values.iter().for_each(|v| check_slices(document, v)),
        Kind::Table(table) => {
            for entry in table.entries() {
                let key = &document.text()[entry.key_span.clone()];
                let alone = match document.format() {
                    Format::Toml => format!("{key} = 1"),
                    Format::Json => format!("{{{key}: 1}}"),
                    Format::Yaml => format!("{key}: 1"),
                };
                let alone = parse(document.format(), &alone).unwrap();
                assert_eq!(alone.root().as_table().unwrap().entries()[0].key, entry.key);
                check_slices(document, &entry.value);
            }
        }
        _ => {
            let slice = &document.text()[value.span()];
            // Block scalars mean nothing without their indentation.
            let block = document.format() == Format::Yaml && !slice.starts_with(['"', '\'']);
            if block && (slice.contains('\n') || slice.trim() != slice) {
                return;
            }
            let alone = match document.format() {
                Format::Toml => format!("a = {slice}"),
                Format::Json => format!("{{\"a\": {slice}}}"),
                Format::Yaml => format!("a: {slice}"),
            };
            let Ok(alone) = parse(document.format(), &alone) else {
                assert!(block, "{slice:?}");
                return;
            };
            let again = alone.value(&FieldPath::root().key("a")).unwrap();
            assert!(block || again.kind() == value.kind(), "{slice:?}");
        }
    }
}

fn table(nulls: bool) -> impl Strategy<Value = Json> {
    proptest::collection::btree_map(name(), tree(nulls), 0..12)
        .prop_map(|entries| Json::Object(entries.into_iter().collect()))
}

fn tree(nulls: bool) -> impl Strategy<Value = Json> {
    let null = if nulls { Json::Null } else { Json::Bool(true) };
    let leaf = prop_oneof![
        Just(null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9).prop_map(|float: f64| Json::from(float)),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map(name(), inner, 0..6)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,8}", text().prop_filter("merge", |t| t != "<<")]
}

/// Text, and what YAML and TOML readers are known to trip over.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,8}",
        proptest::sample::select(
            &[
                "on", "yes", "null", "~", "1e3", "0777", "22:22", "1.0", ".5", "0x1f", "true", "- a", "a: b",
                "#x", " x", "x ", "\n", "a\nb\n", "\t", "\r\n", "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}",
                "\0", "'", "\"", "\\", "{{x}}", "%a", "@a", "`", "*a", "&a", "!a", "|", ">", "---", "...",
                "",
            ][..]
        )
        .prop_map(str::to_owned),
    ]
}

/// Texts that get further than random characters do.
fn any_text() -> impl Strategy<Value = String> {
    let token = proptest::sample::select(
        &[
            "a",
            "b",
            "key",
            "=",
            ": ",
            ":",
            ",",
            "\n",
            "\n  ",
            "\n\t",
            "[",
            "]",
            "{",
            "}",
            "[[",
            "]]",
            "\"",
            "'",
            "\"\"\"",
            "'''",
            "\\",
            "\\u",
            "d83d",
            "- ",
            "? ",
            "&a ",
            "*a",
            "!t ",
            "!!str ",
            "|\n",
            ">-\n",
            "#",
            "//",
            "1",
            "-1",
            "0x1",
            "1e9",
            ".",
            "true",
            "null",
            "~",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "<<: ",
            "\u{feff}",
            "é",
            "😀",
            "\0",
            "\r",
            "\r\n",
            " ",
            "\u{2028}",
            "1979-05-27",
            "T07:32:00Z",
        ][..],
    );
    prop_oneof![proptest::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat()), any::<String>(),]
}

/// Every line of a text is in it, and every byte has its place, in order.
fn has_its_places(redacted: &Redacted, text: &str) {
    let shown = redacted.as_str();
    assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
    assert_eq!(redacted.range(0..text.len()), 0..shown.len());
    let mut last = 0;
    for (at, c) in text.char_indices() {
        let range = redacted.range(at..at + c.len_utf8());
        assert!(range.start >= last && shown.get(range.clone()).is_some(), "{at}: {range:?}");
        last = range.start;
    }
}
