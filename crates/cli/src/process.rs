//! Programs that are run for what they print: secrets' own, git, and ssh.
//!
//! A program is run without a shell, in a process group of its own. Whatever it does,
//! it is over within the deadline: then the whole group is killed, and the program
//! reaped.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::failure::reason;

mod interrupt;

use interrupt::Interrupt;

/// How long a program may take, and how much it may print.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// The time it may take.
    pub(crate) deadline: Duration,
    /// The most bytes it may print.
    pub(crate) output: usize,
}

/// What a program prints, and how it ended.
///
/// # Errors
///
/// Why there is no such thing, to be put after the program's name: `took more than 30
/// seconds`. It never says what was printed.
pub(crate) fn output(command: &mut Command, bounds: Bounds) -> Result<(Vec<u8>, ExitStatus), String> {
    let mut run = Run::start(command, bounds)?;
    let mut bytes = Vec::new();
    run.read(|piece| bytes.extend_from_slice(piece))?;
    Ok((bytes, run.end()?))
}

/// How a program ended that was talked to.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The last line of its standard error, where it wrote any.
    pub(crate) last_words: Option<String>,
}

/// A program under way; dropped, its group is killed.
pub(crate) struct Run {
    child: Child,
    bounds: Bounds,
    until: Instant,
    interrupt: Interrupt,
    /// Its standard error, where it is read, and the end of what came from there.
    complaints: Option<ChildStderr>,
    tail: Vec<u8>,
}

impl Run {
    /// Starts a program.
    ///
    /// # Errors
    ///
    /// As [`output`].
    pub(crate) fn start(command: &mut Command, bounds: Bounds) -> Result<Self, String> {
        let interrupt = Interrupt::hold();
        let mut child = command
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot be run: {}", reason(&error)))?;
        let complaints = child.stderr.take();
        let until = Instant::now() + bounds.deadline;
        Ok(Self { child, bounds, until, interrupt, complaints, tail: Vec::new() })
    }

    /// Writes to its standard input while it hands out each line that it prints; both,
    /// and its standard error, have to be pipes.
    ///
    /// # Errors
    ///
    /// As [`output`].
    pub(crate) fn talk(mut self, told: Vec<u8>, mut heard: impl FnMut(&[u8])) -> Result<Ended, String> {
        if let Some(mut input) = self.child.stdin.take() {
            // Over once it is taken, or the program is gone: who takes none of it is seen
            // by what it says.
            thread::Builder::new()
                .spawn(move || input.write_all(&told))
                .map_err(|error| format!("cannot be told anything: {}", reason(&error)))?;
        }
        let mut line = Vec::new();
        self.read(|piece| {
            for part in piece.split_inclusive(|&byte| byte == b'\n') {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") {
                    heard(&line);
                    line.clear();
                }
            }
        })?;
        if !line.is_empty() {
            heard(&line);
        }
        let status = self.end()?;
        let text = String::from_utf8_lossy(&self.tail);
        let last_words = text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned);
        Ok(Ended { status, last_words })
    }

    /// Reads until the program closes its output.
    fn read(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), String> {
        let Some(mut stdout) = self.child.stdout.take() else { return Ok(()) };
        let mut left = self.bounds.output;
        let mut piece = [0; 8192];
        loop {
            let [output, complaints] = self.wait_for(&stdout)?;
            if complaints {
                self.hear();
            }
            if !output {
                continue;
            }
            match stdout.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) if read > left => {
                    return Err(format!("printed more than {} MiB", self.bounds.output >> 20));
                }
                Ok(read) => {
                    left -= read;
                    take(&piece[..read]);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("cannot be read from: {}", reason(&error))),
            }
        }
    }

    /// Reads of what it complains, without which it might wait for us; its end is kept.
    fn hear(&mut self) {
        let Some(pipe) = &mut self.complaints else { return };
        let mut piece = [0; TAIL];
        match pipe.read(&mut piece) {
            Ok(0) => self.complaints = None,
            Ok(read) => {
                self.tail.extend_from_slice(&piece[..read]);
                self.tail.drain(..self.tail.len().saturating_sub(TAIL));
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => self.complaints = None,
        }
    }

    /// Waits until there is something to read, or the end of it.
    fn wait_for(&self, stdout: &ChildStdout) -> Result<[bool; 2], String> {
        let pipes = [Some(stdout.as_fd()), self.complaints.as_ref().map(AsFd::as_fd)];
        loop {
            // Another thread may be the one that a signal wakes.
            let left = self.left()?.min(Duration::from_millis(100));
            match ready(pipes, left) {
                Ok([false, false]) => {}
                Ok(ready) => return Ok(ready),
                Err(errno) => return Err(format!("cannot be waited for: {}", reason(&errno.into()))),
            }
        }
    }

    /// Waits for the program's own end. Its group is killed then: what it left
    /// running was part of it.
    fn end(&mut self) -> Result<ExitStatus, String> {
        let mut pause = Duration::from_millis(1);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while matches!(waitid(WaitId::Pid(self.pid()), options), Ok(None) | Err(Errno::INTR)) {
            thread::sleep(pause.min(self.left()?));
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        self.kill();
        // No more than a pipe holds: who left the group may still write.
        for _ in 0..PIPE / TAIL {
            match ready([None, self.complaints.as_ref().map(AsFd::as_fd)], Duration::ZERO) {
                Ok([_, true]) => self.hear(),
                _ => break,
            }
        }
        self.child.wait().map_err(|error| format!("cannot be waited for: {}", reason(&error)))
    }

    /// The time that is left, or why there is none.
    fn left(&self) -> Result<Duration, String> {
        if self.interrupt.came() {
            return Err("was interrupted".to_owned());
        }
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(format!("took more than {} seconds", self.bounds.deadline.as_secs())),
            left => Ok(left),
        }
    }

    /// Kills the group. The program has not been reaped, so the number is
    /// still its own.
    fn kill(&self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Reaped already where it ended well.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

/// How much of the end of what a program complains of is kept, in bytes.
const TAIL: usize = 4096;

/// How much a pipe holds, in bytes (pipe(7)).
const PIPE: usize = 64 << 10;

/// Which of these can be read from, or have ended, within a time.
fn ready(pipes: [Option<BorrowedFd<'_>>; 2], within: Duration) -> Result<[bool; 2], Errno> {
    let timeout = Timespec { tv_sec: within.as_secs() as i64, tv_nsec: within.subsec_nanos().into() };
    let there = pipes.iter().flatten();
    let mut polled: Vec<_> = there.map(|pipe| PollFd::from_borrowed_fd(*pipe, PollFlags::IN)).collect();
    match poll(&mut polled, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno),
    }
    let mut events = polled.iter().map(|pipe| !pipe.revents().is_empty());
    Ok(pipes.map(|pipe| pipe.is_some() && events.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
