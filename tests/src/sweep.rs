//! What killed runs left behind, and its end.
//!
//! A test run that is killed cannot clean up. All that this crate makes therefore
//! carries the process id of its maker in its name, and the first thing that a run
//! makes is preceded by the end of everything whose maker is gone.

use std::fs;
use std::io::ErrorKind;
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
        Self::maker(name).is_some_and(|maker| test_kill_process(maker).is_err())
    }

    fn maker(name: &str) -> Option<Pid> {
        let (pid, _) = name.strip_prefix("stageplot-")?.split_once('-')?;
        Pid::from_raw(pid.parse().ok()?)
    }
}

/// Sweeps, the first time that it is called.
pub(crate) fn sweep_once() {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(sweep);
}

fn sweep() {
    sweep_those(&std::env::temp_dir(), Owned::is_stale);
}

/// Sweeps what one process made that has ended, whose temporary directory this was.
pub fn sweep_after(pid: u32, temporary: &Path) {
    sweep_those(temporary, |name| {
        Owned::maker(name).is_some_and(|maker| u32::try_from(maker.as_raw_nonzero().get()) == Ok(pid))
    });
}

fn sweep_those(temporary: &Path, wanted: impl Fn(&str) -> bool) {
    for name in names(Path::new(namespace::DIRECTORY), &wanted) {
        namespace::delete(&name);
    }
    for name in names(temporary, &wanted) {
        Cgroup::named(&name).remove(Duration::from_secs(10));
        let directory = temporary.join(name);
        unmount_below(&directory);
        match fs::remove_dir_all(&directory) {
            // Another one sweeps as well.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                eprintln!("failed to remove {}: {error}", directory.display());
            }
            _ => {}
        }
    }
}

fn names(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| wanted(name)).collect()
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
