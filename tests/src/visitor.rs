//! Visitors: real LiveKit clients on a machine of the Internet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::namespace::Namespace;
use crate::process::{Output, Process, run};
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// What one question to a server may take.
const ASK: Duration = Duration::from_secs(20);

/// A machine from which people visit a site: it knows the site's name and trusts the
/// authority of its certificate, as their own machines would.
#[derive(Debug)]
pub struct Visitor {
    machine: Namespace,
    python: Program,
    hosts: PathBuf,
    root: PathBuf,
    scratch: Scratch,
}

impl Visitor {
    /// Lets a machine visit the site of that name at an address.
    ///
    /// # Errors
    ///
    /// [`Missing`] where there is no LiveKit client here.
    ///
    /// # Panics
    ///
    /// If its files cannot be written.
    pub fn new(machine: &Namespace, name: &str, address: &str) -> Result<Self, Missing> {
        let python = Program::named("livekit-client")?;
        let scratch = Scratch::new();
        let (hosts, root) = (scratch.path().join("hosts"), scratch.path().join("root.crt"));
        fs::write(&hosts, format!("127.0.0.1 localhost\n{address} {name}\n"))
            .unwrap_or_else(|error| panic!("failed to write {}: {error}", hosts.display()));
        Ok(Self { machine: machine.clone(), python, hosts, root, scratch })
    }

    /// Trusts an authority: a file with its certificate in PEM, of which a copy is
    /// kept.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn trust(&self, root: &Path) {
        fs::copy(root, &self.root)
            .unwrap_or_else(|error| panic!("failed to copy {}: {error}", root.display()));
    }

    /// The machine.
    pub fn machine(&self) -> &Namespace {
        &self.machine
    }

    /// A command on this machine that knows the site and trusts it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command =
            self.machine.command_seeing(&[(self.hosts.clone(), PathBuf::from("/etc/hosts"))], program);
        // What OpenSSL, Python and rustls ask for, and what curl asks for.
        command.env("SSL_CERT_FILE", &self.root).env("CURL_CA_BUNDLE", &self.root);
        command
    }

    /// Asks for a page and returns what came.
    pub fn curl(&self, arguments: &[&str]) -> Output {
        run(self.command("curl").args(["-sS", "--max-time", "10"]).args(arguments), ASK)
    }

    /// Starts `tests/clients/room.py` with its arguments. The key's secret goes
    /// through the environment.
    pub fn client(&self, secret: &str, arguments: &[&str]) -> Client {
        self.script("room.py", arguments, &[("LIVEKIT_API_SECRET", secret)])
    }

    /// Starts `tests/clients/room.py` for somebody who has been given a token.
    pub fn guest(&self, token: &str, arguments: &[&str]) -> Client {
        self.script("room.py", arguments, &[("LIVEKIT_TOKEN", token)])
    }

    /// Opens a page of the room service in Chromium, `tests/clients/browser.py`, in a
    /// language such as `en` or `zh-CN`.
    ///
    /// # Errors
    ///
    /// [`Missing`] where there is no Chromium here.
    pub fn browser(&self, language: &str, arguments: &[&str]) -> Result<Client, Missing> {
        for program in ["chromium", "certutil"] {
            Program::named(program)?;
        }
        Ok(self.script("browser.py", arguments, &[("BROWSER_LANGUAGE", language)]))
    }

    /// Opens a WebSocket that stays, `tests/clients/talk.py`.
    pub fn socket(&self, url: &str) -> Client {
        self.script("talk.py", &[url], &[])
    }

    fn script(&self, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Client {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
        let mut command = self.command(self.python.path());
        command.arg("-u").arg(script).args(arguments);
        command.envs(environment.iter().copied()).env("HOME", self.scratch.path());
        Client { process: Process::start(&format!("{name} {}", arguments.join(" ")), &mut command) }
    }
}

/// A running script of `tests/clients`, which tells what happens to it in lines of
/// JSON.
#[derive(Debug)]
pub struct Client {
    process: Process,
}

impl Client {
    /// Waits for an event and returns it, the first of its name.
    ///
    /// # Panics
    ///
    /// If the client ends, or the deadline passes, before it.
    #[track_caller]
    pub fn wait_for(&mut self, event: &str, deadline: Duration) -> Value {
        let mut found = self.event(event);
        if found.is_none() {
            // Looked at anew each time: what it writes is a file.
            let output = self.process.reader();
            self.process.wait_for(event, deadline, || {
                found = find(&output(), event);
                found.is_some()
            });
        }
        found.unwrap_or_default()
    }

    /// The first event of a name, if there has been one.
    pub fn event(&self, event: &str) -> Option<Value> {
        find(&self.process.output(), event)
    }

    /// How often an event has been told.
    pub fn count(&self, event: &str) -> usize {
        self.events(event).len()
    }

    /// All events of a name so far.
    pub fn events(&self, event: &str) -> Vec<Value> {
        events(&self.process.output()).filter(|value| value["event"] == event).collect()
    }

    /// Asks the client to leave the room, which it tells.
    pub fn ask_to_leave(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Ends the client as a closed window does: it leaves the room.
    pub fn leave(mut self) {
        self.process.stop();
    }
}

fn find(output: &str, event: &str) -> Option<Value> {
    events(output).find(|value| value["event"] == event)
}

fn events(output: &str) -> impl Iterator<Item = Value> {
    output.lines().filter_map(|line| serde_json::from_str(line).ok())
}
