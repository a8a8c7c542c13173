//! Another machine that is reached by SSH: an `ssh` that lies, `ssh.sh` beside this.

use std::net::SocketAddr;

use futures_util::future::join_all;
use stageplot_health::Cause::*;
use stageplot_health::{Ssh, Trial};
use stageplot_topology::Probe;

use crate::server::nobody;
use crate::stage::{Case, DEADLINE, End, Stage};

fn trial(stage: &Stage, kind: &str, at: SocketAddr) -> Trial {
    stage.trial(
        |probe| match kind {
            "tcp" => matches!(probe, Probe::TcpConnect),
            _ => matches!(probe, Probe::HttpGet { .. }),
        },
        at,
    )
}

/// Where it is said to lead, what is tried there, the end.
const DESTINATIONS: &[(&str, &str, End)] = &[
    ("honest", "tcp", End::Passed),
    ("honest", "health", End::Passed),
    ("mute", "tcp", End::NotTried(SshFailed)),
    ("ends", "tcp", End::NotTried(SshFailed)),
    ("refuses", "tcp", End::NotTried(SshFailed)),
    ("lines", "tcp", End::NotTried(SshFailed)),
    ("a-line", "tcp", End::NotTried(SshFailed)),
    ("unasked", "tcp", End::NotTried(SshFailed)),
    ("forbidden", "tcp", End::NotTried(SshFailed)),
    ("enters", "tcp", End::Failed(Silence)),
    ("nobody", "tcp", End::Failed(Refused)),
    ("late", "tcp", End::Failed(Silence)),
    ("elsewhere", "tcp", End::Failed(Unreachable)),
    ("silent", "tcp", End::Passed),
    ("silent", "health", End::Failed(NoAnswer)),
    ("talks", "health", End::Failed(NoAnswer)),
    ("closes", "health", End::Failed(ClosedEarly)),
    ("breaks", "health", End::Failed(ClosedEarly)),
    ("another", "health", End::Failed(WrongProtocol)),
    ("floods", "health", End::Failed(TooMuch)),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_lets_nobody_in_has_said_nothing_of_others() {
    let stage = &Stage::behind_https();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/liars/ssh.sh");
    // A program is started first, on a machine that may be busy.
    let patience = DEADLINE * 6;
    join_all(DESTINATIONS.iter().map(|(destination, kind, end)| async move {
        let stage = stage.clone().via(ssh(destination, program));
        let case = Case::new(format!("{kind}, {destination}"), trial(&stage, kind, nobody()), *end);
        stage.hold([std::future::ready(case.within(patience))]).await;
    }))
    .await;
    let stage = stage.clone().via(ssh("honest", "/nowhere/ssh"));
    let case = Case::new("no ssh", trial(&stage, "tcp", nobody()), End::NotTried(SshFailed));
    stage.hold([std::future::ready(case)]).await;
}

fn ssh(destination: &str, program: &str) -> Ssh {
    let mut ssh = Ssh::to(destination);
    ssh.program = program.into();
    ssh
}
