//! References to container images.

use std::fmt;
use std::str::FromStr;

/// An image as `docker pull` takes it: `[registry/]repository[:tag][@digest]`,
/// by the grammar of the distribution project's `reference` package.
///
/// ```
/// use stageplot_topology::ImageRef;
///
/// let image: ImageRef = "registry.example.com:5000/team/caddy:2.11".parse()?;
/// assert_eq!(image.repository(), "registry.example.com:5000/team/caddy");
/// assert_eq!(image.tag(), Some("2.11"));
/// # Ok::<(), stageplot_topology::InvalidImageRef>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageRef {
    /// Registry and repository, without tag and digest.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one is written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest with its algorithm, `sha256:…`, where one is written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Whether the content may change under the same reference without a
    /// word: the tag is `latest` or missing, and there is no digest.
    pub fn floats(&self) -> bool {
        self.digest.is_none() && matches!(self.tag(), None | Some("latest"))
    }
}

/// Why a text is not an [`ImageRef`].
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
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[name_start..].find(':') {
            Some(colon) => (&rest[..name_start + colon], Some(&rest[name_start + colon + 1..])),
            None => (rest, None),
        };
        let valid = text.len() <= 512
            && valid_repository(repository)
            && tag.is_none_or(valid_tag)
            && digest.is_none_or(valid_digest);
        if !valid {
            return Err(invalid());
        }
        Ok(Self {
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn valid_repository(repository: &str) -> bool {
    let (first, rest) = match repository.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (repository, None),
    };
    // Only a first part that looks like a host may hold a port or capitals.
    let is_host = rest.is_some() && (first.contains(['.', ':']) || first == "localhost");
    let path = if is_host { rest.unwrap_or_default() } else { repository };
    (!is_host || valid_registry(first)) && path.split('/').all(valid_component)
}

fn valid_registry(registry: &str) -> bool {
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    let host_chars = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    !host.is_empty() && host.chars().all(host_chars) && port.is_none_or(|p| p.parse::<u16>().is_ok())
}

fn valid_component(component: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(edge)
        && component.ends_with(edge)
        && component.chars().all(|c| edge(c) || matches!(c, '.' | '_' | '-'))
}

fn valid_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn valid_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')))
}

super::text_value!(ImageRef, "an image such as \"caddy:2.11-alpine\"", None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_a_registry_is_not_a_tag() {
        let image: ImageRef = "localhost:5000/caddy".parse().expect("an image");
        assert_eq!((image.repository(), image.tag()), ("localhost:5000/caddy", None));
        assert!(image.floats());
    }

    #[test]
    fn what_docker_refuses_is_refused() {
        for text in ["", "Caddy", "caddy:", "a//b", "caddy:a b", "caddy@sha256:12", "caddy@md5:0", "-a"] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
    }
}
