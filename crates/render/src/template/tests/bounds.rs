//! Templates that would never end, or never fit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::super::MAX_CHAIN;
use super::{Dialect, Template, TemplateError, Templates, one, render};

fn chain(length: usize, link: impl Fn(usize) -> String) -> Vec<Template> {
    (0..length).map(|n| Template::from_text(format!("t{n}"), Dialect::Env, link(n))).collect()
}

#[test]
fn circles_are_named() {
    for word in ["include", "extends"] {
        let errors = one(Dialect::Env, &format!("\n {{% {word} \"t\" %}}")).unwrap_err();
        assert!(
            matches!(&errors[0], TemplateError::Cycle { line: 2, chain, .. } if chain == &["t", "t"]),
            "{errors:?}"
        );
        let circle = chain(4, |n| format!("{{% {word} \"t{}\" %}}", (n + 1) % 4));
        let errors = Templates::new(circle).unwrap_err();
        assert!(matches!(&errors[0], TemplateError::Cycle { chain, .. } if chain.len() == 5), "{errors:?}");
    }
}

#[test]
fn a_circle_by_override_is_named() {
    let templates = Templates::new(chain(2, |_| String::new())).unwrap();
    let own = BTreeMap::from([
        ("t0".into(), "{% include \"t1\" %}".into()),
        ("t1".into(), "x\n{% include \"t0\" %}".into()),
    ]);
    let errors = templates.with_overrides(own).unwrap_err();
    assert!(matches!(&errors[0], TemplateError::Cycle { .. }), "{errors:?}");
}

#[test]
fn the_longest_chains_fit_the_stack() {
    let last = MAX_CHAIN - 1;
    let link = |word: &'static str| {
        move |n| {
            if n == last {
                "A=1{% block b %}{% endblock %}".into()
            } else {
                format!("{{% {word} \"t{}\" %}}", n + 1)
            }
        }
    };
    for word in ["include", "extends"] {
        let templates = Templates::new(chain(MAX_CHAIN, link(word))).unwrap();
        assert_eq!(templates.render("t0", &json!({})).unwrap(), "A=1");
    }
    let supers = chain(MAX_CHAIN, |n| {
        let extends = if n == last { String::new() } else { format!("{{% extends \"t{}\" %}}", n + 1) };
        let inner = if n == last { "A=" } else { "{{ super() }}x" };
        format!("{extends}{{% block b %}}{inner}{{% endblock %}}")
    });
    assert_eq!(Templates::new(supers).unwrap().render("t0", &json!({})).unwrap().len(), last + 2);
    for length in [MAX_CHAIN + 1, 5_000] {
        let long = chain(length, |n| format!("{{% include \"t{}\" %}}", (n + 1).min(length - 1)));
        let errors = Templates::new(long).unwrap_err();
        assert!(matches!(errors[0], TemplateError::TooDeep { .. }), "{errors:?}");
    }
}

#[test]
fn the_deepest_nesting_fits_the_stack() {
    // Forty blocks in each template of the longest chain, all of it inside components.
    let blocks = |n: usize, inner: String| {
        let open: String = (0..39).map(|b| format!("{{% block b{n}_{b} %}}")).collect();
        format!("{open}{inner}{}", "{% endblock %}".repeat(39))
    };
    let templates = chain(MAX_CHAIN, |n| match n {
        0 => {
            "{% component again(v) %}{% include \"t1\" %}{% endcomponent again %}{{ <again v={v} /> }}".into()
        }
        n if n == MAX_CHAIN - 1 => blocks(n, "{{ <again v={v} /> }}".into()),
        n => blocks(n, format!("{{% include \"t{}\" %}}", n + 1)),
    });
    let error = Templates::new(templates).unwrap().render("t0", &json!({"v": 1})).unwrap_err();
    assert!(matches!(error, TemplateError::Failed { .. }), "{error}");
}

#[test]
fn deep_nesting_is_refused() {
    let deep = 10_000;
    for source in [
        "{% if v %}".repeat(deep) + &"{% endif %}".repeat(deep),
        "{% for x in v %}".repeat(deep) + &"{% endfor %}".repeat(deep),
        format!("{{{{ {}v{} }}}}", "(".repeat(deep), ")".repeat(deep)),
        format!("{{{{ {}v }}}}", "not ".repeat(deep)),
        format!("{{{{ {}{} }}}}", "[".repeat(deep), "]".repeat(deep)),
        format!("{{{{ v{} }}}}", "[0".repeat(deep)),
        format!("{{{{ v{} }}}}", " ~ v".repeat(deep)),
        "{% block a %}".repeat(deep),
        "{{ v ".repeat(deep),
    ] {
        let errors = one(Dialect::Env, &source).unwrap_err();
        assert!(matches!(errors[0], TemplateError::Syntax { .. }), "{}: {}", &source[..40], errors[0]);
    }
}

#[test]
fn endless_output_is_stopped() {
    for source in [
        "{% for x in range(end=1000000000) %}x{% endfor %}",
        "{% for x in range(end=100000) %}{% for y in range(end=100000) %}{% endfor %}{% endfor %}",
        "{% set big = range(end=30000) %}{% for x in big %}{% for y in big %}xy\n{% endfor %}{% endfor %}",
        "{% set big = range(end=30000) %}{% set s %}{% for x in big %}{% for y in big %}{{ v }}{% endfor %}{% endfor %}{% endset %}",
    ] {
        let error = render(Dialect::Env, source, "0123456789").unwrap_err();
        assert!(matches!(error, TemplateError::TooLarge { .. }), "{source}: {error}");
        assert!(error.to_string().contains("16 MiB"));
    }
    // The next rendering has the whole budget again.
    assert_eq!(
        render(Dialect::Env, "{% for x in range(start=1, end=6, step_by=2) %}{{ x }} {% endfor %}", "")
            .unwrap(),
        "1 3 5 "
    );
}

#[test]
fn components_cannot_recurse_for_ever() {
    let source = "{% component again(v) %}{{ <again v={v} /> }}{% endcomponent again %}{{ <again v={v} /> }}";
    assert!(matches!(render(Dialect::Env, source, "x"), Err(TemplateError::Failed { .. })));
}

#[test]
fn reserved_characters_are_refused_before_they_confuse() {
    let errors = one(Dialect::Env, "A\n é\u{FDD0}").unwrap_err();
    assert!(matches!(errors[0], TemplateError::Reserved { line: 2, column: 3, .. }), "{errors:?}");
    for values in [json!({"v": ["", "a\u{FDD3}"]}), json!({"v": {"a\u{FDD1}": 1}})] {
        let error = one(Dialect::Env, "{{ v }}").unwrap().render("t", &values).unwrap_err();
        assert!(matches!(error, TemplateError::Unrepresentable { value: Some(_), .. }), "{error}");
    }
}

#[test]
fn values_must_be_a_map() {
    let templates = one(Dialect::Env, "").unwrap();
    assert!(matches!(templates.render("t", &3), Err(TemplateError::Values { .. })));
    assert!(matches!(templates.render("x", &3), Err(TemplateError::NoSuchTemplate { .. })));
}

proptest! {
    #[test]
    fn no_template_panics(source in "([a{}%#\" \n|v.~-]|\\{\\{|\\}\\}|\\{%|%\\}|if |endif|for x in v|endfor|raw|endraw){0,40}", value in any::<String>()) {
        for dialect in Dialect::ALL {
            if let Ok(templates) = one(dialect, &source) {
                let _ = templates.render("t", &json!({ "v": value, "a": [value] }));
            }
        }
    }
}
