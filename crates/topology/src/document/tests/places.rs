//! Mistakes with the exact line and column that an operator is sent to.

use super::*;

#[test]
fn syntax_errors_of_toml() {
    expect(
        Format::Toml,
        &[
            ("a = \n", "1:5: a string without quotes"),
            ("name = live\n", "1:8: a string without quotes"),
            ("a = 1\nb: 2\n", "2:2: a `:` after the name"),
            ("é = 1\n", "1:1: invalid unquoted key"),
            ("\"é\" = 1\n\"é\" = 2\n", "2:1: this name is given twice"),
            ("[a]\nx = 1\n[a]\n", "3:2: this name is given twice"),
            ("mode = 0600\n", "1:8: a number with a leading zero"),
            ("a = \"x\nb = 1\n", "1:7: invalid basic string"),
            ("a = [1\n", "1:7: unclosed array"),
            ("a = \"é\" b = 2\n", "1:9: unexpected key or value"),
            ("a = 99999999999999999999\n", "1:5: a: the number is too large"),
            ("a = [1, 0x1ffffffffffffffffffff]\n", "1:9: a[1]: the number is too large"),
            ("a = 1e999\n", "1:5: a: the number is too large"),
            ("{\"a\": 1}\n", "1:1: invalid key-value pair"),
        ],
    );
}

#[test]
fn every_line_of_toml_with_a_mistake_is_told() {
    let text = "a = yes\nb = 08\nc = 1\nc = 2\nd = \"ok\"\ne\n";
    let findings = parse(Format::Toml, text).unwrap_err();
    let lines: Vec<_> = findings.iter().map(|f| f.location.span.unwrap().line).collect();
    assert_eq!(lines, [1, 2, 4, 6], "{findings}");
}

#[test]
fn syntax_errors_of_json() {
    expect(
        Format::Json,
        &[
            ("{\n  \"a\": 1,\n}", "3:1: trailing comma"),
            ("{\"a\": [1 2]}", "1:10: expected `,` or `]`"),
            ("{\n  \"é\" 1}", "2:7: expected `:`"),
            ("{a: 1}", "1:2: key must be a string"),
            ("{\"a\": 'x'}", "1:7: expected value"),
            ("{\n// c\n}", "2:1: a comment"),
            ("{\"a\": 01}", "1:8: invalid number"),
            ("{\"a\": 1", "1:7: EOF"),
            ("{} {}", "1:4: trailing characters"),
            ("{\"a\": 1,\n \"a\": 2}", "2:2: a: `a` is given twice"),
            ("{\"x\": {\"a\": 1, \"a\": 2}}", "1:16: x.a: `x.a` is given twice"),
            ("{\"a\": \"x\\ud83d\"}", "1:9: an escape in a string"),
            ("{\"a\": 99999999999999999999}", "1:7: a: the number is too large"),
        ],
    );
}

#[test]
fn syntax_errors_of_yaml() {
    expect(
        Format::Yaml,
        &[
            ("a: b: c\n", "1:5: mapping values"),
            ("a:\n\t- b\n", "2:1: a tab where the line is indented"),
            ("a: @x\n", "1:4: unexpected character"),
            ("a: *x\n", "1:4: while parsing node, found unknown anchor"),
            ("a: b\n---\nc: d\n", "2:1: a second YAML document"),
            ("é: 1\na: 2\né: 3\n", "3:1: \"é\": `\"é\"` is given twice"),
            ("n:\n  a: 1\n  a: 2\n", "3:3: n.a: `n.a` is given twice"),
            ("a: 0777\n", "1:4: a: a number with a leading zero"),
            ("a: [é, 99999999999999999999]\n", "1:8: a[1]: the number is too large"),
            ("a: !vault x\n", "1:11: a: a YAML tag"),
            ("a: &b {x: 1}\nc:\n  <<: *b\n", "3:3: YAML merge keys"),
            ("? [a, b]\n: c\n", "1:3: a list or table where a name"),
            ("a: [1, 2\nb: 3\n", "2:2: illegal placement"),
        ],
    );
}

#[test]
fn several_mistakes_of_one_tree_are_told_at_once() {
    let text = "a: 0777\nb: !vault x\na: 1\nb: 2\n";
    let findings = parse(Format::Yaml, text).unwrap_err();
    assert_eq!(findings.iter().count(), 4, "{findings}");
}

#[test]
fn bytes_that_are_not_utf8() {
    let findings = Document::parse_bytes(Format::Toml, "plot", b"a = 1\n\xc3\xa9b\xff").unwrap_err();
    assert_eq!(
        findings.to_string(),
        "error[syntax]: 2:3: the plot: byte 9 (0xff) is not UTF-8 (help: save the file as UTF-8)"
    );
    let findings = Document::parse_bytes(Format::Toml, "plot", b"\xff\xfea\0").unwrap_err();
    assert!(findings.to_string().contains("UTF-16"), "{findings}");
}

#[test]
fn a_byte_order_mark_shifts_nothing() {
    for (format, text) in [
        (Format::Toml, "\u{feff}a = 1\n"),
        (Format::Json, "\u{feff}{\"a\": 1}"),
        (Format::Yaml, "\u{feff}a: 1\n"),
    ] {
        let document = parse(format, text).unwrap();
        let span = document.span_of(&FieldPath::root().key("a")).unwrap();
        assert_eq!(&text[span.start..span.end], "1", "{format}");
        assert_eq!(span.line, 1);
        assert_eq!(span.column, text.chars().skip(1).position(|c| c == '1').unwrap() + 1);
    }
    let findings = parse(Format::Json, "\u{feff}{\n \"a\" 1}").unwrap_err();
    assert!(findings.to_string().contains(" 2:6:"), "{findings}");
}

#[test]
fn places_of_values_names_and_what_is_absent() {
    let text =
        "[nodes.front]\r\nlan = \"é\" # c\r\nroles = [\"a\", \"b\"]\r\nextra = { x = 1,\r\n y = 2 }\r\n";
    let document = parse(Format::Toml, text).unwrap();
    let front = FieldPath::root().key("nodes").key("front");
    let place = |path: &FieldPath| {
        let span = document.span_of(path).unwrap();
        (span.line, span.column, &text[span.start..span.end])
    };
    assert_eq!(place(&front), (1, 1, "[nodes.front]"));
    assert_eq!(place(&front.key("lan")), (2, 7, "\"é\""));
    assert_eq!(place(&front.key("roles").index(1)), (3, 15, "\"b\""));
    assert_eq!(place(&front.key("roles").index(9)), (3, 9, "[\"a\", \"b\"]"));
    assert_eq!(place(&front.key("gone").key("deep")), (1, 1, "[nodes.front]"));
    assert_eq!(place(&front.key("lan").key("deep")), (2, 7, "\"é\""));
    let key = document.key_span_of(&front.key("roles")).unwrap();
    assert_eq!((key.line, key.column, key.end - key.start), (3, 1, 5));
    assert!(document.key_span_of(&front.key("gone")).is_none());

    let mut findings = Findings::new();
    for path in [front.key("extra"), front.key("extra").key("y"), front.key("lan")] {
        findings.add(Code::WrongType, path, "", "");
    }
    findings.add(Code::UnknownField, front.key("lan"), "", "");
    document.locate(&mut findings);
    let places: Vec<_> = findings
        .iter()
        .map(|f| f.location.span.unwrap())
        .map(|s| (s.line, s.column, &text[s.start..s.end]))
        .collect();
    let expected = [(2, 1, "lan"), (2, 7, "\"é\""), (4, 1, "extra"), (5, 6, "2")];
    assert_eq!(places, expected);
}

#[test]
fn places_in_yaml_blocks_end_where_they_do() {
    let text = "a:\n  b: x # c\n\n  # more\nc:\n";
    let document = parse(Format::Yaml, text).unwrap();
    let span = document.span_of(&FieldPath::root().key("a")).unwrap();
    assert_eq!(&text[span.start..span.end], "b: x");
    let mut findings = Findings::new();
    findings.add(Code::WrongType, FieldPath::root().key("c"), "", "");
    document.locate(&mut findings);
    let span = findings.iter().next().unwrap().location.span.unwrap();
    assert_eq!((span.line, span.column, &text[span.start..span.end]), (5, 1, "c"));
}

#[test]
fn every_syntax_finding_says_how_to_mend_it() {
    for format in [Format::Toml, Format::Json, Format::Yaml] {
        for text in ["[", "{", "a = ", "a: [", "\"", "\u{0}", "\\", "a: 'x", "]", ":", "-", "--- a\n--- b"] {
            if let Err(findings) = parse(format, text) {
                for finding in &findings {
                    assert!(!finding.help.is_empty(), "{format} {text:?}: {finding}");
                    assert!(finding.location.span.is_some(), "{format} {text:?}: {finding}");
                }
            }
        }
    }
}

fn expect(format: Format, cases: &[(&str, &str)]) {
    for (text, start) in cases {
        let findings = parse(format, text).expect_err(text);
        let first = findings.iter().next().unwrap().to_string();
        let told = first.split_once("]: ").unwrap().1.replacen("the plot: ", "", 1);
        assert!(told.starts_with(start), "{text:?}\n  wanted {start}\n  told   {told}");
    }
}
