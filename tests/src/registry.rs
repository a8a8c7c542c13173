//! A registry of images: the distribution's own, with TLS and a password.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::namespace::Namespace;
use crate::process::Process;
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// What it may take to listen.
const START: Duration = Duration::from_secs(15);

/// A registry on a machine, on port 5000 of all its addresses.
///
/// What it holds is in a temporary directory.
#[derive(Debug)]
pub struct Registry {
    // Dropped in this order: the process before its directory.
    process: Process,
    _scratch: Scratch,
}

impl Registry {
    /// Who may push and pull.
    pub const USER: &str = "ada";

    /// Her password.
    pub const PASSWORD: &str = "swordfish";

    /// `htpasswd -nbB -C 4 ada swordfish`: the registry takes bcrypt alone.
    const HTPASSWD: &str = "ada:$2b$04$abcdefghijklmnopqrstuugIEnm3ZbWF6xb2GcoE3L1CoGJFMKtu.\n";

    /// Starts a registry with this certificate.
    ///
    /// # Errors
    ///
    /// [`Missing`] where there is no registry here to start.
    ///
    /// # Panics
    ///
    /// If it does not start, with its log.
    pub fn start(machine: &Namespace, certificate: &Certificate) -> Result<Self, Missing> {
        let program = Program::named("docker-registry")?;
        let scratch = Scratch::new();
        let path = |name: &str| scratch.path().join(name);
        let write = |name: &str, text: &str| {
            fs::write(path(name), text).unwrap_or_else(|error| panic!("failed to write {name}: {error}"));
        };
        write("crt", &certificate.cert);
        write("key", &certificate.key);
        write("htpasswd", Self::HTPASSWD);
        write("config.yml", &config(scratch.path()));
        let mut command = machine.command(program.path());
        let mut process = Process::start("registry", command.arg("serve").arg(path("config.yml")));
        process.wait_for("listening", START, || machine.run("nc", &["-z", "127.0.0.1", "5000"]).succeeded());
        Ok(Self { process, _scratch: scratch })
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.process.stop();
    }
}

fn config(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        r#"version: 0.1
log: {{ level: warn, accesslog: {{ disabled: true }} }}
storage: {{ filesystem: {{ rootdirectory: {directory}/images }} }}
http:
  addr: ":5000"
  secret: tests
  tls: {{ certificate: {directory}/crt, key: {directory}/key }}
auth: {{ htpasswd: {{ realm: tests, path: {directory}/htpasswd }} }}
"#
    )
}
