//! A value is judged by the place where the template puts it.

use super::{Dialect, render};

#[track_caller]
fn refuses(dialect: Dialect, source: &str, value: &str) {
    let result = render(dialect, source, value);
    assert!(result.is_err(), "{source} with {value:?} gave {result:?}");
    assert!(result.unwrap_err().to_string().contains(&format!("into the {dialect}")));
}

#[track_caller]
fn writes(dialect: Dialect, source: &str, value: &str, expected: &str) {
    assert_eq!(render(dialect, source, value).unwrap(), expected);
}

#[test]
fn words_with_quotes_do_not_touch_other_text() {
    for dialect in [Dialect::Caddyfile, Dialect::RedisConf] {
        writes(dialect, "a http://{{ v }}:80 b", "host", "a http://host:80 b");
        for source in ["a x{{ v }}", "a {{ v }}x", "a \"{{ v }}\"", "a {{ v }}{{ v }}"] {
            refuses(dialect, source, "a b");
            refuses(dialect, source, "");
        }
        refuses(dialect, "# {{ v }}", "a\nb");
        writes(dialect, "# {{ v }}\n", "a 'b'", "# a 'b'\n");
    }
    writes(Dialect::RedisConf, "{{ v }}\n", "# a", "\"# a\"\n");
    writes(Dialect::RedisConf, "a \"x y\" {{ v }}\n", "a b", "a \"x y\" \"a b\"\n");
}

#[test]
fn caddyfile() {
    writes(Dialect::Caddyfile, "a {{ v }}", "x y", "a `x y`");
    writes(Dialect::Caddyfile, "a {{ v }}", "x`y\"z", "a \"x`y\\\"z\"");
    writes(Dialect::Caddyfile, "a {{ v }}", "{$X", "a `{$STAGEPLOT_BRACE:{}$X`");
    writes(Dialect::Caddyfile, "a {{ v | literal }}", "{env.X}", "a `\\{env.X\\}`");
    writes(Dialect::Caddyfile, "a {{ v | literal }}", "{$X}", "a `\\{$STAGEPLOT_BRACE:{}$X\\}`");
    refuses(Dialect::Caddyfile, "a {{ v }}", "{env.X}");
    refuses(Dialect::Caddyfile, "a {{ v }}", "{");
    refuses(Dialect::Caddyfile, "a {{ v }}", "`\\");
    refuses(Dialect::Caddyfile, "a <<END\n{{ v }}\nEND\n", "x\nEND");
}

#[test]
fn nftables() {
    for (value, written) in [
        ("443", "443"),
        ("50000-60000", "50000-60000"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("fd00::1", "fd00::1"),
        ("eth0", "\"eth0\""),
        ("accept", "\"accept\""),
        ("1-", "\"1-\""),
        ("; flush ruleset", "\"; flush ruleset\""),
    ] {
        writes(Dialect::Nftables, "x { {{ v }}, 1 }", value, &format!("x {{ {written}, 1 }}"));
    }
    writes(Dialect::Nftables, "chain {{ v | bare }} {", "in_1", "chain in_1 {");
    refuses(Dialect::Nftables, "chain {{ v | bare }} {", "in {");
    refuses(Dialect::Nftables, "x@{{ v }}", "a b");
}

#[test]
fn postgresql_conf() {
    for (value, written) in [
        ("5432", "5432"),
        ("128MB", "128MB"),
        ("on", "on"),
        ("8MB8", "'8MB8'"),
        ("10.0.0.1", "'10.0.0.1'"),
        ("", "''"),
        ("it's", "'it\\'s'"),
        ("a\nb\u{1}", "'a\\nb\\001'"),
    ] {
        writes(Dialect::PostgresConf, "a = {{ v }}\n", value, &format!("a = {written}\n"));
        writes(Dialect::PostgresConf, "a {{ v }} # {{ 'b' }}\n", value, &format!("a {written} # b\n"));
    }
    for source in ["a = '{{ v }}'", "a = x{{ v }}", "a = {{ v }}x", "a = {{ v }}{{ v }}", "{{ v }} = 1"] {
        refuses(Dialect::PostgresConf, source, "a b");
    }
}

#[test]
fn pg_hba_conf() {
    for (value, written) in [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("::/0", "::/0"),
        ("fd00:20::/64", "fd00:20::/64"),
        ("all", "\"all\""),
        ("beef", "\"beef\""),
        ("a\"b c", "\"a\"\"b c\""),
    ] {
        writes(Dialect::PgHba, "host {{ v }}, x\n", value, &format!("host {written}, x\n"));
    }
    for source in ["host \"{{ v }}\"", "host x{{ v }}", "host {{ v }}x", "# {{ v }}"] {
        refuses(Dialect::PgHba, source, "a\nb");
    }
    refuses(Dialect::PgHba, "host {{ v }}", "/^a");
}

#[test]
fn sql() {
    writes(Dialect::Sql, "SELECT {{ v }};", "it's\\\n", "SELECT E'it\\'s\\\\\\n';");
    writes(Dialect::Sql, "SELECT \"{{ v }}\", {{ v }}", "a\"", "SELECT \"a\"\"\", E'a\"'");
    writes(Dialect::Sql, "-- {{ v }}\nSELECT {{ v }}", "a b", "-- a b\nSELECT E'a b'");
    for source in [
        "SELECT '{{ v }}'",
        "SELECT x{{ v }}",
        "SELECT {{ v }}'x'",
        "SELECT {{ v }}{{ v }}",
        "DO $$ BEGIN {{ v }} END $$",
        "/* {{ v }} */",
        "-- {{ v }}",
    ] {
        refuses(Dialect::Sql, source, "a\nb");
    }
}

#[test]
fn systemd() {
    writes(Dialect::Systemd, "ExecStart=/x {{ v }}\n", "$A %n", "ExecStart=/x \"$$A %%n\"\n");
    writes(Dialect::Systemd, "ExecStart={{ v }} a\n", "/usr/bin/x", "ExecStart=/usr/bin/x a\n");
    writes(Dialect::Systemd, "ExecStart=/x \\\n  {{ v }}\n", "a b", "ExecStart=/x \\\n  \"a b\"\n");
    writes(Dialect::Systemd, "After={{ v }}\n", "docker.service", "After=docker.service\n");
    for (source, value) in [
        ("ExecStart={{ v }}\n", "-/bin/sh"),
        ("ExecStart={{ v }}\n", "/a b"),
        ("After={{ v }}\n", "a b"),
        ("User={{ v }}\n", "a%n"),
        ("WorkingDirectory={{ v }}\n", "~"),
        ("ExecStart=/x 'a {{ v }}'\n", "a b"),
        ("ExecStart=/x \\{{ v }}\n", "n"),
        ("{{ v }}=1\n", "A=B"),
        ("[{{ v }}]\n", "a]\nb"),
    ] {
        refuses(Dialect::Systemd, source, value);
    }
}

#[test]
fn env() {
    writes(Dialect::Env, "A={{ v }}\n", "it's $5", "A='it\\'s $5'\n");
    writes(Dialect::Env, "A={{ v }}\n", "C:\\", "A=\"C:\\\\\"\n");
    writes(Dialect::Env, "A={{ v }}\n", "", "A=''\n");
    refuses(Dialect::Env, "A={{ v }} # c\n", "a b");
    refuses(Dialect::Env, "{{ v }}=1\n", "A B");
    refuses(Dialect::Env, "A=x{{ v }}\n", "a b");
}

#[test]
fn shell() {
    writes(Dialect::Shell, "A={{ v }}\n", "it's", "A='it'\\''s'\n");
    writes(Dialect::Shell, "\"${A}\" {{ v }} # {{ v }}\n", "x", "\"${A}\" 'x' # x\n");
    for source in [
        "${{ v }}",
        "\\{{ v }}",
        "`echo {{ v }}`",
        "cat <<E\n{{ v }}\nE",
        "\"$(echo {{ v }})\"",
        "$(( {{ v }} ))",
        "${A:-{{ v }}}",
        "\"${A:-\"{{ v }}\"}\"",
    ] {
        refuses(Dialect::Shell, source, "a b");
    }
    refuses(Dialect::Shell, "# {{ v }}", "a\nreboot");
}

#[test]
fn xml() {
    for source in [
        "<!-- {{ v }} -->",
        "<a {{ v }}=''/>",
        "<a b={{ v }}/>",
        "<![CDATA[{{ v }}]]>",
        "<style>{{ v }}</style>",
        "<script a='1'>x{{ v }}</script>",
        "<?x {{ v }}?>",
        "<!DOCTYPE {{ v }}>",
    ] {
        refuses(Dialect::Xml, source, "a b");
        assert!(render(Dialect::Xml, source, "abc").is_ok());
    }
    writes(
        Dialect::Xml,
        "<style>a</style><text>{{ v }}</text>",
        "a<b",
        "<style>a</style><text>a&lt;b</text>",
    );
    writes(Dialect::Xml, "<!-- é --><text>{{ v }}</text>", "&", "<!-- é --><text>&amp;</text>");
}

#[test]
fn markdown() {
    writes(Dialect::Markdown, "at {{ v }}", "media-1.example.com:80", "at media-1.example.com:80");
    let reason = "ssh: the operator's way in (from 10.0.0.0/8), $5 & more -> all";
    writes(Dialect::Markdown, "| {{ v }} |", reason, &format!("| {reason} |"));
    writes(Dialect::Markdown, "{{ v }}", "1. a", "1\\. a");
    writes(Dialect::Markdown, "[a]{{ v }}", "(b)", "[a]\\(b\\)");
    writes(
        Dialect::Markdown,
        "```sh\ncat {{ v | shell }}\n```\n{{ v }}",
        "a *b*",
        "```sh\ncat 'a *b*'\n```\na \\*b\\*",
    );
    writes(Dialect::Markdown, "`x {{ v }}` {{ v }}", "*", "`x *` \\*");
    refuses(Dialect::Markdown, "`{{ v }}`", "a`b");
    refuses(Dialect::Markdown, "~~~\n{{ v }}\n~~~", "x\n~~~");
    refuses(Dialect::Markdown, "    {{ v }}", "*");
}

#[test]
fn mermaid() {
    writes(Dialect::Mermaid, "{{ v }} --> b", "media_1", "media_1 --> b");
    writes(Dialect::Mermaid, "a[{{ v }}]", "end", "a[\"end\"]");
    writes(Dialect::Mermaid, "a[\"{{ v }}\"]", "x\"]", "a[\"x#34;#93;\"]");
    refuses(Dialect::Mermaid, "n{{ v }}", "a b");
}

#[test]
fn nginx_takes_words_and_no_variables() {
    writes(Dialect::Nginx, "set $a {{ v }};", "/hooks/publish", "set $a /hooks/publish;");
    writes(Dialect::Nginx, "set $a {{ v }};", "a \"b\";\\\n", "set $a \"a \\\"b\\\";\\\\\\n\";");
    writes(Dialect::Nginx, "set $a {{ v }};", "", "set $a \"\";");
    writes(Dialect::Nginx, "application {{ v }} {", "a{b", "application \"a{b\" {");
    writes(Dialect::Nginx, "set $args port={{ v }}&app=x;", "1935", "set $args port=1935&app=x;");
    writes(Dialect::Nginx, "# {{ v }}\nset $a {{ v }};", "a b", "# a b\nset $a \"a b\";");
    for source in ["set $a x{{ v }};", "set $a \"{{ v }}\";", "set $a '{{ v }}';", "set $a {{ v }}x;"] {
        refuses(Dialect::Nginx, source, "a b");
    }
    refuses(Dialect::Nginx, "set $a {{ v }};", "$host");
    refuses(Dialect::Nginx, "# {{ v }}", "a\nb");
}

#[test]
fn no_dialect_holds_nul() {
    for dialect in Dialect::ALL {
        refuses(dialect, "{{ v }}", "a\0");
    }
}
