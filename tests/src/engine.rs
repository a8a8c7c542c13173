//! Docker engines: one for each machine that wants one, with everything of its own.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cgroup::Cgroup;
use crate::image::Image;
use crate::namespace::Namespace;
use crate::process::{Output, Process, attempt, run};
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// What an engine may take to answer.
const START: Duration = Duration::from_secs(30);

/// What a command may take; a rollout of several containers is the longest.
const COMMAND: Duration = Duration::from_secs(120);

/// The authority that an engine trusts, in its directory, where it is not the system's.
const AUTHORITY: &str = "authority.pem";

/// A Docker engine in a machine's network.
///
/// Its containers, images, volumes and sockets are its own, in a temporary
/// directory. On drop the containers are removed, the engine is ended, and nothing
/// stays: no process, no mount, no control group.
#[derive(Debug)]
pub struct Engine {
    // Dropped in this order: the process before the directory that it works in.
    daemon: Process,
    machine: Namespace,
    docker: Program,
    scratch: Scratch,
}

impl Engine {
    /// Starts an engine that has the named images, with the settings that a fresh
    /// installation has.
    ///
    /// # Errors
    ///
    /// [`Missing`] where Docker, what it needs, or an image is not here.
    ///
    /// # Panics
    ///
    /// If the engine does not start, with its log.
    pub fn start(machine: &Namespace, images: &[&str]) -> Result<Self, Missing> {
        Self::configured(machine, images, "{}")
    }

    /// Starts an engine with a `daemon.json` of the caller's.
    ///
    /// # Errors
    ///
    /// As [`Engine::start`].
    ///
    /// # Panics
    ///
    /// As [`Engine::start`].
    pub fn configured(machine: &Namespace, images: &[&str], daemon_json: &str) -> Result<Self, Missing> {
        Self::with(machine, images, daemon_json, None)
    }

    fn with(
        machine: &Namespace,
        images: &[&str],
        daemon_json: &str,
        authority: Option<&str>,
    ) -> Result<Self, Missing> {
        let docker = Program::named("docker")?;
        for program in ["containerd", "runc", "iptables"] {
            Program::named(program)?;
        }
        let images = images.iter().map(|name| Image::named(name)).collect::<Result<Vec<_>, _>>()?;

        let scratch = Scratch::new();
        write(&scratch.path().join("daemon.json"), daemon_json);
        if let Some(authority) = authority {
            write(&scratch.path().join(AUTHORITY), authority);
        }
        let mut engine =
            Self { daemon: daemon(machine, &docker, &scratch), machine: machine.clone(), docker, scratch };
        engine.answers();
        for image in &images {
            engine
                .docker(&[
                    OsStr::new("load"),
                    "--quiet".as_ref(),
                    "--input".as_ref(),
                    image.archive().as_ref(),
                ])
                .success();
        }
        Ok(engine)
    }

    /// Starts an engine that trusts no authority but one, as Docker on a machine of a
    /// house with a registry of its own.
    ///
    /// # Errors
    ///
    /// As [`Engine::start`].
    ///
    /// # Panics
    ///
    /// As [`Engine::start`].
    pub fn trusting(machine: &Namespace, images: &[&str], authority: &str) -> Result<Self, Missing> {
        Self::with(machine, images, "{}", Some(authority))
    }

    /// The machine that it runs on.
    pub fn machine(&self) -> &Namespace {
        &self.machine
    }

    /// The socket that it answers on.
    pub fn socket(&self) -> PathBuf {
        self.scratch.path().join("docker.sock")
    }

    /// Runs `docker` against this engine, in the machine's network.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or takes longer than two minutes.
    #[track_caller]
    pub fn docker<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Output {
        run(self.command(&self.docker).args(arguments), COMMAND)
    }

    /// Runs `docker compose` of one of the versions in `tests/programs/versions`, in
    /// a directory.
    ///
    /// # Panics
    ///
    /// If that version is not installed, cannot be started, or takes longer than two
    /// minutes. A test that wants a version names it first:
    /// `want!(Program::versioned("compose", version))`.
    #[track_caller]
    pub fn compose<A: AsRef<OsStr>>(&self, version: &str, arguments: &[A], directory: &Path) -> Output {
        let mut command = self.command(&self.docker);
        command.envs(self.environment(version)).current_dir(directory);
        run(command.arg("compose").args(arguments), COMMAND)
    }

    /// A command on this machine that finds this engine, its client, and the first
    /// version of Compose, as someone who is logged in there would.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.machine.command(program);
        let compose = Program::versions("compose").next().unwrap_or_default();
        command.envs(self.environment(compose));
        command
    }

    /// What such a command finds in its environment, with the given version of
    /// Compose: `PATH`, `DOCKER_HOST` and `DOCKER_CONFIG`.
    ///
    /// # Panics
    ///
    /// If the directory of the plugins cannot be written.
    pub fn environment(&self, compose: &str) -> Vec<(&'static str, OsString)> {
        let config = self.scratch.path().join(format!("client-{compose}"));
        let plugins = config.join("cli-plugins");
        if !plugins.exists() {
            fs::create_dir_all(&plugins)
                .unwrap_or_else(|error| panic!("failed to make {}: {error}", plugins.display()));
            // The client looks here first; where one is missing, it says so itself.
            for plugin in [Program::versioned("compose", compose), Program::named("buildx")] {
                let Ok(plugin) = plugin else { continue };
                let name = plugin.path().file_name().unwrap_or_default().to_string_lossy();
                let _ = symlink(plugin.path(), plugins.join(format!("docker-{name}")));
            }
        }
        let host = format!("unix://{}", self.socket().display());
        vec![("PATH", path(&self.docker)), ("DOCKER_HOST", host.into()), ("DOCKER_CONFIG", config.into())]
    }

    /// All that the engine has logged.
    pub fn log(&self) -> String {
        self.daemon.output()
    }

    /// Ends the engine and starts it again, as an upgrade of it does: what comes back
    /// is what has a restart policy. The firewall and the networks stay.
    ///
    /// # Panics
    ///
    /// If it does not start, with its log.
    pub fn restart(&mut self) {
        self.daemon.stop();
        self.boot();
    }

    /// Ends the engine and makes the machine forget what one that is switched off
    /// forgets: processes, firewall, bridges. Its addresses and routes stay.
    ///
    /// # Panics
    ///
    /// If the machine cannot be made to.
    pub fn halt(&mut self) {
        self.daemon.stop();
        self.clear();
        self.machine.run("nft", &["flush", "ruleset"]).success();
        let bridges = ["-brief", "link", "show", "type", "bridge"];
        for line in self.machine.run("ip", &bridges).success().lines() {
            self.machine.ip(&["link", "delete", line.split_whitespace().next().unwrap_or(line)]);
        }
    }

    /// Starts the engine after [`Engine::halt`] or [`Engine::kill`].
    ///
    /// # Panics
    ///
    /// If it does not start, with its log.
    pub fn boot(&mut self) {
        self.clear();
        self.daemon = daemon(&self.machine, &self.docker, &self.scratch);
        self.answers();
    }

    /// Kills the engine, as a crash does: it has no time to end anything.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    fn answers(&mut self) {
        let socket = self.socket();
        // The daemon makes the socket before it listens, so asking is what counts.
        let mut ask = self.command(&self.docker);
        ask.args(["version", "--format", "{{.Server.Version}}"]);
        self.daemon.wait_for("answering", START, || socket.exists() && run(&mut ask, START).succeeded());
    }

    /// Takes away what an engine leaves that was not given the time to do so.
    fn clear(&self) {
        Cgroup::named(&self.scratch.name()).remove(Duration::from_secs(10));
        self.machine.unmount_below(&self.scratch.path().join("exec"));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Removed rather than stopped: a stop waits for as long as the container was
        // promised, which for a server that drains is hours.
        if self.daemon.is_running() {
            let mut list = self.command(&self.docker);
            let all = attempt(list.args(["ps", "--all", "--quiet"]), START);
            let all = all.map(|output| output.stdout).unwrap_or_default();
            if !all.is_empty() {
                let mut remove = self.command(&self.docker);
                remove.args(["rm", "--force", "--volumes"]).args(all.split_whitespace());
                // What this does not end, its control group does.
                let _ = attempt(&mut remove, START);
            }
        }
        self.daemon.stop();
        self.clear();
    }
}

fn daemon(machine: &Namespace, docker: &Program, scratch: &Scratch) -> Process {
    let directory = scratch.path();
    let mut command = machine.command(docker.beside("dockerd"));
    command
        .env("PATH", path(docker))
        .env("TMPDIR", directory)
        .args(["--host", &format!("unix://{}", directory.join("docker.sock").display())])
        .arg("--config-file")
        .arg(directory.join("daemon.json"))
        .arg("--data-root")
        .arg(directory.join("data"))
        .arg("--exec-root")
        .arg(directory.join("exec"))
        .arg("--pidfile")
        .arg(directory.join("pid"))
        // One group for all containers of this engine: how they are found at the end.
        .args(["--exec-opt", "native.cgroupdriver=cgroupfs"])
        .args(["--cgroup-parent", &format!("/{}", scratch.name())])
        .args(["--storage-driver", storage(directory)])
        // Its log is shown when a test fails: without the hundred plugins of containerd.
        .args(["--log-level", "warn"]);
    let authority = directory.join(AUTHORITY);
    if authority.exists() {
        command.env("SSL_CERT_FILE", authority);
    }
    // A container's stop takes up to ten seconds where it does not listen.
    Process::start("dockerd", &mut command).with_grace(Duration::from_secs(20))
}

/// The storage driver that works in a directory: an overlay cannot lie upon another,
/// as in a container it would.
fn storage(directory: &Path) -> &'static str {
    let kind = run(Command::new("stat").args(["-f", "-c", "%T"]).arg(directory), COMMAND);
    if kind.stdout.trim() == "overlayfs" { "vfs" } else { "overlay2" }
}

/// The client and the engine that are meant come before all others.
fn path(docker: &Program) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [docker.directory().to_owned()]
        .into_iter()
        .chain(env::split_paths(&path))
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    env::join_paths(path).unwrap_or_default()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("failed to write {}: {error}", path.display()));
}
