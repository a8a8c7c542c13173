//! A plot as it is rendered: with its secrets, to run; and sealed, to compare.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use secrecy::SecretString;
use serde_json::{Value, json};
use stageplot_render::diff::{self, Diff, Side};
use stageplot_render::{Custom, Rendering, SealKey, Seals, Secrets, render};
use stageplot_tests::Certificate;
use stageplot_topology::{Document, Format, Plot, SecretError, SecretRef, SecretSource, Topology};

use crate::row::templates;

/// A plot, and what it is made of.
#[derive(Clone)]
pub(crate) struct Stack {
    plot: Value,
    topology: Topology,
    custom: Custom,
}

impl Stack {
    pub(crate) fn new(plot: &Value) -> Self {
        let mut custom = Custom::default();
        custom.templates = templates(plot);
        Self { topology: topology(plot), plot: plot.clone(), custom }
    }

    /// What runs on a machine whose disk begins at a directory.
    pub(crate) fn below(&self, directory: &Path) -> Rendering {
        let root = self.plot["root"].as_str().expect("a directory").trim_start_matches('/');
        let mut plot = self.plot.clone();
        plot["root"] = json!(directory.join(root));
        render(&topology(&plot), Secrets::From(&Made), &self.custom).expect("it renders")
    }

    /// What the diff says of the way to another one.
    pub(crate) fn foretold(&self, after: &Self) -> Diff {
        diff::between(&self.side(), &after.side())
    }

    fn side(&self) -> Side {
        let seals = match self.topology.plot().seals.as_ref().map(|seals| seals.key.clone()) {
            Some(key) => {
                let key = SealKey::parse(&value(&key)).expect("a key");
                Seals::new(&self.topology, &Made, &key).expect("seals")
            }
            None => Seals::default(),
        };
        let sealed = render(&self.topology, Secrets::Sealed(&seals), &self.custom).expect("it renders");
        Side::of(&self.topology, sealed).expect("it is sealed")
    }

    /// Whether it has a node of that name.
    pub(crate) fn has(&self, node: &str) -> bool {
        self.topology.nodes().iter().any(|own| own.name.as_str() == node)
    }

    /// The services of each node by name, with their kinds.
    pub(crate) fn services(&self, node: &str) -> BTreeMap<String, &'static str> {
        let Some(node) = self.topology.nodes().iter().find(|own| own.name.as_str() == node) else {
            return BTreeMap::new();
        };
        let services = self.topology.placements_on(node.id).map(|placement| {
            let service = self.topology.service(placement.service);
            (service.name.to_string(), service.kind.kind())
        });
        services.collect()
    }

    /// Whether a service is a copy of another node's on a node.
    pub(crate) fn is_copy(&self, node: &str, service: &str) -> bool {
        let primary = self.topology.service_named(service).and_then(|service| service.primary);
        primary.is_some_and(|primary| {
            self.topology.node(self.topology.placement(primary).node).name.as_str() != node
        })
    }

    /// The stack's name.
    pub(crate) fn name(&self) -> &str {
        self.topology.name().as_str()
    }
}

impl PartialEq for Stack {
    fn eq(&self, other: &Self) -> bool {
        self.plot == other.plot
    }
}

fn topology(plot: &Value) -> Topology {
    let text = plot.to_string();
    let built = Document::parse(Format::Json, "stageplot.json", &text).and_then(|plot| Plot::read(&plot));
    built.unwrap_or_else(|findings| panic!("{findings}\n{plot:#}")).topology
}

/// Gives every name another value, of the form that its reader wants.
struct Made;

impl SecretSource for Made {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        Ok(value(secret).into())
    }
}

const SEAL_KEYS: [&str; 2] = [
    "7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47",
    "d2a64f0be93c71580e4fb6a9c83517d60fb2e84a7c3d915e06cf7b21a8d4e935",
];

fn value(secret: &SecretRef) -> String {
    let name = secret.label();
    match name.rsplit('_').next() {
        Some("CRT") => certificate(&name).cert.clone(),
        Some("KEY") if name == "SEAL_KEY" => SEAL_KEYS[0].to_owned(),
        Some("KEY") if name == "OTHER_SEAL_KEY" => SEAL_KEYS[1].to_owned(),
        Some("KEY") if !name.contains("DNS") => certificate(&name).key.clone(),
        // What takes neither dashes nor dots.
        Some("WORD") => format!("{name}_0123456789abcdef"),
        _ => format!("{name}-0123456789abcdef0123456789abcdef"),
    }
}

/// One of two certificates, by the name of a secret.
fn certificate(name: &str) -> &'static Certificate {
    static CERTIFICATES: [OnceLock<Certificate>; 2] = [OnceLock::new(), OnceLock::new()];
    let names = ["live.example.com", "turn.example.com"];
    CERTIFICATES[usize::from(name.starts_with("OTHER"))]
        .get_or_init(|| Certificate::new(&names).expect("openssl"))
}
