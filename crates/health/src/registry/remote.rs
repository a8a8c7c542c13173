//! One registry: how it is reached, and what it says of an image.

use std::path::PathBuf;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use sha2::{Digest as _, Sha256};
use stageplot_topology::{Digest, ImageRef, Registry};

use super::Limits;
use super::error::{NotFollowed, RegistryError};
use super::login::{Login, Logins};
use super::session::Session;
use crate::{TrustError, tls};

/// The manifests that a digest may be of: indexes first, which name the image for
/// each architecture (OCI image specification, Docker's image manifest version 2).
pub(super) const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// The most bytes of a manifest: what the specification asks registries to take.
const LIMIT: usize = 4 << 20;

/// How often a question may be sent elsewhere.
const REDIRECTS: usize = 3;

/// Where engines look for the certificates of registries, by host and port.
const CERTIFICATES: &str = "/etc/docker/certs.d";

/// A registry that is asked.
pub(super) struct Remote {
    /// What it is called in images, and in errors.
    pub(super) host: String,
    pub(super) http: Client,
    pub(super) login: Result<Option<Login>, String>,
    scheme: &'static str,
    /// The scheme for one that does not speak TLS.
    or_else: Option<&'static str>,
    limits: Limits,
}

impl Remote {
    pub(super) async fn new(
        registry: &Registry,
        plain_http: bool,
        logins: &Logins,
        limits: Limits,
    ) -> Result<Self, TrustError> {
        let redirects = redirect::Policy::custom(|attempt| {
            let was_tls = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
            match attempt.previous().len() {
                _ if was_tls && attempt.url().scheme() != "https" => {
                    attempt.error(NotFollowed("away from TLS"))
                }
                times if times > REDIRECTS => attempt.error(NotFollowed("more than three times")),
                _ => attempt.follow(),
            }
        });
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls::client(&certificates(registry))?)
            .user_agent(concat!("stageplot/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .redirect(redirects);
        if registry.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| TrustError::NoRoots(error.to_string()))?;
        let scheme = if plain_http { "http" } else { "https" };
        // As Docker does for those on the machine itself.
        let or_else = registry.is_loopback().then_some("http");
        let login = logins.at(registry).await;
        Ok(Self { host: registry.to_string(), http, login, scheme, or_else, limits })
    }

    /// The digest of an image; where it is still `known`, a header is asked for alone.
    pub(super) async fn digest(
        &self,
        image: &ImageRef,
        known: Option<&Digest>,
    ) -> Result<Digest, RegistryError> {
        let asked = async {
            match (self.digest_over(self.scheme, image, known).await, self.or_else) {
                (Err(RegistryError::NoTls { .. }), Some(scheme)) => {
                    self.digest_over(scheme, image, known).await
                }
                (answer, _) => answer,
            }
        };
        let within = self.limits.answer;
        let over = |_| Err(RegistryError::Deadline { host: self.host.clone(), within });
        tokio::time::timeout(within, asked).await.unwrap_or_else(over)
    }

    async fn digest_over(
        &self,
        scheme: &str,
        image: &ImageRef,
        known: Option<&Digest>,
    ) -> Result<Digest, RegistryError> {
        let path = image.path();
        let reference = image.digest().map_or(image.tag().unwrap_or("latest"), Digest::as_str);
        // Names, tags and digests hold nothing that a URL would have to escape.
        let url = format!("{scheme}://{}/v2/{path}/manifests/{reference}", self.address());
        let mut session = Session::new(self, scheme == "http", &path);
        if let Some(known) = known {
            let response = session.request(Method::HEAD, &url).await?;
            if response.status().is_success() && promised(response.headers()) == Some(known.as_str()) {
                return Ok(known.clone());
            }
        }
        let response = session.request(Method::GET, &url).await?;
        match response.status() {
            StatusCode::OK => self.verified(response, image).await,
            status => Err(self.refusal(status, response.headers(), image)),
        }
    }

    /// Where the API is; Docker Hub's is not at its name.
    fn address(&self) -> &str {
        if self.host == Registry::docker_hub().as_str() { "registry-1.docker.io" } else { &self.host }
    }

    /// The digest of a manifest that came, after it was computed.
    async fn verified(&self, response: Response, image: &ImageRef) -> Result<Digest, RegistryError> {
        let host = || self.host.clone();
        let kind = media_type(response.headers()).unwrap_or("no content type").to_owned();
        if !MANIFESTS.contains(&kind.as_str()) {
            return Err(RegistryError::NotAManifest { host: host(), what: kind });
        }
        let said = promised(response.headers()).map(str::to_owned);
        let body = self.body(response, LIMIT).await?;
        let sent = format!("sha256:{}", hex(&Sha256::digest(&body)));
        let wanted = image.digest().map(ToString::to_string);
        // A registry may promise in another algorithm; then there is nothing to compare.
        let said = said.filter(|said| said.starts_with("sha256:"));
        if let Some(said) = wanted.into_iter().chain(said).find(|said| *said != sent) {
            return Err(RegistryError::Contradiction { host: host(), said, sent });
        }
        sent.parse().map_err(|_| RegistryError::NotAManifest { host: host(), what: sent })
    }

    /// A body that is not longer than it may be.
    pub(super) async fn body(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, RegistryError> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) if body.len() + piece.len() > limit => {
                    let what = format!("more than {} KiB", limit >> 10);
                    return Err(RegistryError::NotAManifest { host: self.host.clone(), what });
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => return Ok(body),
                Err(error) => return Err(RegistryError::from_http(&self.host, &error)),
            }
        }
    }

    /// What an answer means that is no manifest.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, image: &ImageRef) -> RegistryError {
        let host = self.host.clone();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                RegistryError::Refused { host, logged_in: matches!(self.login, Ok(Some(_))) }
            }
            // A registry has its errors in JSON.
            StatusCode::NOT_FOUND if media_type(headers) == Some("text/html") => {
                RegistryError::NotAManifest { host, what: "text/html".to_owned() }
            }
            StatusCode::NOT_FOUND => {
                let what = match (image.digest(), image.tag()) {
                    (Some(digest), _) => format!("{} with the digest {digest}", image.path()),
                    (None, tag) => format!("{} with the tag {}", image.path(), tag.unwrap_or("latest")),
                };
                RegistryError::Unknown { host, what }
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = headers.get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
                RegistryError::RateLimited { host, retry: seconds.map(std::time::Duration::from_secs) }
            }
            status => RegistryError::Status { host, status: status.as_u16() },
        }
    }
}

/// The digest that a registry promises.
fn promised(headers: &HeaderMap) -> Option<&str> {
    headers.get("docker-content-digest")?.to_str().ok()
}

/// The content type without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The certificates of authorities that the machine's own Docker takes for a
/// registry; none where it has none.
fn certificates(registry: &Registry) -> Vec<PathBuf> {
    let dir = std::path::Path::new(CERTIFICATES).join(registry.as_str());
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "crt")).collect();
    paths.sort();
    paths
}
