//! What killed runs left behind, and its end.
//!
//! A test run that is killed cannot clean up. All that this crate makes therefore
//! carries the process id of its maker in its name, and the first thing that a run
//! makes is preceded by the end of everything whose maker is gone.

use std::fs;
use std::path::Path;
use std::process;
use std::sync::Once;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};

use crate::cgroup::Cgroup;
use crate::namespace;
use crate::scratch::unmount_below;

/// Names of what belongs to this process or to another one.
pub(crate) struct Owned;

impl Owned {
    /// How the names begin that this process gives.
    pub(crate) fn prefix() -> String {
        format!("stageplot-{}-", process::id())
    }

    /// Whether a name is one of ours whose maker has ended.
    fn is_stale(name: &str) -> bool {
        name.strip_prefix("stageplot-")
            .and_then(|rest| rest.split_once('-'))
            .and_then(|(pid, _)| Pid::from_raw(pid.parse().ok()?))
            .is_some_and(|pid| test_kill_process(pid).is_err())
    }
}

/// Sweeps, the first time that it is called.
pub(crate) fn sweep_once() {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(sweep);
}

fn sweep() {
    for name in stale(Path::new(namespace::DIRECTORY)) {
        namespace::delete(&name);
    }
    let temporary = std::env::temp_dir();
    for name in stale(&temporary) {
        Cgroup::named(&name).remove(Duration::from_secs(10));
        let directory = temporary.join(name);
        unmount_below(&directory);
        if let Err(error) = fs::remove_dir_all(&directory) {
            eprintln!("failed to remove {}: {error}", directory.display());
        }
    }
}

fn stale(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| Owned::is_stale(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_and_left_alone_is_swept() {
        assert!(!Owned::is_stale(&format!("{}x", Owned::prefix())), "our own");
        assert!(!Owned::is_stale("stageplot-1-x"), "the first process runs");
        assert!(!Owned::is_stale("stageplot"));
        assert!(!Owned::is_stale("stageplot-notes-2026"));
        assert!(!Owned::is_stale("other-4194303-x"));
        // One above the highest process id that Linux gives.
        assert!(Owned::is_stale("stageplot-4194305-x"));
    }
}
