//! Machines that run what is rendered: an engine, and a disk on which bundles are
//! installed as their own README says.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stageplot_render::{Bundle, Rendering};

use crate::bundle::code_blocks;
use crate::engine::Engine;
use crate::process::{Output, run};
use crate::program::Program;
use crate::scratch::Scratch;

/// What the commands of a README may take: images are there, containers start.
const BRING_UP: Duration = Duration::from_secs(90);

/// Kernel parameters that the kernel has once, for all our machines together. A
/// machine of the rig sees files in their place, so that a bundle sets them as on a
/// real one and this machine keeps its own.
const GLOBAL_PARAMETERS: [&str; 3] = ["net/core/rmem_max", "net/core/wmem_max", "vm/overcommit_memory"];

/// Gives a shell a configuration of ufw's that nobody else sees; what ufw saves stays.
const UFW: &str = r#"[ -e "$1" ] || { mkdir "$1"; cp -a /etc/ufw "$1/etc"; cp -a /etc/default/ufw "$1/default"; }
mount --bind "$1/etc" /etc/ufw
mount --bind "$1/default" /etc/default/ufw
"#;

/// A machine that runs one node of a plot.
#[derive(Debug)]
pub struct Machine {
    // Dropped in this order: containers before the directories that they mount.
    engine: Engine,
    node: String,
    scratch: Scratch,
}

impl Machine {
    /// Makes an engine's machine the node of that name, with nothing installed.
    ///
    /// # Panics
    ///
    /// If its disk cannot be made.
    pub fn new(engine: Engine, node: &str) -> Self {
        let scratch = Scratch::new();
        // Everybody on a machine may look into /opt and into most of the rest.
        open(scratch.path());
        for directory in ["opt", "upload", "kernel", "bin"] {
            let path = scratch.path().join(directory);
            fs::create_dir(&path)
                .unwrap_or_else(|error| panic!("failed to make {}: {error}", path.display()));
            open(&path);
        }
        for name in GLOBAL_PARAMETERS {
            let file = parameter(&scratch, name);
            fs::write(&file, "0\n")
                .unwrap_or_else(|error| panic!("failed to write {}: {error}", file.display()));
        }
        // Units name the client by the place where packages put it.
        if let Ok(docker) = Program::named("docker") {
            let _ = symlink(docker.path(), scratch.path().join("bin/docker"));
        }
        Self { engine, node: node.to_owned(), scratch }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, to end and start it.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// What the plot says as `root`.
    pub fn root(&self) -> PathBuf {
        self.scratch.path().join("opt")
    }

    /// This node's bundle.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn bundle<'a>(&self, rendering: &'a Rendering) -> &'a Bundle {
        let bundle = rendering.bundles.iter().find(|bundle| bundle.node == self.node);
        bundle.unwrap_or_else(|| panic!("no bundle for {}", self.node))
    }

    /// Copies this node's bundle here, as `stageplot render` writes it and `scp` by
    /// root brings it, and returns its directory.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[track_caller]
    pub fn upload(&self, rendering: &Rendering) -> PathBuf {
        let bundle = self.bundle(rendering);
        let directory = self.scratch.path().join("upload").join(&bundle.release[..16]);
        write_bundle(bundle, &directory);
        directory
    }

    /// Installs this node's bundle and brings it up, by the first block of commands
    /// in its README; returns what they said.
    ///
    /// # Panics
    ///
    /// If one of them fails.
    #[track_caller]
    pub fn bring_up(&self, rendering: &Rendering) -> String {
        self.readme(rendering, 0)
    }

    /// Lets what reloads read its files again, by the second block of commands in the
    /// README.
    ///
    /// # Panics
    ///
    /// If one of them fails.
    #[track_caller]
    pub fn reload(&self, rendering: &Rendering) -> String {
        self.readme(rendering, 1)
    }

    #[track_caller]
    fn readme(&self, rendering: &Rendering, block: usize) -> String {
        let directory = self.upload(rendering);
        let readme = fs::read_to_string(directory.join("README.md"));
        let readme = readme.unwrap_or_else(|error| panic!("failed to read the README: {error}"));
        let blocks = code_blocks(&readme);
        let commands =
            blocks.get(block).unwrap_or_else(|| panic!("no block {block} of commands in:\n{readme}"));
        let ufw = match commands.contains("/firewall/ufw.sh") {
            true => format!("set -- {}\n{UFW}", self.scratch.path().join("ufw").display()),
            false => String::new(),
        };
        self.shell(&format!("{ufw}{commands}"), &directory).success()
    }

    /// Runs the lines of a script as root, in a directory, up to the first that fails.
    ///
    /// # Panics
    ///
    /// If it takes longer than ninety seconds.
    #[track_caller]
    pub fn shell(&self, script: &str, directory: &Path) -> Output {
        run(self.command("sh").args(["-e", "-c", script]).current_dir(directory), BRING_UP)
    }

    /// A command that finds this machine as someone does who is logged in there.
    pub fn command(&self, program: &str) -> Command {
        let files = GLOBAL_PARAMETERS
            .map(|name| (parameter(&self.scratch, name), Path::new("/proc/sys").join(name)))
            .into_iter()
            .chain([(self.scratch.path().join("bin"), PathBuf::from("/usr/bin"))]);
        let compose = Program::versions("compose").next().unwrap_or_default();
        let mut command = self.engine.machine().command_seeing(&files.collect::<Vec<_>>(), program);
        command.envs(self.engine.environment(compose));
        command
    }

    /// What a global kernel parameter was set to, such as `net/core/rmem_max`; 0 where
    /// it was not.
    ///
    /// # Panics
    ///
    /// If it is not one that the rig keeps.
    pub fn kernel_parameter(&self, name: &str) -> String {
        let file = parameter(&self.scratch, name);
        let text = fs::read_to_string(&file);
        text.unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display())).trim().to_owned()
    }

    /// The containers of all Compose projects, by service.
    ///
    /// # Panics
    ///
    /// If the engine does not tell.
    #[track_caller]
    pub fn containers(&self) -> BTreeMap<String, Container> {
        let ids = self.engine.docker(&["ps", "--all", "--quiet"]).success();
        let ids: Vec<_> = ids.split_whitespace().collect();
        if ids.is_empty() {
            return BTreeMap::new();
        }
        let shown = self.engine.docker(&[&["inspect"][..], &ids].concat()).success();
        let shown: Vec<Value> = serde_json::from_str(&shown)
            .unwrap_or_else(|error| panic!("failed to read what the engine tells: {error}"));
        shown.into_iter().map(Container::of).collect()
    }

    /// The container of a service.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[track_caller]
    pub fn container(&self, service: &str) -> Container {
        self.containers().remove(service).unwrap_or_else(|| panic!("no container of {service}"))
    }
}

/// A container of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Container {
    /// Its id, which another container does not have.
    pub id: String,
    /// When it was last started.
    pub started: String,
    /// Whether it runs.
    pub running: bool,
    /// `starting`, `healthy` or `unhealthy`; empty where nobody asks.
    pub health: String,
    /// How often the engine itself has started it again.
    pub restarts: u64,
    /// What its first process ended with the last time.
    pub exit_code: i64,
    /// The first process, by the number that the host gives it; 0 where none runs.
    pub pid: u64,
    /// What it mounts: the place in the container, and the directory or file there.
    pub mounts: BTreeMap<String, PathBuf>,
}

impl Container {
    /// Whether it ran to its end, with no error.
    pub fn has_ended_well(&self) -> bool {
        !self.running && !self.started.starts_with("0001") && self.exit_code == 0
    }

    fn of(shown: Value) -> (String, Self) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let state = &shown["State"];
        let mounts = shown["Mounts"].as_array().into_iter().flatten();
        let container = Self {
            id: text(&shown["Id"]),
            started: text(&state["StartedAt"]),
            running: state["Running"] == true,
            health: text(&state["Health"]["Status"]),
            restarts: shown["RestartCount"].as_u64().unwrap_or_default(),
            exit_code: state["ExitCode"].as_i64().unwrap_or_default(),
            pid: state["Pid"].as_u64().unwrap_or_default(),
            mounts: mounts
                .map(|mount| (text(&mount["Destination"]), text(&mount["Source"]).into()))
                .collect(),
        };
        (text(&shown["Config"]["Labels"]["com.docker.compose.service"]), container)
    }
}

/// Writes a bundle's files with their modes, all of them ours.
///
/// # Panics
///
/// If one cannot be written.
pub fn write_bundle(bundle: &Bundle, directory: &Path) {
    for artifact in &bundle.artifacts {
        let path = directory.join(&artifact.path);
        if path.exists() {
            continue;
        }
        let written = fs::create_dir_all(path.parent().unwrap_or(directory))
            .and_then(|()| fs::write(&path, &artifact.bytes))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(artifact.mode)));
        written.unwrap_or_else(|error| panic!("failed to write {}: {error}", path.display()));
    }
}

fn parameter(scratch: &Scratch, name: &str) -> PathBuf {
    scratch.path().join("kernel").join(name.replace('/', "."))
}

fn open(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
        .unwrap_or_else(|error| panic!("failed to open {}: {error}", directory.display()));
}
