//! What a container has said of late.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt as _;

use super::Attempt;
use crate::docker::Docker;
use crate::trial::Target;
use crate::{Cause, Problem};

/// What is late: an hour.
const LATE: Duration = Duration::from_secs(3600);

/// How many lines are looked at, the last ones.
const LINES: &str = "2000";

/// How many lines are told, the last ones.
const TOLD: usize = 5;

/// No line of the last hour speaks of an error.
pub(super) async fn errors(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let Target::Container(service) = &attempt.trial.target else {
        return Err(Problem::not_tried(Cause::DockerSilent, "no container is named"));
    };
    let docker = Docker::new(&attempt.scene.options.docker);
    let found = docker.containers(&attempt.scene.topology, Some(service)).await?;
    let Some(id) = found.first().and_then(|shown| shown.id.clone()) else {
        return Err(Problem::failed(
            Cause::ContainerMissing,
            format!("{service} has no container on this machine"),
        ));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        since: i32::try_from(now.saturating_sub(LATE).as_secs()).unwrap_or_default(),
        tail: LINES.to_owned(),
        ..LogsOptions::default()
    };
    let engine = docker.engine()?;
    let mut lines = engine.logs(&id, Some(options));
    let (mut looked_at, mut bad) = (0_usize, Vec::new());
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| docker.silent(&error))?;
        let text = String::from_utf8_lossy(line.as_ref()).into_owned();
        looked_at += 1;
        if speaks_of_error(&text) {
            bad.push(text);
        }
    }
    attempt.evidence.note("lines", looked_at);
    attempt.evidence.note("errors", bad.len());
    for text in bad.iter().rev().take(TOLD) {
        attempt.evidence.note("line", text.trim_end());
    }
    match bad.last() {
        None => Ok(()),
        Some(last) => {
            let what =
                format!("{service} spoke of errors in the last hour ({} lines); the last: {last}", bad.len());
            Err(Problem::degraded(Cause::LogErrors, what))
        }
    }
}

/// The last lines of a container's output that are not empty.
pub(crate) async fn last(docker: &Docker, id: &str, most: usize) -> Result<Vec<String>, Problem> {
    // Some end with lines that say nothing.
    let tail = (4 * most).to_string();
    let options = LogsOptions { stdout: true, stderr: true, tail, ..LogsOptions::default() };
    let engine = docker.engine()?;
    let mut output = engine.logs(id, Some(options));
    let mut lines = Vec::new();
    while let Some(line) = output.next().await {
        let line = line.map_err(|error| docker.silent(&error))?;
        lines.push(String::from_utf8_lossy(line.as_ref()).trim_end().to_owned());
    }
    lines.retain(|line| !line.is_empty());
    lines.drain(..lines.len().saturating_sub(most));
    Ok(lines)
}

/// Whether a line is about an error, as these programs write one: a level (Caddy, LiveKit:
/// JSON and columns; nginx, ion-sfu), or a panic.
fn speaks_of_error(line: &str) -> bool {
    const SIGNS: &[&str] = &[
        "\"level\":\"error\"",
        "\"level\":\"fatal\"",
        "level=error",
        "level=fatal",
        "\tERROR\t",
        "\tFATAL\t",
        "panic:",
        "panicked at",
        "FATAL:",
        "ERROR:",
        " [error] ",
        " [crit] ",
        " [alert] ",
        " [emerg] ",
        " [ERROR] ",
    ];
    SIGNS.iter().any(|sign| line.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_what_mentions_one() {
        for line in [
            r#"{"level":"error","ts":1,"msg":"no upstreams available"}"#,
            "2026-01-02T03:04:05.678Z\tERROR\tlivekit\trtc/x.go:1\tfailed",
            "panic: runtime error",
            "level=error msg=x",
            "2026/01/02 03:04:05 [error] 7#7: *3 connect() failed (111: Connection refused)",
            "\u{1b}[31m[2026-01-02 03:04:05.678] [ERROR] [main.go:63] => config file loaded failed",
        ] {
            assert!(speaks_of_error(line), "{line}");
        }
        for line in [
            r#"{"level":"info","msg":"error page served"}"#,
            "2026-01-02T03:04:05.678Z\tINFO\tlivekit\tstarting\t{\"onError\": 1}",
            "1:M 01 Jan 2026 * Ready to accept connections",
        ] {
            assert!(!speaks_of_error(line), "{line}");
        }
    }
}
