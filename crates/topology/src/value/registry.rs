//! Registries, and what stands in for them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use super::image::valid_path;

/// A registry of images: a host, and a port where it is not the usual one.
///
/// As in an image's name, what holds neither a dot nor a port is a host only
/// where it is `localhost` (`splitDockerDomain` of the distribution project's
/// `reference` package). It is kept in lowercase, and `index.docker.io` as
/// `docker.io`.
///
/// ```
/// use stageplot_topology::Registry;
///
/// let registry: Registry = "mirror.example.com:5000".parse()?;
/// assert_eq!(registry.host(), "mirror.example.com");
/// assert!("team/images".parse::<Registry>().is_err());
/// # Ok::<(), stageplot_topology::InvalidRegistry>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(Arc<str>);

impl Registry {
    /// The registry that an image without a host in its name comes from.
    pub fn docker_hub() -> Self {
        Self(DOCKER_HUB.into())
    }

    /// Host and port as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without the port; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        split_port(&self.0).0.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether it is on the machine that asks: Docker takes plain HTTP from such
    /// a registry unasked.
    ///
    /// ```
    /// use stageplot_topology::Registry;
    ///
    /// assert!("localhost:5000".parse::<Registry>()?.is_loopback());
    /// assert!(!Registry::docker_hub().is_loopback());
    /// # Ok::<(), stageplot_topology::InvalidRegistry>(())
    /// ```
    pub fn is_loopback(&self) -> bool {
        self.host() == "localhost" || self.host().parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// Why a text is not a [`Registry`].
///
/// See [`Registry`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a registry: write a host such as registry.example.com, and :PORT after it if it has one"
)]
pub struct InvalidRegistry(String);

impl FromStr for Registry {
    type Err = InvalidRegistry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = split_port(text);
        let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let label = |label: &str| {
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
            !label.is_empty() && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
        };
        let valid_host = match v6 {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.len() <= 253 && host.split('.').all(label),
        };
        let valid_port = port.is_none_or(|port| {
            port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if !(looks_like_host(text) && valid_host && valid_port) {
            return Err(InvalidRegistry(super::shorten(text)));
        }
        let name = text.to_ascii_lowercase();
        Ok(Self(if name == "index.docker.io" { DOCKER_HUB.into() } else { name.into() }))
    }
}

const DOCKER_HUB: &str = "docker.io";

/// Whether the first part of an image's name is a host rather than a directory.
pub(super) fn looks_like_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

/// Host and port; a colon in brackets belongs to the host.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_brackets = text.rfind(']').map_or(0, |end| end + 1);
    match text[after_brackets..].find(':') {
        Some(colon) => (&text[..after_brackets + colon], Some(&text[after_brackets + colon + 1..])),
        None => (text, None),
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

super::text_value!(Registry, "a registry such as \"registry.example.com:5000\"", None);

/// Where the images of a registry are taken from instead: another registry, and
/// the path below which it has them.
///
/// ```
/// use stageplot_topology::{ImageRef, Mirror};
///
/// let mirror: Mirror = "mirror.example.com:5000/hub".parse()?;
/// let image: ImageRef = "caddy:2.11".parse()?;
/// assert_eq!(image.at(&mirror).to_string(), "mirror.example.com:5000/hub/library/caddy:2.11");
/// assert_eq!((mirror.registry().host(), mirror.path()), ("mirror.example.com", Some("hub")));
/// assert!("https://mirror.example.com".parse::<Mirror>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mirror {
    registry: Registry,
    path: Option<String>,
}

impl Mirror {
    /// The registry that is asked.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The path below which it has the images.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }
}

/// Why a text is not a [`Mirror`].
///
/// See [`Mirror`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a mirror: write a registry such as mirror.example.com:5000, and maybe a path after it, \
     without https://"
)]
pub struct InvalidMirror(String);

impl FromStr for Mirror {
    type Err = InvalidMirror;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMirror(super::shorten(text));
        let (registry, path) = match text.split_once('/') {
            Some((registry, path)) => (registry, Some(path)),
            None => (text, None),
        };
        if path.is_some_and(|path| !valid_path(path)) {
            return Err(invalid());
        }
        Ok(Self { registry: registry.parse().map_err(|_| invalid())?, path: path.map(str::to_owned) })
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registry.fmt(f)?;
        match &self.path {
            Some(path) => write!(f, "/{path}"),
            None => Ok(()),
        }
    }
}

super::text_value!(Mirror, "a registry, and maybe a path in it", None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host_and_maybe_a_port() {
        for (text, host) in [
            ("localhost", "localhost"),
            ("Registry.Example.com", "registry.example.com"),
            ("cache:5000", "cache"),
            ("10.0.0.5:5000", "10.0.0.5"),
            ("[fd00::5]:5000", "fd00::5"),
            ("index.docker.io", "docker.io"),
        ] {
            let registry: Registry = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(registry.host(), host);
        }
        for text in [
            "",
            "cache",
            "a.b:",
            "a.b:0",
            "a.b:70000",
            "a.b:+1",
            "a..b",
            "-a.b",
            "https://a.b",
            "[fd00::g]:1",
            "a.b/c",
            "u@a.b",
        ] {
            assert!(text.parse::<Registry>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mirror_has_a_path_as_images_have() {
        for text in ["mirror.example.com", "mirror.example.com:5000/docker-hub", "10.0.0.5:5000/a/b__c"] {
            assert_eq!(text.parse::<Mirror>().expect("a mirror").to_string(), text);
        }
        for text in [
            "mirror",
            "https://mirror.example.com",
            "mirror.example.com/",
            "mirror.example.com/Hub",
            "mirror.example.com/a//b",
        ] {
            assert!(text.parse::<Mirror>().is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_by_number() {
        for text in ["localhost:5000", "127.0.0.1:5000", "127.1.2.3:1", "[::1]:5000"] {
            assert!(text.parse::<Registry>().expect("a registry").is_loopback(), "{text}");
        }
        assert!(!"localhost.example.com".parse::<Registry>().expect("a registry").is_loopback());
    }
}
