//! Programs that are run for what they print: secrets' own, and git.
//!
//! A program is run without a shell, in a process group of its own. Whatever it does,
//! it is over within the deadline: then the whole group is killed, and the program
//! reaped.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
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
    let interrupt = Interrupt::hold();
    let child = command
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be run: {}", reason(&error)))?;
    let mut run = Run { child, bounds, until: Instant::now() + bounds.deadline, interrupt };
    let bytes = run.read()?;
    Ok((bytes, run.end()?))
}

/// A program under way; dropped, its group is killed.
struct Run {
    child: Child,
    bounds: Bounds,
    until: Instant,
    interrupt: Interrupt,
}

impl Run {
    /// Reads until the program closes its output.
    fn read(&mut self) -> Result<Vec<u8>, String> {
        let Some(mut stdout) = self.child.stdout.take() else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        loop {
            self.wait_for(&stdout)?;
            match stdout.read(&mut piece) {
                Ok(0) => return Ok(bytes),
                Ok(read) if bytes.len() + read > self.bounds.output => {
                    return Err(format!("printed more than {} MiB", self.bounds.output >> 20));
                }
                Ok(read) => bytes.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("cannot be read from: {}", reason(&error))),
            }
        }
    }

    /// Waits until there is something to read, or the end of it.
    fn wait_for(&self, stdout: &ChildStdout) -> Result<(), String> {
        loop {
            let left = self.left()?;
            let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(stdout, PollFlags::IN)], Some(&timeout)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(format!("cannot be waited for: {}", reason(&error.into()))),
            }
        }
    }

    /// Waits for the program's own end. Its group is killed then: what it left
    /// running was part of it.
    fn end(mut self) -> Result<ExitStatus, String> {
        let mut pause = Duration::from_millis(1);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while matches!(waitid(WaitId::Pid(self.pid()), options), Ok(None) | Err(Errno::INTR)) {
            thread::sleep(pause.min(self.left()?));
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        self.kill();
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
