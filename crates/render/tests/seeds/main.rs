//! `docs/seeds.md` against what there is: each row points at something that
//! exists, and nothing of the documents that it goes through is left out.

mod fluxcode;
mod hybrid;
mod livekit;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{Code, Document, Findings, Format, Plot, dotenv::Stack};

/// What a row says.
struct Row {
    /// The number of the document that it is of.
    document: String,
    original: String,
    english: String,
    answer: String,
}

#[test]
fn every_row_answers_and_points_at_something_that_exists() {
    let artifacts = artifacts();
    let mut wrong = Vec::new();
    for Row { original, english, answer, .. } in rows() {
        let mut fail = |why: String| wrong.push(format!("{original}: {why}"));
        if english.is_empty() || answer.is_empty() {
            fail("a column is empty".to_owned());
        }
        for capability in answer.split("**To come**: ").skip(1) {
            let known = ["rollout", "backup", "try"];
            if !known.iter().any(|name| capability.starts_with(name)) {
                fail(format!("waits for {capability}"));
            }
        }
        for link in links(&answer) {
            if !repository().join("docs").join(&link).is_file() {
                fail(format!("links to {link}, which is not there"));
            }
        }
        for span in spans(&answer) {
            if let Err(why) = look_up(&span, &artifacts) {
                fail(why);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_of_the_documents_is_left_out() {
    let rows = rows();
    let mut missing = Vec::new();
    let scripts = [
        livekit::COMMANDS,
        livekit::FILES,
        livekit::ANSWERS,
        livekit::CHECKLIST,
        livekit::QUESTIONS,
        livekit::PRACTICES,
    ]
    .concat();
    let compose = [fluxcode::COMMANDS, fluxcode::FILES, fluxcode::CHECKLIST, fluxcode::PRACTICES].concat();
    let streaming = [
        hybrid::COMMANDS,
        hybrid::FILES,
        hybrid::SERVICES,
        hybrid::SETTINGS,
        hybrid::QUESTIONS,
        hybrid::PRACTICES,
    ]
    .concat();
    // The last of them has its variables in YAML.
    for (documents, variables, set, others) in [
        (&["000", "001", "002"][..], livekit::VARIABLES, "=", scripts),
        (&["003"], fluxcode::VARIABLES, "=", compose),
        (&["004"], hybrid::VARIABLES, ": ", streaming),
    ] {
        let of_these = |row: &&Row| documents.contains(&row.document.as_str());
        let variables = variables.iter().map(|name| format!("{name}{set}"));
        for item in variables.chain(others.iter().map(|item| (*item).to_owned())) {
            if !rows.iter().filter(of_these).any(|row| row.original.contains(&item)) {
                missing.push(item);
            }
        }
    }
    assert!(missing.is_empty(), "docs/seeds.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn every_variable_of_the_documents_is_known_to_the_import() {
    for (stack, variables) in [(Stack::Livekit, livekit::VARIABLES), (Stack::Fluxcode, fluxcode::VARIABLES)] {
        let unknown: Vec<_> = variables.iter().filter(|name| stack.find(name).is_none()).collect();
        assert!(unknown.is_empty(), "{stack}: {unknown:?}");
    }
    // Of FluxCode's the page has all that the import knows, but for two of the log's.
    let left_out = Stack::Fluxcode.variables().iter().map(|known| known.name).filter(|name| {
        !fluxcode::VARIABLES.contains(name)
            && !name.starts_with("GEMINI_")
            && !name.starts_with("DOCKER_LOG_")
    });
    assert_eq!(left_out.collect::<Vec<_>>(), [""; 0]);
}

/// The look-up itself finds mistakes.
#[test]
fn what_is_not_there_is_not_found() {
    let artifacts = artifacts();
    for span in [
        "edge.domian",
        "redis.external.dbs",
        "edge.tls.emial",
        "nodes.NAME.adress",
        "livekit.turn.tsl",
        "app.opne",
        "rtmp.on-publish.trail",
        "ion-sfu.turn.relm",
        "rule.yml",
        "redis.cnf",
        "acme-prot",
    ] {
        assert!(look_up(span, &artifacts).is_err(), "{span} passed");
    }
}

/// Says what is wrong with something in code style, where it names a thing of
/// ours. Command lines are looked at where the command is.
fn look_up(span: &str, artifacts: &BTreeSet<String>) -> Result<(), String> {
    const FILES: &[&str] =
        &["toml", "md", "txt", "yaml", "yml", "conf", "cnf", "sh", "nft", "svg", "mmd", "json", "xsl"];
    let first = span.split(['.', ' ']).next().unwrap_or_default();
    if span == "stageplot.toml" {
        return Ok(());
    }
    if span.contains('.') && !span.contains([' ', '/', '{', ':']) {
        let extension = span.rsplit('.').next().unwrap_or_default();
        if FILES.contains(&extension) {
            let found = artifacts.contains(span);
            return if found { Ok(()) } else { Err(format!("{span} is not rendered")) };
        }
    }
    if FIELDS.contains(&first) && span.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)) {
        return field(span);
    }
    let kebab = span.contains('-') && span.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if kebab && !span.starts_with('-') {
        return span.parse::<Code>().map(drop).map_err(|error| error.to_string());
    }
    Ok(())
}

/// Whether a field exists: decoding a plot that sets it says nothing of an
/// unknown one.
fn field(path: &str) -> Result<(), String> {
    let text = match path.replace("NAME", "name").rsplit_once('.') {
        Some((table, key)) => format!("[{table}]\n{key} = 1\n"),
        None => format!("{path} = 1\n"),
    };
    let unknown = |findings: &Findings| findings.iter().any(|finding| finding.code == Code::UnknownField);
    let document =
        Document::parse(Format::Toml, "stageplot.toml", &text).map_err(|findings| findings.to_string())?;
    match Plot::read(&document) {
        Err(findings) if unknown(&findings) => Err(format!("{path} is no field: {findings}")),
        _ => Ok(()),
    }
}

/// The names of all files that the examples render to.
fn artifacts() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for example in fs::read_dir(repository().join("examples/plots")).expect("the examples") {
        let file = example.expect("readable").path().join("stageplot.toml");
        let text = fs::read_to_string(&file).expect("a plot");
        // The same with ufw: its script is rendered for those who use it.
        for text in [text.clone(), format!("{text}\n[firewall]\ninput = \"ufw\"\n")] {
            let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("TOML");
            let topology = Plot::read(&document).expect("a plot").topology;
            let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("renders");
            let bundled = rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
            let all = bundled.chain(&rendering.overview);
            names.extend(all.map(|file| file.path.rsplit('/').next().unwrap_or_default().to_owned()));
        }
    }
    names
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of all tables of the page.
fn rows() -> Vec<Row> {
    let page = fs::read_to_string(repository().join("docs/seeds.md")).expect("the page");
    let mut rows = Vec::new();
    let mut document = String::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let number = heading.split("document ").nth(1).and_then(|rest| rest.strip_suffix(')'));
            document = number.expect("the number of a document").to_owned();
        }
        if !line.starts_with("| ") || line.starts_with("| 原文") {
            continue;
        }
        let line = line.replace("\\|", "\u{1}");
        let mut columns = line.trim_matches(['|', ' ']).split(" | ").map(|c| c.trim().replace('\u{1}', "|"));
        let mut column = || columns.next().unwrap_or_default();
        let row = Row { document: document.clone(), original: column(), english: column(), answer: column() };
        assert!(columns.next().is_none(), "four columns: {line}");
        rows.push(row);
    }
    rows
}

/// What stands in code style.
fn spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Where links lead.
fn links(text: &str) -> Vec<String> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

/// What a field of the plot begins with.
const FIELDS: &[&str] = &[
    "name",
    "root",
    "secrets-file",
    "templates",
    "access",
    "firewall",
    "bridge",
    "networks",
    "nodes",
    "edge",
    "livekit",
    "redis",
    "postgres",
    "app",
    "rtmp",
    "ion-sfu",
    "ingress",
    "egress",
    "sip",
    "prometheus",
    "grafana",
];
