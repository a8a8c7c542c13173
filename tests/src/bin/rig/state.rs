//! What is on disk of a rig that is up, for the commands that come after `up`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use stageplot_tests::sweep_after;

use crate::Result;

/// Where the files of all rigs are; a reboot, which ends rigs, empties it.
const DIRECTORY: &str = "/run/stageplot-rig";

/// What a keeper that is killed may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// A rig that is up, or comes up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) plot: String,
    /// The keeper.
    pub(crate) pid: u32,
    /// Where the keeper has its temporary directories.
    pub(crate) temporary: PathBuf,
    pub(crate) is_up: bool,
    /// The nodes, and `outside`.
    pub(crate) places: Vec<Place>,
    /// What the name server answers with.
    pub(crate) records: String,
}

/// A machine on which commands can be run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) is_node: bool,
    pub(crate) addresses: Vec<String>,
    /// What a command there begins with.
    pub(crate) words: Vec<String>,
    /// What it finds in its environment.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Place {
    /// A command there, to which the program and its arguments are still to be added.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("env", String::as_str));
        command.args(words).envs(&self.environment);
        command
    }
}

impl State {
    /// What there is, and how to go on.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{}\n", self.plot);
        for place in &self.places {
            let _ = writeln!(text, "  {:<12} {}", place.name, place.addresses.join(" "));
        }
        text.push_str("names\n");
        for record in self.records.lines().filter(|line| !line.starts_with(';')) {
            let _ = writeln!(text, "  {record}");
        }
        let example = self.places.first().map_or("NODE", |place| place.name.as_str());
        let _ = writeln!(text, "a command in a machine: tests/rig run {example} docker ps");
        text.push_str("to take it all down: tests/rig down\n");
        text
    }
}

/// The files of one rig.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) name: String,
    /// What the keeper says when it fails.
    pub(crate) log: PathBuf,
    state: PathBuf,
    lock: PathBuf,
}

impl Files {
    /// The files of a rig of that name.
    pub(crate) fn named(name: Option<&str>) -> Result<Self> {
        let name = name.unwrap_or("rig");
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(format!("{name}: a name is of letters and digits").into());
        }
        let file = |end: &str| Path::new(DIRECTORY).join(format!("{name}.{end}"));
        Ok(Self { name: name.to_owned(), log: file("log"), state: file("json"), lock: file("lock") })
    }

    /// Whether there is a keeper: it holds the lock for as long as it lives.
    pub(crate) fn is_kept(&self) -> Result<bool> {
        let Ok(lock) = File::open(&self.lock) else { return Ok(false) };
        match lock.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Makes the caller the keeper.
    pub(crate) fn keep(&self) -> Result<File> {
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.lock)?;
        lock.try_lock().map_err(|_| "another one keeps it")?;
        Ok(lock)
    }

    pub(crate) fn read(&self) -> Result<State> {
        Ok(serde_json::from_slice(&fs::read(&self.state)?)?)
    }

    /// Writes the state: whole, and for us alone, since it has the plot's secrets.
    pub(crate) fn write(&self, state: &State) -> Result<()> {
        let new = self.state.with_extension("new");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(state)?)?;
        Ok(fs::rename(new, &self.state)?)
    }

    /// Makes the directory of all rigs' files.
    pub(crate) fn prepare(&self) -> Result<()> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(DIRECTORY);
        made.map_err(|error| format!("root is missing: {DIRECTORY}: {error}").into())
    }

    /// Ends the keeper, if there is one, and removes all that it made; whether there
    /// was anything to remove.
    pub(crate) fn clear(&self) -> Result<bool> {
        let Ok(state) = self.read() else {
            return self.remove();
        };
        let end = Instant::now() + GONE;
        while self.is_kept()? {
            // The lock is held, so this is still the keeper's own number.
            let pid = Pid::from_raw(state.pid.cast_signed()).ok_or("no process has this number")?;
            let _ = kill_process(pid, Signal::KILL);
            if Instant::now() >= end {
                return Err(format!("process {} does not end", state.pid).into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        sweep_after(state.pid, &state.temporary);
        self.remove()?;
        Ok(true)
    }

    fn remove(&self) -> Result<bool> {
        let mut found = false;
        for file in [&self.state, &self.state.with_extension("new"), &self.log, &self.lock] {
            found |= fs::remove_file(file).is_ok();
        }
        // Other rigs may have files there.
        let _ = fs::remove_dir(DIRECTORY);
        Ok(found)
    }
}
