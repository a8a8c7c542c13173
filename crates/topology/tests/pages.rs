//! Every code has a page, every page a code, and all pages the same shape.

use std::collections::BTreeSet;
use std::path::Path;

use stageplot_topology::{Code, Document, Format, Plot};

const SECTIONS: [&str; 3] = ["## Cause", "## Consequence", "## Remedy"];

/// A page is read on a terminal, at night: it fits one.
const MAX_LINES: usize = 45;
const MAX_WIDTH: usize = 100;

#[test]
fn every_page_has_a_code() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("diagnostics");
    let pages: BTreeSet<String> = std::fs::read_dir(directory)
        .expect("the directory of pages")
        .map(|entry| entry.expect("a page").file_name().to_string_lossy().into_owned())
        .collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    assert_eq!(pages, codes);
}

#[test]
fn every_page_tells_cause_consequence_and_remedy() {
    for &code in Code::ALL {
        let page = code.page();
        let lines = without_examples(page, code);
        let headings: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {code}");
        let expected: Vec<&str> = std::iter::once(title.as_str()).chain(SECTIONS).collect();
        assert_eq!(headings, expected, "{code}");
        for section in page.split("\n## ").skip(1) {
            let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
            assert!(!body.trim().is_empty(), "{code} says nothing under {heading}");
        }
        assert!(page.ends_with('\n') && !page.ends_with("\n\n"), "{code} ends with one newline");
        assert!(page.lines().count() <= MAX_LINES, "{code} is longer than {MAX_LINES} lines");
        let wide = page.lines().find(|line| line.chars().count() > MAX_WIDTH);
        assert_eq!(wide, None, "{code} has a line of more than {MAX_WIDTH} characters");
    }
}

#[test]
fn every_page_starts_with_its_sentence() {
    for &code in Code::ALL {
        let lines = without_examples(code.page(), code);
        let summary: Vec<&str> = lines
            .iter()
            .skip(1)
            .copied()
            .take_while(|line| !line.starts_with('#'))
            .filter(|l| !l.is_empty())
            .collect();
        let [sentence] = summary.as_slice() else { panic!("{code}: {summary:?} is not one line") };
        assert!(
            sentence.ends_with('.') && !sentence.contains(". "),
            "{code}: {sentence:?} is not one sentence"
        );
    }
}

/// The lines of a page outside its examples, whose comments look like headings.
fn without_examples(page: &str, code: Code) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            assert!(
                inside || matches!(language, "toml" | "text" | "json"),
                "{code}: an example in {language:?}"
            );
            inside = !inside;
        } else if !inside {
            lines.push(line);
        }
    }
    assert!(!inside, "{code}: an example does not end");
    lines
}

/// Every example is written for the model as it is: it may show the very
/// mistake that its page is about, and no other one of spelling or type.
#[test]
fn every_example_is_read_by_the_model() {
    for &code in Code::ALL {
        let examples = code.page().split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        for example in examples {
            let findings = match Document::parse(Format::Toml, "page", example) {
                Ok(document) => match Plot::read(&document) {
                    Ok(built) => built.findings,
                    Err(findings) => findings,
                },
                Err(findings) => findings,
            };
            let misread = [Code::Syntax, Code::UnknownField, Code::WrongType, Code::InvalidValue];
            let wrong = findings.iter().find(|found| misread.contains(&found.code) && found.code != code);
            assert!(wrong.is_none(), "{code}: {}\n{example}", wrong.expect("a finding"));
        }
    }
}
