//! A repository such as a team has: a plot, the program's source, a branch.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use stageplot_tests::{Output, run};
use tempfile::TempDir;

/// The plot on `main`.
pub(crate) const BEFORE: &str = include_str!("before.toml");

const SOON: Duration = Duration::from_secs(60);

/// A repository with the branches `empty`, `main` and `branch`, and `branch` merged
/// into `main` checked out.
pub(crate) struct Repository(TempDir);

impl Repository {
    pub(crate) fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir(repository.path().join("repository")).expect("a directory");
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["commit", "--quiet", "--allow-empty", "--message", "begin"]);
        repository.git(&["branch", "empty"]);
        repository.add(&[("stageplot.toml", BEFORE), ("ci/Cargo.toml", "# The rules of main.\n")]);
        let after = BEFORE
            .replace(r#"["edge", "rooms", "redis"]"#, r#"["edge", "rooms"]"#)
            .replace(r#"["livekit"]"#, r#"["livekit", "redis"]"#)
            .replace("[livekit]\n", "[livekit]\nturn = { udp-port = 3478 }\n");
        repository
            .commit("branch", &[("stageplot.toml", &after), ("ci/Cargo.toml", "# Rules of its own.\n")]);
        repository.git(&["checkout", "--quiet", "--detach", "main"]);
        repository.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "branch"]);
        repository
    }

    /// Makes a branch of `main` with these files.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) {
        self.git(&["checkout", "--quiet", "-b", branch, "main"]);
        self.add(files);
    }

    fn add(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let file = self.directory().join(name);
            fs::create_dir_all(file.parent().expect("a directory")).expect("made");
            fs::write(file, text).expect("written");
        }
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", "change"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        run(self.command("git").args(arguments), SOON).success().trim_end().to_owned()
    }

    /// Runs the program in it.
    pub(crate) fn program(&self, arguments: &[&str]) -> Output {
        run(self.command(env!("CARGO_BIN_EXE_pull-request-comment")).args(arguments), SOON)
    }

    /// A command in it, to which nothing of this machine's configuration is known.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory()).env("HOME", self.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ann").env(format!("GIT_{who}_EMAIL"), "ann@example.com");
        }
        command
    }

    /// Runs a script as the runners of both services do. `cargo install` puts the program
    /// that is tested where it was told to, if it is given the rules of `main`, and other programs may stand in for real ones.
    pub(crate) fn script(&self, script: &str, env: &[(&str, String)], stand_ins: &[(&str, &str)]) -> Output {
        let bin = self.path().join("bin");
        fs::create_dir_all(&bin).expect("a directory");
        let cargo = format!(
            "#!/bin/sh\n[ \"$1 $4 $5 $6\" = \"install --path judge/ci --root\" ] || exit 1\n\
             grep -q 'of main' judge/ci/Cargo.toml || exit 1\n\
             mkdir -p \"$7/bin\"\ncp '{}' \"$7/bin/pull-request-comment\"\n",
            env!("CARGO_BIN_EXE_pull-request-comment")
        );
        for (name, text) in stand_ins.iter().chain(&[("cargo", cargo.as_str())]) {
            let path = bin.join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        let file = self.path().join("script.sh");
        fs::write(&file, script).expect("written");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.command("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(file);
        command.env("PATH", format!("{}:{path}", bin.display()));
        run(command.envs(env.iter().map(|(name, value)| (*name, value))), SOON)
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> PathBuf {
        self.path().join("repository")
    }

    /// A directory of its own, beside it.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
