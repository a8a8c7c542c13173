//! A file system of one's own: where files stand at the very paths that their
//! readers are given.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::namespace::Namespace;
use crate::process::{Process, run};
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// What one command of the rig may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// This machine's files with others laid over them.
///
/// What runs in it reads and writes `/etc` and all else as it is used to, and nothing
/// of that reaches the machine: the mounts are in a namespace that ends with the guard.
#[derive(Debug)]
pub struct Root {
    // Dropped in this order: the process that holds the namespace, then its directory.
    keeper: Process,
    scratch: Scratch,
}

impl Root {
    /// Makes one that has the machine's files and nothing else.
    ///
    /// # Errors
    ///
    /// [`Missing`] where we are not root, or the system lacks a program.
    ///
    /// # Panics
    ///
    /// If the kernel has no overlay file system.
    pub fn new() -> Result<Self, Missing> {
        Namespace::privileged()?;
        for program in ["unshare", "nsenter", "chroot", "setpriv"] {
            Program::named(program)?;
        }
        let scratch = Scratch::new();
        // Dies with the thread that made it, should that one have no time to clean up.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "unshare", "--mount", "--", "sh", "-euc", SETUP, "root"]);
        let mut keeper = Process::start("root", command.arg(scratch.path()));
        keeper.wait_until("mounted", DEADLINE, |keeper| keeper.output() == "mounted\n");
        Ok(Self { keeper, scratch })
    }

    /// Lays a directory of the machine over one in here, which is made where needed.
    ///
    /// # Panics
    ///
    /// If it cannot be mounted.
    #[track_caller]
    pub fn bind(&self, source: &Path, target: &str) {
        std::fs::create_dir_all(self.path(target))
            .unwrap_or_else(|error| panic!("failed to make {target}: {error}"));
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.keeper.pid().to_string(), "--mount", "--", "mount", "--bind"]);
        let inside = self.scratch.path().join("root").join(target.trim_start_matches('/'));
        run(command.arg(source).arg(inside), DEADLINE).success();
    }

    /// Where a file in here is found from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.keeper.pid())).join(inside.trim_start_matches('/'))
    }

    /// Writes a file in here, and the directories above it.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[track_caller]
    pub fn write(&self, inside: &str, content: impl AsRef<[u8]>) {
        let path = self.path(inside);
        let written = std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))
            .and_then(|()| std::fs::write(&path, content));
        written.unwrap_or_else(|error| panic!("failed to write {inside}: {error}"));
    }

    /// Writes a program in here.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[track_caller]
    pub fn write_executable(&self, inside: &str, content: &str) {
        self.write(inside, content);
        std::fs::set_permissions(self.path(inside), std::fs::Permissions::from_mode(0o755))
            .unwrap_or_else(|error| panic!("failed to make {inside} executable: {error}"));
    }

    /// A command that runs in here and in a machine's network.
    pub fn command(&self, machine: &Namespace, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.keeper.pid().to_string(), "--mount", "--root", "--wd"]);
        command.arg(format!("--net={}", machine.path().display())).arg("--").arg(program);
        command
    }
}

/// The layers are kept in memory, since one cannot lie inside another: `/` is the lower.
const SETUP: &str = r#"
cd "$1"
mkdir layers root
mount -t tmpfs tmpfs layers
mkdir layers/upper layers/work
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/layers/upper,workdir=$1/layers/work" root
for directory in proc sys dev; do mount --rbind "/$directory" "root/$directory"; done
exec chroot root sh -c 'echo mounted; exec sleep infinity'
"#;
