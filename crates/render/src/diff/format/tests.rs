//! The formats: what is a difference, what is none, and that nothing makes them panic.

use proptest::prelude::*;

use super::Format;
use crate::diff::value::Value;

const FORMATS: [(Format, &str); 9] = [
    (Format::Yaml, "a: [1, {b: c}]\nd: \"1\"\n"),
    (Format::Json, "{\"a\": [1, {\"b\": null}]}"),
    (Format::Toml, "a = 1\n[b.c]\nd = [\"e\"]\n"),
    (Format::Redis, "port 6379\nsave 3600 1\nuser a on \"~a b\"\n"),
    (Format::Nftables, "table inet t {\n chain c {\n  tcp dport { 1, 2 } accept\n }\n}\n"),
    (Format::Caddyfile, "{\n email a@b\n}\nsite {\n respond <<E\n x } {\n E\n}\n"),
    (Format::Systemd, "[Unit]\nAfter=a \\\n b\n"),
    (Format::Sysctl, "a.b = 1\n"),
    (Format::Env, "A='b\nc'\nD=e\n"),
];

/// The changes between two texts, each as `path: before → after`.
fn changes(format: Format, before: &str, after: &str) -> Vec<String> {
    let read = |text: &str| format.read(text).unwrap_or_else(|| panic!("{format:?} reads {text:?}"));
    let shown = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
    let changes = Value::compare(&read(before), &read(after)).into_iter();
    changes
        .map(|change| match change.moves() {
            Some(moves) => format!("{}: {moves}", change.path),
            None => format!("{}: {} → {}", change.path, shown(change.before), shown(change.after)),
        })
        .collect()
}

#[track_caller]
fn same(format: Format, before: &str, after: &str) {
    assert_eq!(changes(format, before, after), [""; 0]);
}

#[track_caller]
fn differ(format: Format, before: &str, after: &str, expected: &[&str]) {
    assert_eq!(changes(format, before, after), expected);
    assert!(!changes(format, after, before).is_empty());
}

#[test]
fn yaml_json_and_toml_by_path() {
    same(Format::Yaml, "a: 1 # why\nb: {c: x}\n", "b:\n  c: 'x'\n\na: 1\n");
    same(Format::Toml, "a = 1\nb = { c = 2 } # why\n", "b.c = 2\na = 1\n");
    differ(Format::Json, "{\"a\":{\"b\":1,\"c\":[]}}", "{\"a\":{\"b\":2}}", &["a.b: 1 → 2", "a.c: [] → -"]);
    differ(Format::Yaml, "a: 1", "a: '1'", &["a: 1 → \"1\""]);
    differ(Format::Yaml, "a.b: 1", "{}", &["\"a.b\": 1 → -"]);
    // A list's order means something; an item is found by what it is known by.
    differ(Format::Yaml, "a: [1, 2, 3]", "a: [1, 3]", &["a[]: 2 → -"]);
    differ(Format::Yaml, "a: [1, 2]", "a: [2, 1]", &["a[]: 2 moved from 2 to 1"]);
    differ(
        Format::Yaml,
        "a: [{name: x, b: 1}, {name: y, b: 1}, {name: z}]",
        "a: [{name: z}, {name: x, b: 2}, {name: y, b: 1}]",
        &["a[x].b: 1 → 2", "a[z]: moved from 3 to 1"],
    );
    differ(Format::Yaml, "a: [b]", "a: [c]", &["a[]: b → c"]);
    differ(
        Format::Yaml,
        "v: [{target: /a, source: q}, {target: /b, source: r}]",
        "v: [{target: /c, source: s}, {target: /b, source: t}]",
        &[
            "v[/a].source: q → -",
            "v[/a].target: /a → -",
            "v[/b].source: r → t",
            "v[/c].source: - → s",
            "v[/c].target: - → /c",
        ],
    );
}

#[test]
fn numbers_tags_and_dates_are_told_as_they_are_written() {
    let (big, bigger) = ("12345678901234567890123", "12345678901234567890124");
    for format in [Format::Json, Format::Yaml] {
        let text = |number: &str| format!("{{\"a\": {number}}}");
        differ(format, &text(big), &text(bigger), &[&format!("a: {big} → {bigger}")]);
        differ(format, &text("0.10000000000000000001"), &text("0.1"), &["a: 0.10000000000000000001 → 0.1"]);
        differ(format, &text("1e999"), &text("1e998"), &["a: 1e999 → 1e998"]);
        differ(format, &text("1"), &text("1.0"), &["a: 1 → 1.0"]);
        same(format, &text("1.50"), &text("15e-1"));
        same(format, &text("\"\\ud83d\\ude00\""), &text("\"😀\""));
    }
    differ(Format::Yaml, "a: !t 1", "a: 1", &["a: !t 1 → 1"]);
    differ(Format::Yaml, "a: !t {b: 1}", "a: {b: 1}", &["a.!t.b: 1 → -", "a.b: - → 1"]);
    differ(Format::Yaml, "a: !!str 1", "a: 1", &["a: \"1\" → 1"]);
    differ(Format::Yaml, "a: 0755", "a: 755", &["a: 0755 → 755"]);
    same(Format::Yaml, "a: !!int 0x1f\nb: !!map {c: ~}\n", "{b: {c: null}, a: +31}");
    same(Format::Yaml, "a: &a {b: 1, c: 2}\nd: {<<: *a, c: 3}\n", "a: {b: 1, c: 2}\nd: {b: 1, c: 3}\n");
    for refused in ["a: 1\na: 2", "a: 1\n---\na: 2", "? [a]\n: 1", "a: *b"] {
        assert_eq!(Format::Yaml.read(refused), None, "{refused}");
    }
    let aliases = (1..30).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect::<String>();
    assert_eq!(Format::Yaml.read(&format!("a0: &a0 1\n{aliases}")), None);
    assert_eq!(Format::Json.read(&"[".repeat(1 << 16)), None);
    let deep = "[".repeat(1 << 16) + &"]".repeat(1 << 16);
    assert_eq!((Format::Json.read(&deep), Format::Yaml.read(&deep)), (None, None));
    differ(
        Format::Toml,
        "a = 2026-11-28T10:00:00Z",
        "a = 2026-11-29T10:00:00Z",
        &["a: date 2026-11-28T10:00:00Z → date 2026-11-29T10:00:00Z"],
    );
    differ(Format::Toml, "a = 2026-11-28", "a = \"2026-11-28\"", &["a: date 2026-11-28 → 2026-11-28"]);
}

#[test]
fn redis_by_directive() {
    same(Format::Redis, "# a\nPort 6379\nsave 60 1 300 10\n", "save 300 10\nsave 60 1\n\nport \"6379\"\n");
    differ(Format::Redis, "save 60 1", "save \"\"", &["save[]: 60 1 → \"\""]);
    differ(Format::Redis, "appendonly yes", "", &["appendonly: yes → -"]);
    differ(Format::Redis, "appendonly yes", "appendonly no", &["appendonly: yes → no"]);
    differ(Format::Redis, "save 60 1\nsave \"\"", "save \"\"\nsave 60 1", &["save[]: \"\" → 60 1"]);
    let limit = "client-output-buffer-limit normal 0 0";
    differ(
        Format::Redis,
        &format!("{limit} 1\n{limit} 2"),
        &format!("{limit} 2\n{limit} 1"),
        &["client-output-buffer-limit[]: normal 0 0 2 → normal 0 0 1"],
    );
    // Of two that say the same thing, Redis takes the last one.
    same(Format::Redis, "b 1\na 2\ninclude x\nd 1\nc 2", "a 1\na 2\nb 1\ninclude x\nc 2\nd 1");
    same(Format::Redis, "a 1\ninclude x\na 2", "include x\na 2");
    differ(Format::Redis, "a 1\ninclude x", "include x\na 1", &["include: x moved from 2 to 1"]);
    differ(Format::Redis, "include x\ninclude y", "include y\ninclude x", &["include: y moved from 2 to 1"]);
    differ(Format::Redis, "include x\na 1", "include y\na 1", &["include: x → y"]);
    differ(Format::Redis, "a 1", "a 2\nb 1\ninclude x", &["a: 1 → 2", "b: - → 1", "include: - → x"]);
    differ(
        Format::Redis,
        "user a on\nuser b on",
        "user b on\nuser a off",
        &["user[]: - → a off", "user[]: a on → -"],
    );
    assert_eq!(Format::Redis.read("requirepass \"open"), None);
}

#[test]
fn nftables_by_chain() {
    let chain = |rules: &str| format!("table inet t {{\n\tchain c {{\n{rules}\n\t}}\n}}\n");
    same(
        Format::Nftables,
        &chain("ip saddr { 10.0.0.1, 10.0.0.2 } accept # a"),
        &chain("# b\n  ip saddr {10.0.0.2,\n10.0.0.1}   accept;"),
    );
    differ(
        Format::Nftables,
        &chain("tcp dport 22 accept\nip saddr { 10.0.0.1 } tcp dport 80 accept comment \"a\""),
        &chain(
            "tcp dport 22 accept\ntcp dport 443 accept\nip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 80 accept comment \"b\"",
        ),
        &[
            "inet t.c[]: - → tcp dport 443 accept",
            "inet t.c[]: ip saddr { 10.0.0.1 } tcp dport 80 accept comment \"a\" → \
             ip saddr { 10.0.0.1, 10.0.0.2 } tcp dport 80 accept comment \"b\"",
        ],
    );
    // Rules are tried one after the other.
    differ(
        Format::Nftables,
        &chain("tcp dport 1 drop\naccept"),
        &chain("accept\ntcp dport 1 drop"),
        &["inet t.c[]: tcp dport 1 drop moved from 1 to 2"],
    );
    differ(
        Format::Nftables,
        "table inet t {\n set s {\n type ipv4_addr\n elements = { 10.0.0.1, 10.0.0.2 }\n }\n}",
        "table inet t {\n set s {\n type ipv4_addr; elements = { 10.0.0.3, 10.0.0.1 }\n }\n}",
        &["inet t.s[]: elements = { 10.0.0.1, 10.0.0.2 } → elements = { 10.0.0.1, 10.0.0.3 }"],
    );
}

#[test]
fn caddyfile_by_directive() {
    same(
        Format::Caddyfile,
        "a.example.com, b.example.com {\n\trespond \"hello\" # why\n}\n",
        "a.example.com,\nb.example.com {\n    respond `hello`\n}",
    );
    differ(
        Format::Caddyfile,
        "(sfu) {\n reverse_proxy 10.0.0.1:1 {\n  lb_policy first\n }\n}\n",
        "(sfu) {\n reverse_proxy 10.0.0.1:1 10.0.0.2:1 {\n  lb_policy random\n  max_fails 3\n }\n}\n",
        &[
            "(sfu).reverse_proxy: 10.0.0.1:1 → 10.0.0.1:1 10.0.0.2:1",
            "(sfu).reverse_proxy.lb_policy: first → random",
            "(sfu).reverse_proxy.max_fails: - → 3",
        ],
    );
    differ(
        Format::Caddyfile,
        "x {\n handle /a {\n  respond 1\n }\n handle {\n  respond 2\n }\n}",
        "x {\n handle /a {\n  respond 3\n }\n handle {\n  respond 4\n }\n}",
        &["x.handle /a.respond: 1 → 3", "x.handle.respond: 2 → 4"],
    );
    differ(
        Format::Caddyfile,
        "x {\n handle /a {\n  respond 1\n }\n handle {\n  respond 2\n }\n}",
        "x {\n handle {\n  respond 2\n }\n handle /a {\n  respond 1\n }\n}",
        &["x.handle: /a moved from 1 to 2"],
    );
    differ(Format::Caddyfile, "x {\n root {$A}\n}", "x {\n root {env.A}\n}", &["x.root: {$A} → {env.A}"]);
    for broken in ["a {", "a }", "\"open", "a {\n <<E\n}"] {
        assert_eq!(Format::Caddyfile.read(broken), None, "{broken}");
    }
}

#[test]
fn units_settings_and_variables_by_name() {
    same(Format::Systemd, "; a\n[S]\nA=1\nB=x y\n", "[S]\nB=x \\\n# b\n y\nA = 1\n");
    differ(
        Format::Systemd,
        "[S]\nAfter=a\nAfter=b",
        "[S]\nAfter=a",
        &["S.After: - → a", "S.After[]: a → -", "S.After[]: b → -"],
    );
    same(Format::Sysctl, "# a\na.b=1\n", "a.b = 1");
    differ(Format::Sysctl, "a.b = 1", "a.c = 1", &["\"a.b\": 1 → -", "\"a.c\": - → 1"]);
    same(Format::Env, "# a\nA=b\nC='d'\n", "C=d\nA=\"b\"\n");
    differ(Format::Env, "A='b\nc'\n", "A=b\n", &["A: 'b\nc' → b"]);
    assert_eq!(Format::Env.read("A='open\n"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever a file holds, it is read or it is not, and differs from nothing but itself.
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,64}|[{}\\[\\]\"'`<=#\\\\;, a\n]{0,48}", at in any::<prop::sample::Index>()) {
        for (format, sample) in FORMATS {
            let at = at.index(sample.len() + 1);
            let at = (0..=at).rev().find(|&at| sample.is_char_boundary(at)).unwrap_or(0);
            let mixed = format!("{}{text}{}", &sample[..at], &sample[at..]);
            for text in [&text, &mixed] {
                if let Some(value) = format.read(text) {
                    prop_assert_eq!(Value::compare(&value, &value), []);
                    let sample = format.read(sample).expect("the sample");
                    let (there, back) = (Value::compare(&sample, &value), Value::compare(&value, &sample));
                    prop_assert_eq!(there.is_empty(), sample == value);
                    prop_assert!(is_mirrored(&there, &back), "{:?}\n{:?}", there, back);
                }
            }
        }
    }
}

fn is_mirrored(there: &[crate::diff::FieldChange], back: &[crate::diff::FieldChange]) -> bool {
    let key = |path: &str, before: &Option<String>, after: &Option<String>, places| {
        (path.to_owned(), before.clone(), after.clone(), places)
    };
    let there = there.iter();
    let mut there: Vec<_> =
        there.map(|c| key(&c.path, &c.before, &c.after, c.moved.map(|it| (it.from, it.to)))).collect();
    let back = back.iter();
    let mut back: Vec<_> =
        back.map(|c| key(&c.path, &c.after, &c.before, c.moved.map(|it| (it.to, it.from)))).collect();
    there.sort();
    back.sort();
    there == back
}
