//! Registries: plain HTTP, and names that grow too long.

use stageplot_topology::{Code, Mirror, Plot, Registry, RegistryAccess, RegistrySpec};

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::PlainRegistry,
            "registries.\"10.0.0.5:5000\"",
            |plot| {
                plot.registries.insert(registry("10.0.0.5:5000"), RegistryAccess { http: true }.into());
            },
            |plot| plot.registries.clear(),
        ),
        case(
            Code::InvalidValue,
            "registries.\"docker.io\"",
            |plot| mirrored(plot, &format!("10.0.0.5:5000/{}", "a".repeat(240))),
            |plot| mirrored(plot, "10.0.0.5:5000/a"),
        ),
    ]
}

fn mirrored(plot: &mut Plot, mirror: &str) {
    let mirror: Mirror = mirror.parse().expect("a mirror");
    plot.registries.insert(registry("docker.io"), RegistrySpec::Mirror(mirror));
}

fn registry(text: &str) -> Registry {
    text.parse().expect("a registry")
}
