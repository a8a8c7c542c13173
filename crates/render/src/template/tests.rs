//! Templates as their users meet them, and each dialect against a reader of its format.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Dialect, Template, TemplateError, Templates};

mod bounds;
mod places;
mod readers;
mod round_trips;

pub(super) fn one(dialect: Dialect, source: &str) -> Result<Templates, Vec<TemplateError>> {
    Templates::new([Template::from_text("t".into(), dialect, source.into())])
}

pub(super) fn render(dialect: Dialect, source: &str, value: &str) -> Result<String, TemplateError> {
    one(dialect, source).expect("the template parses").render("t", &json!({ "v": value }))
}

#[test]
fn overrides_replace_text_and_keep_the_dialect() {
    let templates = Templates::new([
        Template::new("a.env", Dialect::Env, "A={{ a }}\n"),
        Template::new("redis.conf", Dialect::RedisConf, "dir {{ a }}\n"),
    ])
    .unwrap();
    let own = BTreeMap::from([("redis.conf".into(), "# mine\ndir {{ a }}\n".into())]);
    let templates = templates.with_overrides(own).unwrap();
    assert_eq!(templates.render("redis.conf", &json!({"a": "x y"})).unwrap(), "# mine\ndir \"x y\"\n");
    assert_eq!(templates.render("a.env", &json!({"a": "x y"})).unwrap(), "A='x y'\n");
}

#[test]
fn an_override_of_nothing_names_what_there_is() {
    let templates = one(Dialect::Env, "").unwrap();
    let errors = templates.with_overrides([("q".into(), String::new())].into()).unwrap_err();
    assert!(
        matches!(&errors[0], TemplateError::NoSuchTemplate { name, known } if name == "q" && known == &["t"])
    );
    assert!(errors[0].help().contains(": t"));
}

#[test]
fn all_syntax_errors_come_at_once_with_their_places() {
    let errors = Templates::new([
        Template::new("a", Dialect::Env, "A=1\n  {% if %}\n"),
        Template::new("b", Dialect::Env, "{{ x"),
        Template::new("c", Dialect::Shell, "é {{ x | nope }} {{ y | nada }}\n{% include \"zzz\" %}"),
    ])
    .unwrap_err();
    let text: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 5, "{text:#?}");
    assert!(text[0].starts_with("parse template a:2:9: "), "{text:#?}");
    assert!(text[1].starts_with("parse template b:1:5: "), "{text:#?}");
    assert!(text[2].starts_with("resolve a name in template c:1:10: "), "{text:#?}");
    assert!(text[4].contains("c:2:12: Unknown template `zzz`"), "{text:#?}");
}

#[test]
fn what_is_not_given_is_an_error_with_its_place() {
    let templates = one(Dialect::Env, "A={{ v }}\n{% if mispelt %}B=1{% endif %}\n").unwrap();
    let error = templates.render("t", &json!({"v": 1})).unwrap_err();
    assert!(matches!(error, TemplateError::Undefined { line: 2, column: 7, .. }), "{error}");

    let error = render(Dialect::Env, "\n  {{ v.port }}", "x").unwrap_err();
    assert!(matches!(error, TemplateError::Undefined { line: 2, .. }), "{error}");
}

#[test]
fn null_is_undefined_and_never_written() {
    let templates = one(Dialect::RedisConf, "{% if v %}requirepass {{ v }}{% endif %}x{{ o.w }}").unwrap();
    assert_eq!(templates.render("t", &json!({"v": null, "o": {"w": 1}})).unwrap(), "x1");
    assert!(templates.render("t", &json!({"v": null, "o": {"w": null}})).is_err());
    let templates = one(Dialect::RedisConf, "{% for x in v %}{{ x }}\n{% endfor %}").unwrap();
    assert!(templates.render("t", &json!({"v": ["a", null]})).is_err());
}

#[test]
fn a_refusal_names_the_value_and_never_shows_it() {
    let templates = one(Dialect::Sysctl, "# of {{ n }}\nkernel.x = {{ redis.password }}\n").unwrap();
    let values = json!({"n": "media-1", "redis": {"password": "line\nbreak"}});
    let error = templates.render("t", &values).unwrap_err();
    assert_eq!(
        error.to_string(),
        "write the value of `redis.password` into the sysctl file t, output line 2 after `kernel.x =`: \
         a sysctl value is one line without control characters"
    );
    assert!(!format!("{error:?}").contains("break"));
}

#[test]
fn clock_and_environment_are_not_there() {
    for call in ["get_env(name=\"HOME\")", "now()", "get_random(end=3)"] {
        let errors = one(Dialect::Env, &format!("{{{{ {call} }}}}")).unwrap_err();
        assert!(matches!(errors[0], TemplateError::Unknown { .. }), "{errors:?}");
    }
    for filter in ["date", "filesizeformat"] {
        assert!(one(Dialect::Env, &format!("{{{{ v | {filter} }}}}")).is_err());
    }
    // The engine's own window on everything that was given.
    let out = one(Dialect::Env, "A={{ __tera_context }}").unwrap().render("t", &json!({"v": "x'"}));
    assert!(out.is_ok_and(|out| out.starts_with("A='")), "it is one quoted value at least");
}

#[test]
fn no_builtin_filter_inserts_raw_text() {
    let hostile = "x\n' \" ` $(reboot) & <b> \\";
    for filter in [
        "escape",
        "escape_html",
        "escape_xml",
        "newlines_to_br",
        "upper",
        "trim",
        "capitalize",
        "title",
        "indent",
        "str",
        "reverse",
        "truncate(length=99)",
        "replace(from=\"x\", to=\"y\")",
        "split(pat=\"x\") | join(sep=\"'\")",
    ] {
        let out = render(Dialect::Shell, &format!("{{{{ v | {filter} }}}}"), hostile).unwrap();
        let bytes = readers::shell_words(&out);
        assert_eq!(bytes.len(), 1, "{filter}: {out:?}");
    }
    assert_eq!(render(Dialect::Shell, "{{ v | safe }}", "a b").unwrap(), "a b");
}

#[test]
fn captured_blocks_keep_their_values_apart() {
    let source = "{% set line %}a {{ v }} b{% endset %}{{ line }}|{% filter upper %}{{ v }}{% endfilter %}";
    assert_eq!(render(Dialect::Shell, source, "x'y").unwrap(), "a 'x'\\''y' b|'X'\\''Y'");
    // Glued to another string the whole is one value.
    let source = "{% set part %}{{ v }}{% endset %}{{ part ~ \"/b\" }}";
    assert_eq!(render(Dialect::Shell, source, "x y").unwrap(), "'x y/b'");
    let error = render(
        Dialect::Shell,
        "{% set p %}{{ v }}{% endset %}{{ p | split(pat=\"y\") | first | safe }}",
        "xy",
    )
    .unwrap_err();
    assert!(error.to_string().contains("cut a captured block"), "{error}");
}
