//! Processes that end with their guard, and commands that end by a deadline.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

/// How often a condition is looked at again.
const PAUSE: Duration = Duration::from_millis(20);

/// What a process that was told to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A process that runs for as long as its guard lives.
///
/// What it writes is kept, and shown when the test that started it fails.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: File,
    grace: Duration,
}

impl Process {
    /// Starts a command in a process group of its own.
    ///
    /// # Panics
    ///
    /// If the program cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Self {
        // A file takes whatever is written, also by a grandchild that outlives all.
        let output = kept();
        let child = command
            .stdin(Stdio::null())
            .stdout(again(&output))
            .stderr(again(&output))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {name}: {error} ({command:?})"));
        Self { name: name.to_owned(), child, output, grace: GRACE }
    }

    /// Sets what the process may take to end before it is killed; 5 s if unset.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// All that it has written to standard output and standard error so far.
    pub fn output(&self) -> String {
        text(&self.output)
    }

    /// Reads all that it has written so far, whenever it is called; for conditions of
    /// [`Process::wait_for`].
    pub(crate) fn reader(&self) -> impl Fn() -> String + use<> {
        let file = self.output.try_clone();
        let file = file.unwrap_or_else(|error| panic!("failed to share a file: {error}"));
        move || text(&file)
    }

    /// Waits until a condition holds.
    ///
    /// # Panics
    ///
    /// If the process ends, or the deadline passes, before it does.
    pub fn wait_for(&mut self, what: &str, deadline: Duration, mut holds: impl FnMut() -> bool) {
        self.wait_until(what, deadline, |_| holds());
    }

    /// Waits as [`Process::wait_for`] does, for something that the process itself shows.
    ///
    /// # Panics
    ///
    /// As [`Process::wait_for`].
    pub fn wait_until(&mut self, what: &str, deadline: Duration, mut holds: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + deadline;
        while !holds(self) {
            if let Ok(Some(status)) = self.child.try_wait() {
                // What it wrote is shown by its guard, on the way out.
                panic!("{} ended ({status}) before {what}", self.name);
            }
            assert!(Instant::now() < end, "{}: not {what} after {deadline:?}", self.name);
            thread::sleep(PAUSE);
        }
    }

    /// Waits until the process has ended by itself; `None` where the deadline passes
    /// first.
    pub fn ended_within(&mut self, deadline: Duration) -> Option<ExitStatus> {
        exit(&mut self.child, deadline)
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) {
        // A process that has ended has nothing to hear.
        let _ = kill_process(pid(&self.child), signal);
    }

    /// Ends the process: asks with SIGTERM, and kills its group if that takes longer
    /// than its grace.
    pub fn stop(&mut self) -> ExitStatus {
        if self.is_running() {
            self.signal(Signal::TERM);
        }
        match exit(&mut self.child, self.grace) {
            Some(status) => status,
            None => self.kill(),
        }
    }

    /// Kills the process and its group at once.
    pub fn kill(&mut self) -> ExitStatus {
        kill_group(&self.child);
        self.child.wait().unwrap_or_else(|error| panic!("failed to reap {}: {error}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            eprintln!("--- what {} wrote ---\n{}", self.name, self.output());
        }
    }
}

/// How a command ended, and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Output {
    /// Whether it ended with 0.
    pub fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// Standard output of a command that has to succeed.
    ///
    /// # Panics
    ///
    /// If it did not, with all that it wrote.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(self.succeeded(), "failed: {}", self.transcript());
        self.stdout
    }

    /// Standard error of a command that has to fail.
    ///
    /// # Panics
    ///
    /// If it succeeded, with all that it wrote.
    #[track_caller]
    pub fn failure(self) -> String {
        assert!(!self.succeeded(), "succeeded: {}", self.transcript());
        self.stderr
    }

    /// Standard output, read as JSON, however the command ended.
    ///
    /// # Panics
    ///
    /// If it is none, with all that was written.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.transcript()))
    }

    fn transcript(&self) -> String {
        let mut transcript = format!("{} ({})", self.command, self.status);
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let _ = write!(transcript, "\n--- {name} ---\n{}", text.trim_end());
            }
        }
        transcript
    }
}

/// Runs a command to its end.
///
/// # Panics
///
/// If it cannot be started, or has not ended by the deadline; it is killed then,
/// with its group.
#[track_caller]
pub fn run(command: &mut Command, deadline: Duration) -> Output {
    attempt(command, deadline).unwrap_or_else(|problem| panic!("{problem}"))
}

/// Runs a command to its end, as [`run`] does; for those who clean up, who must not
/// panic.
pub(crate) fn attempt(command: &mut Command, deadline: Duration) -> Result<Output, String> {
    let line = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let (stdout, stderr) = (kept(), kept());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(again(&stdout))
        .stderr(again(&stderr))
        .process_group(0)
        .spawn()
        .map_err(|error| format!("failed to start {line}: {error}"))?;
    let Some(status) = exit(&mut child, deadline) else {
        kill_group(&child);
        let _ = child.wait();
        let (stdout, stderr) = (text(&stdout), text(&stderr));
        return Err(format!("not ended after {deadline:?}: {line}\n{stdout}{stderr}"));
    };
    Ok(Output { command: line, status, stdout: text(&stdout), stderr: text(&stderr) })
}

/// Waits until a condition holds.
///
/// # Panics
///
/// If the deadline passes before it does.
#[track_caller]
pub fn wait_for(what: &str, deadline: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !holds() {
        assert!(Instant::now() < end, "not {what} after {deadline:?}");
        thread::sleep(PAUSE);
    }
}

fn exit(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + deadline;
    // Most commands end within milliseconds, so the first looks come soon.
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

fn kill_group(child: &Child) {
    // Each was started as the leader of a group, so the group has its number.
    let _ = kill_process_group(pid(child), Signal::KILL);
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn kept() -> File {
    tempfile::tempfile().unwrap_or_else(|error| panic!("failed to make a temporary file: {error}"))
}

fn again(file: &File) -> Stdio {
    let file = file.try_clone();
    Stdio::from(file.unwrap_or_else(|error| panic!("failed to share a file: {error}")))
}

/// What a file holds, read without moving the position that its writers share.
fn text(file: &File) -> String {
    let mut bytes = vec![0; file.metadata().map_or(0, |file| file.len() as usize)];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(failed to read what it wrote: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_kept_apart() {
        let output = run(&mut shell("echo out; echo err >&2; exit 3"), Duration::from_secs(5));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.failure(), "err\n");
    }

    #[test]
    #[should_panic(expected = "not ended after 100ms")]
    fn a_command_that_hangs_is_ended_with_its_children() {
        run(&mut shell("sleep 60 & sleep 60"), Duration::from_millis(100));
    }

    #[test]
    fn a_process_ends_with_its_guard() {
        let mut process = Process::start("sleeper", &mut shell("echo up; exec sleep 60"));
        let pid = Pid::from_raw(process.pid().cast_signed()).expect("a pid");
        let file = process.output.try_clone().expect("a clone");
        process.wait_for("up", Duration::from_secs(5), || text(&file).contains("up"));
        drop(process);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn a_process_that_does_not_hear_is_killed() {
        let mut process =
            Process::start("deaf", &mut shell("trap '' TERM; echo up; while :; do sleep 1; done"))
                .with_grace(Duration::from_millis(100));
        let file = process.output.try_clone().expect("a clone");
        process.wait_for("up", Duration::from_secs(5), || text(&file).contains("up"));
        let started = Instant::now();
        assert!(!process.stop().success());
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[test]
    #[should_panic(expected = "ended (exit status: 1) before ready")]
    fn a_process_that_ends_is_not_waited_for() {
        Process::start("short", &mut shell("exit 1")).wait_for("ready", Duration::from_secs(5), || false);
    }
}
