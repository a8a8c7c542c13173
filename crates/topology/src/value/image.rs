//! References to container images.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::registry::looks_like_host;
use super::{Digest, Mirror, Registry};

/// An image as `docker pull` takes it: `[registry/]path[:tag][@digest]`, by the
/// grammar of the OCI distribution specification ("Pulling manifests") and of the
/// distribution project's `reference` package, which adds the registry.
///
/// ```
/// use stageplot_topology::ImageRef;
///
/// let image: ImageRef = "registry.example.com:5000/team/caddy:2.11".parse()?;
/// assert_eq!(image.registry().as_str(), "registry.example.com:5000");
/// assert_eq!(image.path(), "team/caddy");
/// assert_eq!(image.tag(), Some("2.11"));
/// assert!("Team/Caddy".parse::<ImageRef>().is_err());
/// # Ok::<(), stageplot_topology::InvalidImageRef>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    registry: Option<Registry>,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl ImageRef {
    /// The most characters of registry and path together.
    pub const MAX_NAME: usize = 255;

    /// The registry that has it; Docker Hub where none is written.
    pub fn registry(&self) -> Registry {
        self.registry.clone().unwrap_or_else(Registry::docker_hub)
    }

    /// Where the registry has it: on Docker Hub, what has no owner is in `library`.
    pub fn path(&self) -> Cow<'_, str> {
        match self.path.contains('/') || self.registry() != Registry::docker_hub() {
            true => self.path.as_str().into(),
            false => format!("library/{}", self.path).into(),
        }
    }

    /// The tag, where one is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one is written.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether the content may change under the same reference without a
    /// word: there is no digest, and the tag is missing, `latest`, or a flavour of that
    /// such as `latest-alpine`. One with a number, such as `latest-2024-12-02`, stays.
    pub fn floats(&self) -> bool {
        let is_latest = |tag: &str| match tag.strip_prefix("latest") {
            Some(flavour) => !flavour.contains(|c: char| c.is_ascii_digit()),
            None => false,
        };
        self.digest.is_none() && self.tag().is_none_or(is_latest)
    }

    /// Whether both name the same image, but for tag and digest.
    pub fn is_sibling(&self, other: &Self) -> bool {
        self.registry() == other.registry() && self.path() == other.path()
    }

    /// The same image, taken from a mirror.
    #[must_use]
    pub fn at(&self, mirror: &Mirror) -> Self {
        let path = match mirror.path() {
            Some(below) => format!("{below}/{}", self.path()),
            None => self.path().into_owned(),
        };
        Self { registry: Some(mirror.registry().clone()), path, ..self.clone() }
    }

    /// The same image, with this digest: no other content will do.
    ///
    /// ```
    /// use stageplot_topology::ImageRef;
    ///
    /// let tagged: ImageRef = "caddy:latest".parse()?;
    /// assert!(tagged.floats());
    /// let pinned = tagged.clone().pinned(format!("sha256:{}", "0f".repeat(32)).parse()?);
    /// assert!(!pinned.floats() && pinned.digest().is_some());
    /// assert!(pinned.is_sibling(&tagged));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn pinned(self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self }
    }

    /// Whether registry and path are longer together than Docker takes.
    pub(crate) fn is_too_long(&self) -> bool {
        let registry = self.registry.as_ref().map_or(0, |registry| registry.as_str().len() + 1);
        registry + self.path.len() > Self::MAX_NAME
    }
}

/// Why a text is not an [`ImageRef`].
///
/// See [`ImageRef`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an image: write [registry/]repository:tag or …@sha256:digest, in lowercase")]
pub struct InvalidImageRef(String);

impl FromStr for ImageRef {
    type Err = InvalidImageRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidImageRef(super::shorten(text));
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon after the last slash starts a tag; before it, a port.
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[last..].find(':') {
            Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
            None => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if looks_like_host(first) => (Some(first), path),
            _ => (None, name),
        };
        if !valid_path(path) || is_id(name) || !tag.is_none_or(valid_tag) {
            return Err(invalid());
        }
        let image = Self {
            registry: registry.map(str::parse).transpose().map_err(|_| invalid())?,
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::parse).transpose().map_err(|_| invalid())?,
        };
        if image.is_too_long() { Err(invalid()) } else { Ok(image) }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Names between slashes: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` each.
pub(super) fn valid_path(path: &str) -> bool {
    path.split('/').all(|component| {
        let mut rest = component;
        loop {
            let word = rest.trim_start_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
            let end = word.len();
            if end == rest.len() {
                return false;
            }
            let next = word.trim_start_matches(['.', '_', '-']);
            let separator = &word[..end - next.len()];
            rest = match separator {
                "" => return next.is_empty(),
                "." | "_" | "__" => next,
                dashes if dashes.chars().all(|c| c == '-') => next,
                _ => return false,
            };
        }
    })
}

/// Whether Docker would take a name for the ID of a local image.
fn is_id(name: &str) -> bool {
    name.len() == 64 && name.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn valid_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

super::text_value!(ImageRef, "an image such as \"caddy:2.11-alpine\"", None);

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> ImageRef {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_port_of_a_registry_is_not_a_tag() {
        let image = image("localhost:5000/caddy");
        assert_eq!((image.path().as_ref(), image.tag()), ("caddy", None));
        assert!(image.floats());
    }

    #[test]
    fn what_has_no_registry_is_on_docker_hub() {
        for (text, registry, path) in [
            ("caddy", "docker.io", "library/caddy"),
            ("docker.io/caddy", "docker.io", "library/caddy"),
            ("index.docker.io/caddy", "docker.io", "library/caddy"),
            ("livekit/livekit-server:v1", "docker.io", "livekit/livekit-server"),
            ("ghcr.io/caddy", "ghcr.io", "caddy"),
            ("cache:5000/a/b", "cache:5000", "a/b"),
            ("[fd00::5]:5000/a", "[fd00::5]:5000", "a"),
        ] {
            let image = image(text);
            assert_eq!((image.registry().as_str(), image.path().as_ref()), (registry, path), "{text}");
        }
    }

    #[test]
    fn what_the_specification_has_no_form_for_is_refused() {
        let id = "0f".repeat(32);
        for text in [
            "",
            "Caddy",
            "caddy:",
            "a//b",
            "a/",
            "/a",
            "caddy:a b",
            "caddy@sha256:12",
            "caddy@md5:0",
            "-a",
            "a-",
            "a..b",
            "a.-b",
            "a___b",
            "a_.b",
            "a.b.",
            "caddy:.a",
            "ghcr.io/",
            "a.b:0/c",
            "a:b:c",
            "https://a.b/c",
            &id,
        ] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
        for text in ["a--b", "a__b/c.d_e", "a:_b", "cache:5000/a:B.c-d"] {
            assert_eq!(image(text).to_string(), text);
        }
        assert!(format!("{}:1", "a".repeat(256)).parse::<ImageRef>().is_err());
    }

    #[test]
    fn a_mirror_keeps_path_tag_and_digest() {
        let mirror: Mirror = "10.0.0.5:5000/hub".parse().expect("a mirror");
        let digest = format!("sha256:{}", "0f".repeat(32));
        let pinned = image(&format!("redis:7@{digest}"));
        assert_eq!(pinned.at(&mirror).to_string(), format!("10.0.0.5:5000/hub/library/redis:7@{digest}"));
        let pinned = image("ghcr.io/a/b").at(&mirror).pinned(digest.parse().expect("a digest"));
        assert_eq!(pinned.to_string(), format!("10.0.0.5:5000/hub/a/b@{digest}"));
    }
}
