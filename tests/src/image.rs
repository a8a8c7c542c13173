//! Images: the stand-ins that `tests/images/build` makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::run;
use crate::program::Missing;

/// An image as an archive that an engine loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    archive: PathBuf,
}

impl Image {
    /// Finds an image by the name and tag that rendered files use.
    ///
    /// # Errors
    ///
    /// [`Missing`] where it has not been built.
    pub fn named(name: &str) -> Result<Self, Missing> {
        let archive = directory().join(format!("{}.tar", name.replace(['/', ':'], "_")));
        if archive.is_file() {
            Ok(Self { archive })
        } else {
            Err(Missing::new(format!("the image {name}"), "run tests/images/build".to_owned()))
        }
    }

    /// The archive, as `docker load` takes it.
    pub fn archive(&self) -> &Path {
        &self.archive
    }
}

/// Asks the build for its place, which is a hash of all that goes in: one rule, kept
/// where the images are made.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let build = concat!(env!("CARGO_MANIFEST_DIR"), "/images/build");
        let path = run(Command::new(build).arg("--path"), Duration::from_secs(30));
        // Where the build cannot even say, the machine lacks what it would take.
        PathBuf::from(path.stdout.trim_end())
    })
}
