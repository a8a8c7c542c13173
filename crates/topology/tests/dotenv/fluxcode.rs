//! FluxCode's `.env` files.

mod contradictions;
mod places;
mod secrets;
mod settings;
mod variables;

pub(crate) use variables::NAMES;

use stageplot_topology::dotenv::{Import, Stack};
use stageplot_topology::{App, Edge, Plot, Postgres, Redis, ServiceSpec};

use crate::read;

/// The documents' own files, filled in as they say.
pub(crate) const INFRA: &str = include_str!("fluxcode/infra.env");
pub(crate) const APP: &str = include_str!("fluxcode/app.env");
pub(crate) const NODE: &str = include_str!("fluxcode/node.env");

/// The documents' three machines.
const MACHINES: [(&str, &str); 3] = [("10.0.0.10", INFRA), ("10.0.0.11", APP), ("10.0.0.12", NODE)];

/// What agrees, with a plot that can be built.
fn imported(machines: &[(&str, &str)]) -> Import {
    let import = read(machines).unwrap_or_else(|findings| panic!("{findings}"));
    assert_eq!(import.stack, Stack::Fluxcode);
    if let Err(findings) = import.plot.build() {
        panic!("{findings}\n{}", import.plot.to_toml().expect("TOML"));
    }
    import
}

/// The text with other values for some variables; one that it lacks is added.
fn with(text: &str, changes: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in changes {
        text = without(&text, name);
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}

/// The text without a variable.
fn without(text: &str, name: &str) -> String {
    let is_other = |line: &&str| !line.starts_with(&format!("{name}="));
    text.lines().filter(is_other).map(|line| format!("{line}\n")).collect()
}

fn edge(plot: &Plot) -> &Edge {
    match &plot.services["edge"] {
        ServiceSpec::Edge(edge) => edge,
        other => panic!("{other:?}"),
    }
}

fn app(plot: &Plot) -> &App {
    match &plot.services["fluxcode"] {
        ServiceSpec::App(app) => app,
        other => panic!("{other:?}"),
    }
}

fn db(plot: &Plot) -> &Postgres {
    match &plot.services["db"] {
        ServiceSpec::Postgres(db) => db,
        other => panic!("{other:?}"),
    }
}

fn cache(plot: &Plot) -> &Redis {
    match &plot.services["cache"] {
        ServiceSpec::Redis(cache) => cache,
        other => panic!("{other:?}"),
    }
}
