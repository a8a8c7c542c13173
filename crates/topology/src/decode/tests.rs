mod properties;
mod secrets;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::*;
use crate::{Code, Document, Format};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Plot {
    pub(super) name: String,
    pub(super) nodes: BTreeMap<String, PlotNode>,
    pub(super) services: BTreeMap<String, ByKind<Service>>,
    pub(super) mode: Mode,
    pub(super) size: Option<(u8, u8)>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct PlotNode {
    pub(super) port: Option<Port>,
    #[serde(alias = "memory-size")]
    pub(super) memory: Option<u16>,
    pub(super) lan: Option<std::net::IpAddr>,
    #[serde(deserialize_with = "one_or_many")]
    pub(super) roles: Vec<String>,
    pub(super) ports: Vec<Port>,
    pub(super) up: bool,
    pub(super) load: f64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Service {
    Redis(Redis),
    Edge {
        #[serde(default)]
        tls: Option<Tls>,
    },
    Idle,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Redis {
    primary: String,
    port: u16,
    #[serde(default)]
    password: Option<Word>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    #[default]
    Plain,
    Timed(u8),
    Sized {
        width: u8,
    },
}

#[derive(Debug, PartialEq)]
pub(super) struct Port(u16);

impl FromScalar for Port {
    const EXPECTED: &str = "a port number between 1 and 65535";

    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "http" => Ok(Self(80)),
            _ => Err("no port of that name".to_owned()),
        }
    }

    fn from_integer(number: i64) -> Option<Result<Self, String>> {
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        Some(port.map(Self).ok_or_else(|| "out of range".to_owned()))
    }
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer)
    }
}

#[derive(Debug, PartialEq)]
pub(super) enum Tls {
    Auto,
    Files(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFiles {
    cert: String,
    chain: String,
}

impl FromScalar for Tls {
    const EXPECTED: &str = "`auto`, or a table with `cert` and `chain`";

    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => Err("no way of having certificates\nhelp: did you mean `auto`?".to_owned()),
        }
    }
}

impl FromTable for Tls {
    type Table = TlsFiles;

    fn from_table(table: TlsFiles) -> Result<Self, String> {
        if table.cert == table.chain {
            return Err("`cert` and `chain` are one file".to_owned());
        }
        Ok(Self::Files(table.cert, table.chain))
    }
}

impl<'de> Deserialize<'de> for Tls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar_or_table(deserializer)
    }
}

/// A secret that tells on itself.
#[derive(Debug, PartialEq)]
pub(super) struct Word(String);

impl FromScalar for Word {
    const EXPECTED: &str = "eight characters";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.len() {
            8 => Ok(Self(text.to_owned())),
            _ => Err(format!("`{text}` has not eight characters")),
        }
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer)
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = r#"
nmae = "live"
name = 5
[nodes.a]
port = "80a"
memory = 70000
lan = "10.0.0"
roles = ["edge", 7, "sfu", true]
up = "yes"
[nodes.b]
prot = 80
ports = [80, 0, "http", [], 65536]
load = 1
[nodes]
c = 5
[services.x]
kind = "edgy"
[services.y]
port = 1
[services.z]
kind = "redis"
colour = "red"
[services.w]
kind = "edge"
tls = {}
"#;
    let (plot, told) = read::<Plot>(Format::Toml, text);
    let expected = [
        "error[unknown-field]: 2:1: nmae: unknown field `nmae` in the file (help: did you mean `name`? known fields: `name`, `nodes`, `services`, `mode`, `size`)",
        "error[wrong-type]: 3:8: name: expected a string, found the number 5 (help: put it in quotes)",
        "error[invalid-value]: 5:8: nodes.a.port: \"80a\" is not valid: no port of that name (help: write a port number between 1 and 65535)",
        "error[invalid-value]: 6:10: nodes.a.memory: expected a whole number between 0 and 65535, found the number 70000 (help: write a whole number between 0 and 65535)",
        "error[invalid-value]: 7:7: nodes.a.lan: \"10.0.0\" is not an IP address \
         (help: write one such as 192.168.1.1 or fd00::1; a network with its length, as in 192.168.1.0/24)",
        "error[wrong-type]: 8:18: nodes.a.roles[1]: expected a string, found the number 7 (help: put it in quotes)",
        "error[wrong-type]: 8:28: nodes.a.roles[3]: expected a string, found true (help: put it in quotes)",
        "error[wrong-type]: 9:6: nodes.a.up: expected true or false, found a string \"yes\" (help: write true or false)",
        "error[unknown-field]: 11:1: nodes.b.prot: unknown field `prot` in nodes.b (help: did you mean `port`? known fields: `port`, `memory`, `memory-size`, `lan`, `roles`, `ports`, `up`, `load`)",
        "error[invalid-value]: 12:14: nodes.b.ports[1]: the number 0 is not valid: out of range (help: write a port number between 1 and 65535)",
        "error[wrong-type]: 12:25: nodes.b.ports[3]: expected a port number between 1 and 65535, found a list of 0 (help: write a port number between 1 and 65535)",
        "error[invalid-value]: 12:29: nodes.b.ports[4]: the number 65536 is not valid: out of range (help: write a port number between 1 and 65535)",
        "error[wrong-type]: 15:5: nodes.c: expected a table, found the number 5 (help: write c = { … }; known fields: `port`, `memory`, `memory-size`, `lan`, `roles`, `ports`, `up`, `load`)",
        "error[invalid-value]: 17:8: services.x.kind: expected one of `redis`, `edge`, `idle`, found a string \"edgy\" (help: did you mean `edge`?)",
        "error[missing-field]: 18:1: services.y.kind: services.y does not say of which kind it is (help: add kind = \"…\" with one of `redis`, `edge`, `idle`)",
        "error[missing-field]: 20:1: services.z.port: missing field `port` in services.z (help: add `port`)",
        "error[missing-field]: 20:1: services.z.primary: missing field `primary` in services.z (help: add `primary`)",
        "error[unknown-field]: 22:1: services.z.colour: unknown field `colour` in services.z (help: known fields: `primary`, `port`, `password`)",
        "error[missing-field]: 25:7: services.w.tls.cert: missing field `cert` in services.w.tls (help: add `cert`)",
        "error[missing-field]: 25:7: services.w.tls.chain: missing field `chain` in services.w.tls (help: add `chain`)",
    ];
    assert_eq!(told, expected);
    let plot = plot.expect("what is right is kept");
    assert_eq!(plot.nodes["a"].roles, ["edge", "sfu"]);
    assert_eq!(plot.nodes["b"].ports, [Port(80), Port(80)]);
    assert_eq!(plot.services["w"], ByKind(Service::Edge { tls: None }));
    assert_eq!(plot.services.len(), 1);
}

#[test]
fn the_same_in_json_and_yaml() {
    let json = "{\"nodes\": {\"a\": {\"prot\": 1,\n \"up\": null}}}";
    let (_, told) = read::<Plot>(Format::Json, json);
    assert!(told[0].starts_with("error[unknown-field]: 1:18: nodes.a.prot"), "{told:?}");
    assert!(
        told[1].starts_with("error[wrong-type]: 2:8: nodes.a.up: expected true or false, found nothing"),
        "{told:?}"
    );
    let (_, told) = read::<Plot>(Format::Yaml, "nodes:\n  a:\n    prot: 1\n    up:\n");
    assert!(told[0].starts_with("error[unknown-field]: 3:5: nodes.a.prot"), "{told:?}");
    assert!(told[1].starts_with("error[wrong-type]: 4:5: nodes.a.up"), "{told:?}");
}

#[test]
fn enums_from_words_and_tables() {
    let mode = |text: &str| read::<Plot>(Format::Toml, text);
    assert_eq!(mode("mode = 'plain'").0.unwrap().mode, Mode::Plain);
    assert_eq!(mode("mode = { timed = 5 }").0.unwrap().mode, Mode::Timed(5));
    assert_eq!(mode("mode = { sized = { width = 5 } }").0.unwrap().mode, Mode::Sized { width: 5 });
    for (text, start) in [
        (
            "mode = 'plian'",
            "1:8: mode: expected one of `plain`, `timed`, `sized`, found a string \"plian\" (help: did you mean `plain`?)",
        ),
        ("mode = 5", "1:8: mode: expected one of `plain`, `timed`, `sized`, found the number 5"),
        ("mode = {}", "1:8: mode: expected a table with one of `plain`"),
        (
            "mode = { timde = 5 }",
            "1:8: mode: expected one of `plain`, `timed`, `sized`, found the name \"timde\" (help: did you mean `timed`?)",
        ),
        ("mode = { timed = 'x' }", "1:18: mode.timed: expected a whole number between 0 and 255"),
        ("mode = { sized = { width = 'x' } }", "1:28: mode.sized.width: expected a whole number"),
        ("mode = { sized = {} }", "1:18: mode.sized.width: missing field"),
        ("mode = { plain = 1 }", "1:8: mode: expected `plain` alone"),
        ("mode = 'timed'", "1:8: mode: expected"),
        ("size = [1]", "1:8: size: expected a list of 2"),
        ("size = [1, 'x']", "1:12: size[1]: expected a whole number between 0 and 255"),
    ] {
        let (plot, told) = mode(text);
        assert_eq!(told.len(), 1, "{text} {told:?}");
        assert!(told[0].split_once("]: ").unwrap().1.starts_with(start), "{text}\n{told:?}");
        assert_eq!(plot.unwrap(), Plot::default());
    }
}

#[test]
fn kinds_without_fields_and_tables_that_hold_together() {
    let (plot, told) = read::<Plot>(
        Format::Toml,
        "[services]\na = { kind = 'idle' }\nb = { kind = 'idle', x = 1 }\nc = { kind = 5 }\nd = 'idle'\n\
         e = { kind = 'edge', tls = { cert = 'a', chain = 'a' } }\nf = { kind = 'edge', tls = 'x' }\n",
    );
    let starts = [
        "error[unknown-field]: 3:22: services.b.x: unknown field `x` in services.b (help: take it away",
        "error[wrong-type]: 4:14: services.c.kind: expected a string",
        "error[wrong-type]: 5:5: services.d: expected a table, found a string \"idle\"",
        "error[invalid-value]: 6:28: services.e.tls: `cert` and `chain` are one file (help: write `auto`",
        "error[invalid-value]: 7:28: services.f.tls: \"x\" is not valid: no way of having certificates (help: did you mean `auto`?)",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(start), "{told}\n{start}");
    }
    assert_eq!(plot.unwrap().services.len(), 4);
}

#[test]
fn the_root_itself_may_be_wrong() {
    let (plot, told) = read::<Plot>(Format::Json, "[1]");
    assert!(plot.is_none());
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("expected a table, found a list of 1"), "{told:?}");
    let (plot, told) = read::<Redis>(Format::Toml, "");
    assert!(plot.is_none());
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn what_follows_from_a_mistake_is_not_another() {
    // `primary` is there, though wrong, and so is not missing.
    let (_, told) = read::<Redis>(Format::Toml, "primary = 5\nport = 1\n");
    assert_eq!(told.len(), 1, "{told:?}");
    let (_, told) = read::<Redis>(Format::Toml, "primary = 5\n");
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn names_of_maps_may_be_numbers_or_wrong() {
    let (map, told) = read::<BTreeMap<u16, bool>>(Format::Json, r#"{"80": true, "x": true, "99999": 1}"#);
    assert_eq!(map.unwrap(), BTreeMap::from([(80, true)]));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("found the name \"x\""), "{told:?}");
}

#[test]
fn text_that_could_steer_a_terminal_is_escaped() {
    let (_, told) = read::<Plot>(Format::Json, r#"{"mode": "\u001b[31m\u202e", "\u001b": 1}"#);
    for told in told {
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    }
}

pub(super) fn read<T: DeserializeOwned>(format: Format, text: &str) -> (Option<T>, Vec<String>) {
    let document = Document::parse(format, "plot", text).unwrap();
    let mut findings = Findings::new();
    let decoded = document.decode(&mut findings);
    document.locate(&mut findings);
    for finding in &findings {
        assert_ne!(finding.code, Code::Syntax);
    }
    (decoded, findings.iter().map(ToString::to_string).collect())
}
