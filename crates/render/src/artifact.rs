//! One rendered file, and how a change of it reaches who reads it.

use serde::{Deserialize, Serialize};

/// One rendered file of a bundle.
///
/// ```
/// use stageplot_render::{Artifact, Change, Owner};
///
/// // A file that the service `metrics` reads again when it is told to.
/// let jobs = Artifact::private("services/metrics/jobs.json", "[]\n", Owner::new(1000, 1000))
///     .read_by("metrics", Change::Reload);
/// assert!(jobs.is_private());
/// assert_eq!((jobs.mode, jobs.service.as_deref()), (0o400, Some("metrics")));
///
/// // A script, and a file of the machine's own that takes a start of something.
/// let script = Artifact::open("backup.sh", "#!/bin/sh\n").mode(0o755);
/// let limits = Artifact::open("system/limits.conf", "").changes(Change::Restart);
/// assert_eq!((script.owner, limits.change), (Owner::ROOT, Change::Restart));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact {
    /// Where it stands in the bundle: relative, with `/` between parts.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its mode bits on the machine.
    pub mode: u32,
    /// Whose it is on the machine.
    pub owner: Owner,
    /// The service that reads it, by name; none for what the machine itself or
    /// a person reads.
    pub service: Option<String>,
    /// How a change of it takes effect.
    pub change: Change,
}

impl Artifact {
    /// A file that anybody on the machine may read.
    ///
    /// ```
    /// use stageplot_render::{Artifact, Change, Owner};
    ///
    /// let greeting = Artifact::open("system/motd", "You are on front.\n");
    /// assert_eq!((greeting.mode, greeting.owner, greeting.change), (0o644, Owner::ROOT, Change::Live));
    /// ```
    pub fn open(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: content.into(),
            mode: 0o644,
            owner: Owner::ROOT,
            service: None,
            change: Change::Live,
        }
    }

    /// A file that only `owner` and root may read.
    ///
    /// ```
    /// use stageplot_render::{Artifact, Owner};
    ///
    /// let token = Artifact::private("services/rooms/token", vec![0xff; 32], Owner::new(1000, 1000));
    /// assert!(token.is_private() && token.owner.to_string() == "1000:1000");
    /// ```
    pub fn private(path: impl Into<String>, content: impl Into<Vec<u8>>, owner: Owner) -> Self {
        Self { mode: 0o400, owner, ..Self::open(path, content) }
    }

    /// Gives it other mode bits, as `0o755` for a script.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Says who reads it, and how a change takes effect.
    ///
    /// ```
    /// use stageplot_render::{Artifact, Change};
    ///
    /// let rules = Artifact::open("services/metrics/rules.yml", "groups: []\n").read_by("metrics", Change::Recreate);
    /// assert_eq!(rules.service.as_deref(), Some("metrics"));
    /// ```
    #[must_use]
    pub fn read_by(mut self, service: impl Into<String>, change: Change) -> Self {
        self.service = Some(service.into());
        self.change = change;
        self
    }

    /// Says how a change takes effect.
    #[must_use]
    pub fn changes(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    /// Whether others than its owner may not read it.
    pub fn is_private(&self) -> bool {
        self.mode & 0o077 == 0
    }
}

impl std::fmt::Debug for Artifact {
    /// Leaves the content out: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Artifact({:?}, {} bytes, {:04o} {})", self.path, self.bytes.len(), self.mode, self.owner)
    }
}

/// A user and a group by number, as containers know them.
///
/// See [`Artifact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Owner {
    /// The superuser.
    pub const ROOT: Self = Self::new(0, 0);

    /// A user and a group.
    pub const fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid }
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// How a change of a file takes effect, mildest first.
///
/// See [`Artifact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// At once, or when somebody reads it next.
    Live,
    /// When the service, or the machine, is told to read it again.
    Reload,
    /// When the service is started again.
    Restart,
    /// With a new container.
    Recreate,
}
