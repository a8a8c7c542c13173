//! The `.env` files of LiveKit's scripts and of FluxCode's Compose files, as their
//! documents have them, made into plots.

use stageplot_topology::dotenv::{EnvFile, Import, import};
use stageplot_topology::{Code, Findings, Livekit, Plot, Redis, ServiceSpec};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!($name, ".env"))
    };
}

mod contradictions;
mod fluxcode;
mod places;
mod random;
mod secrets;
mod stack;
mod text;
mod variables;

/// Imports machines by address; each file is called as its address.
pub(crate) fn read(machines: &[(&str, &str)]) -> Result<Import, Findings> {
    let files: Vec<_> = machines
        .iter()
        .map(|&(name, text)| EnvFile { address: name.parse().expect("an address"), name, text })
        .collect();
    import(&files)
}

pub(crate) fn plot(machines: &[(&str, &str)]) -> Plot {
    let import = read(machines).expect("files that agree");
    import.plot.build().expect("a plot that can be built");
    import.plot
}

/// Each node's name, address and roles in one line.
pub(crate) fn nodes(plot: &Plot) -> Vec<String> {
    let line = |(name, node): (&stageplot_topology::Name, &stageplot_topology::NodeSpec)| {
        let address = node.address.first().copied().or(node.public.and_then(|p| p.addresses().next()));
        let roles: Vec<_> = node.roles.iter().map(|role| role.as_str()).collect();
        format!("{name} {} {}", address.expect("an address"), roles.join(","))
    };
    plot.nodes.iter().map(line).collect()
}

pub(crate) fn livekit(plot: &Plot) -> &Livekit {
    match &plot.services["livekit"] {
        ServiceSpec::Livekit(livekit) => livekit,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn redis(plot: &Plot) -> &Redis {
    match &plot.services["redis"] {
        ServiceSpec::Redis(redis) => redis,
        other => panic!("{other:?}"),
    }
}

/// The findings of a code, as they print.
pub(crate) fn found(findings: &Findings, code: Code) -> Vec<String> {
    findings.iter().filter(|f| f.code == code).map(ToString::to_string).collect()
}

/// The one contradiction of files that contradict each other.
pub(crate) fn contradiction(machines: &[(&str, &str)]) -> String {
    let findings = read(machines).expect_err("files that contradict each other");
    let [only] = found(&findings, Code::EnvContradiction).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    only
}
