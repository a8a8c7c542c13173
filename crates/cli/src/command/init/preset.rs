//! The plots to begin with.

use std::fmt::Write as _;

use clap::ValueEnum;
use stageplot_topology::{Document, Format, Plot, SecretRef};

use super::Draft;
use crate::failure::Failure;
use crate::secrets::random;

/// A plot to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// Everything on one machine
    Single,
    /// Caddy on one machine, LiveKit and Redis on another
    Pair,
    /// Caddy and a service of your own in front of several LiveKit machines
    Cluster,
}

impl Preset {
    /// The text of the plot, with addresses that are examples.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Single => include_str!("../../../presets/single.toml"),
            Self::Pair => include_str!("../../../presets/pair.toml"),
            Self::Cluster => include_str!("../../../presets/cluster.toml"),
        }
    }
}

impl Draft {
    /// A plot with new secrets.
    pub(super) fn of(plot: String) -> Result<Self, Failure> {
        let built = Document::parse(Format::Toml, "stageplot.toml", &plot).and_then(|text| Plot::read(&text));
        // Answers may contradict each other; the names of secrets are those of the preset.
        let made = match &built {
            Ok(built) => names(built.topology.secrets().into_iter().map(|(_, secret)| secret)),
            Err(_) => vec!["LIVEKIT_API_SECRET".to_owned(), "REDIS_PASSWORD".to_owned()],
        };
        let mut secrets =
            String::from("# Secrets of stageplot.toml. Keep this file out of version control, mode 0600.\n");
        for name in &made {
            let _ = writeln!(secrets, "{name}='{}'", random()?);
        }
        Ok(Self { plot, secrets: Some(secrets), made, ..Self::default() })
    }
}

/// The variables among secrets.
fn names<'a>(secrets: impl Iterator<Item = &'a SecretRef>) -> Vec<String> {
    let names = secrets.filter_map(|secret| match secret {
        SecretRef::Env(name) => Some(name.clone()),
        _ => None,
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_well() {
        for preset in Preset::value_variants() {
            let document = Document::parse(Format::Toml, "stageplot.toml", preset.text()).expect("TOML");
            let built = Plot::read(&document).expect("no errors");
            assert!(built.findings.is_empty(), "{preset:?}: {}", built.findings);
            assert!(document.key_span_of(&stageplot_topology::FieldPath::root().key("access")).is_some());
            let draft = Draft::of(preset.text().to_owned()).expect("a draft");
            let secrets = draft.secrets.expect("secrets");
            for (_, secret) in built.topology.secrets() {
                assert!(secrets.contains(&format!("{}='", secret.label())), "{preset:?}");
            }
        }
    }
}
