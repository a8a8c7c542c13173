//! Secrets that a program prints: `["sops", "decrypt", …]`, `["pass", …]`.
//!
//! The program is run without a shell and with closed input, in a process group
//! of its own. Whatever it does, it is over within the deadline: then the whole
//! group is killed, and the program reaped.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use secrecy::SecretString;

use super::interrupt::Interrupt;
use crate::failure::reason;

/// What the program prints, less one newline at its end.
///
/// Its standard error is ours: a program that has something to say says it to
/// the operator, and it is never part of an error of ours.
pub(super) fn output(words: &[String], dir: &Path) -> Result<SecretString, String> {
    output_within(DEADLINE, words, dir)
}

fn output_within(deadline: Duration, words: &[String], dir: &Path) -> Result<SecretString, String> {
    let [program, arguments @ ..] = words else { return Err("the command is empty".to_owned()) };
    let interrupt = Interrupt::hold();
    // A path is relative to the plot, as other paths in it are; a bare name is
    // looked up.
    let path = match program.contains('/') {
        true => std::path::absolute(dir.join(program)).map_err(|error| reason(&error))?,
        false => program.into(),
    };
    let child = Command::new(path)
        .args(arguments)
        .current_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { dir })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{program} cannot be run: {}", reason(&error)))?;
    let mut run = Run { child, deadline, until: Instant::now() + deadline, interrupt };
    let bytes = run.read().map_err(|why| format!("{program} {why}"))?;
    let status = run.end().map_err(|why| format!("{program} {why}"))?;
    if !status.success() {
        return Err(format!("{program} failed: {status}"));
    }
    super::file::trimmed(bytes, program)
}

/// A program under way; dropped, its group is killed.
struct Run {
    child: Child,
    deadline: Duration,
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
                Ok(read) if bytes.len() + read > LIMIT => {
                    return Err(format!("printed more than {} MiB", LIMIT >> 20));
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
            Duration::ZERO => Err(format!("took more than {} seconds", self.deadline.as_secs())),
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

/// How long a program may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The most bytes that a program may print.
const LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn sh(deadline: u64, script: &str) -> Result<String, String> {
        let words = ["sh", "-c", script].map(str::to_owned);
        let secret = output_within(Duration::from_secs(deadline), &words, Path::new("/"));
        secret.map(|secret| secret.expose_secret().to_owned())
    }

    /// Whether a process is there; one that was killed may wait for init to reap it.
    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.starts_with(" Z"))
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        assert_eq!(sh(10, "printf 'a b\\n'").as_deref(), Ok("a b"));
        assert_eq!(sh(10, "printf ' a\\n\\n'").as_deref(), Ok(" a\n"));
        assert_eq!(sh(10, "cat; pwd").as_deref(), Ok("/"), "its input is closed");
    }

    #[test]
    fn no_error_says_what_it_printed() {
        for (script, why) in [
            ("echo hunter2; exit 3", "failed: exit status: 3"),
            ("printf 'hunter2\\377'", "gives no UTF-8"),
            ("true", "gives nothing"),
            ("exec yes hunter2", "more than 1 MiB"),
            ("echo hunter2; sleep 60", "took more than 1 seconds"),
            ("echo hunter2; exec >&-; sleep 60", "took more than 1 seconds"),
        ] {
            let error = sh(1, script).expect_err(script);
            assert!(error.contains(why) && !error.contains("hunter2"), "{script}: {error}");
        }
        let error = output(&["no-such-program".to_owned()], Path::new("")).expect_err("it is not there");
        assert_eq!(error, "no-such-program cannot be run: no such file or directory");
    }

    #[test]
    fn what_it_leaves_running_is_killed_too() {
        let dir = tempfile::tempdir().expect("a directory");
        let pid = dir.path().join("pid");
        let cases =
            [("sleep 60 >&- & echo $! >PID; echo x", 20, true), ("sleep 60 & echo $! >PID; wait", 1, false)];
        for (script, deadline, ok) in cases {
            let script = script.replace("PID", &pid.display().to_string());
            assert_eq!(sh(deadline, &script).is_ok(), ok);
            let left = std::fs::read_to_string(&pid).expect("its number");
            let end = Instant::now() + Duration::from_secs(5);
            while is_alive(left.trim()) {
                assert!(Instant::now() < end, "{left} is alive");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    #[test]
    fn a_path_is_relative_to_the_plot() {
        let dir = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink("/bin/echo", dir.path().join("get")).expect("a program");
        let words = ["./get", "it"].map(str::to_owned);
        assert_eq!(output(&words, dir.path()).map(|s| s.expose_secret().to_owned()).as_deref(), Ok("it"));
    }
}
