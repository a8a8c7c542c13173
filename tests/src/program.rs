//! Programs: where they are, and what a test does when one is not there.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Yields what a test wants, or ends the test where it is missing.
///
/// Takes a `Result<T, Missing>` and is a `T`. What is missing is a failure where
/// `CI` is set, and otherwise a line that begins with `skipped:`.
///
/// ```no_run
/// # use stageplot_tests::{Program, want};
/// # fn main() {
/// let caddy = want!(Program::named("caddy"));
/// # }
/// ```
#[macro_export]
macro_rules! want {
    ($wanted:expr) => {
        match $crate::wanted($wanted) {
            Some(found) => found,
            None => return,
        }
    };
}

/// An executable that a test may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    version: Option<&'static str>,
    path: PathBuf,
}

impl Program {
    /// Finds a program by its name: one of `tests/programs/versions`, in the first
    /// version listed there, or else one of the system's.
    ///
    /// # Errors
    ///
    /// [`Missing`], with the command that installs it.
    pub fn named(name: &str) -> Result<Self, Missing> {
        match Self::versions(name).next() {
            Some(version) => Self::cached(name, version),
            None => Self::of_system(name),
        }
    }

    /// Finds a program of `tests/programs/versions` in one of its versions.
    ///
    /// # Errors
    ///
    /// [`Missing`], with the command that installs it.
    ///
    /// # Panics
    ///
    /// If that version is not listed: no install would bring it.
    pub fn versioned(name: &str, version: &str) -> Result<Self, Missing> {
        let listed = Self::versions(name)
            .find(|listed| *listed == version)
            .unwrap_or_else(|| panic!("{name} {version} is not in tests/programs/versions"));
        Self::cached(name, listed)
    }

    /// All versions of a program in `tests/programs/versions`, in the order listed.
    pub fn versions(name: &str) -> impl Iterator<Item = &'static str> {
        include_str!("../programs/versions").lines().filter_map(move |line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name)).then(|| words.next()).flatten()
        })
    }

    /// The version that was asked for; a program of the system has none.
    pub fn version(&self) -> Option<&'static str> {
        self.version
    }

    /// The executable.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the executable, to stand first in a `PATH`.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// Another executable that came with this one, as `dockerd` comes with `docker`.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// A command that starts this program.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    fn cached(name: &str, version: &'static str) -> Result<Self, Missing> {
        let path = cache().join("programs").join(format!("{name}-{version}")).join("bin").join(name);
        if !path.is_file() {
            return Err(Missing::new(
                format!("{name} {version}"),
                format!("run tests/programs/install {name}"),
            ));
        }
        Ok(Self { name: name.to_owned(), version: Some(version), path })
    }

    fn of_system(name: &str) -> Result<Self, Missing> {
        // What an unprivileged shell leaves out of its PATH is there all the same.
        let path = env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(PathBuf::from(POSTGRES))
            .chain(env::split_paths(&path))
            .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
            .map(|directory| directory.join(name))
            .find(|path| path.is_file())
            .ok_or_else(|| Missing::new(name.to_owned(), "run tests/programs/install system".to_owned()))?;
        Ok(Self { name: name.to_owned(), version: None, path })
    }
}

impl AsRef<OsStr> for Program {
    fn as_ref(&self) -> &OsStr {
        self.path.as_os_str()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{} {version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Where Debian has the programs of its Postgres.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin";

/// Something that a test wants and this machine has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    what: String,
    remedy: String,
}

impl Missing {
    pub(crate) fn new(what: String, remedy: String) -> Self {
        Self { what, remedy }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing ({})", self.what, self.remedy)
    }
}

impl std::error::Error for Missing {}

/// Turns what is missing into a skip; [`want!`] is the way to call it.
///
/// # Panics
///
/// Where `CI` is set to anything but `false` or nothing: there, all has to be there.
pub fn wanted<T>(wanted: Result<T, Missing>) -> Option<T> {
    match wanted {
        Ok(found) => Some(found),
        Err(missing) => {
            let ci = env::var("CI").unwrap_or_default();
            assert!(ci.is_empty() || ci == "false", "{missing}");
            println!("skipped: {missing}");
            None
        }
    }
}

/// Where built programs and images are kept: the rule of `tests/programs/cache`.
fn cache() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("STAGEPLOT_CACHE").unwrap_or_else(|| {
        set("XDG_CACHE_HOME")
            .unwrap_or_else(|| set("HOME").unwrap_or_default().join(".cache"))
            .join("stageplot")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_is_the_one_that_is_meant() {
        let versions: Vec<_> = Program::versions("livekit-server").collect();
        assert_eq!(versions, ["1.13.5", "1.11.0", "1.9.12"]);
        assert_eq!(Program::versions("no-such").count(), 0);
    }

    #[test]
    fn what_is_missing_names_its_remedy() {
        let missing = Program::named("no-such-program").unwrap_err();
        assert_eq!(missing.to_string(), "no-such-program is missing (run tests/programs/install system)");
    }

    #[test]
    #[should_panic(expected = "caddy 0.0.1 is not in tests/programs/versions")]
    fn a_version_that_no_install_brings_is_a_mistake() {
        let _ = Program::versioned("caddy", "0.0.1");
    }
}
