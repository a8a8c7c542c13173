//! What is read over at once comes to the same as what is read one by one.

use proptest::prelude::*;

use super::super::marks::{Form, marked};
use super::{Refusal, Scan, assemble};

/// A format that is read one by one.
#[derive(Default)]
struct OneByOne<S>(S);

impl<S: Scan> Scan for OneByOne<S> {
    fn text(&mut self, c: char) {
        self.0.text(c);
    }

    fn value(&mut self, value: &str, form: Form, out: &mut String) -> Result<(), Refusal> {
        self.0.value(value, form, out)
    }

    fn may_follow(&self, next: Option<char>) -> bool {
        self.0.may_follow(next)
    }
}

/// Texts of templates, with a value here and there.
fn texts() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec![
        "\n",
        "\n",
        "\n\n",
        " ",
        "    ",
        "\t",
        "\u{b}",
        "\u{85}",
        "\u{a0}",
        "é",
        "\"",
        "'",
        "`",
        "```",
        "~~~",
        "\\",
        "\\\n",
        "$",
        "${",
        "}",
        "{",
        "(",
        "((",
        "$(",
        "<",
        "<<",
        "#",
        ";",
        "%",
        "=",
        ":",
        "a",
        "Exec=/x",
        "Description=",
        "Environment=A",
        "[Unit]",
        "-",
        "|",
    ]);
    let value = prop::sample::select(vec!["a", "a b", "/x", "it's", "\"", "80", "$x", "`", "*", ""]);
    let piece = prop_oneof![
        5 => prop::collection::vec(text, 1..6).prop_map(|texts| texts.concat()),
        1 => value.prop_map(|value| marked(value, Form::Plain)),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn same<S: Scan + Default>(text: &str) -> Result<(), TestCaseError> {
    let written =
        |scan: Result<String, super::Fault>| scan.map_err(|fault| (fault.line, fault.near, fault.why));
    let at_once = written(assemble(S::default(), text));
    prop_assert_eq!(at_once, written(assemble(OneByOne::<S>::default(), text)), "{:?}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10000))]

    #[test]
    fn at_once_is_as_one_by_one(text in texts()) {
        same::<super::markdown::Markdown>(&text)?;
        same::<super::nftables::Nftables>(&text)?;
        same::<super::shell::Shell>(&text)?;
        same::<super::sysctl::Sysctl>(&text)?;
        same::<super::systemd::Systemd>(&text)?;
        same::<super::systemd::Systemd>(&format!("Environment=A{text}"))?;
    }
}
