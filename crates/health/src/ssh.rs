//! Another machine, reached through the operator's own SSH.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader, ReadBuf, copy, sink,
};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::probe::connection::turned_away;
use crate::probe::{Progress, Step};
use crate::{Cause, Problem};

/// How much of what `ssh` says before a connection stands is read.
const ENOUGH: u64 = 1 << 20;

/// How a node is reached by SSH: by the operator's own `ssh`, with their keys, agent,
/// known hosts and configuration. Nothing is asked on a terminal.
///
/// ```
/// use stageplot_health::Ssh;
///
/// let ssh = Ssh::to("ops@203.0.113.10");
/// let mut command = ssh.command(["stageplot", "--version"]);
/// # let _ = &mut command;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ssh {
    /// Where to, as `ssh` takes it: `[user@]host`, or a name of its configuration.
    pub destination: String,
    /// The configuration in place of the operator's own (`ssh -F`).
    pub config: Option<PathBuf>,
    /// What is run. Default: `ssh`.
    pub program: PathBuf,
}

impl Ssh {
    /// With the operator's own configuration.
    pub fn to(destination: impl Into<String>) -> Self {
        Self { destination: destination.into(), config: None, program: "ssh".into() }
    }

    /// A command on that machine; each word arrives as it is.
    pub fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> std::process::Command {
        let mut command = self.ssh();
        // The shell there splits what it is given, and quotes are its own (POSIX, 2.2.2).
        let quoted = words.into_iter().map(|word| format!("'{}'", word.replace('\'', r"'\''")));
        command.arg("--").arg(&self.destination).arg(quoted.collect::<Vec<_>>().join(" "));
        command
    }

    /// A connection from that machine to an address.
    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        progress: &Progress,
    ) -> Result<Forwarded, Refusal> {
        progress.reached(Step::Outside);
        let mut command = self.ssh();
        // What became of the connection is told to those alone who want to know much, and not to
        // who shares the session of another `ssh`.
        command.args(["-o", "LogLevel=DEBUG2", "-o", "ControlPath=none"]);
        command.args(["-W", &address.to_string(), "--", &self.destination]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            tokio::process::Command::from(command).kill_on_drop(true).spawn().map_err(|error| {
                Refusal::Ssh(format!("{} cannot be started: {error}", self.program.display()))
            })?;
        let (Some(input), Some(output), Some(talk)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Refusal::Ssh("ssh has no pipes".to_owned()));
        };
        let talk = opened(talk, progress).await?;
        Ok(Forwarded { input, output, _talk: talk, _child: child })
    }

    fn ssh(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]);
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        command
    }
}

/// Waits until the other side says that the connection stands (RFC 4254, 5.1), or why not.
async fn opened(talk: ChildStderr, progress: &Progress) -> Result<tokio::task::JoinHandle<()>, Refusal> {
    let mut lines = BufReader::new(talk.take(ENOUGH)).lines();
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("debug1: channel 0: new") {
            // We are in, and the connection is asked for.
            progress.reached(Step::Started);
        }
        if line.starts_with("debug2: channel 0: open confirm") {
            // Who does not listen makes it wait.
            let mut rest = lines.into_inner().into_inner().into_inner();
            return Ok(tokio::spawn(async move { drop(copy(&mut rest, &mut sink()).await) }));
        }
        if let Some((_, why)) = line.split_once("open failed: ").filter(|_| line.starts_with("channel 0: ")) {
            return Err(Refusal::Connection(why.trim_start_matches("connect failed: ").to_owned()));
        }
        if !line.starts_with("debug") {
            last = line;
        }
    }
    let why = match last.as_str() {
        _ if lines.get_ref().get_ref().limit() == 0 => "it says more than anybody wants to know",
        "" => "it ended without a word",
        last => last,
    };
    Err(Refusal::Ssh(why.to_owned()))
}

/// Why there is no connection.
pub(crate) enum Refusal {
    /// That machine could not be reached, or did not let us in.
    Ssh(String),
    /// That machine could not connect, for this reason.
    Connection(String),
}

impl Refusal {
    /// What it means for a check.
    pub(crate) fn problem(self, ssh: &Ssh, address: SocketAddr) -> Problem {
        let destination = &ssh.destination;
        match self {
            Self::Ssh(why) => Problem::not_tried(Cause::SshFailed, format!("ssh {destination}: {why}")),
            Self::Connection(why) => {
                if why.starts_with("administratively prohibited") {
                    let what = format!("sshd of {destination} opens no connections for others ({why})");
                    return Problem::not_tried(Cause::SshFailed, what)
                        .help("set AllowTcpForwarding to `local` or `yes` there");
                }
                // As `strerror` words it, which sshd hands on.
                let kind = match why.as_str() {
                    "Connection refused" => io::ErrorKind::ConnectionRefused,
                    "Connection timed out" => io::ErrorKind::TimedOut,
                    _ => io::ErrorKind::Other,
                };
                turned_away(address, &io::Error::new(kind, why))
            }
        }
    }
}

/// A connection that another machine opened for us; it ends with this.
pub(crate) struct Forwarded {
    input: ChildStdin,
    output: ChildStdout,
    _talk: tokio::task::JoinHandle<()>,
    _child: Child,
}

impl AsyncRead for Forwarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(context, buffer)
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_as_they_are() {
        let words = ["printf", "%s|", "it's", "$HOME", "a b", "\"", "`id`", "\\"];
        let mut command = Ssh::to("nowhere").command(words);
        let line = command.get_args().last().and_then(|line| line.to_str()).expect("a line").to_owned();
        // What sshd does with it.
        command = std::process::Command::new("sh");
        let output = command.args(["-c", &line]).output().expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "it's|$HOME|a b|\"|`id`|\\|");
    }
}
