//! What others wrote does nothing in a comment; `pulldown-cmark` is the referee.

use proptest::prelude::*;
use proptest::sample::select;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::markdown::clean;
use super::*;
use crate::diff::{Effect, FileDiff, NodeDiff, Which};
use crate::diff::{LineChange, Reason, Record, RecordChanges, SecretDiff, SecretStatus, Untold};
use crate::summary::Party;

/// What hostile names are made of.
const PIECES: &[&str] = &[
    "`",
    "``",
    "```",
    "````diff",
    "~~~",
    "\n",
    "\n\n",
    "\r",
    "\t",
    " ",
    "    ",
    "\\",
    "*",
    "**",
    "_",
    "~~",
    "|",
    "|-|-|",
    "\n|-|\n",
    "<",
    ">",
    "</details>",
    "</code>",
    "</summary>",
    "<script>",
    "<!--",
    "-->",
    "<b>",
    "<img src=x onerror=y>",
    "&",
    "&lt;",
    "&#64;",
    "\"",
    "'",
    "@everyone",
    "@org/team",
    "#1",
    "!1",
    "%1",
    "$x$",
    "$`x`$",
    "GH-1",
    "org/repo#1",
    "deadbeef",
    "https://example.com",
    "www.example.com",
    "a@example.com",
    "[x](https://example.com)",
    "![x](y)",
    "[^1]",
    "[ ]",
    "]",
    "(",
    ")",
    ":",
    ":smile:",
    "- ",
    "+ ",
    "1. ",
    "# ",
    "===",
    "---",
    ">",
    "{{",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "密",
    "é",
    "word",
    "2h",
];

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(select(PIECES), 0..8).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "[`a ]{0,400}",
    ]
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A diff with these texts wherever one can be.
fn diff(texts: &[String], times: usize) -> Diff {
    let text = |at: usize| texts[at % texts.len()].clone();
    let field = |at| FieldChange::new(text(at), some(&text(at + 1)), some(&text(at + 2)));
    let line = |side, at| LineChange { side, number: 1, text: text(at) };
    let file = |at: usize| FileDiff {
        path: text(at),
        status: [Status::Changed, Status::Added, Status::Removed][at % 3],
        service: some(&text(at)),
        change: None,
        about: vec![field(at)],
        fields: vec![field(at + 1); 50],
        lines: vec![line(Which::Before, at), line(Which::After, at + 1)],
        rewritten: at.is_multiple_of(2),
        edited: vec![Which::After],
    };
    let reason = |at: usize| Reason { impact: Impact::DataAtStake, text: text(at), fields: vec![text(at)] };
    let effect = |at: usize| Effect {
        service: some(&text(at)).filter(|_| !at.is_multiple_of(5)),
        kind: some(&text(at)),
        impact: Impact::ALL[at % Impact::ALL.len()],
        process: Impact::Restart,
        text: text(at),
        migration: None,
        drain_seconds: [None, Some(7200)][at % 2],
        drops_rooms: at.is_multiple_of(3),
        reasons: vec![reason(at), reason(at + 1)],
    };
    let node = |at: usize| NodeDiff {
        name: format!("{}{at}", text(at)),
        was: None,
        status: Status::Changed,
        impact: Impact::DataAtStake,
        effects: vec![effect(at), effect(at + 1), effect(at + 2)],
        files: vec![file(at), file(at + 1)],
    };
    let service = |at: usize| ServiceDiff {
        name: text(at),
        was: some(&text(at)),
        kind: text(at),
        status: [Status::Renamed, Status::Added, Status::Removed][at % 3],
        to: vec![text(at)],
        from: vec![text(at)],
        fields: vec![field(at)],
    };
    let flow = |at: usize| FlowChange {
        from: [Party::Internet, Party::Service(text(at)), Party::Nets(vec![text(at)])][at % 3].clone(),
        from_nodes: vec![text(at)],
        service: some(&text(at)),
        endpoint: some(&text(at)),
        protocol: text(at),
        ports: text(at),
        nodes: vec![text(at)],
        reason: text(at),
        narrower: if at.is_multiple_of(2) { vec![Party::Nets(vec![text(at)])] } else { Vec::new() },
    };
    let record = |at: usize| Record { name: text(at), kind: text(at), value: text(at) };
    let secret = |at: usize| SecretDiff {
        name: text(at),
        status: [SecretStatus::OtherKey, SecretStatus::Changed][at % 2],
    };
    Diff {
        name: text(0),
        impact: Impact::DataAtStake,
        stack: vec![field(0)],
        nodes: (0..times).map(node).collect(),
        services: (0..times).map(service).collect(),
        opened: (0..times).map(flow).collect(),
        closed: (0..times).map(flow).collect(),
        rooms: (0..times).map(text).collect(),
        records: RecordChanges {
            set: (0..times).map(record).collect(),
            remove: (0..times).map(record).collect(),
            gone: (0..times).map(text).collect(),
        },
        overview: vec![file(0)],
        secrets: (0..times).map(secret).collect(),
        untold: Some(Untold { impact: Impact::Drain, nodes: (0..times).map(node).collect() }),
        ..Diff::default()
    }
}

fn broken(texts: &[String]) -> Vec<Broken> {
    let one = |text: &String| Broken { rule: text.clone(), why: text.clone(), by: vec![text.clone(); 12] };
    texts.iter().map(one).collect()
}

/// Everything that a reader of Markdown may find.
fn parse(text: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(text, Options::all() - Options::ENABLE_SMART_PUNCTUATION - Options::ENABLE_WIKILINKS)
}

/// Fails where a comment has more in it than we put there.
fn hold(comment: &str) -> Result<(), TestCaseError> {
    let (mut headings, mut open, mut in_code) = (0, 0_i32, false);
    for event in parse(comment) {
        match event {
            Event::Start(Tag::Heading { .. }) => headings += 1,
            Event::Start(Tag::CodeBlock(kind)) => {
                let known = matches!(&kind, CodeBlockKind::Fenced(info) if matches!(&**info, "" | "diff"));
                prop_assert!(known, "{:?}", kind);
                in_code = true;
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Paragraph | Tag::List(None) | Tag::Item | Tag::Strong | Tag::HtmlBlock) => {}
            Event::End(_) | Event::Code(_) | Event::SoftBreak => {}
            Event::Text(_) if in_code => {}
            Event::Text(text) => {
                let acts = |c: char| !(c.is_alphanumeric() || " ,.;:()+-'→".contains(c));
                prop_assert!(!text.contains(acts), "{:?} in {}", text, comment);
            }
            Event::Html(html) => {
                let html = html.trim_end_matches('\n');
                if let Some(marker) = html.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
                    prop_assert!(!marker.contains(['<', '>', '\n']), "{}", html);
                    continue;
                }
                match html.strip_prefix("<details><summary>").and_then(|rest| rest.strip_suffix("</summary>"))
                {
                    Some(title) => {
                        open += 1;
                        let left = title.replace("<code>", "").replace("</code>", "");
                        prop_assert!(!left.contains(['<', '>']), "{}", html);
                    }
                    None => {
                        prop_assert_eq!(html, "</details>");
                        open -= 1;
                    }
                }
                prop_assert!((0..=1).contains(&open));
            }
            other => prop_assert!(false, "{:?} in {}", other, comment),
        }
    }
    prop_assert_eq!((headings, open), (1, 0));
    Ok(())
}

proptest! {
    #[test]
    fn no_text_acts(texts in prop::collection::vec(hostile(), 1..6), times in 1..4_usize) {
        let (diff, broken) = (diff(&texts, times), broken(&texts));
        let (first, last) = (&texts[0], &texts[texts.len() - 1]);
        let comment = || Comment::new(&diff).broken(&broken).plot(first).sides(last, first);
        let comment_of = |limit| comment().limit(limit).to_string();
        let comment = comment_of(GITLAB_LIMIT);
        hold(&comment)?;
        for limit in [0, 10_000, GITHUB_LIMIT] {
            let comment = comment_of(limit);
            prop_assert!(comment.len() <= limit.max(Comment::MIN_LIMIT));
            hold(&comment)?;
        }
    }

    #[test]
    fn code_shows_what_it_was_given(text in hostile()) {
        let text = clean(&text);
        let markdown = format!("- x {} y\n", code(&text));
        let shown: Vec<_> = parse(&markdown).filter_map(|event| match event {
            Event::Code(code) => Some(code.into_string()),
            _ => None,
        }).collect();
        match text.is_empty() {
            true => prop_assert!(shown.is_empty()),
            false => prop_assert_eq!(shown, [text]),
        }
    }

    #[test]
    fn a_sentence_says_what_it_said(text in hostile()) {
        let text = clean(&text);
        let markdown = format!("- x {}\n", sentence(&text));
        let said: String = parse(&markdown).filter_map(|event| match event {
            Event::Code(text) | Event::Text(text) => Some(text.into_string()),
            _ => None,
        }).collect();
        let words: Vec<_> = text.split_whitespace().collect();
        let words = if words.is_empty() { "(empty)".to_owned() } else { words.join(" ") };
        prop_assert_eq!(said, format!("x {words}"));
    }
}

#[test]
fn the_summary_comes_first_and_stays_when_the_rest_is_cut() {
    let texts: Vec<_> = (0..7).map(|number| format!("name-{number} ").repeat(20)).collect();
    let diff = diff(&texts, 1000);
    let whole = Comment::new(&diff).limit(usize::MAX).to_string();
    assert!(!whole.contains("**Cut:**"));
    let cut = Comment::new(&diff).to_string();
    assert!(cut.len() <= GITHUB_LIMIT && cut.len() > GITHUB_LIMIT / 2, "{}", cut.len());
    assert!(
        cut.contains("**Cut:** a comment has room for 65536 bytes, so this leaves out ")
            && cut.ends_with("has everything.\n")
    );
    let summary = whole.split("\n<details>").next().expect("a summary");
    assert!(cut.starts_with(summary));
    for title in ["People in rooms", "DNS", "Flows that open", "What happens", "Services"] {
        assert!(summary.contains(title), "{title}");
    }
}

#[test]
fn nothing_to_say_is_said() {
    let diff = Diff::default();
    assert_eq!(Comment::new(&diff).to_string(), "## Stageplot: nothing changes\n");
    let judged = Comment::new(&diff).broken(&[]).to_string();
    assert_eq!(judged, "## Stageplot: nothing changes\n\nNo rule of the policy is broken.\n");
}
