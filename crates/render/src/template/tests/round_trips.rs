//! What goes in comes out, or is refused.

use proptest::prelude::*;

use super::{Dialect, TemplateError, readers, render};

/// Strings made of what formats are made of.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "\"", "'", "`", "\\", "$", "#", "%", "{", "}", "{$", "{$X}", "{env.X}", "\\{", "${X}", "$(x)", "%%", "%n", " ", "  ",
            "\n", "\r", "\r\n", "\t", "\u{1}", "\u{7f}", "<", ">", "&", "&amp;", "]]>", "-->", "*", "|", "~", "---", "```", "#35;",
            "ﬂ°", "¶ß", "é", "𝄞", "\u{2028}", ";", "=", "!", "(", ")", "[", "]", "end", "\\x41", "\\n", "1.", "- ", "+", "_a_", "a.b", "\u{FEFF}", "\u{85}", "\u{a0}",
        ]).prop_map(str::to_owned),
        2 => "[a-z0-9]{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("reserved, and NUL", |s| !s.contains(|c| matches!(c, '\0' | '\u{FDD0}'..='\u{FDD3}')))
}

fn refused(result: &Result<String, TemplateError>) -> bool {
    matches!(result, Err(TemplateError::Unrepresentable { .. }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn redis_holds_everything(value in hostile()) {
        let file = render(Dialect::RedisConf, "requirepass {{ v }}\nport 1\n", &value).unwrap();
        prop_assert_eq!(readers::redis(&file), [vec![b"requirepass".to_vec(), value.into_bytes()], vec![b"port".to_vec(), b"1".to_vec()]]);
    }

    #[test]
    fn postgres_holds_everything(value in hostile()) {
        let file = render(Dialect::PostgresConf, "a = {{ v }}\nport = 1 # {{ 2 }}\n", &value).unwrap();
        let settings = readers::postgres(&file);
        prop_assert_eq!(settings, [("a".to_owned(), value.into_bytes()), ("port".to_owned(), b"1".to_vec())]);
    }

    #[test]
    fn pg_hba_holds_or_refuses(value in hostile()) {
        let file = render(Dialect::PgHba, "host {{ v }} all\nlocal all\n", &value);
        let control = value.chars().any(char::is_control);
        prop_assert_eq!(refused(&file), control || value.is_empty() || value.starts_with('/'));
        if let Ok(file) = file {
            let words = |words: &[(&str, bool)]| words.iter().map(|(w, k)| ((*w).to_owned(), *k)).collect::<Vec<_>>();
            let lines = readers::pg_hba(&file);
            // Whether a word may be a keyword is whether it stands without quotes.
            prop_assert_eq!(&lines[0][1].0, &value, "{}", file);
            prop_assert!(!lines[0][1].1 || value.contains(['.', ':']));
            prop_assert_eq!(&lines[0][2..], words(&[("all", true)]));
            prop_assert_eq!(&lines[1..], [words(&[("local", true), ("all", true)])]);
        }
    }

    #[test]
    fn sql_holds_everything(value in hostile()) {
        let source = "ALTER ROLE \"{{ 'a' }}\" PASSWORD {{ v }}; -- {{ 'x' }}\nSELECT {{ v }}\n";
        let file = render(Dialect::Sql, source, &value).unwrap();
        prop_assert_eq!(file.lines().count(), 2, "{}", file);
        prop_assert_eq!(readers::sql_strings(&file), [value.clone(), value.clone()]);
        let name = render(Dialect::Sql, "DROP ROLE \"{{ v }}\";", &value);
        prop_assert_eq!(refused(&name), value.is_empty() || value.chars().any(char::is_control));
        if let Ok(name) = name {
            let inner = name.strip_prefix("DROP ROLE \"").unwrap().strip_suffix("\";").unwrap();
            prop_assert_eq!(inner.replace("\"\"", "\u{1}").contains('"'), false);
            prop_assert_eq!(inner.replace("\"\"", "\""), value);
        }
    }

    #[test]
    fn caddy_holds_or_refuses(value in hostile()) {
        let file = render(Dialect::Caddyfile, "x {{ v }} y }\n", &value);
        if refused(&file) { return Ok(()); }
        let file = file.unwrap();
        let words = ["x", &value, "y", "}"];
        prop_assert_eq!(readers::caddy(&file, false), words, "{}", &file);
        prop_assert_eq!(readers::caddy(&file, true), words, "{}", &file);
    }

    #[test]
    fn caddy_literal_holds_braces(value in hostile()) {
        let file = render(Dialect::Caddyfile, "x {{ v | literal }} y }\n", &value);
        if refused(&file) {
            let lone = value.contains("\\}") && !value.contains('{');
            prop_assert!(lone || value.contains('`') && value.contains(['\\', '{', '}']), "{:?}", value);
            return Ok(());
        }
        let file = file.unwrap();
        prop_assert_eq!(readers::caddy(&file, true), ["x", &value, "y", "}"], "{}", &file);
    }

    #[test]
    fn env_holds_everything(value in hostile()) {
        let file = render(Dialect::Env, "A={{ v }}\n", &value).unwrap();
        prop_assert_eq!(readers::env(&file), Some(value), "{}", &file);
    }

    #[test]
    fn systemd_commands_hold_everything(value in hostile()) {
        let file = render(Dialect::Systemd, "[Service]\nExecStart=/bin/x a {{ v }} b\nType=x\n", &value).unwrap();
        let line = file.lines().nth(1).unwrap().strip_prefix("ExecStart=").unwrap();
        prop_assert_eq!(readers::systemd_words(line, true), ["/bin/x", "a", &value, "b"]);
        prop_assert!(file.ends_with("\nType=x\n"));
    }

    #[test]
    fn systemd_environment_holds_or_refuses(value in hostile()) {
        let file = render(Dialect::Systemd, "Environment={{ \"A=\" ~ v }}\n", &value);
        let control = value.chars().any(|c| c.is_control() && !"\n\t".contains(c));
        prop_assert_eq!(refused(&file), control);
        if let Ok(file) = file {
            let line = file.trim_end_matches('\n').strip_prefix("Environment=").unwrap();
            prop_assert_eq!(readers::systemd_words(line, false), [format!("A={value}")]);
        }
    }

    #[test]
    fn whole_lines_hold_or_refuse(value in hostile()) {
        let plain = !value.is_empty() && value.trim() == value && !value.chars().any(char::is_control);
        let unit = render(Dialect::Systemd, "Description={{ v }}\n", &value);
        prop_assert_eq!(unit.is_ok(), plain && !value.ends_with('\\'));
        if let Ok(unit) = unit {
            prop_assert_eq!(unit, format!("Description={}\n", value.replace('%', "%%")));
        }
        let sysctl = render(Dialect::Sysctl, "a.b = {{ v }}\n", &value);
        prop_assert_eq!(sysctl.is_ok(), plain);
        if let Ok(sysctl) = sysctl {
            prop_assert_eq!(sysctl, format!("a.b = {value}\n"));
        }
    }

    #[test]
    fn nft_strings_hold_or_refuse(value in hostile()) {
        for source in ["accept comment {{ v }}\n", "accept comment \"{{ v }}\"\n"] {
            let file = render(Dialect::Nftables, source, &value);
            let fits = !value.is_empty() && value.len() < 128 && !value.ends_with('*')
                && !value.contains('"') && !value.chars().any(char::is_control);
            prop_assert_eq!(file.is_ok(), fits);
            if let Ok(file) = file {
                let bare = value.bytes().all(|b| b.is_ascii_digit()) && !source.contains('"');
                let expected = if bare { format!("accept comment {value}\n") } else { format!("accept comment \"{value}\"\n") };
                let leading_zero = value.len() > 1 && value.starts_with('0');
                prop_assert!(file == expected || leading_zero && file == format!("accept comment \"{value}\"\n"), "{}", file);
            }
        }
    }

    #[test]
    fn xml_holds_or_refuses(value in hostile()) {
        let file = render(Dialect::Xml, "<a b=\"{{ v }}\" c='{{ v }}'>{{ v }}</a>", &value);
        if refused(&file) {
            let illegal = value.chars().any(|c| c < ' ' || c == '\u{fffe}' || c == '\u{ffff}');
            prop_assert!(illegal);
            return Ok(());
        }
        let file = file.unwrap();
        let document = roxmltree::Document::parse(&file).unwrap();
        let root = document.root_element();
        prop_assert_eq!(root.attribute("b"), Some(value.as_str()));
        prop_assert_eq!(root.attribute("c"), Some(value.as_str()));
        prop_assert_eq!(root.text().unwrap_or(""), value.as_str());
    }

    #[test]
    fn markdown_holds_everything(value in prop_oneof![hostile(), "[0-9a ().:;=#<>!&_*~'\"$|+-]{0,8}"]) {
        for source in [
            "{{ v }}", "a {{ v }} b", "- {{ v }}", "# {{ v }}", "x\n{{ v }}y", "1{{ v }}", "1{{ v }} b", "[x]{{ v }}", "*{{ v }}*x",
        ] {
            let file = render(Dialect::Markdown, source, &value).unwrap();
            let mut text = String::new();
            for event in pulldown_cmark::Parser::new(&file) {
                match event {
                    pulldown_cmark::Event::Text(part) => text.push_str(&part),
                    pulldown_cmark::Event::SoftBreak => text.push('\n'),
                    pulldown_cmark::Event::Start(tag) => prop_assert!(matches!(
                        tag,
                        pulldown_cmark::Tag::Paragraph | pulldown_cmark::Tag::List(None) | pulldown_cmark::Tag::Item
                            | pulldown_cmark::Tag::Heading { .. } | pulldown_cmark::Tag::Emphasis
                    ), "{:?} in {}", tag, file),
                    pulldown_cmark::Event::End(_) => {}
                    other => prop_assert!(false, "{:?} in {}", other, file),
                }
            }
            if source.starts_with('*') {
                prop_assert!(text.contains(&value), "{:?} in {}", text, file);
            } else {
                let expected = source.trim_start_matches(['-', '#', ' ']).replace("{{ v }}", &value);
                prop_assert_eq!(text, expected, "{}", file);
            }
        }
    }

    #[test]
    fn markdown_stays_in_its_cell(value in prop_oneof![hostile(), "[0-9a :|\\\\-]{0,8}"]) {
        let file = render(Dialect::Markdown, "| a | b |\n|---|---|\n| {{ v }} | x |", &value).unwrap();
        let options = pulldown_cmark::Options::ENABLE_TABLES;
        let mut cells: Vec<String> = Vec::new();
        for event in pulldown_cmark::Parser::new_ext(&file, options) {
            match event {
                pulldown_cmark::Event::Start(pulldown_cmark::Tag::TableCell) => cells.push(String::new()),
                pulldown_cmark::Event::Text(part) => cells.last_mut().unwrap().push_str(&part),
                _ => {}
            }
        }
        prop_assert_eq!(cells, ["a", "b", value.as_str(), "x"], "{}", file);
    }

    #[test]
    fn mermaid_holds_or_refuses(value in hostile()) {
        let control = value.chars().any(|c| c.is_control() && !"\n\t".contains(c));
        for source in ["n[{{ v }}]", "n[\"{{ v }}\"]"] {
            let file = render(Dialect::Mermaid, source, &value);
            prop_assert_eq!(refused(&file), control);
            if let Ok(file) = file {
                let label = file.strip_prefix("n[").unwrap().strip_suffix(']').unwrap();
                let inner = label.strip_prefix('"').map_or(label, |label| label.strip_suffix('"').unwrap());
                prop_assert!(!inner.contains(['"', ']', '[', '\n', '<', '`', '&', ':']));
                prop_assert_eq!(readers::mermaid(inner), value.as_str());
            }
        }
    }
}

proptest! {
    // Each case starts a shell.
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_real_shell_holds_everything(value in hostile()) {
        let file = render(Dialect::Shell, "{{ v }} x{{ v }}y '{{ v }}' \"{{ v }}\"", &value).unwrap();
        let v = value.as_bytes();
        prop_assert_eq!(readers::shell_words(&file), [v.to_vec(), [b"x", v, b"y"].concat(), v.to_vec(), v.to_vec()]);

        let twice = render(Dialect::Shell, "{{ v | shell | safe }}", &value).unwrap();
        prop_assert_eq!(readers::shell_words(&twice), [v.to_vec()]);
    }
}
