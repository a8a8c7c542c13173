//! A directory to call the command in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A sound plot of one machine.
pub(crate) const PLOT: &str = r#"name = "live"

[access]
ssh = { from = "any" }

[nodes.main]
public = "203.0.113.10"
roles = ["edge", "livekit", "redis"]

[edge]
domain = "livekit.example.com"

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }

[redis]
password = { env = "REDIS_PASSWORD" }
"#;

/// A directory to call the command in.
pub(crate) struct Place {
    dir: TempDir,
}

/// How a call ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    /// One with a sound plot.
    pub(crate) fn with_plot() -> Self {
        Self::with("stageplot.toml", PLOT)
    }

    /// One with a file.
    pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        place.write(name, content);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).expect("a file")
    }

    /// The names in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.path().read_dir().expect("the directory");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The command, to be called here, with closed input and no secrets.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stageplot"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for variable in [
            "LIVEKIT_API_SECRET",
            "REDIS_PASSWORD",
            "STAGEPLOT_SEAL_KEY",
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Calls the command.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.command(args).output().expect("the command runs").into()
    }
}

impl Ended {
    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Fails unless this was said on standard error.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not in\n{}", self.err);
        self
    }

    /// Fails unless this was written to standard output.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "{text:?} is not in\n{}", self.out);
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// Makes a command run as a user that may do nothing, where we are root and may
/// do everything.
pub(crate) fn as_nobody(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt as _;
    match rustix::process::geteuid().is_root() {
        true => command.uid(65534).gid(65534),
        false => command,
    }
}

/// Everything that was rendered into a directory.
pub(crate) fn tree(place: &Place, dir: &str) -> String {
    fn collect(dir: &Path, text: &mut String) {
        for entry in dir.read_dir().expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => collect(&path, text),
                false => text.push_str(&fs::read_to_string(path).expect("a file")),
            }
        }
    }
    let mut text = String::new();
    collect(&place.at(dir), &mut text);
    text
}
