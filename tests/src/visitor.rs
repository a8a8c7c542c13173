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

/// What it may take until a client has joined a room and media flows.
const VIDEO: Duration = Duration::from_secs(30);

/// A machine from which people visit a site: it knows the site's name and trusts the
/// authority of its certificate, as their own machines would.
#[derive(Debug)]
pub struct Visitor {
    machine: Namespace,
    python: Program,
    /// What stands in the place of `/etc/hosts`, where a name server does not know the site.
    hosts: Option<PathBuf>,
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
        let mut visitor = Self::resolving(machine)?;
        let hosts = visitor.scratch.path().join("hosts");
        fs::write(&hosts, format!("127.0.0.1 localhost\n{address} {name}\n"))
            .unwrap_or_else(|error| panic!("failed to write {}: {error}", hosts.display()));
        visitor.hosts = Some(hosts);
        Ok(visitor)
    }

    /// Lets a machine visit whatever sites its name server knows.
    ///
    /// # Errors
    ///
    /// [`Missing`] where there is no LiveKit client here.
    pub fn resolving(machine: &Namespace) -> Result<Self, Missing> {
        let python = Program::named("livekit-client")?;
        let scratch = Scratch::new();
        let root = scratch.path().join("root.crt");
        Ok(Self { machine: machine.clone(), python, hosts: None, root, scratch })
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
        let mut command = match &self.hosts {
            Some(hosts) => self.machine.command_seeing(&[(hosts.clone(), "/etc/hosts".into())], program),
            None => self.machine.command(program),
        };
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

    /// Has one client publish a picture and another see it in a room, each with further
    /// options of `room.py`; returns how media came to the one that sees it: by `udp`,
    /// by `tcp`, or by a `relay`.
    ///
    /// # Panics
    ///
    /// If it is not seen in time, or another one is.
    #[track_caller]
    pub fn video(&self, url: &str, secret: &str, room: &str, options: &[&str]) -> Vec<String> {
        let mut publisher = self.client(secret, &[&[url, room, "ann", "publish"], options].concat());
        publisher.wait_for("published", VIDEO);
        let mut watcher = self.client(secret, &[&[url, room, "ben", "watch"], options].concat());
        let frame = watcher.sees();
        assert!(publisher.event("disconnected").is_none());
        let paths = frame["paths"].as_array().expect("paths").iter();
        let taken = paths.map(|path| match path["local"] == "RELAY" {
            true => "relay",
            false => path["protocol"].as_str().unwrap_or(""),
        });
        taken.map(str::to_owned).collect()
    }

    /// Asks with a STUN Binding request (RFC 8489 § 5) in a TLS session on port 443 of an
    /// address, whose certificate has to be good for the name; whether it is granted.
    pub fn stun_over_tls(&self, address: &str, name: &str) -> bool {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/stun_tls.py");
        run(self.command("python3").arg(script).args([address, name]), ASK).stdout.trim() == "0101"
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
        self.chromium("browser.py", language, arguments)
    }

    /// Opens a page with a video in Chromium, `tests/clients/player.py`; a picture of it is
    /// left in a file, where that has a name.
    ///
    /// # Errors
    ///
    /// [`Missing`] where there is no Chromium here.
    pub fn player(&self, url: &str, picture: &str) -> Result<Client, Missing> {
        self.chromium("player.py", "en", &[url, picture])
    }

    fn chromium(&self, script: &str, language: &str, arguments: &[&str]) -> Result<Client, Missing> {
        for program in ["chromium", "certutil"] {
            Program::named(program)?;
        }
        Ok(self.script(script, arguments, &[("BROWSER_LANGUAGE", language)]))
    }

    /// Has one client of an ion-sfu publish a picture and another see it, `tests/clients/ion_sfu.py`,
    /// by a WebSocket that leads there; what was seen.
    ///
    /// # Errors
    ///
    /// [`Missing`] where there is no such client here.
    ///
    /// # Panics
    ///
    /// If it is not seen in time.
    #[track_caller]
    pub fn sees_by_ion_sfu(&self, url: &str, options: &[&str]) -> Result<Value, Missing> {
        let python = Program::named("aiortc")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ion_sfu.py");
        let mut command = self.command(python.path());
        Ok(run(command.arg(script).arg(url).args(options), 2 * VIDEO).json())
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
        // What it imports stands beside it, where nothing is to be left.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
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

    /// Waits for the picture that a publisher sends, and returns the event that tells
    /// of it.
    ///
    /// # Panics
    ///
    /// If it does not come in time, or another one does.
    #[track_caller]
    pub fn sees(&mut self) -> Value {
        let frame = self.wait_for("frame", VIDEO);
        println!("{frame}");
        assert_eq!((frame["width"].as_u64(), frame["height"].as_u64()), (Some(320), Some(240)));
        let sent = [[220, 40, 40], [40, 200, 40], [40, 40, 220], [230, 230, 230]];
        for (seen, sent) in frame["colours"].as_array().expect("colours").iter().zip(sent) {
            for (seen, sent) in seen.as_array().expect("a colour").iter().zip(sent) {
                // What a codec at its lowest rate makes of it.
                assert!(seen.as_i64().expect("a number").abs_diff(sent) < 25, "{frame}");
            }
        }
        frame
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
