//! Secrets made of what means something in one format or another: every program reads
//! back exactly the value that was given, or nothing is rendered and an error says why.

mod caddy;
mod compose;
mod livekit;
mod postgres;
mod redis;

use proptest::prelude::*;
use stageplot_render::{Custom, RenderError, Rendering, Secrets, render};
use stageplot_tests::{Missing, Stage, Vault};
use stageplot_topology::{NodeSpec, Plot, SecretRef, Topology};

/// What any of the formats gives a meaning.
const MARKS: &[&str] = &[
    "'",
    "\"",
    "`",
    "$",
    "#",
    "%",
    "\\",
    "&",
    "*",
    "!",
    "|",
    ">",
    "<",
    "?",
    "@",
    "~",
    "^",
    ";",
    ",",
    ":",
    "=",
    "-",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "''",
    "\"\"",
    "``",
    "$$",
    "${X}",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "%h",
    "%%",
    "%(x)s",
    "\\n",
    "\\",
    "\\\\",
    "\\'",
    "\\\"",
    "'\\",
    "\"\\",
    "{env.HOME}",
    "{$HOME}",
    "{{ x }}",
    "{% raw %}",
    "{#x#}",
    "{}",
    ": ",
    " #",
    "a: b",
    "- a",
    "-",
    "--",
    "---",
    "...",
    "-rf",
    "&a",
    "*a",
    "!!str",
    "null",
    "~",
    "true",
    "no",
    "0x10",
    "1e3",
    "1:20",
    "<<",
    "<<EOF",
    "%YAML 1.2",
    "a,b",
    "ünïcödé",
    "密码",
    "🔑",
    "\u{200b}",
    "\u{a0}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}",
];

/// Every mark alone, behind something else, and at both ends; blanks; and long texts.
fn hostile() -> Vec<String> {
    let alone = MARKS.iter().map(|mark| (*mark).to_owned());
    let behind = MARKS.iter().map(|mark| format!("a{mark}"));
    alone.chain(behind).chain(at_both_ends()).collect()
}

/// The same with every mark at both ends alone, for programs that take their time.
fn at_both_ends() -> Vec<String> {
    let blanks = [" a", "a ", "  ", " ", "\ta", "a\t", "a\tb", "\t", "a  b", " ' \" "];
    let mut all: Vec<_> = MARKS.iter().map(|mark| format!("{mark}b{mark}")).collect();
    all.extend(blanks.map(str::to_owned));
    all.push(MARKS.concat());
    all.push("0123456789abcdef".repeat(256));
    all.push(MARKS.concat().chars().cycle().take(2000).collect());
    all
}

/// Those with line breaks, which not every format can hold.
fn broken() -> Vec<String> {
    ["a\nb", "\na", "a\n", "\n", "a\r\nb", "a\rb", "a\n\n", "a\nB=c", "'\n\"", "a\\\nb"]
        .map(str::to_owned)
        .into()
}

/// Texts of which half the characters mean something somewhere.
fn random_secret() -> impl Strategy<Value = String> {
    let special = prop::sample::select("'\"`$#%\\&*!|><?@~^;,:=-{}[]() \t".chars().collect::<Vec<_>>());
    let any = any::<char>().prop_filter("no NUL, no line break", |c| !matches!(c, '\0' | '\n' | '\r'));
    let character = prop_oneof![3 => special, 1 => prop::char::range('a', 'z'), 1 => any];
    prop::collection::vec(character, 1..40).prop_map(|characters| characters.into_iter().collect())
}

/// The secret of that number.
fn variable(number: usize) -> String {
    format!("SECRET_{number}")
}

fn secret(number: usize) -> SecretRef {
    SecretRef::Env(variable(number))
}

/// A topology and what gives its secrets these values.
fn with_values(plot: &Plot, values: &[String]) -> Result<(Topology, Vault), Missing> {
    let topology = plot.build().unwrap_or_else(|findings| panic!("{findings}")).topology;
    let mut vault = Vault::new(&topology)?;
    for (number, value) in values.iter().enumerate() {
        vault = vault.with(&variable(number), value.clone());
    }
    Ok((topology, vault))
}

fn rendered(topology: &Topology, vault: &Vault) -> Result<Rendering, RenderError> {
    render(topology, Secrets::From(vault), &Custom::default())
}

/// Sets a plot up whose secrets have these values.
fn stage(plot: &Plot, values: &[String]) -> Result<Stage, Missing> {
    let (topology, vault) = with_values(plot, values)?;
    let rendering = rendered(&topology, &vault).unwrap_or_else(|error| panic!("{error}"));
    Stage::new(&topology, &rendering)
}

/// A node with these roles.
fn node(address: &str, roles: &[&str]) -> NodeSpec {
    let address = address.parse().expect("an address");
    let node = NodeSpec::public("203.0.113.10".parse().expect("an address")).address(address);
    roles.iter().fold(node, |node, role| node.role(role))
}

fn plot() -> Plot {
    Plot::new("hostile".parse().expect("a name"))
}
