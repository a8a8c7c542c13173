mod places;
mod properties;

use super::*;

#[test]
fn the_three_formats_give_one_tree() {
    let toml = "name = \"live\"\nroles = [\"edge\", \"sfu\"]\n[nodes.a]\nport = 80\nload = 1.5\non = true\n";
    let json = r#"{"name":"live","roles":["edge","sfu"],"nodes":{"a":{"port":80,"load":1.5,"on":true}}}"#;
    let yaml = "name: live\nroles: [edge, sfu]\nnodes:\n  a:\n    port: 80\n    load: 1.5\n    on: true\n";
    let tree = |format, text| plain(parse(format, text).unwrap().root());
    assert_eq!(tree(Format::Toml, toml), tree(Format::Json, json));
    assert_eq!(tree(Format::Toml, toml), tree(Format::Yaml, yaml));
}

#[test]
fn empty_files() {
    for text in ["", "\n", "\u{feff}", "# nothing yet\n"] {
        for format in [Format::Toml, Format::Yaml] {
            let document = parse(format, text).unwrap();
            assert_eq!(plain(document.root()), serde_json::json!({}), "{text:?}");
        }
    }
    let findings = parse(Format::Json, "").unwrap_err();
    assert_eq!(
        findings.to_string(),
        "error[syntax]: 1:1: the plot: EOF while parsing a value (help: an empty plot is {} in JSON)"
    );
}

#[test]
fn escapes_of_json_in_json_and_yaml() {
    let text = r#"{"a": "\ud83d\ude00\u00e9\/\b\f\n\r\t\"\\\u0000"}"#;
    for format in [Format::Json, Format::Yaml] {
        let document = parse(format, text).unwrap();
        let value = document.value(&FieldPath::root().key("a")).unwrap();
        assert_eq!(value.as_str(), Some("😀é/\u{8}\u{c}\n\r\t\"\\\0"));
    }
    for lone in [r#"{"a": "\ud83d"}"#, r#"{"a": "\ude00x"}"#] {
        for format in [Format::Json, Format::Yaml] {
            let findings = parse(format, lone).unwrap_err();
            assert_eq!(findings.iter().next().unwrap().code, Code::Syntax);
        }
    }
}

#[test]
fn deep_nesting_is_refused_without_overflow() {
    const MANY: usize = 1_000_000;
    for format in [Format::Toml, Format::Json, Format::Yaml] {
        for unit in
            ["[", "{", "a=[", "{\"a\":", "{a=", "- ", "? ", "[{", "a.", "x = {a.", "(", "\"", "!", "&a "]
        {
            let text = unit.repeat(MANY);
            assert!(parse(format, &text).is_err() || format == Format::Yaml, "{format} {unit}");
        }
    }
    let toml = format!("a = {}", "[".repeat(MANY));
    let findings = parse(Format::Toml, &toml).unwrap_err();
    assert!(findings.to_string().contains("nested more than 64 deep"), "{findings}");
    for format in [Format::Json, Format::Yaml] {
        let closed = "[".repeat(MANY) + &"]".repeat(MANY);
        let findings = parse(format, &closed).unwrap_err();
        assert!(findings.to_string().contains("nested more than 64 deep"), "{findings}");
    }
}

#[test]
fn sixty_four_levels_are_read_and_sixty_five_are_not() {
    for (levels, read) in [(64, true), (65, false), (90, false), (300, false)] {
        let list = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for format in [Format::Json, Format::Yaml] {
            assert_eq!(parse(format, &list).is_ok(), read, "{format} {levels}");
        }
        let under = format!("a = {}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(parse(Format::Toml, &under).is_ok(), read, "TOML {levels}");
        let block: String = (0..levels).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
        assert_eq!(parse(Format::Yaml, &block).is_ok(), read, "YAML block {levels}");
    }
}

#[test]
fn too_large_a_file_is_answered_at_once() {
    let text = "a".repeat(Document::MAX_SIZE + 1);
    for format in [Format::Toml, Format::Json, Format::Yaml] {
        let findings = Document::parse_bytes(format, "plot", text.as_bytes()).unwrap_err();
        assert!(findings.to_string().contains("the file has 17 MiB, and a plot 16 at most"), "{findings}");
    }
}

#[test]
fn aliases_are_read_within_bounds() {
    let text = "base: &base {port: 80}\nuse: *base\nword: &w x\nlist: [*w, *w]\n";
    let document = parse(Format::Yaml, text).unwrap();
    let expected = serde_json::json!({
        "base": {"port": 80}, "use": {"port": 80}, "word": "x", "list": ["x", "x"],
    });
    assert_eq!(plain(document.root()), expected);
    let used = document.span_of(&FieldPath::root().key("use")).unwrap();
    assert_eq!((used.line, used.column), (2, 6));

    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        laughs += &format!("a{level}: &a{level} [{below}]\n");
    }
    let findings = parse(Format::Yaml, &laughs).unwrap_err();
    assert!(findings.to_string().contains("too much text"), "{findings}");

    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(10_000));
    assert!(parse(Format::Yaml, &long).is_err());

    let mut deep = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        deep += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    let findings = parse(Format::Yaml, &deep).unwrap_err();
    assert!(findings.to_string().contains("nested more than"), "{findings}");

    for text in ["a: &a [*a]\n", "&a {b: *a}\n"] {
        let findings = parse(Format::Yaml, text).unwrap_err();
        assert!(findings.to_string().contains("inside the very value"), "{findings}");
    }
}

#[test]
fn tags_of_the_core_schema_are_read() {
    let text =
        "a: !!str 5\nb: !!int '5'\nc: !!float 5\nd: ! 5\ne: !!map {x: !!null ''}\nf: !!seq [!!bool true]\n";
    let document = parse(Format::Yaml, text).unwrap();
    let expected = serde_json::json!({"a": "5", "b": 5, "c": 5.0, "d": "5", "e": {"x": null}, "f": [true]});
    assert_eq!(plain(document.root()), expected);
    for text in ["a: !vault x\n", "a: !!seq {}\n", "a: !!binary aGk=\n", "a: !!int x\n"] {
        assert!(parse(Format::Yaml, text).is_err(), "{text}");
    }
}

#[test]
fn large_tables_are_looked_up_by_an_index() {
    let mut text = String::new();
    for node in 0..20_000 {
        text += &format!("[nodes.n{}]\nx = {node}\n", (node * 7919) % 20_000);
    }
    let document = parse(Format::Toml, &text).unwrap();
    for node in 0..20_000 {
        let path = FieldPath::root().key("nodes").key(format!("n{}", (node * 7919) % 20_000));
        assert_eq!(document.value(&path.key("x")).unwrap().kind(), &Kind::Integer(node));
        assert_eq!(document.span_of(&path).unwrap().line, node as usize * 2 + 1);
    }
    assert!(document.value(&FieldPath::root().key("nodes").key("n20000")).is_none());
}

#[test]
fn debug_shows_no_values() {
    let text = "password = \"hunter2\"\npin = 1234\nlist = [\"hunter2\"]\n";
    let document = parse(Format::Toml, text).unwrap();
    let shown = format!("{document:?} {:?} {:#?}", document.root(), document.root());
    assert!(!shown.contains("hunter2") && !shown.contains("1234"), "{shown}");
}

#[test]
fn redacted_texts_tell_no_length() {
    let text = "name = \"live\"\npassword = \"hünter2\"\n[keys]\nmain = 12\n[db]\nurl = 'pg://u:p@h'\n";
    let document = parse(Format::Toml, text).unwrap();
    let redacted = document.redacted();
    assert_eq!(
        redacted.as_str(),
        "name = \"live\"\npassword = ********\n[keys]\nmain = ********\n[db]\nurl = ********\n"
    );
    for torn in ["a: 1\r\ndb_pass: hunter2\r\n", "{\"a\": {\"secret\": \"hunter2\""] {
        assert!(!Redacted::of(torn).as_str().contains("hunter"), "{torn}");
    }
}

pub(super) fn parse(format: Format, text: &str) -> Result<Document, Findings> {
    Document::parse(format, "plot", text)
}

/// The tree without its places.
pub(super) fn plain(value: &Value) -> serde_json::Value {
    match value.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(truth) => (*truth).into(),
        Kind::Integer(number) => (*number).into(),
        Kind::Float(number) => (*number).into(),
        Kind::String(text) => text.as_str().into(),
        Kind::List(values) => values.iter().map(plain).collect(),
        Kind::Table(table) => {
            let entries = table.entries().iter();
            serde_json::Value::Object(entries.map(|e| (e.key.clone(), plain(&e.value))).collect())
        }
    }
}
