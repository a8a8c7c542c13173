//! What each image was when it was pinned: the lock file beside the plot.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::{Built, Code, Digest, Document, FieldPath, Findings, ImageRef};

/// The digests of a plot's images, by the plot's own names for them.
///
/// A digest is the same at every registry that has the image, so a lock knows
/// nothing of mirrors. What a plot names by its digest is not in it.
///
/// ```
/// use stageplot_topology::{Document, Format, Lock};
///
/// let mut lock = Lock::new();
/// lock.insert("caddy:2.11".parse()?, format!("sha256:{}", "0f".repeat(32)).parse()?);
/// let document = Document::parse(Format::Toml, "stageplot.lock", &lock.to_toml())?;
/// assert_eq!(Lock::read(&document)?, lock);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    images: BTreeMap<ImageRef, Digest>,
}

/// A lock as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    images: BTreeMap<ImageRef, Digest>,
}

/// The version of the file's format.
const VERSION: u32 = 1;

/// What stands at the head of the file.
const HEAD: &str = "\
# Written by `stageplot pin`, from the registries: the content of each image that
# the plot names. `stageplot render` renders these digests. Commit this file.
";

impl Lock {
    /// A lock of nothing.
    ///
    /// ```
    /// use stageplot_topology::Lock;
    ///
    /// assert!(Lock::new().to_toml().ends_with("version = 1\n\n[images]\n"));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a lock.
    ///
    /// ```
    /// use stageplot_topology::{Document, Format, Lock};
    ///
    /// let text = "version = 1\n[images]\n\"caddy:2.11\" = \"sha256:0f\"\n";
    /// let document = Document::parse(Format::Toml, "stageplot.lock", text)?;
    /// let findings = Lock::read(&document).expect_err("a digest has 64 digits");
    /// assert!(findings.to_string().starts_with("error[invalid-value]: 3:16: images.\"caddy:2.11\":"));
    /// # Ok::<(), stageplot_topology::Findings>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All findings, each with its place in the file.
    pub fn read(document: &Document) -> Result<Self, Findings> {
        let mut findings = Findings::new();
        let file: Option<File> = document.decode(&mut findings);
        if let Some(file) = &file
            && file.version != VERSION
        {
            findings.add(
                Code::InvalidValue,
                FieldPath::root().key("version"),
                format!("this version of Stageplot reads locks of version {VERSION}"),
                "use the version that wrote it, or remove the file and pin anew",
            );
        }
        match file {
            Some(file) if !findings.has_errors() => Ok(Self { images: file.images }),
            _ => {
                document.locate(&mut findings);
                Err(findings)
            }
        }
    }

    /// Writes it: one line for each image, in their order, so that changes to
    /// different images merge. The same lock is the same bytes.
    ///
    /// ```
    /// use stageplot_topology::Lock;
    ///
    /// let mut lock = Lock::new();
    /// lock.insert("redis:7-alpine".parse()?, format!("sha256:{}", "5".repeat(64)).parse()?);
    /// lock.insert("caddy:2.11".parse()?, format!("sha256:{}", "0f".repeat(32)).parse()?);
    /// let text = lock.to_toml();
    /// let lines: Vec<_> = text.lines().rev().take(2).collect();
    /// assert!(lines[1].starts_with("\"caddy:2.11\" = ") && lines[0].starts_with("\"redis:7-alpine\" = "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_toml(&self) -> String {
        let mut text = format!("{HEAD}version = {VERSION}\n\n[images]\n");
        for (image, digest) in &self.images {
            // Neither holds anything that TOML would take for an escape.
            let _ = writeln!(text, "\"{image}\" = \"{digest}\"");
        }
        text
    }

    /// Locks an image; its digest from before, if it had one.
    ///
    /// ```
    /// use stageplot_topology::{Digest, ImageRef, Lock};
    ///
    /// let image: ImageRef = "caddy:2.11".parse()?;
    /// let old: Digest = format!("sha256:{}", "0f".repeat(32)).parse()?;
    /// let new: Digest = format!("sha256:{}", "1e".repeat(32)).parse()?;
    /// let mut lock = Lock::new();
    /// assert_eq!(lock.insert(image.clone(), old.clone()), None);
    /// assert_eq!(lock.insert(image.clone(), new.clone()), Some(old));
    /// assert_eq!(lock.digest(&image), Some(&new));
    /// assert_eq!(lock.iter().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(&mut self, image: ImageRef, digest: Digest) -> Option<Digest> {
        self.images.insert(image, digest)
    }

    /// The digest of an image, where it is locked.
    pub fn digest(&self, image: &ImageRef) -> Option<&Digest> {
        self.images.get(image)
    }

    /// All images and their digests, in the order of images.
    pub fn iter(&self) -> impl Iterator<Item = (&ImageRef, &Digest)> {
        self.images.iter()
    }
}

impl Built {
    /// Takes the digests of a lock for the images of the plot, and says where the
    /// two are out of step.
    ///
    /// ```
    /// use stageplot_topology::{Lock, NodeSpec, Plot, Redis};
    ///
    /// let built = Plot::new("live".parse()?)
    ///     .service("cache", Redis::default())
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    ///     .build()?;
    /// let mut lock = Lock::default();
    /// for image in built.topology.images().keys() {
    ///     lock.insert(image.clone(), format!("sha256:{}", "5".repeat(64)).parse()?);
    /// }
    /// let built = built.locked(lock)?;
    /// assert_eq!(built.topology.locked_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All findings, where the plot makes an error of one.
    pub fn locked(mut self, lock: Lock) -> Result<Self, Findings> {
        let images = self.topology.images();
        let mut findings = Findings::new();
        let is_used = |image: &ImageRef| images.contains_key(image) && image.digest().is_none();
        let mut unused: Vec<_> = lock.images.keys().filter(|image| !is_used(image)).collect();
        let unlocked = images.iter().filter(|(image, _)| is_used(image) && lock.digest(image).is_none());
        for (image, fields) in unlocked {
            let message = match unused.iter().position(|locked| locked.is_sibling(image)) {
                Some(at) => format!("{image} is not locked: the lock still has {}", unused.remove(at)),
                None => format!("{image} is not locked"),
            };
            for field in fields {
                findings.add(
                    Code::ImageUnlocked,
                    field.clone(),
                    &message,
                    "`stageplot pin --missing` locks it, and keeps what is locked",
                );
            }
        }
        for image in unused {
            findings.add(
                Code::LockUnused,
                FieldPath::root(),
                format!("{image} is locked, and the plot does not name it"),
                "`stageplot pin --missing` takes it out",
            );
        }
        self.topology.plot.apply_severity(&mut findings);
        // What is locked is the same image whenever it is pulled.
        let locked = images.iter().filter(|(image, _)| lock.digest(image).is_some());
        let locked: Vec<_> = locked.flat_map(|(_, fields)| fields).collect();
        self.findings.retain_mut(|finding| {
            let path = &finding.location.path;
            // Findings that have their places name services in the short form.
            let is_about = |field: &&FieldPath| *field == path || &field.segments()[1..] == path.segments();
            finding.code != Code::FloatingImage || !locked.iter().any(is_about)
        });
        self.findings.append(findings);
        self.findings.sort();
        self.topology.lock = lock;
        if self.findings.has_errors() { Err(self.findings) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Plot};

    const PLOT: &str = r#"
        name = "live"
        [nodes.front]
        address = "10.0.0.1"
        roles = ["redis", "rooms", "chat"]
        [redis]
        [services.rooms]
        kind = "app"
        image = "registry.example.com/rooms"
        port = 8080
        [services.chat]
        kind = "app"
        image = "ghcr.io/chat:1@sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
        port = 8081
    "#;

    fn digest(pair: &str) -> Digest {
        format!("sha256:{}", pair.repeat(32)).parse().expect("a digest")
    }

    fn image(text: &str) -> ImageRef {
        text.parse().expect("an image")
    }

    fn built(plot: &str) -> Built {
        let document = Document::parse(Format::Toml, "stageplot.toml", plot).expect("TOML");
        Plot::read(&document).expect("a sound plot")
    }

    fn lock(images: &[(&str, &str)]) -> Lock {
        Lock { images: images.iter().map(|(text, pair)| (image(text), digest(pair))).collect() }
    }

    fn said(built: &Built) -> Vec<String> {
        let told = built.findings.iter().filter(|finding| {
            matches!(finding.code, Code::FloatingImage | Code::ImageUnlocked | Code::LockUnused)
        });
        told.map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
    }

    #[test]
    fn a_lock_in_step_is_rendered_and_settles_what_floats() -> Result<(), Findings> {
        let built = built(PLOT);
        assert_eq!(
            said(&built),
            ["floating-image: registry.example.com/rooms is another image whenever it is pulled"]
        );
        let built = built.locked(lock(&[("redis:7-alpine", "01"), ("registry.example.com/rooms", "02")]))?;
        assert_eq!(said(&built), [""; 0]);
        let pulled: Vec<_> =
            built.topology.images().keys().map(|image| built.topology.pulled(image).to_string()).collect();
        let expected = [
            format!("redis:7-alpine@{}", digest("01")),
            format!("ghcr.io/chat:1@{}", digest("0f")),
            format!("registry.example.com/rooms@{}", digest("02")),
        ];
        assert_eq!(pulled, expected);
        Ok(())
    }

    #[test]
    fn a_lock_out_of_step_says_where() -> Result<(), Findings> {
        let locked = lock(&[("redis:6-alpine", "01"), ("caddy:2", "02"), ("ghcr.io/chat:1", "03")]);
        let mut expected = [
            "image-unlocked: redis:7-alpine is not locked: the lock still has redis:6-alpine",
            "image-unlocked: registry.example.com/rooms is not locked",
            "floating-image: registry.example.com/rooms is another image whenever it is pulled",
            "lock-unused: caddy:2 is locked, and the plot does not name it",
            "lock-unused: ghcr.io/chat:1 is locked, and the plot does not name it",
        ];
        expected.sort_unstable();
        let mut said = said(&built(PLOT).locked(locked)?);
        said.sort_unstable();
        assert_eq!(said, expected);
        Ok(())
    }

    #[test]
    fn what_is_locked_does_not_float_in_the_short_form_either() -> Result<(), Findings> {
        let plot = "name = \"live\"\n[nodes.a]\naddress = \"10.0.0.1\"\nroles = [\"redis\"]\n[redis]\nimage = \"redis\"";
        assert_eq!(said(&built(plot)).len(), 1);
        assert_eq!(said(&built(plot).locked(lock(&[("redis", "01")]))?), [""; 0]);
        Ok(())
    }

    #[test]
    fn a_plot_may_insist_on_being_locked() {
        let strict = format!("{PLOT}\n[severity]\nimage-unlocked = \"error\"");
        assert!(built(&strict).locked(Lock::new()).is_err());
    }

    #[test]
    fn a_mirror_is_where_it_is_pulled_from_and_not_in_the_lock() -> Result<(), Findings> {
        let mirrored = format!("{PLOT}\n[registries]\n\"docker.io\" = \"10.0.0.5:5000/hub\"");
        let built = built(&mirrored).locked(lock(&[("redis:7-alpine", "01")]))?;
        let pulled = built.topology.pulled(&image("redis:7-alpine")).to_string();
        assert_eq!(pulled, format!("10.0.0.5:5000/hub/library/redis:7-alpine@{}", digest("01")));
        assert_eq!(built.topology.pulled(&image("ghcr.io/a")).to_string(), "ghcr.io/a");
        Ok(())
    }

    #[test]
    fn a_lock_is_sorted_and_the_same_however_it_was_made() {
        let text = lock(&[("redis:7", "01"), ("caddy:2", "02")]).to_toml();
        assert_eq!(text, lock(&[("caddy:2", "02"), ("redis:7", "01")]).to_toml());
        assert!(text.find("caddy") < text.find("redis"), "{text}");
    }

    #[test]
    fn a_broken_lock_says_where() {
        for (text, code) in [
            ("", "missing-field"),
            ("version = 2\n", "invalid-value"),
            ("version = 1\n[images]\n\"caddy:2\" = \"sha256:12\"\n", "invalid-value"),
            ("version = 1\n[images]\n\"Caddy:2\" = \"sha256:12\"\n", "invalid-value"),
            ("version = 1\nimage = 1\n", "unknown-field"),
        ] {
            let document = Document::parse(Format::Toml, "stageplot.lock", text).expect("TOML");
            let findings = Lock::read(&document).expect_err(text);
            let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
            assert!(codes.contains(&code), "{text}: {findings}");
        }
        let conflict = "version = 1\n[images]\n<<<<<<< ours\n\"caddy:2\" = \"\"\n";
        assert!(Document::parse(Format::Toml, "stageplot.lock", conflict).is_err());
        let twice = "version = 1\n[images]\n\"caddy:2\" = \"a\"\n\"caddy:2\" = \"b\"\n";
        assert!(Document::parse(Format::Toml, "stageplot.lock", twice).is_err());
    }
}
