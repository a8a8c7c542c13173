use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use stageplot_topology::{Document, Findings, Format, Plot, Severity, Topology};

use crate::{Custom, Secrets, render};

/// Every example plot with its name.
pub(crate) fn examples() -> Vec<(String, Topology)> {
    let mut wrong = String::new();
    let mut examples = Vec::new();
    for (name, text) in example_files() {
        match read(&text) {
            Ok(topology) => examples.push((name, topology)),
            Err(findings) => wrong.push_str(&format!("{name}:\n{findings}\n")),
        }
    }
    assert!(wrong.is_empty(), "examples with findings:\n{wrong}");
    examples
}

fn example_files() -> Vec<(String, String)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    let entries = fs::read_dir(&dir).expect("the examples are there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"))
        .collect();
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(dir.join(&name).join("stageplot.toml")).expect("a plot");
        (name, text)
    };
    names.into_iter().map(read).collect()
}

/// A plot, or whatever there is to say against it.
fn read(text: &str) -> Result<Topology, Findings> {
    let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
    let built = Plot::read(&document)?;
    if built.findings.iter().all(|finding| finding.severity == Severity::Info) {
        Ok(built.topology)
    } else {
        Err(built.findings)
    }
}

/// A plot without a finding beyond remarks.
pub(crate) fn topology(text: &str) -> Topology {
    read(text).unwrap_or_else(|findings| panic!("{findings}"))
}

#[test]
fn every_example_renders_without_a_finding() {
    for (name, topology) in examples() {
        let rendering = render(&topology, Secrets::SEALED, &Custom::default());
        rendering.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// The runbook names every step of the start, in the order of the flows.
#[test]
fn a_runbook_starts_what_others_need_first() {
    let runbook = overview("cluster", "runbook.md");
    let steps: Vec<_> =
        runbook.lines().filter(|line| line.starts_with("### ") && line.contains(". ")).collect();
    let expected = [
        "### 1. cache: the primary Redis",
        "### 2. cache: the replicas of Redis",
        "### 3. sfu: LiveKit",
        "### 4. rooms: your service",
        "### 5. edge: Caddy",
    ];
    assert_eq!(steps, expected);
}

#[test]
fn a_runbook_holds_what_the_first_checklist_asks() {
    for (name, topology) in examples() {
        let runbook = overview(&name, "runbook.md");
        let has = |kind: &str| topology.services().iter().any(|service| service.kind.kind() == kind);
        let mut wanted = vec!["ps\n", "nft list table inet"];
        if has("livekit") {
            wanted.extend(["/rtc/validate", "curl -sS http://127.0.0.1:7880/"]);
            match name.as_str() {
                "http-only" => wanted.push("ws://192.168.1.10"),
                _ => wanted.extend(["wss://livekit.example.com", "dig +short livekit.example.com A"]),
            }
        } else {
            assert!(!runbook.contains("LiveKit") && !runbook.contains("livekit"), "{name}");
        }
        if has("edge") && name != "http-only" {
            wanted.push("openssl x509");
        }
        if name == "redis-external" {
            wanted.push("redis is run by somebody else");
        } else if has("redis") {
            wanted.extend(["`PONG`", "REDISCLI_AUTH", "--rdb /data/by-hand.rdb"]);
        }
        if has("postgres") {
            wanted.extend(["select 1", "pg_dump", "pg_restore"]);
        }
        if name.starts_with("turn-") {
            wanted.extend(["01 01", "turn.example.com:443"]);
        }
        for text in wanted {
            assert!(runbook.contains(text), "{name} lacks {text}:\n{runbook}");
        }
        // What the documents before us advised, and what no program takes.
        for text in ["list-certs", "caddy trust", "docker-compose ", "nslookup", "BGSAVE"] {
            assert!(!runbook.contains(text), "{name} has {text}");
        }
    }
}

#[test]
fn every_block_of_code_is_a_shell_script() {
    for (name, topology) in examples() {
        let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("renders");
        let readmes = rendering.bundles.iter().filter_map(|bundle| bundle.artifact("README.md"));
        for file in rendering.overview.iter().filter(|file| file.path.ends_with(".md")).chain(readmes) {
            let text = String::from_utf8(file.bytes.clone()).expect("text");
            let blocks = blocks(&text);
            assert!(!blocks.is_empty(), "{name} {}", file.path);
            for block in blocks {
                let checked = Command::new("sh").args(["-n", "-c", &block]).output().expect("a shell");
                assert!(checked.status.success(), "{name} {}: {block}", file.path);
            }
        }
    }
}

#[test]
fn what_people_read_of_very_many_nodes_stays_a_document() {
    let mut text = "name = \"live\"\n".to_owned();
    for index in 0..2000 {
        let (high, low) = (index / 250, index % 250 + 1);
        text.push_str(&format!(
            "[nodes.m{index}]\naddress = \"10.0.{high}.{low}\"\npublic = \"203.{high}.113.{low}\"\nroles = \"livekit\"\n"
        ));
    }
    text.push_str("[nodes.data]\naddress = \"10.1.0.1\"\nroles = \"redis\"\n");
    text.push_str("[redis]\npassword = { env = \"P\" }\n[livekit]\nkeys = { main = { env = \"S\" } }\n");
    text.push_str("[severity]\nno-way-in = \"allow\"\n");
    let topology = topology(&text);
    let custom = Custom::default();
    let renderer = crate::Renderer::new(&topology, Secrets::SEALED, &custom).expect("loads");
    let overview = renderer.overview().expect("renders");
    for artifact in overview.iter().filter(|artifact| !artifact.path.ends_with(".json")) {
        assert!(artifact.bytes.len() < 200_000, "{} has {} bytes", artifact.path, artifact.bytes.len());
    }
}

#[test]
fn records_lead_to_public_addresses_of_both_families() {
    let dns = overview("ipv6", "dns.txt");
    let lines: Vec<_> = dns.lines().filter(|line| !line.starts_with(';')).collect();
    assert_eq!(
        lines,
        ["livekit.example.com. 300 IN A 203.0.113.10", "livekit.example.com. 300 IN AAAA 2001:db8::10"]
    );
    assert!(overview("turn-direct", "dns.txt").contains("turn.example.com. 300 IN A 203.0.113.11"));
    assert!(overview("turn-edge", "dns.txt").contains("turn.example.com. 300 IN A 203.0.113.10"));
    assert!(overview("http-only", "dns.txt").contains("; No service has a name"));
}

#[test]
fn a_record_that_cannot_be_known_is_said_to_be_missing() {
    let text = "name = \"live\"\n[nodes.front]\naddress = \"10.0.0.1\"\nroles = [\"edge\", \"app\"]\n\
                [edge]\ndomain = \"live.example.com\"\n[app]\nrun = \"host\"\nport = 8080\nroutes = \"/*\"\n";
    let built =
        Document::parse(Format::Toml, "stageplot.toml", text).and_then(|document| Plot::read(&document));
    let topology = built.expect("a plot").topology;
    let dns = super::dns::render(&topology);
    assert!(dns.contains("; live.example.com. leads to front"), "{dns}");
    let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("renders");
    let runbook = rendering.overview.iter().find(|artifact| artifact.path == "runbook.md").expect("the file");
    let runbook = String::from_utf8(runbook.bytes.clone()).expect("text");
    assert!(runbook.contains("live.example.com leads to front, for which the plot has no public address"));
    assert!(!runbook.contains("No name is used"), "{runbook}");
}

/// The blocks of code of a Markdown document.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                inside = true;
                blocks.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => blocks.last_mut().expect("pushed").push_str(&text),
            _ => {}
        }
    }
    blocks
}

fn overview(name: &str, file: &str) -> String {
    let (_, topology) = examples().into_iter().find(|(own, _)| own == name).expect("an example");
    let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("renders");
    let artifact = rendering.overview.iter().find(|artifact| artifact.path == file).expect("the file");
    String::from_utf8(artifact.bytes.clone()).expect("text")
}
