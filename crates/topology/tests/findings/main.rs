//! Every finding can be brought about, stands where it belongs, and is gone once
//! the plot is mended the way its help says.

mod apps;
mod companions;
mod edges;
mod grafana;
mod healthy;
mod ion_sfu;
mod livekit;
mod machines;
mod names;
mod networks;
mod postgres;
mod prometheus;
mod redis;
mod registries;
mod rtmp;
mod secrets;
mod turn;

use std::collections::BTreeSet;

use stageplot_topology::{Code, Findings, Plot};

/// Codes that no plot built in code can bring about, and who finds them.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::Syntax, "found while a file is read"),
    (Code::UnknownField, "found while a file is read"),
    (Code::SshOpen, "only a file can leave out what a plot built in code has"),
    (Code::EnvDuplicate, "found while .env files are imported"),
    (Code::EnvUnknown, "found while .env files are imported"),
    (Code::EnvUnused, "found while .env files are imported"),
    (Code::EnvChanged, "found while .env files are imported"),
    (Code::EnvInferred, "found while .env files are imported"),
    (Code::EnvMissing, "found while .env files are imported"),
    (Code::EnvContradiction, "found while .env files are imported"),
    (Code::ImageUnlocked, "found when a lock is laid beside the plot"),
    (Code::LockUnused, "found when a lock is laid beside the plot"),
    (Code::ImageMoved, "found while registries are asked"),
    (Code::ImageUnresolved, "found while registries are asked"),
    (Code::UnwritableValue, "found by those who know the formats that are rendered"),
    (Code::SealKey, "found while secrets are sealed, or held against their seals"),
    (Code::SealMissing, "found while secrets are sealed, or held against their seals"),
    (Code::SealUnused, "found while secrets are sealed, or held against their seals"),
    (Code::SealStale, "found while secrets are sealed, or held against their seals"),
];

/// A way to break the healthy plot, and the way to mend it.
struct Case {
    code: Code,
    /// The field where it is found.
    at: &'static str,
    breaks: fn(&mut Plot),
    mends: fn(&mut Plot),
}

/// A case: the code, where it is found, what breaks the healthy plot, what mends it.
fn case(code: Code, at: &'static str, breaks: fn(&mut Plot), mends: fn(&mut Plot)) -> Case {
    Case { code, at, breaks, mends }
}

fn cases() -> Vec<Case> {
    let rooms = [
        names::cases(),
        networks::cases(),
        machines::cases(),
        edges::cases(),
        redis::cases(),
        postgres::cases(),
        prometheus::cases(),
        grafana::cases(),
        registries::cases(),
        rtmp::cases(),
        ion_sfu::cases(),
        companions::cases(),
        livekit::cases(),
        turn::cases(),
        apps::cases(),
        secrets::cases(),
    ];
    rooms.into_iter().flatten().collect()
}

#[test]
fn the_healthy_plot_has_no_findings() {
    assert_eq!(found(&healthy::plot()).to_string(), "");
}

#[test]
fn every_code_is_found_where_it_is_and_gone_once_mended() {
    for Case { code, at, breaks, mends } in cases() {
        let mut plot = healthy::plot();
        breaks(&mut plot);
        let findings = found(&plot);
        let here = findings.iter().find(|f| f.code == code && f.location.path.to_string() == at);
        let Some(here) = here else { panic!("{code} is not found at {at}, but:\n{findings}") };
        assert!(!here.help.is_empty() && !here.message.is_empty(), "{here}");
        assert_eq!(plot.build().is_err(), findings.has_errors());
        mends(&mut plot);
        assert_eq!(found(&plot).to_string(), "", "left of {code} at {at} after it was mended");
    }
}

#[test]
fn every_code_has_a_case() {
    let mut cased: BTreeSet<_> = cases().into_iter().map(|case| case.code).collect();
    for (code, why) in ELSEWHERE {
        assert!(cased.insert(*code), "{code} has a case, and a reason for none: {why}");
    }
    let missing: Vec<_> = Code::ALL.iter().filter(|code| !cased.contains(code)).collect();
    assert!(missing.is_empty(), "no case brings about {missing:?}");
}

fn found(plot: &Plot) -> Findings {
    match plot.build() {
        Ok(built) => built.findings,
        Err(findings) => findings,
    }
}
