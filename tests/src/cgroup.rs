//! Control groups: how every process of an engine's containers is found, wherever
//! in the process tree it has gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const ROOT: &str = "/sys/fs/cgroup";

/// A control group below the root, in every hierarchy that has one of its name.
#[derive(Debug)]
pub(crate) struct Cgroup {
    directories: Vec<PathBuf>,
}

impl Cgroup {
    /// Finds the group; where there is none, it has no processes.
    pub(crate) fn named(name: &str) -> Self {
        // One hierarchy (version 2), or one for each controller (version 1).
        let roots = subdirectories(Path::new(ROOT)).into_iter().chain([PathBuf::from(ROOT)]);
        let directories = roots.map(|root| root.join(name)).filter(|path| path.is_dir()).collect();
        Self { directories }
    }

    /// Kills all processes of the group and takes it away.
    pub(crate) fn remove(&self, deadline: Duration) {
        let end = Instant::now() + deadline;
        loop {
            let processes: Vec<Pid> = self.directories.iter().flat_map(|path| processes(path)).collect();
            if processes.is_empty() && self.directories.iter().all(|path| remove(path)) {
                return;
            }
            if Instant::now() >= end {
                eprintln!("failed to end all of {:?}", self.directories);
                return;
            }
            for process in processes {
                let _ = kill_process(process, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn processes(group: &Path) -> Vec<Pid> {
    let mut found: Vec<Pid> = fs::read_to_string(group.join("cgroup.procs"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| Pid::from_raw(line.parse().ok()?))
        .collect();
    found.extend(subdirectories(group).iter().flat_map(|path| processes(path)));
    found
}

/// Removes a group with those in it, deepest first; whether it is gone.
fn remove(group: &Path) -> bool {
    subdirectories(group).iter().all(|path| remove(path)) && {
        let _ = fs::remove_dir(group);
        !group.exists()
    }
}

fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}
