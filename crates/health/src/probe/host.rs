//! The machine itself: disk, memory, what its kernel allows.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::Attempt;
use crate::{Cause, Problem};

/// How much of a disk, in percent, is left where it is nearly full, and where it is full.
const DISK: (u64, u64) = (10, 2);

/// How much memory, in percent, is left where it is nearly used up.
const MEMORY: u64 = 5;

/// What a socket may keep, in bytes, for media not to be lost in bursts: LiveKit warns
/// below it (`pkg/rtc` of livekit-server, `SetUDPReceiveBufferSize`).
const UDP_BUFFER: u64 = 5_000_000;

/// There is room on a disk.
pub(super) fn disk(attempt: &mut Attempt<'_>, path: &str) -> Result<(), Problem> {
    // Before anything was installed, the directory will be made on the disk of the one above.
    let there = Path::new(path).ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(there).map_err(|error| unknown(&there.display(), &error))?;
    let percent = disk.f_bavail.saturating_mul(100) / disk.f_blocks.max(1);
    let files = disk.f_favail.saturating_mul(100) / disk.f_files.max(1);
    attempt.evidence.note("free-percent", percent);
    attempt.evidence.note("free-bytes", disk.f_bavail.saturating_mul(disk.f_frsize));
    // Some file systems count no files.
    let left = if disk.f_files == 0 { percent } else { percent.min(files) };
    let what = format!("{left} % is left of the disk that has {}", there.display());
    match left {
        left if left < DISK.1 => Err(Problem::failed(Cause::DiskFull, what)),
        left if left < DISK.0 => Err(Problem::degraded(Cause::DiskFull, what)),
        _ => Ok(()),
    }
}

/// There is memory left.
pub(super) fn memory(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    const FILE: &str = "/proc/meminfo";
    let text = fs::read_to_string(FILE).map_err(|error| unknown(&FILE, &error))?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let (Some(total), Some(left)) = (field("MemTotal:"), field("MemAvailable:")) else {
        return Err(unknown(&FILE, &"it does not say how much is left"));
    };
    let percent = left.saturating_mul(100) / total.max(1);
    attempt.evidence.note("free-percent", percent);
    attempt.evidence.note("free-bytes", left.saturating_mul(1024));
    if percent < MEMORY {
        let what = format!("{percent} % is left of the machine's memory");
        return Err(Problem::degraded(Cause::MemoryLow, what));
    }
    Ok(())
}

/// The kernel lets a socket keep as much as media needs.
pub(super) fn udp_buffers(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    const FILE: &str = "/proc/sys/net/core/rmem_max";
    let text = fs::read_to_string(FILE).map_err(|error| unknown(&FILE, &error))?;
    let most: u64 = text.trim().parse().map_err(|error| unknown(&FILE, &error))?;
    attempt.evidence.note("rmem-max", most);
    if most < UDP_BUFFER {
        let what = format!("a socket may keep {most} bytes, and media wants {UDP_BUFFER}");
        return Err(Problem::degraded(Cause::UdpBuffers, what));
    }
    Ok(())
}

/// The clock follows somebody who knows the time.
pub(super) async fn clock(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property", "NTPSynchronized", "--value"]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| unknown(&"timedatectl", &error))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    attempt.evidence.note("synchronized", &said);
    match said.as_str() {
        "yes" => Ok(()),
        "no" => Err(Problem::degraded(Cause::ClockFree, "nobody keeps the clock of this machine right")),
        _ => {
            let what = "timedatectl does not say whether somebody keeps the clock of this machine right";
            Err(Problem::not_tried(Cause::NotPermitted, what))
        }
    }
}

/// How long the machine has been up.
pub(super) fn uptime(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    const FILE: &str = "/proc/uptime";
    let text = fs::read_to_string(FILE).map_err(|error| unknown(&FILE, &error))?;
    let seconds = text.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok());
    let seconds = seconds.ok_or_else(|| unknown(&FILE, &"it is no number"))?;
    let minutes = std::time::Duration::from_secs(seconds / 60 * 60);
    attempt.evidence.note("uptime", humantime::format_duration(minutes));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    attempt.evidence.note("load", load.split_ascii_whitespace().take(3).collect::<Vec<_>>().join(" "));
    Ok(())
}

fn unknown(what: &dyn std::fmt::Display, error: &dyn std::fmt::Display) -> Problem {
    Problem::not_tried(Cause::NotPermitted, format!("{what} cannot be read: {error}"))
}
